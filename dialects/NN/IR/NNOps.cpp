//===- NNOps.cpp - Verifiers, effects and costs of nn ops -----------------===//
#include "dialects/NN/IR/NNVerify.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::nn;

#define GET_OP_CLASSES
#include "dialects/NN/IR/NNOps.cpp.inc"

//===----------------------------------------------------------------------===//
// Shared by all kernel ops
//===----------------------------------------------------------------------===//

/// Product of the dimensions, or -1 if one is dynamic.
static int64_t elements(ShapedType type) {
  return type.hasStaticShape() ? type.getNumElements() : -1;
}

/// Fails where two static sizes differ.
static LogicalResult verifyEqualSizes(Operation *op, int64_t a, int64_t b, StringRef what) {
  if (ShapedType::isDynamic(a) || ShapedType::isDynamic(b) || a == b)
    return success();
  return op->emitOpError("expected equal ") << what << ", but got " << a << " and " << b;
}

LATHE_NN_EFFECTS(LinearOp)
LATHE_NN_EFFECTS(SparseLinearOp)
LATHE_NN_EFFECTS(MatMulOp)
LATHE_NN_EFFECTS(ConvOp)
LATHE_NN_EFFECTS(PoolOp)
LATHE_NN_EFFECTS(AttentionOp)
LATHE_NN_EFFECTS(NormOp)
LATHE_NN_EFFECTS(SoftmaxOp)

//===----------------------------------------------------------------------===//
// Linear, MatMul, Conv
//===----------------------------------------------------------------------===//

/// Scales and offsets of a weight-only quantized weight: as many columns as it has, in the same form.
static LogicalResult verifyWeightScales(LinearOp op, ShapedType weight, ShapedType input) {
  if (!op.getScales()) {
    if (op.getOffsets() || op.getBits())
      return op.emitOpError("has ") << (op.getOffsets() ? "offsets" : "bits") << " but no scales";
    return success();
  }
  int64_t bits = op.getBits();
  if (bits != 0 && (bits < 2 || bits > 4))
    return op.emitOpError("expected words with elements of 2, 3 or 4 bits, but got ") << bits;
  unsigned storage = bits ? 32 : 8;
  if (!input.getElementType().isF32() || !weight.getElementType().isInteger(storage))
    return op.emitOpError("with scales expected an input of f32 and a weight of i")
           << storage << ", but got " << input.getElementType() << " and " << weight.getElementType();
  auto scales = cast<ShapedType>(op.getScales().getType());
  unsigned rank = weight.getRank();
  bool fits = rank <= 3 && scales.getRank() == rank && weight.hasStaticShape() && scales.hasStaticShape() &&
              scales.getShape().front() == (rank == 3 ? weight.getDimSize(0) : scales.getShape().front()) &&
              scales.getShape().back() == weight.getShape().back() && scales.getElementType().isF32();
  int64_t rows = weight.getDimSize(rank - 2), groups = fits ? scales.getDimSize(rank - 2) : 1;
  // A group of words is a whole number of streams.
  if (!fits || groups < 1 || rows % (groups * std::max<int64_t>(bits, 1)) != 0)
    return op.emitOpError("expected f32 scales for groups of rows of the weight, ") << weight << ", but got " << scales;
  if (op.getOffsets()) {
    auto offsets = cast<ShapedType>(op.getOffsets().getType());
    if (offsets.getShape() != scales.getShape() || offsets.getElementType() != scales.getElementType())
      return op.emitOpError("expected offsets like the scales, ") << scales << ", but got " << offsets;
  }
  return success();
}

LogicalResult LinearOp::verify() {
  auto weight = cast<ShapedType>(getWeight().getType());
  if (weight.getRank() < 2 || weight.getRank() > 4)
    return emitOpError("expected a weight of rank 2, or packed of rank 3 or 4, but got ") << weight;
  auto input = cast<ShapedType>(getInput().getType());
  if (input.getRank() < 1)
    return emitOpError("expected an input of rank 1 or more");
  if (failed(verifyWeightScales(*this, weight, input)))
    return failure();
  int64_t channels = input.getShape().back(), rows = weight.getDimSize(0);
  if (weight.getRank() == 2 &&
      (failed(verifyEqualSizes(*this, channels, getBits() ? rows / int64_t(getBits()) * 32 : rows, "reduction sizes")) ||
       failed(verifyEqualSizes(*this, weight.getDimSize(1), getResultShapedType().getShape().back(),
                               "numbers of outputs"))))
    return failure();
  return verifyEpilogue(*this);
}

int64_t LinearOp::getMacs() {
  int64_t outputs = elements(getResultShapedType());
  int64_t channels = cast<ShapedType>(getInput().getType()).getShape().back();
  return outputs < 0 || ShapedType::isDynamic(channels) ? -1 : outputs * channels;
}

LogicalResult SparseLinearOp::verify() {
  auto input = cast<ShapedType>(getInput().getType()), values = cast<ShapedType>(getValues().getType());
  auto coordinates = cast<ShapedType>(getCoordinates().getType());
  auto positions = cast<ShapedType>(getPositions().getType());
  if (input.getRank() < 1 || !input.getElementType().isF32() || ShapedType::isDynamic(input.getShape().back()))
    return emitOpError("expected an input of f32 with a static last dimension, but got ") << input;
  if (values.getRank() != 1 || !values.hasStaticShape() || !values.getElementType().isF32())
    return emitOpError("expected values of static shape [E] and of f32, but got ") << values;
  Type index = coordinates.getElementType();
  if (coordinates.getShape() != values.getShape() || !(index.isInteger(8) || index.isInteger(16)))
    return emitOpError("expected a coordinate of i8 or i16 for each of ")
           << values.getNumElements() << " values, but got " << coordinates;
  if (input.getShape().back() > int64_t(1) << index.getIntOrFloatBitWidth())
    return emitOpError("expected coordinates that can count ")
           << input.getShape().back() << " channels, but got " << index;
  if (positions.getRank() != 1 || !positions.hasStaticShape() || positions.getNumElements() < 2 ||
      !positions.getElementType().isInteger(32))
    return emitOpError("expected positions of static shape [N + 1] and of i32, but got ") << positions;
  if (getResultShapedType().getRank() != input.getRank() ||
      getResultShapedType().getShape().back() != positions.getNumElements() - 1)
    return emitOpError("expected a result of ")
           << positions.getNumElements() - 1 << " columns and the input's rank, but got " << getResultShapedType();
  return verifyEpilogue(*this);
}

/// Zeros that are not stored are no multiply-adds.
int64_t SparseLinearOp::getMacs() {
  int64_t outputs = elements(getResultShapedType());
  int64_t columns = getResultShapedType().getShape().back();
  return outputs < 0 ? -1 : outputs / columns * cast<ShapedType>(getValues().getType()).getNumElements();
}

LogicalResult MatMulOp::verify() {
  auto lhs = cast<ShapedType>(getLhs().getType()), rhs = cast<ShapedType>(getRhs().getType());
  if (lhs.getRank() < 2 || rhs.getRank() < 2)
    return emitOpError("expected operands of rank 2 or more");
  int64_t reduction = rhs.getDimSize(rhs.getRank() - 2);
  if (failed(verifyEqualSizes(*this, lhs.getShape().back(), reduction, "reduction sizes")))
    return failure();
  return verifyEpilogue(*this);
}

int64_t MatMulOp::getMacs() {
  int64_t outputs = elements(getResultShapedType());
  int64_t channels = cast<ShapedType>(getLhs().getType()).getShape().back();
  return outputs < 0 || ShapedType::isDynamic(channels) ? -1 : outputs * channels;
}

LogicalResult ConvOp::verify() {
  auto input = cast<ShapedType>(getInput().getType()), weight = cast<ShapedType>(getWeight().getType());
  if (input.getRank() != 4 || getResultShapedType().getRank() != 4)
    return emitOpError("expected input and result of rank 4");
  if (weight.getRank() < 4 || weight.getRank() > 6)
    return emitOpError("expected a weight of rank 4, or packed of rank 5 or 6, but got ") << weight;
  if (getStrides().size() != 2 || getDilations().size() != 2 || getPads().size() != 4)
    return emitOpError("expected 2 strides, 2 dilations and 4 pads");
  if (llvm::any_of(getStrides(), [](int64_t s) { return s < 1; }) ||
      llvm::any_of(getDilations(), [](int64_t d) { return d < 1; }) ||
      llvm::any_of(getPads(), [](int64_t p) { return p < 0; }) || getGroup() < 1)
    return emitOpError("expected positive strides, dilations and group, and pads of 0 or more");
  if (weight.getRank() == 4) {
    int64_t channels = input.getDimSize(3);
    int64_t groups = getGroup();
    if (!ShapedType::isDynamic(channels) && channels != weight.getDimSize(2) * groups)
      return emitOpError("expected ") << weight.getDimSize(2) * groups << " input channels, but got " << channels;
    if (weight.getDimSize(3) % groups)
      return emitOpError("expected the outputs, ") << weight.getDimSize(3) << ", to divide by group " << groups;
  }
  return verifyEpilogue(*this);
}

int64_t ConvOp::getMacs() {
  int64_t outputs = elements(getResultShapedType());
  auto weight = cast<ShapedType>(getWeight().getType());
  int64_t channels = cast<ShapedType>(getInput().getType()).getDimSize(3);
  if (outputs < 0 || ShapedType::isDynamic(channels))
    return -1;
  unsigned window = weight.getRank() == 4 ? 0 : 1;
  return outputs * weight.getDimSize(window) * weight.getDimSize(window + 1) * (channels / int64_t(getGroup()));
}

//===----------------------------------------------------------------------===//
// Pool, Attention, Norm, Softmax
//===----------------------------------------------------------------------===//

LogicalResult PoolOp::verify() {
  if (cast<ShapedType>(getInput().getType()).getRank() != 4)
    return emitOpError("expected an input of rank 4");
  if (getKernel().size() != 2 || getStrides().size() != 2 || getDilations().size() != 2 || getPads().size() != 4)
    return emitOpError("expected a kernel, strides and dilations of 2 and 4 pads");
  return verifyForm(*this);
}

int64_t PoolOp::getMacs() {
  int64_t outputs = elements(getResultShapedType());
  return outputs < 0 ? -1 : outputs * getKernel()[0] * getKernel()[1];
}

LogicalResult AttentionOp::verify() {
  auto query = cast<ShapedType>(getQuery().getType()), key = cast<ShapedType>(getKey().getType());
  auto value = cast<ShapedType>(getValue().getType());
  if (query.getRank() != 4 || key.getRank() != 4 || value.getRank() != 4)
    return emitOpError("expected query, key and value of rank 4");
  int64_t heads = query.getDimSize(getHeadsFirst() ? 1 : 2), kvHeads = value.getDimSize(getKvHeadsFirst() ? 1 : 2);
  if (!ShapedType::isDynamic(heads) && !ShapedType::isDynamic(kvHeads) && (kvHeads == 0 || heads % kvHeads))
    return emitOpError("expected the query heads, ") << heads << ", to be a multiple of the key heads, " << kvHeads;
  return verifyForm(*this);
}

int64_t AttentionOp::getMacs() {
  auto query = cast<ShapedType>(getQuery().getType()), value = cast<ShapedType>(getValue().getType());
  int64_t outputs = elements(query), keys = value.getDimSize(getKvHeadsFirst() ? 2 : 1);
  return outputs < 0 || ShapedType::isDynamic(keys) ? -1 : 2 * outputs * keys;
}

LogicalResult NormOp::verify() {
  int64_t size = cast<ShapedType>(getInput().getType()).getShape().back();
  for (Value parameter : {getScale(), getBias()})
    if (parameter) {
      auto type = cast<ShapedType>(parameter.getType());
      if (type.getRank() != 1)
        return emitOpError("expected scale and bias of rank 1, but got ") << type;
      if (failed(verifyEqualSizes(*this, type.getDimSize(0), size, "sizes of the last dimension")))
        return failure();
    }
  return verifyForm(*this);
}

int64_t NormOp::getMacs() {
  int64_t outputs = elements(getResultShapedType());
  return outputs < 0 ? -1 : 4 * outputs;
}

LogicalResult SoftmaxOp::verify() {
  if (cast<ShapedType>(getInput().getType()).getRank() < 1)
    return emitOpError("expected an input of rank 1 or more");
  return verifyForm(*this);
}

int64_t SoftmaxOp::getMacs() {
  int64_t outputs = elements(getResultShapedType());
  return outputs < 0 ? -1 : 4 * outputs;
}

//===----------------------------------------------------------------------===//
// TokenMerge, TokenPrune
//===----------------------------------------------------------------------===//

/// Reads every memref operand but the destinations, which are written. Tensor forms have no effect.
template <typename OpT>
static void getTokenEffects(OpT op, SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<MemRefType>(operand.get().getType()))
      continue;
    if (operand.get() == op.getInit() || operand.get() == op.getSizesInit())
      effects.emplace_back(MemoryEffects::Write::get(), &operand);
    else
      effects.emplace_back(MemoryEffects::Read::get(), &operand);
  }
}

void TokenMergeOp::getEffects(SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  getTokenEffects(*this, effects);
}

void TokenPruneOp::getEffects(SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  getTokenEffects(*this, effects);
}

/// The tokens are [B, T, C] with a static T; sizes are [B, T].
template <typename OpT>
static LogicalResult verifyTokens(OpT op) {
  auto tokens = cast<ShapedType>(op.getTokens().getType());
  if (tokens.getRank() != 3 || tokens.isDynamicDim(1))
    return op.emitOpError("expected tokens of rank 3 and of a static number, but got ") << tokens;
  for (Value sizes : {op.getSizes(), op.getSizesInit()})
    if (sizes && cast<ShapedType>(sizes.getType()).getRank() != 2)
      return op.emitOpError("expected sizes of rank 2, but got ") << sizes.getType();
  return success();
}

/// There are `left` tokens in the result and, if `numResults` is 2, as many sizes; on memrefs in the destinations.
template <typename OpT>
static LogicalResult verifyFewerTokens(OpT op, unsigned numResults, int64_t left) {
  bool onTensors = isa<RankedTensorType>(op.getTokens().getType());
  if (op.getNumResults() != (onTensors ? numResults : 0))
    return op.emitOpError("expected ") << (onTensors ? numResults : 0) << " results, but got " << op.getNumResults();
  if (!onTensors && !op.getInit())
    return op.emitOpError("on memrefs must have destinations");
  if (op.getInit() && bool(op.getSizesInit()) != (numResults == 2))
    return op.emitOpError("expected ") << numResults << " destinations";
  SmallVector<Value> made(op.getResults());
  if (!onTensors) {
    made.push_back(op.getInit());
    if (numResults == 2)
      made.push_back(op.getSizesInit());
  }
  if (onTensors && op.getInit() &&
      (op.getInit().getType() != made[0].getType() || (numResults == 2 && op.getSizesInit().getType() != made[1].getType())))
    return op.emitOpError("expected destinations of the types of the results");
  for (auto [index, value] : llvm::enumerate(made)) {
    auto type = cast<ShapedType>(value.getType());
    if (type.getRank() != (index == 0 ? 3 : 2))
      return op.emitOpError("expected results of rank 3 and 2, but got ") << type;
    if (failed(verifyEqualSizes(op, type.getDimSize(1), left, index == 0 ? "numbers of tokens left" : "numbers of sizes")))
      return failure();
  }
  return success();
}

LogicalResult TokenMergeOp::verify() {
  if (failed(verifyTokens(*this)))
    return failure();
  auto tokens = cast<ShapedType>(getTokens().getType()), metric = cast<ShapedType>(getMetric().getType());
  if (metric.getRank() != 3 && metric.getRank() != 4)
    return emitOpError("expected a metric of rank 3 or 4, but got ") << metric;
  int64_t count = tokens.getDimSize(1), r = getR(), most = (count - (getProtectClass() ? 1 : 0)) / 2;
  if (failed(verifyEqualSizes(*this, count, metric.getDimSize(1), "numbers of tokens")))
    return failure();
  if (r < 1 || r > most)
    return emitOpError("expected 1 to ") << most << " of " << count << " tokens to merge, but got " << r;
  return verifyFewerTokens(*this, 2, count - r);
}

int64_t TokenMergeOp::getMacs() {
  auto tokens = cast<ShapedType>(getTokens().getType()), metric = cast<ShapedType>(getMetric().getType());
  int64_t batch = tokens.getDimSize(0), count = tokens.getDimSize(1), depth = metric.getShape().back();
  if (ShapedType::isDynamic(batch) || ShapedType::isDynamic(depth) || tokens.isDynamicDim(2))
    return -1;
  return batch * (count * count / 4 * depth + count * tokens.getDimSize(2));
}

LogicalResult TokenPruneOp::verify() {
  if (failed(verifyTokens(*this)))
    return failure();
  auto tokens = cast<ShapedType>(getTokens().getType());
  auto query = cast<ShapedType>(getQuery().getType()), key = cast<ShapedType>(getKey().getType());
  if (query.getRank() != 4 || key.getRank() != 4)
    return emitOpError("expected query and key of rank 4");
  int64_t heads = query.getDimSize(getHeadsFirst() ? 1 : 2), keyHeads = key.getDimSize(getKvHeadsFirst() ? 1 : 2);
  if (!ShapedType::isDynamic(heads) && !ShapedType::isDynamic(keyHeads) && (keyHeads == 0 || heads % keyHeads))
    return emitOpError("expected the query heads, ") << heads << ", to be a multiple of the key heads, " << keyHeads;
  int64_t count = tokens.getDimSize(1), kept = getKept();
  if (failed(verifyEqualSizes(*this, count, key.getDimSize(getKvHeadsFirst() ? 2 : 1), "numbers of tokens")))
    return failure();
  if (kept < 1 || kept > count - 3)
    return emitOpError("expected 1 to ") << count - 3 << " of " << count << " tokens to keep, but got " << kept;
  return verifyFewerTokens(*this, getSizes() ? 2 : 1, kept + 2);
}

int64_t TokenPruneOp::getMacs() {
  auto tokens = cast<ShapedType>(getTokens().getType()), query = cast<ShapedType>(getQuery().getType());
  int64_t count = tokens.getDimSize(1), heads = query.getDimSize(getHeadsFirst() ? 1 : 2), depth = query.getDimSize(3);
  if (tokens.isDynamicDim(0) || tokens.isDynamicDim(2) || ShapedType::isDynamic(heads) || ShapedType::isDynamic(depth))
    return -1;
  return tokens.getDimSize(0) * count * (heads * depth + tokens.getDimSize(2));
}

//===- LowerQuantWeights.cpp - Quantized weights of f32 ops to storage ----===//
#include "passes/Lower/LowerQuantWeights.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "passes/Lower/QuantizedConstants.h"

using namespace mlir;
using namespace lathe;

/// Rows whose elements fill whole words in every format of less than 8 bits.
static constexpr int64_t kStreamRows = 32;

static quant::QuantizedType getQuantized(Value value) {
  return dyn_cast<quant::QuantizedType>(cast<ShapedType>(value.getType()).getElementType());
}

bool lathe::isWeightOnly(nn::LinearOp op) { return getQuantized(op.getWeight()) && !getQuantized(op.getInput()); }

LogicalResult lathe::checkWeightOnly(nn::LinearOp op) {
  auto input = cast<ShapedType>(op.getInput().getType());
  auto weight = cast<ShapedType>(op.getWeight().getType());
  if (!input.getElementType().isF32())
    return op.emitOpError("expected an input of f32, but got ") << input;
  quant::QuantizedType type = getQuantized(op.getWeight());
  unsigned bits = type.getStorageTypeIntegralWidth();
  bool scaled = false;
  if (auto perAxis = dyn_cast<quant::UniformQuantizedPerAxisType>(type))
    scaled = bits == 8 && perAxis.getQuantizedDimension() == 1;
  else if (auto blocks = dyn_cast<quant::UniformQuantizedSubChannelType>(type))
    scaled = (bits == 8 || (bits >= 2 && bits <= 4 && blocks.getBlockSizes().front() % kStreamRows == 0)) &&
             blocks.getQuantizedDimensions() == ArrayRef<int32_t>{0, 1} && blocks.getBlockSizes()[1] == 1;
  if (weight.getRank() == 2 && weight.hasStaticShape() && type.isSigned() && type.getExpressedType().isF32() && scaled)
    return success();
  return op.emitOpError("expected a weight of signed 8 bits with scales for each output or for groups of rows, or of 2, "
                        "3 or 4 bits with scales for groups of a multiple of 32 rows, but got ")
         << weight;
}

/// The weight as words of `bits`-bit elements, as nn.linear reads them: each 2^(bits - 1) higher than it is.
static FailureOr<ElementsAttr> packWords(nn::LinearOp op, unsigned bits) {
  ElementsAttr constant = getStoredConstant(op.getWeight());
  if (!constant)
    return op.emitOpError("expected a constant weight, because it has ") << bits << " bits", failure();
  std::optional<SmallVector<int8_t>> values = readElements(constant);
  if (!values)
    return op.emitOpError("expected a weight that is loaded, but got ") << constant, failure();
  ArrayRef<int64_t> shape = constant.getShapedType().getShape();
  int64_t columns = shape[1], rows = shape[0] / kStreamRows * bits;
  std::vector<int32_t> words(rows * columns);
  unsigned mask = (1u << bits) - 1, middle = 1u << (bits - 1);
  for (int64_t k = 0; k < shape[0]; ++k) {
    int64_t position = k % kStreamRows * bits, word = k / kStreamRows * bits + position / 32, shift = position % 32;
    for (int64_t n = 0; n < columns; ++n) {
      uint64_t element = uint64_t((unsigned((*values)[k * columns + n]) + middle) & mask) << shift;
      words[word * columns + n] |= int32_t(uint32_t(element));
      if (shift + bits > 32)
        words[(word + 1) * columns + n] |= int32_t(element >> 32);
    }
  }
  return makeConstant<int32_t>(constant, {rows, columns}, words, "words");
}

/// Multiplies the sums by a scale for each output before anything else happens to them.
static void scaleSums(nn::LinearOp op, ElementsAttr scales) {
  OpBuilder builder(op);
  Location loc = op.getLoc();
  op.getExtrasMutable().append(ValueRange{arith::ConstantOp::create(builder, loc, cast<TypedAttr>(scales))});
  Region &region = op.getEpilogue();
  if (region.empty()) {
    Block &body = region.emplaceBlock();
    Value sum = body.addArgument(builder.getF32Type(), loc);
    builder.setInsertionPointToStart(&body);
    nn::YieldOp::create(builder, loc, sum);
  }
  Block &body = region.front();
  Value sum = body.getArgument(0), scale = body.addArgument(builder.getF32Type(), loc);
  builder.setInsertionPointToStart(&body);
  auto scaled = arith::MulFOp::create(builder, loc, sum, scale);
  sum.replaceAllUsesExcept(scaled, scaled);
}

LogicalResult lathe::lowerWeightOnly(nn::LinearOp op) {
  quant::QuantizedType type = getQuantized(op.getWeight());
  int64_t columns = cast<ShapedType>(op.getWeight().getType()).getDimSize(1);
  unsigned bits = type.getStorageTypeIntegralWidth();
  QuantizationParameters parameters = readParameters(type);
  bool symmetric = parameters.isSymmetric();

  Type f32 = Float32Type::get(op.getContext());
  if (isa<quant::UniformQuantizedPerAxisType>(type) && symmetric) {
    scaleSums(op, DenseElementsAttr::get(RankedTensorType::get({columns}, f32), ArrayRef<float>(parameters.scales)));
    return success();
  }
  OpBuilder builder(op);
  auto groupsType = RankedTensorType::get({int64_t(parameters.scales.size()) / columns, columns}, f32);
  auto append = [&](MutableOperandRange operands, ArrayRef<float> values) {
    auto attribute = DenseElementsAttr::get(groupsType, values);
    operands.assign(arith::ConstantOp::create(builder, op.getLoc(), attribute).getResult());
  };
  if (bits < 8) {
    FailureOr<ElementsAttr> words = packWords(op, bits);
    if (failed(words))
      return failure();
    op.getWeightMutable().assign(arith::ConstantOp::create(builder, op.getLoc(), cast<TypedAttr>(*words)));
    op.setBits(bits);
  }
  append(op.getScalesMutable(), parameters.scales);
  if (!symmetric) {
    SmallVector<float> offsets;
    for (auto [scale, zero] : llvm::zip(parameters.scales, parameters.zeroPoints))
      offsets.push_back(-scale * float(zero + (bits < 8 ? 1 << (bits - 1) : 0)));
    append(op.getOffsetsMutable(), offsets);
  }
  return success();
}

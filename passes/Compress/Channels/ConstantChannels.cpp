//===- ConstantChannels.cpp - Channels that hold one number ---------------===//
#include "passes/Compress/Channels/ConstantChannels.h"
#include "dialects/ONNX/IR/ONNXDialect.h"
#include "mlir/IR/Matchers.h"
#include "passes/Compress/Channels/Contractions.h"
#include "passes/Compress/Quantize/Parameters.h"
#include <cmath>

using namespace mlir;
using namespace lathe;

static RankedTensorType getType(Value value) { return dyn_cast<RankedTensorType>(value.getType()); }

//===----------------------------------------------------------------------===//
// Scalars
//===----------------------------------------------------------------------===//

/// What an epilogue makes of an accumulator and elements of its extras; nullopt if that is not known.
static std::optional<float> evaluateEpilogue(Block *epilogue, ArrayRef<std::optional<float>> arguments) {
  if (!epilogue)
    return arguments.front();
  Builder builder(epilogue->getParentOp()->getContext());
  DenseMap<Value, Attribute> values;
  for (auto [argument, number] : llvm::zip_equal(epilogue->getArguments(), arguments))
    if (number && argument.getType().isF32())
      values[argument] = builder.getF32FloatAttr(*number);
  for (Operation &op : *epilogue) {
    SmallVector<Attribute> operands;
    for (Value operand : op.getOperands())
      operands.push_back(values.lookup(operand));
    if (auto yield = dyn_cast<nn::YieldOp>(op)) {
      auto number = dyn_cast_or_null<FloatAttr>(operands.front());
      return number && number.getType().isF32() ? std::optional<float>(number.getValue().convertToFloat())
                                                : std::nullopt;
    }
    if (!llvm::all_of(operands, [](Attribute operand) { return bool(operand); }))
      continue;
    // Folding may change the op in place.
    Operation *copy = op.clone();
    SmallVector<OpFoldResult> results;
    bool folded = succeeded(copy->fold(operands, results)) && results.size() == op.getNumResults();
    for (unsigned i = 0; folded && i < results.size(); ++i) {
      Attribute value = dyn_cast<Attribute>(results[i]);
      if (!value)
        value = values.lookup(cast<Value>(results[i]));
      if (value)
        values[op.getResult(i)] = value;
    }
    copy->destroy();
  }
  return std::nullopt;
}

static std::optional<float> evaluateElementwise(Operation *op, ArrayRef<std::optional<float>> operands) {
  if (isa<onnx::MulOp>(op) && llvm::is_contained(operands, std::optional<float>(0.0f)))
    return 0.0f;
  if (!llvm::all_of(operands, [](std::optional<float> operand) { return operand.has_value(); }))
    return std::nullopt;
  float x = *operands.front(), y = operands.size() > 1 ? *operands[1] : 0;
  if (isa<onnx::IdentityOp>(op))
    return x;
  if (isa<onnx::ReluOp>(op))
    return std::max(x, 0.0f);
  if (isa<onnx::AddOp>(op))
    return x + y;
  if (isa<onnx::SubOp>(op))
    return x - y;
  if (isa<onnx::MulOp>(op))
    return x * y;
  if (isa<onnx::SigmoidOp>(op))
    return 1 / (1 + std::exp(-x));
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// ConstantChannels
//===----------------------------------------------------------------------===//

std::optional<float> ConstantChannels::get(Value value, unsigned dim, int64_t index) const {
  auto numbers = known.find({value, dim});
  if (numbers == known.end())
    return std::nullopt;
  auto number = numbers->second.find(index);
  return number == numbers->second.end() ? std::nullopt : std::optional<float>(number->second);
}

/// What an operand gives the elements of a result of rank `resultRank` that have `index` in `dim`; operands broadcast.
std::optional<float> ConstantChannels::getElement(Value value, unsigned resultRank, unsigned dim, int64_t index) const {
  RankedTensorType type = getType(value);
  ElementsAttr constant;
  if (!matchPattern(value, m_Constant(&constant))) {
    unsigned missing = resultRank - type.getRank();
    return dim < missing ? std::nullopt : get(value, dim - missing, index);
  }
  if (!type.getElementType().isF32())
    return std::nullopt;
  std::vector<float> storage;
  std::optional<ArrayRef<float>> elements = readFloats(constant, storage);
  if (!elements || elements->empty())
    return std::nullopt;
  if (elements->size() == 1 || constant.isSplat())
    return elements->front();
  int64_t own = int64_t(dim) - (int64_t(resultRank) - type.getRank());
  bool isColumn = own >= 0 && type.getDimSize(own) == int64_t(elements->size());
  return isColumn ? std::optional<float>((*elements)[index]) : std::nullopt;
}

void ConstantChannels::visitContraction(Operation *op) {
  auto contraction = Contraction::match(op);
  if (!contraction || !contraction->readsFloats() || !(contraction->isDense() || contraction->isDepthwise()))
    return;
  unsigned inputDim = getType(contraction->getInput()).getRank() - 1, last = getType(contraction->getResult()).getRank() - 1;
  std::vector<float> storage;
  ArrayRef<float> weight = contraction->getWeight(storage);
  int64_t taps = contraction->getTaps(), inputs = contraction->getInputs(), outputs = contraction->getOutputs();
  bool dense = contraction->isDense(), padded = contraction->isPadded();

  // The sums of the outputs that are still constant; few are after the first row.
  std::map<int64_t, double> sums;
  for (int64_t output = 0; output < outputs; ++output)
    sums[output] = 0;
  for (int64_t row = 0; row < taps * inputs && !sums.empty(); ++row) {
    std::optional<float> input = dense ? get(contraction->getInput(), inputDim, row % inputs) : std::nullopt;
    for (auto it = sums.begin(); it != sums.end();) {
      float factor = weight[row * outputs + it->first];
      if (!dense)
        input = get(contraction->getInput(), inputDim, it->first);
      // Padding holds zeros among the numbers of the input.
      bool constant = factor == 0 || (input && (!padded || *input == 0));
      if (constant && factor != 0)
        it->second += double(*input) * factor;
      it = constant ? std::next(it) : sums.erase(it);
    }
  }
  for (auto [output, sum] : sums) {
    SmallVector<std::optional<float>> arguments{float(sum)};
    for (Value extra : contraction->getExtras())
      arguments.push_back(getElement(extra, last + 1, last, output));
    if (std::optional<float> number = evaluateEpilogue(contraction->getEpilogue(), arguments))
      known[{op->getResult(0), last}][output] = *number;
  }
}

/// Ops whose elements are elements of their operand, or averages of some.
void ConstantChannels::visitMovement(DimFlowOpInterface op) {
  Value input = op->getOperand(0);
  for (int64_t dim = 0, rank = getType(input).getRank(); dim < rank; ++dim) {
    auto numbers = known.find({input, unsigned(dim)});
    if (numbers == known.end())
      continue;
    for (OpResult result : op->getResults())
      if (DimFlow flow = op.getDimFlow(0, dim, result.getResultNumber()); flow.kind == DimFlow::Kind::Same) {
        Numbers copy = numbers->second;
        // An average that counts the padding is less at the border.
        if (auto pool = dyn_cast<nn::PoolOp>(op.getOperation()); pool && pool.getKind() == nn::PoolKind::Average)
          for (auto it = copy.begin(); it != copy.end();)
            it = it->second == 0 || !pool.getCountIncludePad() ? std::next(it) : copy.erase(it);
        known[{result, flow.dim}] = std::move(copy);
        numbers = known.find({input, unsigned(dim)});
      }
  }
}

void ConstantChannels::visitElementwise(Operation *op) {
  RankedTensorType type = getType(op->getResult(0));
  for (int64_t dim = 0; dim < type.getRank(); ++dim) {
    bool any = llvm::any_of(op->getOperands(), [&](Value operand) {
      int64_t own = dim - (type.getRank() - getType(operand).getRank());
      return own >= 0 && known.count({operand, unsigned(own)});
    });
    if (!any || type.isDynamicDim(dim))
      continue;
    for (int64_t index = 0; index < type.getDimSize(dim); ++index) {
      SmallVector<std::optional<float>> operands;
      for (Value operand : op->getOperands())
        operands.push_back(getElement(operand, type.getRank(), dim, index));
      if (std::optional<float> number = evaluateElementwise(op, operands))
        known[{op->getResult(0), unsigned(dim)}][index] = *number;
    }
  }
}

void ConstantChannels::visit(Operation *op) {
  auto isF32 = [](Value value) { return getType(value) && getType(value).getElementType().isF32(); };
  if (op->getNumResults() == 0 || !isF32(op->getResult(0)))
    return;
  if (isa<nn::LinearOp, nn::ConvOp>(op))
    return visitContraction(op);
  if (known.empty())
    return;
  if (isa<nn::PoolOp, onnx::ReduceMeanOp, onnx::ReduceMaxOp, onnx::ReduceMinOp, onnx::TransposeOp, onnx::ReshapeOp,
          onnx::FlattenOp, onnx::SqueezeOp, onnx::UnsqueezeOp, onnx::SplitOp>(op) &&
      isF32(op->getOperand(0)))
    return visitMovement(cast<DimFlowOpInterface>(op));
  if (isa<onnx::IdentityOp, onnx::ReluOp, onnx::AddOp, onnx::SubOp, onnx::MulOp, onnx::SigmoidOp>(op) &&
      llvm::all_of(op->getOperands(), isF32))
    visitElementwise(op);
}

ConstantChannels::ConstantChannels(func::FuncOp function) {
  for (Operation &op : function.getBody().front())
    visit(&op);
}

//===- AccumulatorScale.cpp - From integer accumulators to numbers --------===//
#include "passes/Lower/AccumulatorScale.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace lathe;

ElementsAttr AccumulatorScale::getScales(MLIRContext *context) const {
  SmallVector<float> rounded(scales.begin(), scales.end());
  auto type = RankedTensorType::get({int64_t(scales.size())}, Float32Type::get(context));
  return DenseElementsAttr::get(type, ArrayRef(rounded));
}

ElementsAttr AccumulatorScale::getCorrections(MLIRContext *context) const {
  if (corrections.empty())
    return nullptr;
  auto type = RankedTensorType::get({int64_t(corrections.size())}, IntegerType::get(context, 32));
  return DenseElementsAttr::get(type, ArrayRef(corrections));
}

/// The constant behind a weight's storage cast; null where there is none.
static ElementsAttr getStoredWeight(Value weight) {
  auto cast = weight.getDefiningOp<quant::StorageCastOp>();
  ElementsAttr values;
  if (cast)
    matchPattern(cast.getInput(), m_Constant(&values));
  return values;
}

/// Calls `use` with each element of a constant weight and its output channel; emits an error where it is none.
static LogicalResult forEachWeight(Operation *op, Value weight, function_ref<void(int64_t, int8_t)> use) {
  auto shape = cast<RankedTensorType>(weight.getType());
  int64_t channels = shape.getShape().back();
  ElementsAttr values = getStoredWeight(weight);
  if (!values)
    return op->emitOpError("expected a constant weight, because the zero point of the input is not 0");
  auto useAll = [&](auto elements) {
    for (auto [index, element] : llvm::enumerate(elements))
      use(index % channels, element);
  };
  if (auto resource = dyn_cast<DenseI8ResourceElementsAttr>(values)) {
    auto elements = resource.tryGetAsArrayRef();
    if (!elements || int64_t(elements->size()) != shape.getNumElements())
      return op->emitOpError("expected a weight that is loaded, but got ") << values;
    useAll(*elements);
  } else if (auto dense = dyn_cast<DenseElementsAttr>(values)) {
    useAll(dense.getValues<int8_t>());
  } else {
    return op->emitOpError("expected a dense weight, but got ") << values;
  }
  return success();
}

FailureOr<AccumulatorScale> lathe::getAccumulatorScale(Operation *op, Value input, Value weight) {
  auto inputType = cast<quant::UniformQuantizedType>(getElementTypeOrSelf(input.getType()));
  auto weightShape = cast<RankedTensorType>(weight.getType());
  int64_t channels = weightShape.getShape().back();
  AccumulatorScale result;
  if (auto perAxis = dyn_cast<quant::UniformQuantizedPerAxisType>(weightShape.getElementType()))
    for (double weightScale : perAxis.getScales())
      result.scales.push_back(inputType.getScale() * weightScale);
  else
    result.scales.assign(channels, inputType.getScale() *
                                       cast<quant::UniformQuantizedType>(weightShape.getElementType()).getScale());
  if (inputType.getZeroPoint() == 0)
    return result;

  result.corrections.assign(channels, 0);
  LogicalResult read = forEachWeight(op, weight, [&](int64_t channel, int8_t element) {
    result.corrections[channel] -= int32_t(inputType.getZeroPoint()) * int32_t(element);
  });
  if (failed(read))
    return failure();
  return result;
}

SmallVector<AccumulatorRange> lathe::getAccumulatorRanges(Operation *op, Value input, Value weight) {
  auto inputType = cast<quant::UniformQuantizedType>(getElementTypeOrSelf(input.getType()));
  int64_t least = inputType.getStorageTypeMin(), greatest = inputType.getStorageTypeMax();
  SmallVector<AccumulatorRange> ranges(cast<RankedTensorType>(weight.getType()).getShape().back());
  ElementsAttr values = getStoredWeight(weight);
  if (!values || failed(forEachWeight(op, weight, [&](int64_t channel, int8_t element) {
        ranges[channel].least += std::min(least * element, greatest * element);
        ranges[channel].greatest += std::max(least * element, greatest * element);
      })))
    return {};
  return ranges;
}

SmallVector<float> lathe::readChannels(Value value, int64_t channels) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  ElementsAttr constant;
  if (!type || type.getRank() != 1 || type.getDimSize(0) != channels || !type.getElementType().isF32() ||
      !matchPattern(value, m_Constant(&constant)))
    return {};
  if (auto dense = dyn_cast<DenseElementsAttr>(constant))
    return llvm::to_vector(dense.getValues<float>());
  auto resource = dyn_cast<DenseF32ResourceElementsAttr>(constant);
  auto elements = resource ? resource.tryGetAsArrayRef() : std::nullopt;
  return elements && int64_t(elements->size()) == channels ? llvm::to_vector(*elements) : SmallVector<float>();
}

/// The constant factor of a product with x; null if there is none.
static OpOperand *getFactorOf(Operation *op, Value x) {
  if (!isa_and_nonnull<arith::MulFOp>(op) || op->getOperand(0) == op->getOperand(1))
    return nullptr;
  OpOperand &factor = op->getOpOperand(op->getOperand(0) == x ? 1 : 0);
  return matchPattern(factor.get(), m_Constant()) ? &factor : nullptr;
}

std::optional<ScaledFactors> ScaledFactors::find(Value value, Value x) {
  if (value == x)
    return ScaledFactors();
  auto product = value.getDefiningOp<arith::MulFOp>();
  if (!product || product.getLhs() == product.getRhs())
    return std::nullopt;
  Operation *outer = nullptr;
  for (OpOperand &operand : product->getOpOperands()) {
    Operation *producer = operand.get().getDefiningOp();
    if (operand.get() == x)
      outer = product;
    else if (!outer && getFactorOf(producer, x) && producer->hasOneUse())
      outer = producer;
  }
  if (!outer)
    return std::nullopt;
  ScaledFactors found;
  for (Operation *user : x.getUsers()) {
    if (user == outer)
      continue;
    OpOperand *factor = getFactorOf(user, x);
    if (!factor)
      return std::nullopt;
    found.inverse.push_back(factor);
  }
  return found;
}

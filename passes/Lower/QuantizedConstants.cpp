//===- QuantizedConstants.cpp - Constants of quantized types as storage ---===//
#include "passes/Lower/QuantizedConstants.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace lathe;

bool QuantizationParameters::isSymmetric() const {
  return llvm::all_of(zeroPoints, [](int64_t zero) { return zero == 0; });
}

QuantizationParameters lathe::readParameters(quant::QuantizedType type) {
  QuantizationParameters result;
  if (auto perAxis = dyn_cast<quant::UniformQuantizedPerAxisType>(type)) {
    for (double scale : perAxis.getScales())
      result.scales.push_back(float(scale));
    result.zeroPoints.assign(perAxis.getZeroPoints().begin(), perAxis.getZeroPoints().end());
  } else if (auto blocks = dyn_cast<quant::UniformQuantizedSubChannelType>(type)) {
    for (const APFloat &scale : blocks.getScales().getValues<APFloat>())
      result.scales.push_back(float(scale.convertToDouble()));
    for (const APInt &zero : blocks.getZeroPoints().getValues<APInt>())
      result.zeroPoints.push_back(zero.getSExtValue());
  }
  return result;
}

ElementsAttr lathe::getStoredConstant(Value quantized) {
  auto cast = quantized.getDefiningOp<quant::StorageCastOp>();
  ElementsAttr constant;
  if (cast)
    matchPattern(cast.getInput(), m_Constant(&constant));
  return constant;
}

std::optional<SmallVector<int8_t>> lathe::readElements(ElementsAttr constant) {
  int64_t count = constant.getNumElements();
  SmallVector<int8_t> values;
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(constant)) {
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    if (!blob || int64_t(blob->getData().size()) != count)
      return std::nullopt;
    values.append(blob->getDataAs<int8_t>().begin(), blob->getDataAs<int8_t>().end());
    return values;
  }
  auto dense = dyn_cast<DenseElementsAttr>(constant);
  if (!dense)
    return std::nullopt;
  for (const APInt &value : dense.getValues<APInt>())
    values.push_back(int8_t(value.getSExtValue()));
  return values;
}

template <typename T>
ElementsAttr lathe::makeConstant(ElementsAttr like, ArrayRef<int64_t> shape, ArrayRef<T> values, StringRef name) {
  auto type = RankedTensorType::get(shape, IntegerType::get(like.getContext(), 8 * sizeof(T)));
  if (isa<DenseElementsAttr>(like))
    return DenseElementsAttr::get(type, values);
  return DenseResourceElementsAttr::get(type, name, HeapAsmResourceBlob::allocateAndCopyInferAlign(values));
}

template ElementsAttr lathe::makeConstant<int8_t>(ElementsAttr, ArrayRef<int64_t>, ArrayRef<int8_t>, StringRef);
template ElementsAttr lathe::makeConstant<int32_t>(ElementsAttr, ArrayRef<int64_t>, ArrayRef<int32_t>, StringRef);

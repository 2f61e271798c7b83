//===- WeightOnly.cpp - Quantized constants of f32 ops --------------------===//
#include "passes/Compress/Quantize/WeightOnly.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include <cmath>

using namespace mlir;
using namespace lathe;

/// The columns of a row-major matrix `[rows, columns]` as rows.
template <typename T> static std::vector<T> transpose(ArrayRef<T> values, int64_t rows, int64_t columns) {
  std::vector<T> result(values.size());
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j)
      result[j * rows + i] = values[i * columns + j];
  return result;
}

static double findSignalToNoise(ArrayRef<float> values, int64_t columns, const RoundedMatrix &rounded) {
  double signal = 0, noise = 0;
  int64_t rows = int64_t(values.size()) / columns, group = rows * columns / int64_t(rounded.scales.size());
  for (int64_t k = 0; k < rows; ++k)
    for (int64_t n = 0; n < columns; ++n) {
      int64_t of = k / group * columns + n;
      double value = values[k * columns + n];
      double error = value - double(rounded.stored[k * columns + n] - rounded.zeroPoints[of]) * rounded.scales[of];
      signal += value * value;
      noise += error * error;
    }
  return noise > 0 ? 10 * std::log10(signal / noise) : 200;
}

static SmallVector<APInt> toIntegers(ArrayRef<int64_t> values, unsigned bits) {
  return llvm::map_to_vector(values, [&](int64_t value) { return APInt(bits, uint64_t(value), /*isSigned=*/true); });
}

/// `axis` is the dimension along which the groups lie.
static quant::QuantizedType makeType(MLIRContext *context, ArrayRef<int64_t> parametersShape, ArrayRef<float> scales,
                                     ArrayRef<int64_t> zeroPoints, const WeightFormat &format, int32_t axis) {
  Builder builder(context);
  Type element = builder.getIntegerType(format.bits);
  if (format.group == 0) {
    SmallVector<double> wide(scales.begin(), scales.end());
    return quant::UniformQuantizedPerAxisType::get(quant::QuantizationFlags::Signed, element, builder.getF32Type(),
                                                   wide, zeroPoints, /*quantizedDimension=*/1 - axis, format.lowest(),
                                                   format.highest());
  }
  auto scalesAttr = DenseElementsAttr::get(RankedTensorType::get(parametersShape, builder.getF32Type()), scales);
  auto zerosAttr = DenseElementsAttr::get(RankedTensorType::get(parametersShape, element),
                                          ArrayRef<APInt>(toIntegers(zeroPoints, format.bits)));
  int64_t blocks[] = {axis == 0 ? format.group : 1, axis == 0 ? 1 : format.group};
  return quant::UniformQuantizedSubChannelType::get(quant::QuantizationFlags::Signed, element, builder.getF32Type(),
                                                    scalesAttr, zerosAttr, /*quantizedDimensions=*/{0, 1}, blocks,
                                                    format.lowest(), format.highest());
}

static ElementsAttr makeValues(MLIRContext *context, ArrayRef<int64_t> shape, ArrayRef<int8_t> stored, unsigned bits,
                               bool isResource) {
  Builder builder(context);
  auto type = RankedTensorType::get(shape, builder.getIntegerType(bits));
  if (isResource) {
    AsmResourceBlob blob = HeapAsmResourceBlob::allocateAndCopyInferAlign(stored);
    return DenseResourceElementsAttr::get(type, "quantized", std::move(blob));
  }
  if (bits == 8)
    return DenseElementsAttr::get(type, stored);
  SmallVector<int64_t> wide(stored.begin(), stored.end());
  return DenseElementsAttr::get(type, ArrayRef<APInt>(toIntegers(wide, bits)));
}

QuantizedConstant lathe::makeStoredWeight(MLIRContext *context, int64_t columns, const RoundedMatrix &stored,
                                          const WeightFormat &format, bool isResource) {
  int64_t shape[] = {int64_t(stored.stored.size()) / columns, columns};
  QuantizedConstant result;
  result.type = makeType(context, {int64_t(stored.scales.size()) / columns, columns}, stored.scales, stored.zeroPoints,
                         format, /*axis=*/0);
  result.values = makeValues(context, shape, stored.stored, format.bits, isResource);
  return result;
}

QuantizedConstant lathe::makeQuantizedWeight(ElementsAttr original, ArrayRef<float> values,
                                             const RoundedMatrix &rounded, const WeightFormat &format) {
  int64_t columns = original.getShapedType().getDimSize(1);
  QuantizedConstant result = makeStoredWeight(original.getContext(), columns, rounded, format,
                                              isa<DenseResourceElementsAttr>(original));
  result.signalToNoise = findSignalToNoise(values, columns, rounded);
  return result;
}

QuantizedConstant lathe::quantizeTable(ElementsAttr original, ArrayRef<float> values, const WeightFormat &format) {
  ArrayRef<int64_t> shape = original.getShapedType().getShape();
  std::vector<float> columns = transpose<float>(values, shape[0], shape[1]);
  RoundedMatrix rounded = roundToNearest(columns, shape[0], format);
  int64_t groups = int64_t(rounded.scales.size()) / shape[0];
  QuantizedConstant result;
  result.type = makeType(original.getContext(), {shape[0], groups},
                         transpose<float>(rounded.scales, groups, shape[0]),
                         transpose<int64_t>(rounded.zeroPoints, groups, shape[0]), format, /*axis=*/1);
  result.values = makeValues(original.getContext(), shape, transpose<int8_t>(rounded.stored, shape[1], shape[0]),
                             format.bits, isa<DenseResourceElementsAttr>(original));
  result.signalToNoise = findSignalToNoise(columns, shape[0], rounded);
  return result;
}

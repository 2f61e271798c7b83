//===- Parameters.cpp - Scales and zero points of 8-bit formats -----------===//
#include "passes/Compress/Quantize/Parameters.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include <cmath>

using namespace mlir;
using namespace lathe;

/// Rounds half to even; the default mode of floating-point arithmetic is part of the C environment, so it is not
/// relied upon.
static double roundHalfToEven(double value) {
  double rounded = std::round(value);
  return std::fabs(value - std::trunc(value)) == 0.5 ? 2 * std::round(value / 2) : rounded;
}

quant::UniformQuantizedType lathe::getActivationType(MLIRContext *context, const RangeStatistics &statistics,
                                                     RangeMethod method, double percent) {
  constexpr int64_t levels = 256;
  ValueRange range = method == RangeMethod::MinMax       ? statistics.getExtremes()
                     : method == RangeMethod::Percentile ? statistics.getPercentile(percent)
                                                         : statistics.getLeastErrorRange(levels);
  double low = std::min(0.0f, range.low), high = std::max(0.0f, range.high);
  // A float's precision, so that the scale printed, the scale compiled and the scale used here are one number.
  float scale = float((high - low) / (levels - 1));
  if (!(scale > std::numeric_limits<float>::min()))
    scale = 1;
  int64_t zeroPoint = std::clamp<int64_t>(int64_t(roundHalfToEven(-low / scale)), 0, levels - 1);
  Builder builder(context);
  return quant::UniformQuantizedType::get(/*flags=*/0, builder.getI8Type(), builder.getF32Type(), scale, zeroPoint,
                                          /*storageTypeMin=*/0, /*storageTypeMax=*/levels - 1);
}

std::optional<ArrayRef<float>> lathe::readFloats(ElementsAttr attribute, std::vector<float> &storage) {
  if (!attribute.getElementType().isF32())
    return std::nullopt;
  if (auto resource = dyn_cast<DenseF32ResourceElementsAttr>(attribute)) {
    std::optional<ArrayRef<float>> values = resource.tryGetAsArrayRef();
    if (!values || int64_t(values->size()) != attribute.getNumElements())
      return std::nullopt;
    return values;
  }
  auto dense = dyn_cast<DenseElementsAttr>(attribute);
  if (!dense)
    return std::nullopt;
  storage.assign(dense.value_begin<float>(), dense.value_end<float>());
  return ArrayRef<float>(storage);
}

QuantizedWeight lathe::quantizeWeight(ElementsAttr weight) {
  constexpr int64_t largest = 127;
  auto type = cast<ShapedType>(weight.getType());
  std::vector<float> storage;
  std::optional<ArrayRef<float>> values = readFloats(weight, storage);
  if (!values || type.getRank() < 1)
    return {};

  int64_t channels = type.getShape().back();
  SmallVector<float> magnitudes(channels, 0);
  for (auto [index, value] : llvm::enumerate(*values))
    if (float magnitude = std::fabs(value); magnitude > magnitudes[index % channels])
      magnitudes[index % channels] = magnitude;
  SmallVector<double> scales;
  for (float magnitude : magnitudes) {
    float scale = magnitude / largest;
    // A channel of zeros, or of numbers too small to divide by, becomes zeros.
    scales.push_back(scale > std::numeric_limits<float>::min() && std::isfinite(scale) ? scale : 1.0f);
  }

  std::vector<int8_t> quantized(values->size());
  double signal = 0, noise = 0;
  for (auto [index, value] : llvm::enumerate(*values)) {
    double scale = scales[index % channels], scaled = roundHalfToEven(value / scale);
    int64_t rounded = std::isnan(scaled) ? 0 : int64_t(std::clamp<double>(scaled, -largest, largest));
    quantized[index] = int8_t(rounded);
    signal += double(value) * value;
    noise += (value - rounded * scale) * (value - rounded * scale);
  }

  QuantizedWeight result;
  Builder builder(weight.getContext());
  SmallVector<int64_t> zeroPoints(channels, 0);
  result.type = quant::UniformQuantizedPerAxisType::get(
      quant::QuantizationFlags::Signed, builder.getI8Type(), builder.getF32Type(), scales, zeroPoints,
      /*quantizedDimension=*/int32_t(type.getRank() - 1), -largest, largest);
  auto valuesType = RankedTensorType::get(type.getShape(), builder.getI8Type());
  if (isa<DenseResourceElementsAttr>(weight)) {
    AsmResourceBlob blob = HeapAsmResourceBlob::allocateAndCopyInferAlign(ArrayRef<int8_t>(quantized));
    result.values = DenseResourceElementsAttr::get(valuesType, "quantized", std::move(blob));
  } else {
    result.values = DenseElementsAttr::get(valuesType, ArrayRef<int8_t>(quantized));
  }
  result.signalToNoise = noise > 0 ? 10 * std::log10(signal / noise) : 200;
  return result;
}

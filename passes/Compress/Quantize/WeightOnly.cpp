//===- WeightOnly.cpp - Weights in 8 or 4 bits, by groups of rows ---------===//
#include "passes/Compress/Quantize/WeightOnly.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "passes/Compress/Quantize/Parameters.h"
#include <cmath>

using namespace mlir;
using namespace lathe;

llvm::Expected<WeightFormat> WeightFormat::parse(StringRef text) {
  auto malformed = [&] {
    return llvm::createStringError("expected int8, or w8 or w4 with :group=32, 64 or 128 and :asymmetric, but got '" +
                                   text + "'");
  };
  SmallVector<StringRef> parts;
  text.split(parts, ':');
  if (parts[0] != "w8" && parts[0] != "w4")
    return malformed();
  WeightFormat format;
  format.bits = parts[0] == "w8" ? 8 : 4;
  for (StringRef part : llvm::drop_begin(parts)) {
    if (part == "asymmetric")
      format.symmetric = false;
    else if (!part.consume_front("group=") || part.getAsInteger(10, format.group) ||
             !llvm::is_contained({32, 64, 128}, format.group))
      return malformed();
  }
  if (format.bits == 4 && format.group == 0)
    format.group = 32;
  return format;
}

namespace {
/// Stored = round(value / scale) + zero, within [low, high].
struct Levels {
  float scale = 1;
  int64_t zero = 0, low, high;

  int64_t quantize(float value) const {
    double scaled = std::nearbyint(double(value) / scale) + double(zero);
    return std::isnan(scaled) ? zero : int64_t(std::clamp<double>(scaled, double(low), double(high)));
  }
  double express(int64_t stored) const { return double(stored - zero) * scale; }
  double squaredError(float value) const {
    double error = value - express(quantize(value));
    return error * error;
  }
};
} // namespace

static bool isUsable(float scale) { return scale > std::numeric_limits<float>::min() && std::isfinite(scale); }

static Levels chooseLevels(ArrayRef<float> values, const WeightFormat &format) {
  int64_t high = (int64_t(1) << (format.bits - 1)) - 1;
  float least = 0, most = 0;
  for (float value : values) {
    least = value < least ? value : least;
    most = value > most ? value : most;
  }
  Levels levels;
  levels.low = -high - 1, levels.high = high;
  if (!format.symmetric) {
    float scale = (most - least) / float(2 * high + 1);
    if (!isUsable(scale))
      return levels;
    levels.scale = scale;
    levels.zero = std::clamp<int64_t>(std::llround(double(levels.low) - double(least) / scale), levels.low, high);
    return levels;
  }
  float magnitude = std::max(most, -least), scale = magnitude / float(high);
  if (format.bits == 8)
    levels.low = -high;
  if (!isUsable(scale))
    return levels;
  levels.scale = scale;
  if (format.bits == 8)
    return levels;
  // With few levels it pays to clip the largest elements a little.
  double leastError = std::numeric_limits<double>::infinity();
  for (int64_t percent = 100; percent >= 60; percent -= 2) {
    Levels candidate = levels;
    candidate.scale = scale * float(percent) / 100;
    double error = 0;
    for (float value : values)
      error += candidate.squaredError(value);
    if (error < leastError) {
      leastError = error;
      levels = candidate;
    }
  }
  return levels;
}

GroupedWeight lathe::roundWeight(ElementsAttr weight, const WeightFormat &format) {
  ArrayRef<int64_t> shape = weight.getShapedType().getShape();
  std::vector<float> storage;
  std::optional<ArrayRef<float>> values = readFloats(weight, storage);
  if (!values)
    return {};
  int64_t rows = shape[0], columns = shape[1], group = format.group ? format.group : rows, groups = rows / group;

  std::vector<int8_t> stored(values->size());
  SmallVector<float> scales, column(group);
  SmallVector<int64_t> zeroPoints;
  double signal = 0, noise = 0;
  for (int64_t g = 0; g < groups; ++g)
    for (int64_t n = 0; n < columns; ++n) {
      for (int64_t k = 0; k < group; ++k)
        column[k] = (*values)[(g * group + k) * columns + n];
      Levels levels = chooseLevels(column, format);
      scales.push_back(levels.scale);
      zeroPoints.push_back(levels.zero);
      for (int64_t k = 0; k < group; ++k) {
        stored[(g * group + k) * columns + n] = int8_t(levels.quantize(column[k]));
        signal += double(column[k]) * column[k];
        noise += levels.squaredError(column[k]);
      }
    }

  GroupedWeight result;
  result.signalToNoise = noise > 0 ? 10 * std::log10(signal / noise) : 200;
  Builder builder(weight.getContext());
  Type element = builder.getIntegerType(format.bits);
  int64_t high = (int64_t(1) << (format.bits - 1)) - 1, low = format.bits == 8 && format.symmetric ? -high : -high - 1;
  if (format.group == 0) {
    SmallVector<double> wide(scales.begin(), scales.end());
    result.type =
        quant::UniformQuantizedPerAxisType::get(quant::QuantizationFlags::Signed, element, builder.getF32Type(), wide,
                                                zeroPoints, /*quantizedDimension=*/1, low, high);
  } else {
    auto zeros = llvm::map_to_vector(
        zeroPoints, [&](int64_t zero) { return APInt(format.bits, uint64_t(zero), /*isSigned=*/true); });
    auto scalesAttr = DenseElementsAttr::get(RankedTensorType::get({groups, columns}, builder.getF32Type()),
                                             ArrayRef<float>(scales));
    auto zerosAttr = DenseElementsAttr::get(RankedTensorType::get({groups, columns}, element), ArrayRef<APInt>(zeros));
    result.type = quant::UniformQuantizedSubChannelType::get(quant::QuantizationFlags::Signed, element,
                                                             builder.getF32Type(), scalesAttr, zerosAttr,
                                                             /*quantizedDimensions=*/{0, 1},
                                                             /*blockSizes=*/{group, 1}, low, high);
  }
  auto type = RankedTensorType::get(shape, element);
  if (isa<DenseResourceElementsAttr>(weight)) {
    AsmResourceBlob blob = HeapAsmResourceBlob::allocateAndCopyInferAlign(ArrayRef<int8_t>(stored));
    result.values = DenseResourceElementsAttr::get(type, "quantized", std::move(blob));
  } else if (format.bits == 8) {
    result.values = DenseElementsAttr::get(type, ArrayRef<int8_t>(stored));
  } else {
    auto wide = llvm::map_to_vector(
        stored, [&](int8_t value) { return APInt(format.bits, uint64_t(int64_t(value)), /*isSigned=*/true); });
    result.values = DenseElementsAttr::get(type, ArrayRef<APInt>(wide));
  }
  return result;
}

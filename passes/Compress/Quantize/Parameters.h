//===- Parameters.h - Scales and zero points of 8-bit formats -------------===//
#ifndef PASSES_COMPRESS_QUANTIZE_PARAMETERS_H
#define PASSES_COMPRESS_QUANTIZE_PARAMETERS_H

#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "passes/Compress/Calibration/CalibrationStatistics.h"
#include <vector>

namespace lathe {

/// How the range of an activation is taken from its statistics.
enum class RangeMethod { MinMax, Percentile, LeastError };

/// `!quant.uniform<u8:f32, scale:zero_point>` that covers the range: 0 has an exact level, so padding and ReLU cost
/// nothing.
mlir::quant::UniformQuantizedType getActivationType(mlir::MLIRContext *context, const RangeStatistics &statistics,
                                                    RangeMethod method, double percent);

/// A weight in symmetric 8 bits for each output channel.
struct QuantizedWeight {
  mlir::quant::UniformQuantizedPerAxisType type; ///< `!quant.uniform<i8<-127:127>:f32:axis, {scales}>`
  mlir::ElementsAttr values;                     ///< i8, a resource where the weight was one
  double signalToNoise = 0;                      ///< of the rounded weight, in dB
};

/// Quantizes an f32 weight whose last dimension is the output channel. Rounds half to even, as ONNX does. Null
/// `values` if the weight's bytes are not there or it is not f32.
QuantizedWeight quantizeWeight(mlir::ElementsAttr weight);

/// Elements of an f32 attribute in order; nullopt if it is of another type or its resource is missing. The view is
/// valid while `storage` and the attribute are.
std::optional<llvm::ArrayRef<float>> readFloats(mlir::ElementsAttr attribute, std::vector<float> &storage);

} // namespace lathe

#endif // PASSES_COMPRESS_QUANTIZE_PARAMETERS_H

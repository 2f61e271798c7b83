//===- WeightOnly.h - Quantized constants of f32 ops ----------------------===//
#ifndef PASSES_COMPRESS_QUANTIZE_WEIGHTONLY_H
#define PASSES_COMPRESS_QUANTIZE_WEIGHTONLY_H

#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "passes/Compress/Quantize/Levels.h"

namespace lathe {

/// A constant matrix in integers, of a row-major f32 one.
struct QuantizedConstant {
  mlir::quant::QuantizedType type;
  mlir::ElementsAttr values; ///< a byte for each element; a resource where the original was one
  double signalToNoise = 0;  ///< in dB
};

/// A weight `[K, N]` of these integers, without a signal to compare with; a resource if `isResource`. Its type is that
/// of `makeQuantizedWeight`.
QuantizedConstant makeStoredWeight(mlir::MLIRContext *context, int64_t columns, const RoundedMatrix &stored,
                                   const WeightFormat &format, bool isResource);

/// A weight `[K, N]` as it was rounded: `!quant.uniform<i8:f32:1, {...}>` without groups,
/// `!quant.uniform<i4:f32:{0:32, 1:1}, {...}>` with them.
QuantizedConstant makeQuantizedWeight(mlir::ElementsAttr original, llvm::ArrayRef<float> values,
                                      const RoundedMatrix &rounded, const WeightFormat &format);

/// Rounds the rows of a table `[V, D]` to nearest, in groups of neighbouring elements of a row:
/// `!quant.uniform<i8:f32:0, {...}>` without groups, `!quant.uniform<i4:f32:{0:1, 1:32}, {...}>` with them.
QuantizedConstant quantizeTable(mlir::ElementsAttr original, llvm::ArrayRef<float> values, const WeightFormat &format);

} // namespace lathe

#endif // PASSES_COMPRESS_QUANTIZE_WEIGHTONLY_H

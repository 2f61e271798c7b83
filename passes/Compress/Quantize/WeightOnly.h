//===- WeightOnly.h - Weights in 8 or 4 bits, by groups of rows -----------===//
#ifndef PASSES_COMPRESS_QUANTIZE_WEIGHTONLY_H
#define PASSES_COMPRESS_QUANTIZE_WEIGHTONLY_H

#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/Support/Error.h"

namespace lathe {

/// How a weight is rounded.
struct WeightFormat {
  unsigned bits = 8;     ///< 8 or 4
  int64_t group = 0;     ///< neighbouring rows that share a scale; 0: all of them
  bool symmetric = true; ///< no zero points

  /// Reads `w8` or `w4`, with `:group=32|64|128` and `:asymmetric`.
  static llvm::Expected<WeightFormat> parse(llvm::StringRef text);
};

/// A weight `[K, N]` with a scale for each column of each group of rows.
struct GroupedWeight {
  /// `!quant.uniform<i8:f32:1, {...}>` without groups, `!quant.uniform<i4:f32:{0:32, 1:1}, {...}>` with them.
  mlir::quant::QuantizedType type;
  mlir::ElementsAttr values; ///< i8 or i4 (a byte for each element), a resource where the weight was one
  double signalToNoise = 0;  ///< of the rounded weight, in dB
};

/// Rounds an f32 weight to nearest, with the scale of least squared error for symmetric groups of 4 bits and the one
/// that covers the range otherwise. The group divides the rows. Null `values` if the weight's bytes are not there.
GroupedWeight roundWeight(mlir::ElementsAttr weight, const WeightFormat &format);

} // namespace lathe

#endif // PASSES_COMPRESS_QUANTIZE_WEIGHTONLY_H

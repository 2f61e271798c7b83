//===- Levels.h - The scale and zero point of a group of weights ----------===//
#ifndef PASSES_COMPRESS_QUANTIZE_LEVELS_H
#define PASSES_COMPRESS_QUANTIZE_LEVELS_H

#include "passes/Compress/Quantize/WeightFormat.h"
#include "llvm/ADT/ArrayRef.h"
#include <vector>

namespace lathe {

/// Equidistant levels: stored = round(value / scale) + zero, within [low, high]. Rounds half to even.
struct Levels {
  float scale = 1;
  int64_t zero = 0, low = 0, high = 0;

  int64_t quantize(double value) const;
  double express(int64_t stored) const { return double(stored - zero) * scale; }
};

/// The levels for `values`: in 8 bits those that cover the range. With fewer bits it pays to clip the largest elements a
/// little: those of the least squared error, weighted by `importance` (one for each value, or empty for equal ones),
/// among scaled ranges, and among the scales that fit what they round to best.
Levels chooseLevels(llvm::ArrayRef<float> values, llvm::ArrayRef<float> importance, const WeightFormat &format);

/// A matrix `[K, N]` in integers.
struct RoundedMatrix {
  std::vector<int8_t> stored;     ///< `[K, N]`
  std::vector<float> scales;      ///< `[K / group, N]`
  std::vector<int64_t> zeroPoints; ///< as many
};

/// Rounds a row-major matrix `[values.size() / columns, columns]` to nearest. The group divides the rows.
RoundedMatrix roundToNearest(llvm::ArrayRef<float> values, int64_t columns, const WeightFormat &format);

} // namespace lathe

#endif // PASSES_COMPRESS_QUANTIZE_LEVELS_H

//===- FloatSums.h - Integer sums with the bits of a float ----------------===//
#ifndef PASSES_LOWER_FLOATSUMS_H
#define PASSES_LOWER_FLOATSUMS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include <cstdint>
#include <optional>

namespace lathe {

/// Floats from `kRounder` - 2^22 to `kRounder` + 2^22 are whole numbers: adding `kRounder` to a smaller one rounds it,
/// half to even, and the bits less `kRounderBits` are the rounded number. What is larger has larger bits, up to
/// infinity.
inline constexpr int32_t kRounder = 3 << 22, kRounderBits = 0x4b400000;

/// The least and the greatest number that the accumulator of a channel can become.
struct AccumulatorRange {
  int64_t least = 0, greatest = 0;
};

/// What turns i32 sums into numbers without a conversion. Sums begin with `starts`, with which their bits are those of
/// a float between 2^23 and 2^24, where floats are whole numbers; that times `scales` plus `offsets` is the number.
struct FloatSums {
  llvm::SmallVector<int32_t> starts;
  llvm::SmallVector<float> scales, offsets;

  /// For channels that become sum * scale + bias; for those that are rounded next, that plus `kRounder`. Either is off
  /// by the scale and a half at most. nullopt where a sum does not fit, or a rounded number is not below 2^22.
  static std::optional<FloatSums> find(llvm::ArrayRef<AccumulatorRange> ranges, llvm::ArrayRef<double> scales,
                                       llvm::ArrayRef<double> biases, bool isRounded);
};

} // namespace lathe

#endif // PASSES_LOWER_FLOATSUMS_H

//===- Reduction.h - Arguments reduced to small ranges --------------------===//
#ifndef PASSES_CODEGEN_COMMON_FUNCTIONS_REDUCTION_H
#define PASSES_CODEGEN_COMMON_FUNCTIONS_REDUCTION_H

#include "passes/Codegen/Common/Functions/FloatBuilder.h"
#include <limits>

namespace lathe::codegen {

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();
inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// 1.5 * 2^23: a sum with it is rounded to a whole number, which its lowest bits hold.
inline constexpr double kRounder = 12582912;

/// The exponent field of 1.
inline constexpr int kExponentBias = 127;

/// x = 2^exponent (1 + fraction) with a fraction in [-1/3, 1/3), so that the numbers around 1 have the exponent 0.
struct Parts {
  mlir::Value fraction, exponent; ///< both as f32
};

/// For positive x, subnormal numbers included.
Parts splitExponent(FloatBuilder &b, mlir::Value x);

/// 2^k for the whole number k that is in the lowest bits of `sum`, an i32 or the bits of an f32, as k + 127. Where that is 0 or
/// 255 the result is 0 or infinity.
mlir::Value emitPowerOfTwo(FloatBuilder &b, mlir::Value sum);

} // namespace lathe::codegen

#endif // PASSES_CODEGEN_COMMON_FUNCTIONS_REDUCTION_H

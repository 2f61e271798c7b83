//===- Functions.h - Elementary functions of f32 --------------------------===//
#ifndef PASSES_CODEGEN_COMMON_FUNCTIONS_FUNCTIONS_H
#define PASSES_CODEGEN_COMMON_FUNCTIONS_FUNCTIONS_H

#include "dialects/NN/IR/NNDialect.h"
#include "passes/Codegen/Common/Functions/FloatBuilder.h"

namespace lathe::codegen {

FloatTarget getFloatTarget(nn::TargetAttr target);

// Each function takes f32, or a vector of it of any shape, and emits code without branches, calls and tables. Errors
// are in ulp, the distance of two f32 around the exact result; those in parentheses hold where the target has no fused
// multiply-add. docs/functions.md has the table of what is measured on every float, test/unit/Codegen/FunctionsTest.cpp
// measures it.
//
// Arguments are reduced as Cody and Waite do ("Software Manual for the Elementary Functions", 1980). Coefficients are
// computed by tools/dev/fit-functions: best polynomials in the sense of Chebyshev, rounded to f32.

/// e^x within 1 ulp (1.5). Below 2^-125.5, a little above the smallest normal number, results are 0.
mlir::Value emitExp(FloatBuilder &b, mlir::Value x);

/// The same for x <= 0. NaN counts as minus infinity, the difference of two of which softmax takes where a row is
/// masked.
mlir::Value emitExpNonPositive(FloatBuilder &b, mlir::Value x);

/// 2^x for x <= 0, within 2 ulp (2.5), or 3 by the instructions of AVX-512. Results below 2^-125.5, or by those
/// instructions below 2^-126, are 0, so that none is subnormal; NaN gives NaN.
mlir::Value emitExp2NonPositive(FloatBuilder &b, mlir::Value x);

/// numerator / (1 + e^x) within 3.5 ulp, or 4 if the numerator is not 1; 0 for x above 88.8. Only where the builder has
/// instructions for x.
mlir::Value emitLogistic(FloatBuilder &b, mlir::Value numerator, mlir::Value x);

/// e^x - 1 within 2 ulp. The result for -0 is +0.
mlir::Value emitExpM1(FloatBuilder &b, mlir::Value x);

/// sinh(x) within 2.5 ulp (3).
mlir::Value emitSinh(FloatBuilder &b, mlir::Value x);

/// cosh(x) within 2.5 ulp (3).
mlir::Value emitCosh(FloatBuilder &b, mlir::Value x);

/// tanh(x) within 3 ulp; its size never exceeds 1.
mlir::Value emitTanh(FloatBuilder &b, mlir::Value x);

/// ln(x) within 1.5 ulp, subnormal numbers included; NaN below 0, -inf for zeros.
mlir::Value emitLog(FloatBuilder &b, mlir::Value x);

/// ln(1 + x) within 2 ulp; NaN below -1, -inf for -1.
mlir::Value emitLog1p(FloatBuilder &b, mlir::Value x);

/// erf(x) within 4 ulp.
mlir::Value emitErf(FloatBuilder &b, mlir::Value x);

/// erf(x) within 1.4e-4, and within 2e-6 of 1 for |x| >= 2.7: enough for a GELU that is rounded to 8 bits, by half the
/// operations.
mlir::Value emitRoughErf(FloatBuilder &b, mlir::Value x);

/// sin(x) and cos(x) within 2 ulp and tan(x) within 3 ulp (3.5) for |x| <= 2^20; beyond that, sines and cosines are
/// numbers in [-1, 1] that lose their digits. NaN for infinities.
mlir::Value emitSin(FloatBuilder &b, mlir::Value x);
mlir::Value emitCos(FloatBuilder &b, mlir::Value x);
mlir::Value emitTan(FloatBuilder &b, mlir::Value x);

/// asin(x) within 3 ulp and acos(x) within 2 ulp, NaN beyond 1; atan(x) within 2.5 ulp.
mlir::Value emitAsin(FloatBuilder &b, mlir::Value x);
mlir::Value emitAcos(FloatBuilder &b, mlir::Value x);
mlir::Value emitAtan(FloatBuilder &b, mlir::Value x);

/// asinh(x), acosh(x) and atanh(x) within 4 ulp; NaN where there is no real result.
mlir::Value emitAsinh(FloatBuilder &b, mlir::Value x);
mlir::Value emitAcosh(FloatBuilder &b, mlir::Value x);
mlir::Value emitAtanh(FloatBuilder &b, mlir::Value x);

/// x^y within 1.5 ulp (2), special values as in C's pow. Results below the normal numbers are 0.
mlir::Value emitPow(FloatBuilder &b, mlir::Value x, mlir::Value y);

/// Whether f16 becomes f32, and f32 f16, by one instruction of the target.
bool hasHalfConversions(nn::TargetAttr target);

/// The f32 that equals an f16; NaN stays.
mlir::Value emitHalfToFloat(FloatBuilder &b, mlir::Value x);

/// The f16 next to an f32, the even one of two; infinity beyond the largest.
mlir::Value emitFloatToHalf(FloatBuilder &b, mlir::Value x);

} // namespace lathe::codegen

#endif // PASSES_CODEGEN_COMMON_FUNCTIONS_FUNCTIONS_H

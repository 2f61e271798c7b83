//===- Exponential.cpp - exp and what is made of it -----------------------===//
#include "passes/Codegen/Common/Functions/Functions.h"
#include "passes/Codegen/Common/Functions/Reduction.h"
#include <cmath>

using namespace mlir;
using namespace lathe;
using namespace lathe::codegen;

// Arguments are reduced to x = n ln 2 + rest. ln 2 is in two parts, the first of nine bits: its product with an n is
// exact.
static constexpr double kLn2High = 0.693359375, kLn2Low = -2.12194440054690583e-4;
/// x less the n nearest to it times ln 2.
static Value reduceByLn2(FloatBuilder &b, Value x, Value n, double sign = 1) {
  return b.fma(n, -sign * kLn2Low, b.fma(n, -sign * kLn2High, x));
}

/// factor * e^(sign * x) for x between halves of -ln 2 and ln 2.
static Value emitExpSeries(FloatBuilder &b, Value x, double sign, double factor) {
  SmallVector<double> coefficients = {1, 1, 0.4999999405, 0.166665226, 0.04166829215, 0.0083685331, 0.001381829265};
  for (auto [power, coefficient] : llvm::enumerate(coefficients))
    coefficient *= power % 2 ? sign * factor : factor;
  return b.polynomial(x, coefficients);
}

/// e^(sign * x) for sign * x in [-87.3, 89], or NaN. As 2 e^rest * 2^(n - 1) it needs no case of its own where it is
/// larger than the largest number, and 2^(n - 1) has the bits of 0 where n is the smallest.
static Value emitExpInRange(FloatBuilder &b, Value x, double sign = 1) {
  constexpr double rounder = kRounder + kExponentBias - 1;
  Value sum = b.fma(x, sign * M_LOG2E, rounder), n = b.sub(sum, rounder);
  Value series = emitExpSeries(b, reduceByLn2(b, x, n, sign), sign, /*factor=*/2);
  return b.mul(series, emitPowerOfTwo(b, sum));
}

namespace {
/// sign * x, held where e^(sign * x) is a number, or just beyond.
struct Exponent {
  Value x;
  double sign;
};
} // namespace

static Exponent limitExponent(FloatBuilder &b, Value x) {
  // A negation costs nothing in the signs of constants.
  if (auto negation = x.getDefiningOp<arith::NegFOp>())
    return {b.atMost(b.atLeast(negation.getOperand(), -89), 87.3), -1};
  return {b.atMost(b.atLeast(x, -87.3), 89), 1};
}

Value codegen::emitExp(FloatBuilder &b, Value x) {
  auto [limited, sign] = limitExponent(b, x);
  return emitExpInRange(b, limited, sign);
}

Value codegen::emitExpNonPositive(FloatBuilder &b, Value x) {
  return emitExpInRange(b, b.select(b.compare(FloatBuilder::FloatPredicate::OGT, x, -87.3), x, -87.3));
}

Value codegen::emitLogistic(FloatBuilder &b, Value numerator, Value x) {
  // A power of 2^(1/16) is a number of a table, scaled, so that the rest needs few terms.
  constexpr int64_t size = FloatInstructions::kTableSize;
  std::array<float, size> powers;
  for (auto [i, power] : llvm::enumerate(powers))
    power = float(std::exp2(double(i) / size));
  constexpr double rounder = kRounder / size; // sums with it are rounded to multiples of 1/16
  auto [limited, sign] = limitExponent(b, x);
  Value sum = b.fma(limited, sign * M_LOG2E, rounder), n = b.sub(sum, rounder);
  Value power = b.scale(b.lookUp(powers, b.bitcast(sum, b.i32())), n);
  Value series = b.polynomial(reduceByLn2(b, limited, n, sign), {1, sign, 0.5, sign / 6});
  return b.quotient(numerator, b.fma(power, series, 1.0));
}

Value codegen::emitExp2NonPositive(FloatBuilder &b, Value x) {
  if (b.hasInstructions(x)) {
    Value power = b.scale(
        b.polynomial(b.fraction(x), {1, 0.693151295, 0.240164593, 0.0557995141, 0.00901748054, 0.00186695263}), x);
    // A result, or later product, that is no normal number costs a machine a hundred cycles.
    return b.select(b.compare(FloatBuilder::FloatPredicate::OLT, x, 1 - kExponentBias), 0.0, power);
  }
  // As 2 * 2^rest * 2^(n - 1): the power has the bits of 0 where n is the smallest.
  constexpr double rounder = kRounder + kExponentBias - 1;
  x = b.atLeast(x, 1 - kExponentBias);
  Value sum = b.add(x, rounder), rest = b.sub(x, b.sub(sum, rounder));
  SmallVector<double> coefficients = {1, 0.693147004, 0.240222469, 0.0555071086, 0.00967129413, 0.00132695714};
  for (double &coefficient : coefficients)
    coefficient *= 2;
  Value series = b.polynomial(rest, coefficients);
  return b.mul(series, emitPowerOfTwo(b, sum));
}

/// (e^x - 1) / 2^shift for x up to (128 + shift - 1/2) ln 2, or NaN: a number even where e^x is infinite.
static Value emitScaledExpM1(FloatBuilder &b, Value x, int shift) {
  double rounder = kRounder + kExponentBias - shift;
  Value sum = b.fma(x, M_LOG2E, rounder), power = emitPowerOfTwo(b, sum);
  Value n = b.sub(sum, rounder);
  Value rest = reduceByLn2(b, x, n);
  Value series = b.polynomial(rest, {0.49999997, 0.166665465, 0.0416674428, 0.0083662523, 0.00138699589});
  series = b.fma(series, b.mul(rest, rest), rest);
  return b.fma(series, power, b.sub(power, std::ldexp(1, -shift)));
}

Value codegen::emitExpM1(FloatBuilder &b, Value x) {
  Value half = emitScaledExpM1(b, b.atMost(b.atLeast(x, -18), 89), 1);
  return b.add(half, half);
}

Value codegen::emitSinh(FloatBuilder &b, Value x) {
  // With e = e^|x|, sinh |x| is (e - 1) / 2 + (e - 1) / e / 2.
  Value quarter = emitScaledExpM1(b, b.atMost(b.abs(x), 89.5), 2);
  Value ratio = b.div(quarter, b.add(quarter, 0.25));
  return b.copySign(b.fma(ratio, 0.5, b.add(quarter, quarter)), x);
}

Value codegen::emitCosh(FloatBuilder &b, Value x) {
  Value quarter = b.add(emitScaledExpM1(b, b.atMost(b.abs(x), 89.5), 2), 0.25); // of e^|x|
  return b.add(b.add(quarter, quarter), b.div(0.125, quarter));
}

Value codegen::emitTanh(FloatBuilder &b, Value x) {
  // With h = (e^(2|x|) - 1) / 2, tanh |x| is h / (h + 1). The 2 is in the constants: x = n ln 2 / 2 + rest.
  constexpr double rounder = kRounder + kExponentBias;
  Value size = b.atMost(b.abs(x), 10);
  Value sum = b.fma(size, 2 * M_LOG2E, rounder), power = emitPowerOfTwo(b, sum);
  Value rest = b.fma(b.sub(sum, rounder), -M_LN2 / 2, size);
  Value series = b.polynomial(rest, {0.99999994, 0.666661859, 0.333339542, 0.133860052, 0.044383835});
  series = b.fma(series, b.mul(rest, rest), rest);
  Value h = b.fma(series, power, b.fma(power, 0.5, -0.5));
  return b.copySign(b.div(h, b.add(h, 1.0)), x);
}

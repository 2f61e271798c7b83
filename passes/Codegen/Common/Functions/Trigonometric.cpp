//===- Trigonometric.cpp - sin, cos and tan -------------------------------===//
#include "passes/Codegen/Common/Functions/Functions.h"
#include <cmath>

using namespace mlir;
using namespace lathe;
using namespace lathe::codegen;

// pi / 2 as a number of 33 bits, which times a whole number below 2^20 is exact in f64, and the rest.
static constexpr double kHalfPiHigh = 1.57079632673412561417, kHalfPiLow = 6.07710050650619224932e-11;
/// 1.5 * 2^52: a sum with it is rounded to a whole number, which its lowest bits hold.
static constexpr double kRounder = 6755399441055744;

namespace {
/// x = quadrant * pi/2 + rest, and the sine and cosine of the rest.
struct Reduced {
  Value quadrant, sine, cosine;
};
} // namespace

static Reduced reduce(FloatBuilder &b, Value x) {
  Value wide = b.convert(x, b.f64());
  Value sum = b.fma(wide, M_2_PI, kRounder);
  Value n = b.sub(sum, kRounder);
  Value difference = b.fma(n, -kHalfPiLow, b.fma(n, -kHalfPiHigh, wide));
  Value quadrant = b.convert(b.bitcast(sum, b.i64()), b.i32());
  // Arguments that are too large leave a rest that is no angle, and infinities leave NaN.
  Value rest = b.atMost(b.atLeast(b.convert(difference, b.f32()), -0.79), 0.79);
  Value square = b.mul(rest, rest);
  Value sine = b.polynomial(square, {-0.166666552, 0.00833218917, -0.000195182918});
  Value cosine = b.polynomial(square, {1, -0.5, 0.0416666456, -0.00138873095, 2.44323273e-05});
  return {quadrant, b.fma(sine, b.mul(square, rest), rest), cosine};
}

static Value isOdd(FloatBuilder &b, Value whole) {
  return b.compare(FloatBuilder::IntPredicate::ne, b.bitAnd(whole, 1), 0.0);
}

/// `x` with its sign turned where bit 1 of `whole` is set.
static Value turnSign(FloatBuilder &b, Value x, Value whole) {
  Value sign = b.shiftLeft(b.bitAnd(whole, 2), 30);
  return b.bitcast(b.add(b.bitcast(x, b.i32()), sign), b.f32());
}

Value codegen::emitSin(FloatBuilder &b, Value x) {
  auto [quadrant, sine, cosine] = reduce(b, x);
  return turnSign(b, b.select(isOdd(b, quadrant), cosine, sine), quadrant);
}

Value codegen::emitCos(FloatBuilder &b, Value x) {
  auto [quadrant, sine, cosine] = reduce(b, x);
  return turnSign(b, b.select(isOdd(b, quadrant), sine, cosine), b.add(quadrant, 1.0));
}

Value codegen::emitTan(FloatBuilder &b, Value x) {
  auto [quadrant, sine, cosine] = reduce(b, x);
  Value odd = isOdd(b, quadrant);
  Value quotient = b.div(b.select(odd, cosine, sine), b.select(odd, sine, cosine));
  return turnSign(b, quotient, b.shiftLeft(quadrant, 1));
}

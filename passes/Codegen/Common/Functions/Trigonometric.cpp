//===- Trigonometric.cpp - sin, cos and tan -------------------------------===//
#include "passes/Codegen/Common/Functions/Functions.h"
#include "passes/Codegen/Common/Functions/Reduction.h"
#include <cmath>

using namespace mlir;
using namespace lathe;
using namespace lathe::codegen;

namespace {
/// x = quadrant * pi/2 + angle.
struct Quadrant {
  Value quadrant, angle; ///< an i32 and an f32
};
/// The same, and the sine and cosine of the angle.
struct Reduced {
  Value quadrant, sine, cosine;
};
} // namespace

/// In f32: each product is subtracted before it is rounded.
static Quadrant reduceFused(FloatBuilder &b, Value x) {
  Value sum = b.fma(x, M_2_PI, kRounder), n = b.sub(sum, kRounder), angle = x;
  for (double part : {1.5707963705062866, -4.371138828673793e-08, -1.7151245100058819e-15}) // pi/2
    angle = b.fma(n, -part, angle);
  return {b.bitcast(sum, b.i32()), angle};
}

/// In f64: the first part of pi/2 has 33 bits, so that its product with a whole number below 2^20 is exact.
static Quadrant reduceWide(FloatBuilder &b, Value x) {
  constexpr double rounder = 6755399441055744; // 1.5 * 2^52
  Value wide = b.convert(x, b.f64());
  Value sum = b.fma(wide, M_2_PI, rounder), n = b.sub(sum, rounder);
  Value angle = b.fma(n, -6.07710050650619224932e-11, b.fma(n, -1.57079632673412561417, wide));
  return {b.convert(b.bitcast(sum, b.i64()), b.i32()), b.convert(angle, b.f32())};
}

static Reduced reduce(FloatBuilder &b, Value x) {
  auto [quadrant, angle] = b.hasFma ? reduceFused(b, x) : reduceWide(b, x);
  // pi/4, and how far the rounding of large quotients may be off. Arguments that are too large leave what is no angle, and
  // infinities leave NaN.
  angle = b.atMost(b.atLeast(angle, -0.83), 0.83);
  Value square = b.mul(angle, angle);
  Value sine = b.polynomial(square, {-0.166666493, 0.00833183806, -0.000194733395});
  Value cosine = b.polynomial(square, {1, -0.5, 0.0416666381, -0.00138869509, 2.43922241e-05});
  return {quadrant, b.fma(sine, b.mul(square, angle), angle), cosine};
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

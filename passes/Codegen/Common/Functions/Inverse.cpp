//===- Inverse.cpp - Inverse trigonometric and hyperbolic functions -------===//
#include "mlir/Dialect/Math/IR/Math.h"
#include "passes/Codegen/Common/Functions/Functions.h"
#include "passes/Codegen/Common/Functions/Reduction.h"
#include <cmath>

using namespace mlir;
using namespace lathe;
using namespace lathe::codegen;

using FloatPredicate = FloatBuilder::FloatPredicate;

static Value emitSqrt(FloatBuilder &b, Value x) { return math::SqrtOp::create(b.builder, b.loc, x); }

Value codegen::emitAtan(FloatBuilder &b, Value x) {
  // Above 1, atan(x) is pi/2 - atan(1 / x).
  Value size = b.abs(x), isLarge = b.compare(FloatPredicate::OGT, size, 1.0);
  Value t = b.div(b.select(isLarge, -1.0, size), b.select(isLarge, size, 1.0)), square = b.mul(t, t);
  Value series = b.polynomial(square, {-0.333331525, 0.199937671, -0.14211002, 0.106657714, -0.0755167529, 0.0432050824,
                                       -0.0163635407, 0.00291954773});
  Value angle = b.fma(series, b.mul(square, t), t);
  return b.copySign(b.add(angle, b.select(isLarge, M_PI_2, 0.0)), x);
}

namespace {
/// With a = |x|, asin(a) is `arc` for a <= 1/2, and pi/2 - 2 * `arc` above.
struct ArcSine {
  Value isLarge, arc;
};
} // namespace

/// `arc` is NaN where a is larger than 1.
static ArcSine emitArcSine(FloatBuilder &b, Value size) {
  Value isLarge = b.compare(FloatPredicate::OGT, size, 0.5);
  Value square = b.select(isLarge, b.fma(size, -0.5, 0.5), b.mul(size, size));
  Value sine = b.select(isLarge, emitSqrt(b, square), size);
  Value series = b.polynomial(square, {0.166667521, 0.0749530941, 0.0454691537, 0.0241847411, 0.0421583988});
  return {isLarge, b.fma(series, b.mul(square, sine), sine)};
}

Value codegen::emitAsin(FloatBuilder &b, Value x) {
  auto [isLarge, arc] = emitArcSine(b, b.abs(x));
  Value half = b.sub(M_PI_4, arc);
  return b.copySign(b.select(isLarge, b.add(half, half), arc), x);
}

Value codegen::emitAcos(FloatBuilder &b, Value x) {
  auto [isLarge, arc] = emitArcSine(b, b.abs(x));
  Value twice = b.add(arc, arc);
  Value large = b.select(b.compare(FloatPredicate::OGT, x, 0.0), twice, b.sub(M_PI, twice));
  return b.select(isLarge, large, b.sub(M_PI_2, b.copySign(arc, x)));
}

/// From here on 1 + x^2 is x^2 to f32, and log(2x) takes the place of what would overflow.
static constexpr double kHuge = 0x1p26;

Value codegen::emitAsinh(FloatBuilder &b, Value x) {
  // ln(a + sqrt(a^2 + 1)) for a = |x|; sqrt(a^2 + 1) - 1 is a^2 / (1 + sqrt(a^2 + 1)).
  Value size = b.abs(x), isHuge = b.compare(FloatPredicate::OGT, size, kHuge), square = b.mul(size, size);
  Value root = emitSqrt(b, b.add(square, 1.0));
  Value distance = b.add(size, b.div(square, b.add(root, 1.0)));
  Value log = emitLog1p(b, b.select(isHuge, size, distance));
  return b.copySign(b.add(log, b.select(isHuge, M_LN2, 0.0)), x);
}

Value codegen::emitAcosh(FloatBuilder &b, Value x) {
  // ln(x + sqrt(x^2 - 1)), in terms of t = x - 1.
  Value isHuge = b.compare(FloatPredicate::OGT, x, kHuge), t = b.sub(x, 1.0);
  Value distance = b.add(t, emitSqrt(b, b.mul(t, b.add(t, 2.0))));
  Value log = b.add(emitLog1p(b, b.select(isHuge, x, distance)), b.select(isHuge, M_LN2, 0.0));
  return b.select(b.compare(FloatPredicate::OLT, x, 1.0), kNaN, log);
}

Value codegen::emitAtanh(FloatBuilder &b, Value x) {
  // ln((1 + a) / (1 - a)) / 2 for a = |x|.
  Value size = b.abs(x);
  Value log = emitLog1p(b, b.div(b.add(size, size), b.sub(1.0, size)));
  return b.copySign(b.mul(log, 0.5), x);
}

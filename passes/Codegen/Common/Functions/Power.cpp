//===- Power.cpp - pow ----------------------------------------------------===//
#include "mlir/Dialect/Math/IR/Math.h"
#include "passes/Codegen/Common/Functions/Functions.h"
#include "passes/Codegen/Common/Functions/Reduction.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::codegen;

using FloatPredicate = FloatBuilder::FloatPredicate;

/// log2(x) in f64 for x >= 0 with a relative error of 2^-35: multiplied by y it may have eight bits before the point, and must
/// have 24 behind it.
static Value emitWideLog2(FloatBuilder &b, Value x) {
  auto [fraction, exponent] = splitExponent(b, x);
  // The exponent carries what is special.
  exponent = b.select(b.compare(FloatPredicate::OLT, x, kInfinity), exponent, x);
  exponent = b.select(b.compare(FloatPredicate::OEQ, x, 0.0), -kInfinity, exponent);
  Value f = b.convert(fraction, b.f64());
  Value series = b.polynomial(f, {1.4426950408923296, -0.72134751956928833, 0.48089834396192344, -0.36067397861975836,
                                  0.28853944171279877, -0.24043366016025927, 0.20607597401250366, -0.18080606947843417,
                                  0.16089122150839763, -0.13746104782588298, 0.12356284523049464, -0.16610547113842294,
                                  0.15754171141731035});
  return b.fma(f, series, b.convert(exponent, b.f64()));
}

/// 2^x for an f64.
static Value emitNarrowExp2(FloatBuilder &b, Value x) {
  constexpr double rounder = 6755399441055744 + kExponentBias; // 1.5 * 2^52: see emitExp
  x = b.atMost(b.atLeast(x, -127), 128.5);
  Value sum = b.add(b.sub(x, 0.49999999), rounder);
  Value rest = b.convert(b.sub(x, b.sub(sum, rounder)), b.f32());
  Value series = b.polynomial(rest, {1, 0.693147063, 0.240229085, 0.0554861836, 0.00967377517, 0.00124822895, 0.000215659718});
  return b.mul(series, emitPowerOfTwo(b, b.convert(b.bitcast(sum, b.i64()), b.i32())));
}

/// What |x|^y becomes for x < 0.
static Value applySign(FloatBuilder &b, Value power, Value x, Value y) {
  auto isWhole = [&](Value value) {
    return b.compare(FloatPredicate::OEQ, value, math::FloorOp::create(b.builder, b.loc, value).getResult());
  };
  Value sign = b.bitAnd(b.bitcast(x, b.i32()), std::numeric_limits<int32_t>::min());
  Value turned = b.bitcast(b.add(b.bitcast(power, b.i32()), sign), b.f32());
  Value ofWhole = b.select(isWhole(b.mul(y, 0.5)), power, turned);
  // -0 and -inf to a fraction are limits; the powers of other negative numbers are not real.
  Value isNegative = b.compare(FloatPredicate::OLT, x, 0.0), isFinite = b.compare(FloatPredicate::OGT, x, -kInfinity);
  Value ofFraction = b.select(isNegative, b.select(isFinite, kNaN, power), power);
  return b.select(isWhole(y), ofWhole, ofFraction);
}

Value codegen::emitPow(FloatBuilder &b, Value x, Value y) {
  // An exponent that is infinite makes 1 to its power no special case if it is only large.
  Value finite = b.atMost(b.atLeast(y, -std::numeric_limits<float>::max()), std::numeric_limits<float>::max());
  Value power = emitNarrowExp2(b, b.mul(emitWideLog2(b, b.abs(x)), b.convert(finite, b.f64())));
  power = applySign(b, power, x, y);
  power = b.select(b.compare(FloatPredicate::OEQ, x, 1.0), 1.0, power);
  return b.select(b.compare(FloatPredicate::OEQ, y, 0.0), 1.0, power);
}

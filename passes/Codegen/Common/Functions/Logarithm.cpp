//===- Logarithm.cpp - log and log1p --------------------------------------===//
#include "passes/Codegen/Common/Functions/Functions.h"
#include "passes/Codegen/Common/Functions/Reduction.h"
#include <cmath>

using namespace mlir;
using namespace lathe;
using namespace lathe::codegen;

using FloatPredicate = FloatBuilder::FloatPredicate;

/// ln(1 + f) + k ln 2 for f in [-1/3, 1/3].
static Value emitLogOfParts(FloatBuilder &b, Value f, Value k) {
  Value series = b.polynomial(f, {-0.499999374, 0.333332002, -0.250077486, 0.200110734, -0.164170295, 0.139971331, -0.153835997,
                                  0.14020592});
  return b.fma(k, M_LN2, b.fma(series, b.mul(f, f), f));
}

Value codegen::emitLog(FloatBuilder &b, Value x) {
  auto [fraction, exponent] = splitExponent(b, x);
  Value result = emitLogOfParts(b, fraction, exponent);
  // Infinity and NaN are their own logarithms.
  result = b.select(b.compare(FloatPredicate::OLT, x, kInfinity), result, x);
  Value special = b.select(b.compare(FloatPredicate::OEQ, x, 0.0), -kInfinity, kNaN);
  return b.select(b.compare(FloatPredicate::OGT, x, 0.0), result, special);
}

Value codegen::emitLog1p(FloatBuilder &b, Value x) {
  constexpr int32_t twoThirds = 0x3f2aaaab, exponentBits = -0x00800000, bitsOfFour = 0x40800000;
  // The exponent k is that of 1 + x, but f = (1 + x) 2^-k - 1 is computed from x, which holds more digits.
  Value exponent = b.bitAnd(b.sub(b.bitcast(b.add(x, 1.0), b.i32()), twoThirds), exponentBits);
  Value scaled = b.bitcast(b.sub(b.bitcast(x, b.i32()), exponent), b.f32());
  Value four = b.bitcast(b.sub(bitsOfFour, exponent), b.f32()); // 4 * 2^-k: 2^-k alone may be subnormal
  Value f = b.add(scaled, b.fma(four, 0.25, -1.0));
  Value result = emitLogOfParts(b, f, b.convert(b.shiftRight(exponent, 23), b.f32()));
  // Zeros, infinities and NaN are their own results; they, and nothing else, are not different from their doubles.
  result = b.select(b.compare(FloatPredicate::UEQ, x, b.add(x, x)), x, result);
  Value special = b.select(b.compare(FloatPredicate::OEQ, x, -1.0), -kInfinity, kNaN);
  return b.select(b.compare(FloatPredicate::OGT, x, -1.0), result, special);
}

//===- Reduction.cpp - Arguments reduced to small ranges ------------------===//
#include "passes/Codegen/Common/Functions/Reduction.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::codegen;

Parts codegen::splitExponent(FloatBuilder &b, Value x) {
  constexpr int32_t twoThirds = 0x3f2aaaab, exponentBits = -0x00800000;
  Value isSmall = b.compare(FloatBuilder::FloatPredicate::OLT, x, std::numeric_limits<float>::min());
  Value bits = b.bitcast(b.select(isSmall, b.mul(x, 0x1p23), x), b.i32());
  Value distance = b.sub(bits, twoThirds);
  Value mantissa = b.bitcast(b.sub(bits, b.bitAnd(distance, exponentBits)), b.f32());
  Value exponent = b.convert(b.shiftRight(distance, 23), b.f32());
  return {b.sub(mantissa, 1.0), b.add(exponent, b.select(isSmall, -23.0, 0.0))};
}

Value codegen::emitPowerOfTwo(FloatBuilder &b, Value sum) {
  return b.bitcast(b.shiftLeft(b.bitcast(sum, b.i32()), 23), b.f32());
}

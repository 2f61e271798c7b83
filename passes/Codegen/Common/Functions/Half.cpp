//===- Half.cpp - f16 to f32 and back by integer arithmetic ---------------===//
#include "passes/Codegen/Common/Functions/Functions.h"
#include "lib/Target/TargetFamily.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::codegen;

using IntPredicate = FloatBuilder::IntPredicate;

bool codegen::hasHalfConversions(nn::TargetAttr target) {
  const TargetFamily *family = findTargetFamily(target);
  return family && family->hasHalfConversions(target);
}

Value codegen::emitHalfToFloat(FloatBuilder &b, Value x) {
  constexpr int32_t infinityBits = 0x7f800000, shiftedInfinity = 0x0f800000;
  Value bits = b.convert(b.bitcast(x, b.i16()), b.i32()); // the sign is copied to the upper half
  Value size = b.shiftLeft(b.bitAnd(bits, 0x7fff), 13);
  // With the exponent's field in place it is only biased otherwise; that holds for subnormal numbers, too.
  Value scaled = b.bitcast(b.mul(b.bitcast(size, b.f32()), 0x1p112), b.i32());
  Value isSpecial = b.compare(IntPredicate::sge, size, shiftedInfinity);
  Value special = b.add(size, infinityBits - shiftedInfinity);
  Value sign = b.bitAnd(bits, std::numeric_limits<int32_t>::min());
  return b.bitcast(b.add(b.select(isSpecial, special, scaled), sign), b.f32());
}

Value codegen::emitFloatToHalf(FloatBuilder &b, Value x) {
  constexpr int32_t infinityBits = 0x7f800000, smallestNormal = 0x38800000, overflow = 0x47800000, bitsOfHalf = 0x3f000000;
  Value bits = b.bitcast(x, b.i32()), size = b.bitAnd(bits, std::numeric_limits<int32_t>::max());
  // Ties to even: half of the last place that stays, less one if that place is even.
  Value isOdd = b.bitAnd(b.shiftRight(size, 13), 1);
  Value rounded = b.shiftRight(b.add(b.add(size, isOdd), 0xfff - (112 << 23)), 13);
  // A sum with 1/2 is rounded to multiples of 2^-24, the subnormal numbers of f16.
  Value small = b.sub(b.bitcast(b.add(b.bitcast(size, b.f32()), 0.5), b.i32()), bitsOfHalf);
  Value result = b.select(b.compare(IntPredicate::slt, size, smallestNormal), small, rounded);
  result = b.select(b.compare(IntPredicate::sge, size, overflow), 0x7c00, result);
  result = b.select(b.compare(IntPredicate::sgt, size, infinityBits), 0x7e00, result);
  Value sign = b.bitAnd(b.shiftRight(bits, 16), -0x8000);
  return b.bitcast(b.convert(b.add(result, sign), b.i16()), b.f16());
}

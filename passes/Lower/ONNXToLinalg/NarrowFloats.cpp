//===- NarrowFloats.cpp - Floats of at most 8 bits in software ------------===//
//
// arith's conversions of these types lower on few targets only, and none of them knows ONNX's saturation. So elements are
// bytes, converted by integer arithmetic that LLVM vectorises.
//
//===----------------------------------------------------------------------===//
#include "passes/Lower/ONNXToLinalg/NarrowFloats.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/ADT/bit.h"
#include <cmath>

using namespace mlir;
using namespace lathe;
using arith::CmpIPredicate;

namespace {

constexpr int kMantissa = 23, kBias = 127; // of f32
constexpr uint32_t kInfinity = 0x7f800000, kNaN = 0x7fc00000;

/// How a format lies in its bits: sign, exponent, mantissa. Codes are without the sign.
struct Layout {
  unsigned width, mantissa;
  int bias;
  uint32_t largest, infinity, nan;
  bool hasInfinity, hasNaN, nanIsNegativeZero;

  explicit Layout(FloatType format) {
    const llvm::fltSemantics &semantics = format.getFloatSemantics();
    width = format.getWidth();
    mantissa = APFloat::semanticsPrecision(semantics) - 1;
    bias = 1 - APFloat::semanticsMinExponent(semantics);
    hasInfinity = APFloat::semanticsHasInf(semantics);
    hasNaN = APFloat::semanticsHasNaN(semantics);
    largest = bitsOf(APFloat::getLargest(semantics));
    infinity = hasInfinity ? bitsOf(APFloat::getInf(semantics)) : 0;
    nan = hasNaN ? bitsOf(APFloat::getNaN(semantics)) : 0;
    nanIsNegativeZero = hasNaN && nan == signBit();
  }

  uint32_t signBit() const { return 1u << (width - 1); }

private:
  static uint32_t bitsOf(const APFloat &value) { return value.bitcastToAPInt().getZExtValue(); }
};

/// Arithmetic on i32 and f32.
struct BitBuilder {
  ImplicitLocOpBuilder b;

  Value i32(uint32_t value) { return arith::ConstantOp::create(b, b.getI32IntegerAttr(int32_t(value))); }
  Value f32(double value) { return arith::ConstantOp::create(b, b.getF32FloatAttr(value)); }
  Value add(Value x, Value y) { return arith::AddIOp::create(b, x, y); }
  Value sub(Value x, Value y) { return arith::SubIOp::create(b, x, y); }
  Value bitAnd(Value x, uint32_t mask) { return arith::AndIOp::create(b, x, i32(mask)); }
  Value bitOr(Value x, Value y) { return arith::OrIOp::create(b, x, y); }
  Value shiftLeft(Value x, unsigned bits) { return bits ? arith::ShLIOp::create(b, x, i32(bits)).getResult() : x; }
  Value shiftRight(Value x, unsigned bits) { return bits ? arith::ShRUIOp::create(b, x, i32(bits)).getResult() : x; }
  Value compare(CmpIPredicate predicate, Value x, uint32_t y) { return arith::CmpIOp::create(b, predicate, x, i32(y)); }
  Value select(Value condition, Value x, Value y) { return arith::SelectOp::create(b, condition, x, y); }
  Value toBits(Value x) { return arith::BitcastOp::create(b, b.getI32Type(), x); }
  Value toFloat(Value x) { return arith::BitcastOp::create(b, b.getF32Type(), x); }
};

} // namespace

//===----------------------------------------------------------------------===//
// From narrow floats
//===----------------------------------------------------------------------===//

static Value decodePower(BitBuilder &b, Value code) {
  Value bits = b.shiftLeft(code, kMantissa);
  bits = b.select(b.compare(CmpIPredicate::eq, code, 0), b.i32(1u << (kMantissa - 1)), bits); // 2^-127 is subnormal
  return b.toFloat(b.select(b.compare(CmpIPredicate::eq, code, 0xff), b.i32(kNaN), bits));
}

Value lathe::createNarrowDecode(OpBuilder &builder, Location loc, Value code, FloatType format) {
  BitBuilder b{ImplicitLocOpBuilder(loc, builder)};
  code = arith::ExtUIOp::create(b.b, b.b.getI32Type(), code);
  if (isa<Float8E8M0FNUType>(format))
    return decodePower(b, code);
  Layout layout(format);
  Value sign = b.shiftLeft(b.bitAnd(b.shiftRight(code, layout.width - 1), 1), 31);
  Value magnitude = b.bitAnd(code, layout.signBit() - 1);
  Value normal = b.add(b.shiftLeft(magnitude, kMantissa - layout.mantissa), b.i32((kBias - layout.bias) << kMantissa));
  // Subnormal numbers are whole multiples of the smallest.
  double smallest = std::ldexp(1.0, 1 - layout.bias - int(layout.mantissa));
  Value multiple = arith::SIToFPOp::create(b.b, b.b.getF32Type(), magnitude);
  Value subnormal = b.toBits(arith::MulFOp::create(b.b, multiple, b.f32(smallest)));
  Value bits = b.select(b.compare(CmpIPredicate::ult, magnitude, 1u << layout.mantissa), subnormal, normal);
  if (layout.hasNaN && !layout.nanIsNegativeZero) {
    if (layout.hasInfinity)
      bits = b.select(b.compare(CmpIPredicate::eq, magnitude, layout.infinity), b.i32(kInfinity), bits);
    uint32_t lastNumber = layout.hasInfinity ? layout.infinity : layout.largest;
    bits = b.select(b.compare(CmpIPredicate::ugt, magnitude, lastNumber), b.i32(kNaN), bits);
  }
  bits = b.bitOr(bits, sign);
  if (layout.nanIsNegativeZero)
    bits = b.select(b.compare(CmpIPredicate::eq, code, layout.nan), b.i32(kNaN), bits);
  return b.toFloat(bits);
}

//===----------------------------------------------------------------------===//
// To narrow floats
//===----------------------------------------------------------------------===//

/// f64 to f32 so that rounding once more, to at most 21 bits, gives what rounding the f64 gives: of the two neighbours of what
/// is not an f32, the one whose last bit is 1 (Boldo and Melquiond 2008, "Emulation of FMA and correctly rounded sums").
static Value roundToOdd(BitBuilder &b, Value value) {
  Value nearest = arith::TruncFOp::create(b.b, b.b.getF32Type(), value);
  Value back = arith::ExtFOp::create(b.b, value.getType(), nearest);
  Value bits = b.toBits(nearest);
  auto magnitude = [&](Value x) {
    Type i64 = b.b.getI64Type();
    Value mask = arith::ConstantOp::create(b.b, b.b.getI64IntegerAttr(std::numeric_limits<int64_t>::max()));
    return arith::AndIOp::create(b.b, arith::BitcastOp::create(b.b, i64, x), mask);
  };
  Value exact = magnitude(value), rounded = magnitude(back);
  Value up = arith::CmpIOp::create(b.b, CmpIPredicate::ugt, exact, rounded);
  Value isExact = arith::CmpIOp::create(b.b, CmpIPredicate::eq, exact, rounded);
  Value isOdd = b.compare(CmpIPredicate::ne, b.bitAnd(bits, 1), 0);
  Value isNaN = arith::CmpFOp::create(b.b, arith::CmpFPredicate::UNO, value, value);
  Value keeps = arith::OrIOp::create(b.b, arith::OrIOp::create(b.b, isExact, isOdd), isNaN);
  Value other = b.select(up, b.add(bits, b.i32(1)), b.sub(bits, b.i32(1)));
  return b.toFloat(b.select(keeps, bits, other));
}

/// The exponent of the power of two, or NaN for numbers that are negative, or out of range without saturation.
static Value encodePower(BitBuilder &b, Value value, const NarrowRounding &rounding) {
  Value bits = b.toBits(value), magnitude = b.bitAnd(bits, kInfinity | (kInfinity - 1));
  Value exponent = b.shiftRight(magnitude, kMantissa);
  Value fraction = b.bitAnd(magnitude, (1u << kMantissa) - 1);
  // Below 2^-126, numbers lie between 0 and 2 times the smallest power, whose fraction is a half.
  constexpr uint32_t half = 1u << (kMantissa - 1);
  Value isSubnormal = b.compare(CmpIPredicate::eq, exponent, 0);
  Value code = exponent;
  if (rounding.power != PowerRounding::Down) {
    bool up = rounding.power == PowerRounding::Up;
    Value larger = b.select(isSubnormal, b.compare(CmpIPredicate::uge, fraction, up ? half + 1 : half + half / 2),
                            b.compare(CmpIPredicate::uge, fraction, up ? 1 : half));
    code = b.add(code, arith::ExtUIOp::create(b.b, b.b.getI32Type(), larger));
  }
  constexpr uint32_t largest = 0xfe, nan = 0xff;
  Value beyond = b.i32(rounding.saturate ? largest : nan);
  code = b.select(b.compare(CmpIPredicate::ugt, code, largest), beyond, code);
  Value isNumber = b.compare(CmpIPredicate::ule, magnitude, kInfinity);
  Value isPositive = b.compare(CmpIPredicate::ule, bits, 0x80000000u); // or a zero
  isNumber = arith::AndIOp::create(b.b, isNumber, isPositive);
  if (!rounding.saturate)
    isNumber = arith::AndIOp::create(b.b, isNumber, b.compare(CmpIPredicate::uge, magnitude, half));
  return b.select(isNumber, code, b.i32(nan));
}

Value lathe::createNarrowEncode(OpBuilder &builder, Location loc, Value value, FloatType format,
                                const NarrowRounding &rounding) {
  BitBuilder b{ImplicitLocOpBuilder(loc, builder)};
  Type i8 = builder.getI8Type();
  if (value.getType().isF64())
    value = roundToOdd(b, value);
  if (isa<Float8E8M0FNUType>(format))
    return arith::TruncIOp::create(b.b, i8, encodePower(b, value, rounding));
  Layout layout(format);
  Value bits = b.toBits(value), magnitude = b.bitAnd(bits, kInfinity | (kInfinity - 1));
  // Adding just under half of what is cut off, and the last bit that stays, rounds halves to even.
  unsigned cut = kMantissa - layout.mantissa;
  Value last = b.bitAnd(b.shiftRight(magnitude, cut), 1);
  Value normal = b.shiftRight(b.add(b.add(magnitude, last), b.i32((1u << (cut - 1)) - 1)), cut);
  normal = b.sub(normal, b.i32((kBias - layout.bias) << layout.mantissa));
  // The sum with a power of two whose last bit is worth the smallest subnormal number ends in the multiple of it.
  double spacing = std::ldexp(1.0, 1 - layout.bias - int(layout.mantissa) + kMantissa);
  Value sum = arith::AddFOp::create(b.b, b.toFloat(magnitude), b.f32(spacing));
  Value subnormal = b.sub(b.toBits(sum), b.i32(llvm::bit_cast<uint32_t>(float(spacing))));
  Value isSubnormal = b.compare(CmpIPredicate::ult, magnitude, (kBias - layout.bias + 1) << kMantissa);
  Value code = b.select(isSubnormal, subnormal, normal);

  bool saturate = rounding.saturate || !layout.hasNaN;
  uint32_t beyond = saturate ? layout.largest : layout.hasInfinity ? layout.infinity : layout.nan;
  Value isBeyond = b.compare(CmpIPredicate::ugt, code, layout.largest);
  Value isNaN = b.compare(CmpIPredicate::ugt, magnitude, kInfinity);
  Value sign = b.shiftLeft(b.shiftRight(bits, 31), layout.width - 1);
  if (layout.nanIsNegativeZero) {
    if (saturate)
      code = b.select(isBeyond, b.i32(beyond), code);
    else
      isNaN = arith::OrIOp::create(b.b, isNaN, isBeyond);
    code = b.select(b.compare(CmpIPredicate::eq, code, 0), code, b.bitOr(code, sign));
    code = b.select(isNaN, b.i32(layout.nan), code);
  } else {
    code = b.select(isBeyond, b.i32(beyond), code);
    if (layout.hasNaN)
      code = b.select(isNaN, b.i32(layout.nan), code);
    code = b.bitOr(code, sign);
    if (!layout.hasNaN)
      code = b.select(isNaN, b.i32(layout.signBit()), code);
  }
  return arith::TruncIOp::create(b.b, i8, code);
}

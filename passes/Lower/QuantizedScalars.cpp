//===- QuantizedScalars.cpp - Arithmetic of quantized elements ------------===//
#include "passes/Lower/QuantizedScalars.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace lathe;

static Value createFloat(OpBuilder &builder, Location loc, double value) {
  return arith::ConstantOp::create(builder, loc, builder.getF32FloatAttr(float(value)));
}

static Value createZeroPoint(OpBuilder &builder, Location loc, quant::UniformQuantizedType type) {
  return type.getZeroPoint() == 0 ? Value() : createFloat(builder, loc, double(type.getZeroPoint()));
}

QuantizationScalars lathe::createDequantizeScalars(OpBuilder &builder, Location loc, quant::UniformQuantizedType type) {
  return {createFloat(builder, loc, type.getScale()), createZeroPoint(builder, loc, type)};
}

QuantizationScalars lathe::createQuantizeScalars(OpBuilder &builder, Location loc, quant::UniformQuantizedType type) {
  return {createFloat(builder, loc, 1 / type.getScale()), createZeroPoint(builder, loc, type)};
}

Value lathe::createDequantize(OpBuilder &builder, Location loc, Value stored, quant::UniformQuantizedType type,
                              QuantizationScalars scalars) {
  Type i32 = builder.getI32Type(), f32 = builder.getF32Type();
  Value wide = type.isSigned() ? arith::ExtSIOp::create(builder, loc, i32, stored).getResult()
                               : arith::ExtUIOp::create(builder, loc, i32, stored).getResult();
  Value real = arith::SIToFPOp::create(builder, loc, f32, wide);
  if (scalars.zeroPoint)
    real = arith::SubFOp::create(builder, loc, real, scalars.zeroPoint);
  return arith::MulFOp::create(builder, loc, real, scalars.scale);
}

Value lathe::createAtLeast(OpBuilder &builder, Location loc, Value value, Value low) {
  Value above = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OGT, value, low);
  return arith::SelectOp::create(builder, loc, above, value, low);
}

Value lathe::createAtMost(OpBuilder &builder, Location loc, Value value, Value high) {
  Value below = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OLT, value, high);
  return arith::SelectOp::create(builder, loc, below, value, high);
}

Value lathe::createQuantize(OpBuilder &builder, Location loc, Value expressed, quant::UniformQuantizedType type,
                            QuantizationScalars scalars, bool isBounded) {
  Value scaled = scalars.scale ? arith::MulFOp::create(builder, loc, expressed, scalars.scale) : expressed;
  // Saturated before it is rounded, which comes to the same between whole numbers.
  Value low = createFloat(builder, loc, double(type.getStorageTypeMin()));
  Value high = createFloat(builder, loc, double(type.getStorageTypeMax()));
  if (scalars.zeroPoint) {
    low = arith::SubFOp::create(builder, loc, low, scalars.zeroPoint);
    high = arith::SubFOp::create(builder, loc, high, scalars.zeroPoint);
  }
  Value bounded = isBounded ? scaled : createAtLeast(builder, loc, scaled, low);
  bounded = createAtMost(builder, loc, bounded, high);
  // Between 2^23 and 2^24 floats are whole numbers, and the low bits say which: adding rounds, half to even. The bits
  // of that sum for 0 are subtracted; where there is a zero point, those of the middle twice, and those for it added.
  constexpr int32_t middle = 3 << 22, bitsOfMiddle = 0x4b400000;
  auto createInt = [&](int64_t value) {
    return arith::ConstantIntOp::create(builder, loc, builder.getI32Type(), value);
  };
  auto getBits = [&](Value value) { return arith::BitcastOp::create(builder, loc, builder.getI32Type(), value); };
  Value rounder = createFloat(builder, loc, middle);
  Value bits = getBits(arith::AddFOp::create(builder, loc, bounded, rounder));
  Value ofZero = createInt(bitsOfMiddle);
  if (scalars.zeroPoint) {
    Value ofZeroPoint = getBits(arith::AddFOp::create(builder, loc, scalars.zeroPoint, rounder));
    ofZero = arith::SubIOp::create(builder, loc, createInt(int32_t(2u * bitsOfMiddle)), ofZeroPoint);
  }
  Value whole = arith::SubIOp::create(builder, loc, bits, ofZero);
  // What is saturated fits.
  auto fits = arith::IntegerOverflowFlags::none;
  if (type.getStorageTypeMin() >= 0)
    fits = fits | arith::IntegerOverflowFlags::nuw;
  if (type.getStorageTypeMax() < int64_t(1) << (type.getStorageTypeIntegralWidth() - 1))
    fits = fits | arith::IntegerOverflowFlags::nsw;
  return arith::TruncIOp::create(builder, loc, type.getStorageType(), whole, fits);
}

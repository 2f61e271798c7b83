//===- QuantizedScalars.cpp - Arithmetic of quantized elements ------------===//
#include "passes/Lower/QuantizedScalars.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "passes/Lower/FloatSums.h"

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

static Value createInt(OpBuilder &builder, Location loc, int64_t value) {
  return arith::ConstantIntOp::create(builder, loc, builder.getI32Type(), value);
}

static Value getBits(OpBuilder &builder, Location loc, Value value) {
  return arith::BitcastOp::create(builder, loc, builder.getI32Type(), value);
}

/// An i32 that fits, as the storage type.
static Value narrow(OpBuilder &builder, Location loc, Value whole, quant::UniformQuantizedType type) {
  auto fits = arith::IntegerOverflowFlags::none;
  if (type.getStorageTypeMin() >= 0)
    fits = fits | arith::IntegerOverflowFlags::nuw;
  if (type.getStorageTypeMax() < int64_t(1) << (type.getStorageTypeIntegralWidth() - 1))
    fits = fits | arith::IntegerOverflowFlags::nsw;
  return arith::TruncIOp::create(builder, loc, type.getStorageType(), whole, fits);
}

Value lathe::createQuantizeBits(OpBuilder &builder, Location loc, Value sum, quant::UniformQuantizedType type,
                                Value ofZero) {
  Value whole = arith::SubIOp::create(builder, loc, getBits(builder, loc, sum), ofZero);
  whole = arith::MaxSIOp::create(builder, loc, whole, createInt(builder, loc, type.getStorageTypeMin()));
  whole = arith::MinSIOp::create(builder, loc, whole, createInt(builder, loc, type.getStorageTypeMax()));
  return narrow(builder, loc, whole, type);
}

Value lathe::createQuantize(OpBuilder &builder, Location loc, Value expressed, quant::UniformQuantizedType type,
                            QuantizationScalars scalars, bool isNarrowed, LowerBound bound) {
  Value scaled = scalars.scale ? arith::MulFOp::create(builder, loc, expressed, scalars.scale) : expressed;
  auto addRounder = [&](Value value) {
    return arith::AddFOp::create(builder, loc, value, createFloat(builder, loc, kRounder)).getResult();
  };
  // The bits of the rounder are subtracted; where there is a zero point, those of the rounder twice, and those for it
  // added.
  auto createOfZero = [&]() -> Value {
    Value ofZero = createInt(builder, loc, scalars.zeroPoint ? int32_t(2u * kRounderBits) : kRounderBits);
    if (!scalars.zeroPoint)
      return ofZero;
    return arith::SubIOp::create(builder, loc, ofZero, getBits(builder, loc, addRounder(scalars.zeroPoint)));
  };
  if (isNarrowed && bound != LowerBound::None)
    return createQuantizeBits(builder, loc, addRounder(scaled), type, createOfZero());
  // Saturated before it is rounded, which comes to the same between whole numbers.
  auto limit = [&](int64_t value) {
    Value stored = createFloat(builder, loc, double(value));
    return scalars.zeroPoint ? arith::SubFOp::create(builder, loc, stored, scalars.zeroPoint).getResult() : stored;
  };
  if (bound != LowerBound::Saturation)
    scaled = createAtLeast(builder, loc, scaled, limit(type.getStorageTypeMin()));
  if (!isNarrowed)
    scaled = createAtMost(builder, loc, scaled, limit(type.getStorageTypeMax()));
  Value bits = getBits(builder, loc, addRounder(scaled));
  Value whole = arith::SubIOp::create(builder, loc, bits, createOfZero());
  if (isNarrowed)
    whole = arith::MinSIOp::create(builder, loc, whole, createInt(builder, loc, type.getStorageTypeMax()));
  return narrow(builder, loc, whole, type);
}

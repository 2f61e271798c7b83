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

Value lathe::createQuantize(OpBuilder &builder, Location loc, Value expressed, quant::UniformQuantizedType type,
                            QuantizationScalars scalars) {
  Value scaled = arith::MulFOp::create(builder, loc, expressed, scalars.scale);
  // Saturated before it is rounded, which comes to the same between whole numbers. Comparisons that are false for NaN
  // select the bound.
  Value low = createFloat(builder, loc, double(type.getStorageTypeMin()));
  Value high = createFloat(builder, loc, double(type.getStorageTypeMax()));
  if (scalars.zeroPoint) {
    low = arith::SubFOp::create(builder, loc, low, scalars.zeroPoint);
    high = arith::SubFOp::create(builder, loc, high, scalars.zeroPoint);
  }
  Value above = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OGT, scaled, low);
  Value bounded = arith::SelectOp::create(builder, loc, above, scaled, low);
  Value below = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OLT, bounded, high);
  bounded = arith::SelectOp::create(builder, loc, below, bounded, high);
  // Between 2^23 and 2^24 floats are whole numbers, and the low bits say which: adding rounds, half to even.
  constexpr int32_t middle = 3 << 22, bitsOfMiddle = 0x4b400000;
  Value rounded = arith::AddFOp::create(builder, loc, bounded, createFloat(builder, loc, middle));
  if (scalars.zeroPoint)
    rounded = arith::AddFOp::create(builder, loc, rounded, scalars.zeroPoint);
  Value bits = arith::BitcastOp::create(builder, loc, builder.getI32Type(), rounded);
  Value whole = arith::SubIOp::create(builder, loc, bits,
                                      arith::ConstantIntOp::create(builder, loc, builder.getI32Type(), bitsOfMiddle));
  return arith::TruncIOp::create(builder, loc, type.getStorageType(), whole);
}

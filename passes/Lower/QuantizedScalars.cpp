//===- QuantizedScalars.cpp - Arithmetic of quantized elements ------------===//
#include "passes/Lower/QuantizedScalars.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

static Value createFloat(OpBuilder &builder, Location loc, double value) {
  return arith::ConstantOp::create(builder, loc, builder.getF32FloatAttr(float(value)));
}

static Value createInt(OpBuilder &builder, Location loc, int64_t value) {
  return arith::ConstantOp::create(builder, loc, builder.getI32IntegerAttr(int32_t(value)));
}

Value lathe::createDequantize(OpBuilder &builder, Location loc, Value stored, quant::UniformQuantizedType type) {
  Type i32 = builder.getI32Type(), f32 = builder.getF32Type();
  Value wide = type.isSigned() ? arith::ExtSIOp::create(builder, loc, i32, stored).getResult()
                               : arith::ExtUIOp::create(builder, loc, i32, stored).getResult();
  if (type.getZeroPoint() != 0)
    wide = arith::SubIOp::create(builder, loc, wide, createInt(builder, loc, type.getZeroPoint()));
  Value real = arith::SIToFPOp::create(builder, loc, f32, wide);
  return arith::MulFOp::create(builder, loc, real, createFloat(builder, loc, type.getScale()));
}

Value lathe::createQuantize(OpBuilder &builder, Location loc, Value expressed, quant::UniformQuantizedType type) {
  int64_t zero = type.getZeroPoint();
  Value scaled = arith::MulFOp::create(builder, loc, expressed, createFloat(builder, loc, 1 / type.getScale()));
  // Saturating before rounding to the same bounds, which are whole, gives the same value, and the conversion
  // never overflows. Comparisons that are false for NaN select the bound.
  Value low = createFloat(builder, loc, double(type.getStorageTypeMin() - zero));
  Value high = createFloat(builder, loc, double(type.getStorageTypeMax() - zero));
  Value above = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OGT, scaled, low);
  scaled = arith::SelectOp::create(builder, loc, above, scaled, low);
  Value below = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OLT, scaled, high);
  scaled = arith::SelectOp::create(builder, loc, below, scaled, high);
  Value rounded = math::RoundEvenOp::create(builder, loc, scaled);
  Value wide = arith::FPToSIOp::create(builder, loc, builder.getI32Type(), rounded);
  if (zero != 0)
    wide = arith::AddIOp::create(builder, loc, wide, createInt(builder, loc, zero));
  return arith::TruncIOp::create(builder, loc, type.getStorageType(), wide);
}

//===- QuantizedScalars.h - Arithmetic of quantized elements --------------===//
#ifndef PASSES_LOWER_QUANTIZEDSCALARS_H
#define PASSES_LOWER_QUANTIZEDSCALARS_H

#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/Builders.h"

namespace lathe {

/// f32 scalars of a type with one scale: constants, or arguments of a region, so that equal kernels are shared by
/// layers of different scales.
struct QuantizationScalars {
  mlir::Value scale;     ///< to dequantize: the scale; to quantize: its inverse, null if the value is multiplied by it
  mlir::Value zeroPoint; ///< null if 0
};

/// The scalars as constants.
QuantizationScalars createDequantizeScalars(mlir::OpBuilder &builder, mlir::Location loc,
                                            mlir::quant::UniformQuantizedType type);
QuantizationScalars createQuantizeScalars(mlir::OpBuilder &builder, mlir::Location loc,
                                          mlir::quant::UniformQuantizedType type);

/// (stored - zero point) * scale in f32, exact up to the product.
mlir::Value createDequantize(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value stored,
                             mlir::quant::UniformQuantizedType type, QuantizationScalars scalars);

/// round(expressed / scale) + zero point, saturated. Rounds half to even and adds the zero point after, as ONNX's
/// QuantizeLinear does. A NaN becomes the lowest value. What `isBounded` is a number, and not below what saturates.
mlir::Value createQuantize(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value expressed,
                           mlir::quant::UniformQuantizedType type, QuantizationScalars scalars, bool isBounded = false);

/// The larger, and the smaller, of a value and a bound, by comparisons that are false for a NaN and then select the
/// bound.
mlir::Value createAtLeast(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value value, mlir::Value low);
mlir::Value createAtMost(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value value, mlir::Value high);

} // namespace lathe

#endif // PASSES_LOWER_QUANTIZEDSCALARS_H

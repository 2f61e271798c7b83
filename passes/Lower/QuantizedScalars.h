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

/// Whether an activation lies in more bits than it needs: vectors of accumulators saturate as they are narrowed to it.
inline bool isWide(mlir::quant::UniformQuantizedType type) { return type.getStorageTypeIntegralWidth() > 8; }

/// What is known of a number that is to be quantized, in steps of the quantized type: nothing; that it is a number
/// above -2^22; or that it is a number not below what saturates.
enum class LowerBound { None, Rounder, Saturation };

/// round(expressed / scale) + zero point, saturated. Rounds half to even and adds the zero point after, as ONNX's
/// QuantizeLinear does. A NaN becomes the lowest value. For targets whose vectors saturate as they are narrowed
/// (`isNarrowed`) as much as possible is left to integers.
mlir::Value createQuantize(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value expressed,
                           mlir::quant::UniformQuantizedType type, QuantizationScalars scalars, bool isNarrowed,
                           LowerBound bound = LowerBound::None);

/// The same from the bits of the rounded sum of expressed / scale and `kRounder`, where that is above 2^23. `ofZero` is
/// what the bits are where the result is 0.
mlir::Value createQuantizeBits(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value sum,
                               mlir::quant::UniformQuantizedType type, mlir::Value ofZero);

/// The larger, and the smaller, of a value and a bound, by comparisons that are false for a NaN and then select the
/// bound.
mlir::Value createAtLeast(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value value, mlir::Value low);
mlir::Value createAtMost(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value value, mlir::Value high);

} // namespace lathe

#endif // PASSES_LOWER_QUANTIZEDSCALARS_H

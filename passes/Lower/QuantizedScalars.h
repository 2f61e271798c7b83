//===- QuantizedScalars.h - Arithmetic of quantized elements --------------===//
#ifndef PASSES_LOWER_QUANTIZEDSCALARS_H
#define PASSES_LOWER_QUANTIZEDSCALARS_H

#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/Builders.h"

namespace lathe {

/// (stored - zero point) * scale in f32, exact up to the product.
mlir::Value createDequantize(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value stored,
                             mlir::quant::UniformQuantizedType type);

/// round(expressed / scale) + zero point, saturated. Rounds half to even and adds the zero point after, as ONNX's
/// QuantizeLinear does. A NaN becomes the lowest value.
mlir::Value createQuantize(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value expressed,
                           mlir::quant::UniformQuantizedType type);

} // namespace lathe

#endif // PASSES_LOWER_QUANTIZEDSCALARS_H

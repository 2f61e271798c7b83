//===- QuantizedCasts.h - Casts to and from quantized types ---------------===//
#ifndef PASSES_LOWER_QUANTIZEDCASTS_H
#define PASSES_LOWER_QUANTIZEDCASTS_H

#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"

namespace lathe {

/// Replaces a cast between an activation and its unsigned bytes, where activations are stored otherwise: less 128, or
/// in more bits. Bytes that nobody else reads are stored so where they are computed.
void lowerStoredCast(mlir::quant::StorageCastOp op);

/// Replaces a `quant.qcast` or `quant.dcast` on tensors; its quantized operand has its storage type already.
void lowerCast(mlir::Operation *op, mlir::quant::UniformQuantizedType type);

} // namespace lathe

#endif // PASSES_LOWER_QUANTIZEDCASTS_H

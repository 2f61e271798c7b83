//===- Elementwise.h - Operators on single elements -----------------------===//
#ifndef DIALECTS_ONNX_IR_ELEMENTWISE_H
#define DIALECTS_ONNX_IR_ELEMENTWISE_H

#include "mlir/IR/Operation.h"

namespace lathe::onnx {

/// Whether each result element depends on one element of each operand, broadcast as in NumPy.
bool isElementwise(mlir::Operation *op);

} // namespace lathe::onnx

#endif // DIALECTS_ONNX_IR_ELEMENTWISE_H

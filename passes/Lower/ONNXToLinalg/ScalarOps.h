//===- ScalarOps.h - The scalar meaning of elementwise onnx ops -----------===//
#ifndef PASSES_LOWER_ONNXTOLINALG_SCALAROPS_H
#define PASSES_LOWER_ONNXTOLINALG_SCALAROPS_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/Operation.h"

namespace lathe {

/// Whether each element of the op's only result depends on one element of each operand, and nothing
/// else.
bool isScalarOp(mlir::Operation *onnxOp);
/// The same of the operator with this name.
bool isScalarOp(llvm::StringRef onnxName);

/// Emits what an elementwise onnx op does with one element of each of its (present) operands and
/// returns the element of the result. `scalars` are signless: whether they are unsigned is read
/// from the types of `onnxOp`. f16 and bf16 are computed in f32 and rounded once. Null, with
/// nothing emitted, if `isScalarOp` is false or a type is not a number.
mlir::Value createScalarOp(mlir::OpBuilder &builder, mlir::Location loc, mlir::Operation *onnxOp,
                           mlir::ValueRange scalars);

/// Converts a number to `to` as onnx.Cast does: floats truncate towards zero, anything but zero is
/// true.
mlir::Value createScalarCast(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value value,
                             bool fromUnsigned, mlir::Type to, bool toUnsigned);

} // namespace lathe

#endif // PASSES_LOWER_ONNXTOLINALG_SCALAROPS_H

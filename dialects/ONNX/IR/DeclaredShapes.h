//===- DeclaredShapes.h - Shapes that the model declares of results -------===//
#ifndef DIALECTS_ONNX_IR_DECLAREDSHAPES_H
#define DIALECTS_ONNX_IR_DECLAREDSHAPES_H

#include "dialects/ONNX/IR/ShapeHelpers.h"

namespace lathe::onnx {

/// Takes the static shapes that the model declares of the results; nullopt, and nothing is set, if it does not. Fails
/// after an error on `op` if it declares another rank than `rank`, which the op gives its results.
std::optional<llvm::LogicalResult> tryDeclared(mlir::Operation *op, SymbolicShapes &shapes, size_t rank);
/// The same for ops whose operands tell the shapes only at run time. Without them, an error about `what`.
llvm::LogicalResult inferDeclared(mlir::Operation *op, SymbolicShapes &shapes, size_t rank, llvm::StringRef what);

/// The number of elements of a list that has one for each dimension of the result; fails after an error on `op` if it is
/// not known, or more than tensors have dimensions.
mlir::FailureOr<size_t> getRankFrom(mlir::Operation *op, const SymbolicShapes &shapes, mlir::Value list);

} // namespace lathe::onnx

#endif // DIALECTS_ONNX_IR_DECLAREDSHAPES_H

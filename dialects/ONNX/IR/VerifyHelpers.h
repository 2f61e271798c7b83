//===- VerifyHelpers.h - What verifiers of onnx ops share -----------------===//
#ifndef DIALECTS_ONNX_IR_VERIFYHELPERS_H
#define DIALECTS_ONNX_IR_VERIFYHELPERS_H

#include "dialects/ONNX/IR/ShapeHelpers.h"

namespace lathe::onnx {

// Verifiers ask for what can be said of an op alone; sizes that are not known yet, and tensors
// without a rank, pass.

/// The type of a ranked tensor; null for others and for absent operands.
mlir::RankedTensorType getRanked(mlir::Value value);

/// `axis` in [-rank, rank) of the operand, or [-rank, rank] where it lies between dimensions.
llvm::LogicalResult verifyAxis(mlir::Operation *op, int64_t axis, mlir::Value operand,
                               bool betweenDims = false);

llvm::LogicalResult verifyOneOf(mlir::Operation *op, llvm::StringRef name, llvm::StringRef value,
                                llvm::ArrayRef<llvm::StringRef> known);

} // namespace lathe::onnx

#endif // DIALECTS_ONNX_IR_VERIFYHELPERS_H

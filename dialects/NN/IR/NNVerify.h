//===- NNVerify.h - What verifiers of nn ops share ------------------------===//
#ifndef DIALECTS_NN_IR_NNVERIFY_H
#define DIALECTS_NN_IR_NNVERIFY_H

#include "dialects/NN/IR/NNDialect.h"

namespace lathe::nn {

/// Reads every memref operand but the destination, which is written. Tensor forms have no effect.
void getKernelEffects(mlir::Operation *op, mlir::Value destination,
                      llvm::SmallVectorImpl<mlir::MemoryEffects::EffectInstance> &effects);

/// Element type that an epilogue computes on: the expressed type of a quantized one.
mlir::Type expressedType(mlir::Type type);

/// An epilogue's region takes the accumulator and one element of each extra, and yields an `element`; or it is empty.
mlir::LogicalResult verifyEpilogueRegion(mlir::Operation *op, mlir::Region &epilogue, mlir::OperandRange extras,
                                         mlir::Type element);

/// One result on tensors; a destination and no result on memrefs.
template <typename OpT>
mlir::LogicalResult verifyForm(OpT op) {
  bool onTensors = mlir::isa<mlir::RankedTensorType>(op->getOperand(0).getType());
  if (onTensors && !op.getResult())
    return op.emitOpError("on tensors must have a result");
  if (!onTensors && (op.getResult() || !op.getInit()))
    return op.emitOpError("on memrefs must have a destination and no result");
  if (onTensors && op.getInit() && op.getInit().getType() != op.getResult().getType())
    return op.emitOpError("expected the destination's type ")
           << op.getInit().getType() << " to be the result's, " << op.getResult().getType();
  return mlir::success();
}

/// The form of a kernel with one epilogue.
template <typename OpT>
mlir::LogicalResult verifyEpilogue(OpT op) {
  if (failed(verifyForm(op)))
    return mlir::failure();
  return verifyEpilogueRegion(op, op.getEpilogue(), op.getExtras(),
                              expressedType(op.getResultShapedType().getElementType()));
}

} // namespace lathe::nn

/// The effects of a kernel op with the destination `init`.
#define LATHE_NN_EFFECTS(OP)                                                                                           \
  void OP::getEffects(SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {                                       \
    getKernelEffects(*this, getInit(), effects);                                                                       \
  }

#endif // DIALECTS_NN_IR_NNVERIFY_H

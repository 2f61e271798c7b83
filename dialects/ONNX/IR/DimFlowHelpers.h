//===- DimFlowHelpers.h - What dimension flow of onnx ops shares ----------===//
#ifndef DIALECTS_ONNX_IR_DIMFLOWHELPERS_H
#define DIALECTS_ONNX_IR_DIMFLOWHELPERS_H

#include "dialects/Interfaces/DimFlow.h"
#include "dialects/ONNX/IR/ShapeHelpers.h"

namespace lathe::onnx {

/// One question to an op: dimension `dim` of operand `operand` in result `result`.
struct FlowQuery {
  mlir::Operation *op;
  unsigned operand, dim, result;

  mlir::ShapedType getOperandType() const { return getTypeOf(operand); }
  mlir::ShapedType getTypeOf(unsigned number) const {
    return mlir::cast<mlir::ShapedType>(op->getOperand(number).getType());
  }
  mlir::ShapedType getResultType() const {
    return mlir::cast<mlir::ShapedType>(op->getResult(result).getType());
  }
  bool asks(mlir::Value value) const { return op->getOperand(operand) == value; }
};

/// Dimension flow of `OpT` by the function `flow`, which takes an `OpT` or an `Operation *`.
/// Tensors without a rank may flow anywhere: Mixed.
template <auto flow, typename OpT>
struct FlowModel : DimFlowOpInterface::ExternalModel<FlowModel<flow, OpT>, OpT> {
  DimFlow getDimFlow(mlir::Operation *op, unsigned operand, unsigned dim, unsigned result) const {
    auto ranked = [](mlir::Value value) {
      return mlir::cast<mlir::ShapedType>(value.getType()).hasRank();
    };
    if (!llvm::all_of(op->getOperands(), ranked) || !llvm::all_of(op->getResults(), ranked))
      return DimFlow::mixed(0);
    return flow(mlir::cast<OpT>(op), FlowQuery{op, operand, dim, result});
  }
};

template <auto flow, typename... Ops>
void attachFlow(mlir::MLIRContext *context) {
  (Ops::template attachInterface<FlowModel<flow, Ops>>(*context), ...);
}

// Attach dimension flow to the ops of a kind, whose families are registered before.
void attachElementwiseDimFlow(mlir::MLIRContext *context);
void attachContractionDimFlow(mlir::MLIRContext *context);
void attachNNDimFlow(mlir::MLIRContext *context);
void attachTensorDimFlow(mlir::MLIRContext *context);

/// The axis counted from the front; that of a verified op is in range.
inline unsigned fromFront(int64_t axis, int64_t rank) {
  return unsigned(axis < 0 ? axis + rank : axis);
}
/// Elements of a constant of integers; nullopt for anything else, and for an absent operand.
std::optional<llvm::SmallVector<int64_t>> getConstantInts(mlir::Value value);

} // namespace lathe::onnx

#endif // DIALECTS_ONNX_IR_DIMFLOWHELPERS_H

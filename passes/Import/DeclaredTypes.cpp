//===- DeclaredTypes.cpp - What the model declares of its values ----------===//
#include "passes/Import/DeclaredTypes.h"
#include "dialects/ONNX/IR/ONNXDialect.h"

using namespace mlir;
using namespace lathe;

void lathe::declareOperands(Block &body) {
  for (Operation &op : llvm::reverse(body)) {
    if (!isa<onnx::SqrtOp, onnx::LogOp, onnx::ExpOp, onnx::NegOp, onnx::AbsOp, onnx::CastOp,
             onnx::CastLikeOp, onnx::IdentityOp, onnx::ReciprocalOp, onnx::ReluOp, onnx::SigmoidOp,
             onnx::TanhOp>(op))
      continue;
    auto type = dyn_cast<RankedTensorType>(op.getResult(0).getType());
    auto operand = dyn_cast<OpResult>(op.getOperand(0));
    auto unranked =
        operand ? dyn_cast<UnrankedTensorType>(operand.getType()) : UnrankedTensorType();
    if (type && type.hasStaticShape() && unranked)
      operand.setType(type.clone(unranked.getElementType()));
  }
}

//===- DeclaredTypes.cpp - What the model declares of its values ----------===//
#include "passes/Import/DeclaredTypes.h"
#include "dialects/Interfaces/SymbolicShapes.h"
#include "dialects/ONNX/IR/ONNXDialect.h"
#include "llvm/ADT/SetVector.h"

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

/// Whether shapes can be inferred and agree with the static types that the model declares.
static bool follows(func::FuncOp function) {
  SymbolicShapes shapes(function);
  {
    ScopedDiagnosticHandler silence(function.getContext(), [](Diagnostic &) { return success(); });
    if (failed(shapes.compute()))
      return false;
  }
  for (Operation &op : function.getBody().front())
    for (Value result : op.getResults()) {
      auto type = dyn_cast<RankedTensorType>(result.getType());
      if (type && type.hasStaticShape() && shapes.getType(result) != type)
        return false;
    }
  return true;
}

void lathe::declareRanges(func::FuncOp function) {
  SmallVector<onnx::RangeOp> open;
  for (auto range : function.getBody().front().getOps<onnx::RangeOp>())
    if (isa<UnrankedTensorType>(range.getType()) &&
        !range.getLimit().getDefiningOp<onnx::ConstantOp>())
      open.push_back(range);
  if (open.empty() || follows(function))
    return;
  llvm::SetVector<int64_t> sizes;
  for (Value result : function.getBody().front().getTerminator()->getOperands())
    if (auto type = dyn_cast<RankedTensorType>(result.getType()); type && type.hasStaticShape())
      sizes.insert_range(type.getShape());
  auto declare = [&](int64_t size) {
    for (onnx::RangeOp range : open)
      range.getResult().setType(
          RankedTensorType::get(size, cast<TensorType>(range.getType()).getElementType()));
  };
  SmallVector<int64_t> fitting;
  for (int64_t size : sizes) {
    declare(size);
    if (follows(function))
      fitting.push_back(size);
  }
  if (fitting.size() == 1)
    return declare(fitting.front());
  for (onnx::RangeOp range : open)
    range.getResult().setType(
        UnrankedTensorType::get(cast<TensorType>(range.getType()).getElementType()));
}

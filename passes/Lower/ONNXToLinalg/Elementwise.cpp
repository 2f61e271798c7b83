//===- Elementwise.cpp - Elementwise onnx ops as linalg.generic -----------===//
#include "passes/Lower/ONNXToLinalg/Lowering.h"

using namespace mlir;
using namespace lathe;

/// Operands broadcast through their indexing maps; constants of one value become
/// constants of the body.
LogicalResult lathe::lowerElementwise(Lowering &lowering, Operation *op) {
  Value result = op->getResult(0);
  ArrayRef<AffineExpr> dims = lowering.shapes.getDims(result);
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  SmallVector<TypedAttr> splats;
  for (Value operand : op->getOperands()) {
    splats.push_back(lowering.getSplat(operand));
    // The type that CastLike reads is no value that matters.
    if (splats.back() || (isa<onnx::CastLikeOp>(op) && operand != op->getOperand(0)))
      continue;
    inputs.push_back(lowering.get(operand));
    maps.push_back(lowering.broadcastMap(lowering.shapes.getDims(operand), dims));
  }
  bool isNumeric = true;
  Value lowered = lowering.generic(
      dims, lowering.elementType(result), inputs, maps,
      [&](ImplicitLocOpBuilder &b, ValueRange arguments) -> Value {
        SmallVector<Value> scalars;
        for (TypedAttr splat : splats) {
          if (splat)
            scalars.push_back(arith::ConstantOp::create(b, splat));
          else if (scalars.empty() || !isa<onnx::CastLikeOp>(op))
            scalars.push_back(arguments[0]), arguments = arguments.drop_front();
        }
        if (Value value = createScalarOp(b, b.getLoc(), op, scalars))
          return value;
        isNumeric = false;
        return arith::ConstantOp::create(b, b.getZeroAttr(lowering.elementType(result)));
      });
  if (!isNumeric)
    return op->emitOpError("has element types that are not supported: ")
           << op->getOperandTypes() << " to " << op->getResultTypes();
  lowering.set(result, lowered);
  return success();
}

static LogicalResult lowerIdentity(Lowering &lowering, onnx::IdentityOp op) {
  lowering.set(op.getOutput(), lowering.get(op.getInput()));
  return success();
}

void lathe::addElementwiseLowerings(LoweringTable &table) {
  table.add<onnx::IdentityOp, lowerIdentity>();
}

//===- QuantShapes.cpp - Shape inference of quantization ------------------===//
#include "dialects/ONNX/IR/ShapeHelpers.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::onnx;

static LogicalResult inferQuantize(QuantizeLinearOp op, SymbolicShapes &shapes) {
  Type type = IntegerType::get(op.getContext(), 8, IntegerType::Unsigned);
  if (op.getOutputDtype())
    type = getNumberType(op, op.getOutputDtype());
  if (!type)
    return failure();
  if (op.getYZeroPoint()) {
    Type zeroType = shapes.getElementType(op.getYZeroPoint());
    if (op.getOutputDtype() && zeroType != type)
      return op.emitOpError("expected zero points of ") << type << ", as output_dtype says, but got " << zeroType;
    type = zeroType;
  }
  shapes.setDims(op.getResult(), Dims(shapes.getDims(op.getX())), type);
  return success();
}

static LogicalResult inferDequantize(DequantizeLinearOp op, SymbolicShapes &shapes) {
  Type type = op.getOutputDtype() ? getNumberType(op, op.getOutputDtype()) : shapes.getElementType(op.getXScale());
  if (!type)
    return failure();
  shapes.setDims(op.getResult(), Dims(shapes.getDims(op.getX())), type);
  return success();
}

static LogicalResult inferDynamicQuantize(DynamicQuantizeLinearOp op, SymbolicShapes &shapes) {
  Type byte = IntegerType::get(op.getContext(), 8, IntegerType::Unsigned);
  shapes.setDims(op.getY(), Dims(shapes.getDims(op.getX())), byte);
  shapes.setDims(op.getYScale(), {}, shapes.getElementType(op.getX()));
  shapes.setDims(op.getYZeroPoint(), {}, byte);
  return success();
}

void onnx::attachQuantShapes(MLIRContext *context) {
  attachShapes<inferQuantize, QuantizeLinearOp>(context);
  attachShapes<inferDequantize, DequantizeLinearOp>(context);
  attachShapes<inferDynamicQuantize, DynamicQuantizeLinearOp>(context);
  attachQuantConvShapes(context);
  attachQuantMatMulShapes(context);
}

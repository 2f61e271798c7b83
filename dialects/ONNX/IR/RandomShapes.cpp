//===- RandomShapes.cpp - Shape inference of random onnx ops --------------===//
#include "dialects/ONNX/IR/ShapeHelpers.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::onnx;

/// The element type that attribute `dtype` says, or `otherwise`; null after an error.
static Type getDType(Operation *op, Type otherwise) {
  int64_t number = getInt(op, "dtype", 0);
  return number ? getNumberType(op, number) : otherwise;
}

/// The shape is an attribute.
static LogicalResult inferRandom(Operation *op, SymbolicShapes &shapes) {
  Type type = getDType(op, Float32Type::get(op->getContext()));
  if (!type)
    return failure();
  Dims dims;
  for (int64_t size : getInts(op, "shape")) {
    if (size < 0)
      return op->emitOpError("expected sizes of at least 0 in shape, but got ") << size;
    dims.push_back(shapes.constant(size));
  }
  shapes.setDims(op->getResult(0), dims, type);
  return success();
}

/// The shape is that of the operand.
static LogicalResult inferRandomLike(Operation *op, SymbolicShapes &shapes) {
  Type type = getDType(op, shapes.getElementType(op->getOperand(0)));
  if (!type)
    return failure();
  shapes.setDims(op->getResult(0), Dims(shapes.getDims(op->getOperand(0))), type);
  return success();
}

static LogicalResult inferMultinomial(MultinomialOp op, SymbolicShapes &shapes) {
  ArrayRef<AffineExpr> in = shapes.getDims(op.getInput());
  if (in.size() != 2)
    return op.emitOpError("expected an input of rank 2, but got rank ") << in.size();
  Type type = getDType(op, IntegerType::get(op.getContext(), 32));
  if (!type)
    return failure();
  int64_t samples = op.getSampleSize();
  if (samples < 0)
    return op.emitOpError("expected a sample_size of at least 0, but got ") << samples;
  shapes.setDims(op.getResult(), {in[0], shapes.constant(samples)}, type);
  return success();
}

void onnx::attachRandomShapes(MLIRContext *context) {
  attachShapes<inferRandom, RandomNormalOp, RandomUniformOp>(context);
  attachShapes<inferRandomLike, RandomNormalLikeOp, RandomUniformLikeOp, BernoulliOp>(context);
  attachShapes<inferMultinomial, MultinomialOp>(context);
}

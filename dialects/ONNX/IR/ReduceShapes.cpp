//===- ReduceShapes.cpp - Shape inference of reductions -------------------===//
#include "dialects/ONNX/IR/ShapeHelpers.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::onnx;

/// The dimensions without the reduced ones, or with 1 in their places.
static Dims reduceDims(const SymbolicShapes &shapes, ArrayRef<AffineExpr> in, ArrayRef<unsigned> axes, bool keep) {
  Dims dims;
  for (auto [axis, dim] : llvm::enumerate(in)) {
    if (!llvm::is_contained(axes, unsigned(axis)))
      dims.push_back(dim);
    else if (keep)
      dims.push_back(shapes.constant(1));
  }
  return dims;
}

static LogicalResult inferReduce(Operation *op, SymbolicShapes &shapes) {
  Value data = op->getOperand(0), axesOperand = op->getNumOperands() > 1 ? op->getOperand(1) : Value();
  ArrayRef<AffineExpr> in = shapes.getDims(data);
  SmallVector<int64_t> axes;
  if (axesOperand) {
    auto known = getConstantElements(shapes, axesOperand);
    if (!known)
      return inferDeclared(op, shapes, "axes");
    axes = *known;
  }
  if (axes.empty() && !getInt(op, "noop_with_empty_axes", 0))
    for (size_t axis = 0; axis < in.size(); ++axis)
      axes.push_back(axis);
  FailureOr<SmallVector<unsigned>> normalized = normalizeAxes(op, axes, in.size());
  if (failed(normalized))
    return failure();
  auto elements = shapes.getElements(data);
  Dims known = elements && in.size() == 1 && normalized->size() == 1 ? Dims(*elements) : Dims();
  shapes.setDims(op->getResult(0), reduceDims(shapes, in, *normalized, getInt(op, "keepdims", 1)),
                 shapes.getElementType(data));
  if (normalized->empty())
    copyElements(shapes, op->getResult(0), data);
  if (known.empty())
    return success();
  if (isa<ReduceProdOp>(op)) {
    shapes.setElements(op->getResult(0), {multiply(shapes, known)});
  } else if (isa<ReduceSumOp>(op)) {
    AffineExpr sum = shapes.constant(0);
    for (AffineExpr element : known)
      sum = sum + element;
    shapes.setElements(op->getResult(0), {sum});
  } else if (isa<ReduceMaxOp, ReduceMinOp>(op)) {
    AffineExpr best = known[0];
    for (AffineExpr element : known) {
      auto [low, high] = shapes.getBounds(element - best);
      if (low < 0 && high > 0)
        return success();
      if (isa<ReduceMaxOp>(op) ? low >= 0 : high <= 0)
        best = element;
    }
    shapes.setElements(op->getResult(0), {best});
  }
  return success();
}

static LogicalResult inferArg(Operation *op, SymbolicShapes &shapes) {
  ArrayRef<AffineExpr> in = shapes.getDims(op->getOperand(0));
  FailureOr<unsigned> axis = normalizeAxis(op, getInt(op, "axis", 0), in.size());
  if (failed(axis))
    return failure();
  shapes.setDims(op->getResult(0), reduceDims(shapes, in, {*axis}, getInt(op, "keepdims", 1)),
                 IntegerType::get(op->getContext(), 64));
  return success();
}

void onnx::attachReduceShapes(MLIRContext *context) {
  attachShapes<inferReduce, ReduceL1Op, ReduceL2Op, ReduceLogSumOp, ReduceLogSumExpOp, ReduceMaxOp, ReduceMeanOp,
               ReduceMinOp, ReduceProdOp, ReduceSumOp, ReduceSumSquareOp>(context);
  attachShapes<inferArg, ArgMaxOp, ArgMinOp>(context);
}

//===- NNShapes.cpp - Shape inference of nn ops ---------------------------===//
#include "dialects/NN/IR/NNDialect.h"
#include "dialects/NN/IR/WinogradTiles.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::nn;

/// Dimensions of the operand with some replaced.
static SmallVector<AffineExpr> dimsOf(const SymbolicShapes &shapes, Value value) {
  return SmallVector<AffineExpr>(shapes.getDims(value));
}

/// Output size of a sliding window: floor((in + before + after - extent) / stride) + 1.
static AffineExpr windowed(AffineExpr in, int64_t before, int64_t after, int64_t kernel, int64_t dilation,
                           int64_t stride) {
  return (in + (before + after - dilation * (kernel - 1) - 1)).floorDiv(stride) + 1;
}

/// The element type stays the result's own: epilogues and compression may change it.
static Type ownElementType(Value result) { return cast<ShapedType>(result.getType()).getElementType(); }

LogicalResult LinearOp::inferShapes(SymbolicShapes &shapes) {
  SmallVector<AffineExpr> dims = dimsOf(shapes, getInput());
  auto weight = cast<ShapedType>(getWeight().getType());
  dims.back() = shapes.constant(weight.getRank() == 2 ? weight.getDimSize(1) : getResultShapedType().getShape().back());
  shapes.setDims(getResult(), dims, ownElementType(getResult()));
  return success();
}

LogicalResult SparseLinearOp::inferShapes(SymbolicShapes &shapes) {
  SmallVector<AffineExpr> dims = dimsOf(shapes, getInput());
  dims.back() = shapes.constant(getResultShapedType().getShape().back());
  shapes.setDims(getResult(), dims, ownElementType(getResult()));
  return success();
}

LogicalResult MatMulOp::inferShapes(SymbolicShapes &shapes) {
  ArrayRef<AffineExpr> lhs = shapes.getDims(getLhs()), rhs = shapes.getDims(getRhs());
  unsigned matrix = getPacked() ? 3 : 2; // dimensions of one right-hand matrix
  unsigned lhsBatch = lhs.size() - 2, rhsBatch = rhs.size() - matrix, batch = std::max(lhsBatch, rhsBatch);
  SmallVector<AffineExpr> dims;
  for (unsigned i = 0; i < batch; ++i) {
    AffineExpr a = i + lhsBatch < batch ? shapes.constant(1) : lhs[i + lhsBatch - batch];
    AffineExpr b = i + rhsBatch < batch ? shapes.constant(1) : rhs[i + rhsBatch - batch];
    AffineExpr both = shapes.broadcast(a, b);
    if (!both)
      return emitOpError("has batch dimensions that do not broadcast");
    dims.push_back(both);
  }
  dims.push_back(lhs[lhs.size() - 2]);
  if (getPacked())
    dims.push_back(shapes.constant(getResultShapedType().getShape().back()));
  else
    dims.push_back(rhs.back());
  shapes.setDims(getResult(), dims, ownElementType(getResult()));
  return success();
}

LogicalResult ConvOp::inferShapes(SymbolicShapes &shapes) {
  SmallVector<AffineExpr> dims = dimsOf(shapes, getInput());
  auto weight = cast<ShapedType>(getWeight().getType());
  unsigned window = weight.getRank() == 4 ? 0 : 1;
  for (unsigned i = 0; i < 2; ++i)
    dims[1 + i] = windowed(dims[1 + i], getPads()[i], getPads()[i + 2], weight.getDimSize(window + i), getDilations()[i],
                           getStrides()[i]);
  dims[3] = shapes.constant(weight.getRank() == 4 ? weight.getDimSize(3) : getResultShapedType().getDimSize(3));
  shapes.setDims(getResult(), dims, ownElementType(getResult()));
  return success();
}

LogicalResult PoolOp::inferShapes(SymbolicShapes &shapes) {
  SmallVector<AffineExpr> dims = dimsOf(shapes, getInput());
  for (unsigned i = 0; i < 2; ++i)
    dims[1 + i] = windowed(dims[1 + i], getPads()[i], getPads()[i + 2], getKernel()[i], getDilations()[i], getStrides()[i]);
  shapes.setDims(getResult(), dims, ownElementType(getResult()));
  return success();
}

LogicalResult AttentionOp::inferShapes(SymbolicShapes &shapes) {
  SmallVector<AffineExpr> dims = dimsOf(shapes, getQuery());
  dims[3] = shapes.getDims(getValue())[3];
  shapes.setDims(getResult(), dims, ownElementType(getResult()));
  return success();
}

LogicalResult NormOp::inferShapes(SymbolicShapes &shapes) {
  shapes.setDims(getResult(), shapes.getDims(getInput()), ownElementType(getResult()));
  return success();
}

LogicalResult SoftmaxOp::inferShapes(SymbolicShapes &shapes) {
  shapes.setDims(getResult(), shapes.getDims(getInput()), ownElementType(getResult()));
  return success();
}

LogicalResult TokenMergeOp::inferShapes(SymbolicShapes &shapes) {
  SmallVector<AffineExpr> dims = dimsOf(shapes, getTokens());
  dims[1] = shapes.simplify(dims[1] - int64_t(getR()));
  shapes.setDims(getResult(0), dims, ownElementType(getResult(0)));
  shapes.setDims(getResult(1), {dims[0], dims[1]}, ownElementType(getResult(1)));
  return success();
}

LogicalResult TokenPruneOp::inferShapes(SymbolicShapes &shapes) {
  SmallVector<AffineExpr> dims = dimsOf(shapes, getTokens());
  dims[1] = shapes.constant(int64_t(getKept()) + 2);
  shapes.setDims(getResult(0), dims, ownElementType(getResult(0)));
  if (getNumResults() == 2)
    shapes.setDims(getResult(1), {dims[0], dims[1]}, ownElementType(getResult(1)));
  return success();
}

/// Dimensions as the type has them; the first ones, where they are dynamic, from `dynamic`.
static void setTypedDims(Value value, ArrayRef<AffineExpr> dynamic, SymbolicShapes &shapes) {
  SmallVector<AffineExpr> dims;
  for (auto [i, size] : llvm::enumerate(cast<ShapedType>(value.getType()).getShape()))
    dims.push_back(ShapedType::isDynamic(size) ? dynamic[i] : shapes.constant(size));
  shapes.setDims(value, dims, ownElementType(value));
}

LogicalResult WinogradInputOp::inferShapes(SymbolicShapes &shapes) {
  ArrayRef<AffineExpr> image = shapes.getDims(getInput());
  setTypedDims(getResult(), shapes.simplify(getTileBlocks(*this, image[0], image[1], image[2])), shapes);
  return success();
}

LogicalResult WinogradConvOp::inferShapes(SymbolicShapes &shapes) {
  WinogradImage source = getWinogradImage(*this);
  SmallVector<AffineExpr> dynamic;
  if (source.image && shapes.hasDims(source.image)) {
    dynamic.assign(shapes.getDims(source.image).begin(), shapes.getDims(source.image).end());
    for (unsigned i = 0; i < 2; ++i)
      dynamic[1 + i] = shapes.simplify(dynamic[1 + i] + source.more[i]);
  } else if (!getResultShapedType().hasStaticShape()) {
    return emitOpError("expected the image of a result of dynamic shape to be known");
  }
  setTypedDims(getResult(), dynamic, shapes);
  return success();
}

LogicalResult ExpandDepthwiseOp::inferShapes(SymbolicShapes &shapes) {
  setTypedDims(getResult(), {}, shapes); // it exists on static shapes only
  return success();
}

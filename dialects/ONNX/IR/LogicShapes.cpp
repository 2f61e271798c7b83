//===- LogicShapes.cpp - Shape inference of comparisons and logic ---------===//
#include "dialects/ONNX/IR/FoldNumbers.h"
#include "dialects/ONNX/IR/ShapeHelpers.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::onnx;

/// 1 or 0 if the bounds of the symbols decide; null otherwise.
static AffineExpr foldComparison(Operation *op, const SymbolicShapes &shapes, AffineExpr a, AffineExpr b) {
  auto [low, high] = shapes.getBounds(a - b);
  auto decide = [&](bool yes, bool no) { return yes || no ? shapes.constant(yes) : AffineExpr(); };
  if (isa<EqualOp>(op))
    return decide(low == 0 && high == 0, low > 0 || high < 0);
  if (isa<LessOp>(op))
    return decide(high < 0, low >= 0);
  if (isa<LessOrEqualOp>(op))
    return decide(high <= 0, low > 0);
  if (isa<GreaterOp>(op))
    return decide(low > 0, high <= 0);
  if (isa<GreaterOrEqualOp>(op))
    return decide(low >= 0, high < 0);
  std::optional<int64_t> ca = getConstant(a), cb = getConstant(b);
  if (!ca || !cb)
    return nullptr;
  return shapes.constant(isa<AndOp>(op) ? *ca && *cb : isa<OrOp>(op) ? *ca || *cb : !*ca != !*cb);
}

static LogicalResult inferComparison(Operation *op, SymbolicShapes &shapes) {
  FailureOr<Dims> dims = broadcastDims(op, shapes, op->getOperands());
  if (failed(dims))
    return failure();
  shapes.setDims(op->getResult(0), *dims, IntegerType::get(op->getContext(), 1));
  foldElements(shapes, op->getResult(0), op->getOperands(),
               [&](ArrayRef<AffineExpr> x) { return foldComparison(op, shapes, x[0], x[1]); });
  foldToIntegers(op, shapes);
  return success();
}

static LogicalResult inferTest(Operation *op, SymbolicShapes &shapes) {
  shapes.setDims(op->getResult(0), Dims(shapes.getDims(op->getOperand(0))), IntegerType::get(op->getContext(), 1));
  return success();
}

static LogicalResult inferNot(NotOp op, SymbolicShapes &shapes) {
  if (failed(inferTest(op, shapes)))
    return failure();
  foldElements(shapes, op.getResult(), op->getOperands(), [&](ArrayRef<AffineExpr> x) {
    return getConstant(x[0]) ? shapes.constant(!*getConstant(x[0])) : AffineExpr();
  });
  return success();
}

static LogicalResult inferWhere(WhereOp op, SymbolicShapes &shapes) {
  FailureOr<Dims> dims = broadcastDims(op, shapes, op->getOperands());
  if (failed(dims))
    return failure();
  shapes.setDims(op.getResult(), *dims, shapes.getElementType(op.getX()));
  foldElements(shapes, op.getResult(), op->getOperands(), [&](ArrayRef<AffineExpr> x) {
    std::optional<int64_t> condition = getConstant(x[0]);
    return condition ? x[*condition ? 1 : 2] : x[1] == x[2] ? x[1] : AffineExpr();
  });
  return success();
}

void onnx::attachLogicShapes(MLIRContext *context) {
  attachShapes<inferComparison, AndOp, OrOp, XorOp, EqualOp, LessOp, LessOrEqualOp, GreaterOp, GreaterOrEqualOp>(context);
  attachShapes<inferTest, IsInfOp, IsNaNOp>(context);
  attachShapes<inferNot, NotOp>(context);
  attachShapes<inferWhere, WhereOp>(context);
}

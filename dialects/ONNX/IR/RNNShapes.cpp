//===- RNNShapes.cpp - Shape inference of recurrent onnx ops --------------===//
#include "dialects/ONNX/IR/ShapeHelpers.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::onnx;

/// Results are Y, with all steps, and the last states Y_h and, for LSTM, Y_c.
template <typename OpT>
static LogicalResult inferRecurrent(OpT op, SymbolicShapes &shapes) {
  ArrayRef<AffineExpr> in = shapes.getDims(op.getX()), weight = shapes.getDims(op.getR());
  if (in.size() != 3 || weight.size() != 3)
    return op.emitOpError("expected X and R of rank 3, but got ranks ") << in.size() << " and " << weight.size();
  int64_t directions = op.getDirection() == "bidirectional" ? 2 : 1;
  if (getConstant(weight[0]) && *getConstant(weight[0]) != directions)
    return op.emitOpError("expected weights of ") << directions << " directions, but got " << *getConstant(weight[0]);
  AffineExpr count = shapes.constant(directions), hidden = weight[2];
  bool batchFirst = op.getLayout();
  AffineExpr steps = in[batchFirst], batch = in[!batchFirst];
  Type type = shapes.getElementType(op.getX());
  for (Value state : op->getResults()) {
    if (state == op.getY())
      shapes.setDims(state, batchFirst ? Dims{batch, steps, count, hidden} : Dims{steps, count, batch, hidden}, type);
    else
      shapes.setDims(state, batchFirst ? Dims{batch, count, hidden} : Dims{count, batch, hidden}, type);
  }
  return success();
}

void onnx::attachRNNShapes(MLIRContext *context) {
  attachShapes<inferRecurrent<GRUOp>, GRUOp>(context);
  attachShapes<inferRecurrent<LSTMOp>, LSTMOp>(context);
  attachShapes<inferRecurrent<RNNOp>, RNNOp>(context);
}

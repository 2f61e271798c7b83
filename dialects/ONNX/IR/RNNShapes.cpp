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

/// The result has the heads of the queries with the size of the values, the state a matrix for each
/// head of the keys.
static LogicalResult inferLinearAttention(LinearAttentionOp op, SymbolicShapes &shapes) {
  ArrayRef<AffineExpr> query = shapes.getDims(op.getQuery()), key = shapes.getDims(op.getKey()),
                       value = shapes.getDims(op.getValue());
  for (Value operand : {op.getQuery(), op.getKey(), op.getValue(), op.getDecay(), op.getBeta()})
    if (operand && shapes.getDims(operand).size() != 3)
      return op.emitOpError("expected operands of rank 3, but got rank ")
             << shapes.getDims(operand).size();
  int64_t queryHeads = op.getQNumHeads(), heads = op.getKvNumHeads();
  if (heads < 1 || queryHeads < 1 || queryHeads % heads)
    return op.emitOpError("expected q_num_heads to be a multiple of kv_num_heads, but got ")
           << queryHeads << " and " << heads;
  for (auto [dims, count] :
       {std::pair(query, queryHeads), std::pair(key, heads), std::pair(value, heads)})
    if (std::optional<int64_t> size = getConstant(dims[2]); size && *size % count)
      return op.emitOpError("expected a size that ") << count << " heads divide, but got " << *size;
  AffineExpr keySize = shapes.simplify(key[2].floorDiv(heads)),
             valueSize = shapes.simplify(value[2].floorDiv(heads));
  if (shapes.simplify(query[2].floorDiv(queryHeads) - keySize) != shapes.constant(0))
    return op.emitOpError("expected queries and keys of the same size of a head, but got ")
           << shapes.describe(query[2].floorDiv(queryHeads)) << " and " << shapes.describe(keySize);
  Dims state = {query[0], shapes.constant(heads), keySize, valueSize};
  if (op.getPastState() && shapes.getDims(op.getPastState()).size() != 4)
    return op.emitOpError("expected a state of rank 4, but got rank ")
           << shapes.getDims(op.getPastState()).size();
  Type type = shapes.getElementType(op.getQuery());
  shapes.setDims(op.getOutput(), {query[0], query[1], shapes.simplify(valueSize * queryHeads)},
                 type);
  if (op.getPresentState())
    shapes.setDims(op.getPresentState(), state, type);
  return success();
}

void onnx::attachRNNShapes(MLIRContext *context) {
  attachShapes<inferRecurrent<GRUOp>, GRUOp>(context);
  attachShapes<inferRecurrent<LSTMOp>, LSTMOp>(context);
  attachShapes<inferRecurrent<RNNOp>, RNNOp>(context);
  attachShapes<inferLinearAttention, LinearAttentionOp>(context);
}

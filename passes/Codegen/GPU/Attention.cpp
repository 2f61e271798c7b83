//===- Attention.cpp - nn.attention, a thread an element ------------------===//
#include "passes/Codegen/GPU/Kernels.h"
#include "passes/Codegen/GPU/TensorContraction.h"
#include "passes/Codegen/GPU/ThreadBuilder.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::simt;

namespace {

/// One channel of one query's output: the scores of all keys and their online softmax (Milakov and Gimelshein 2018,
/// "Online normalizer calculation for softmax") are in registers.
struct Attention {
  nn::AttentionOp op;
  ThreadBuilder k;
  OpBuilder &b;
  Type f32;
  Value queries, keys, groupSize, depth;

  explicit Attention(nn::AttentionOp op) : op(op), k(op), b(k.builder), f32(b.getF32Type()) {
    Value query = op.getQuery(), value = op.getValue();
    queries = k.dim(query, op.getHeadsFirst() ? 2 : 1);
    keys = k.dim(value, op.getKvHeadsFirst() ? 2 : 1);
    groupSize = k.div(k.dim(query, op.getHeadsFirst() ? 1 : 2), k.dim(value, op.getKvHeadsFirst() ? 1 : 2));
    depth = k.dim(query, 3);
  }

  static SmallVector<Value> position(bool headsFirst, Value batch, Value head, Value row, Value channel) {
    if (headsFirst)
      return {batch, head, row, channel};
    return {batch, row, head, channel};
  }

  Value score(Value batch, Value head, Value row, Value key) {
    Value kvHead = k.div(head, groupSize);
    auto dot = k.loop(k.index(0), depth, 1, k.scalar(f32, 0), [&](Value channel, ValueRange carried) {
      Value q = k.loadWide(op.getQuery(), position(op.getHeadsFirst(), batch, head, row, channel), false);
      Value x = k.loadWide(op.getKey(), position(op.getKvHeadsFirst(), batch, kvHead, key, channel), false);
      return codegen::LoopBuilder::Carried{k.multiplyAdd(q, x, carried[0])};
    });
    Value result = k.mulFloats(dot[0], k.scalar(f32, op.getScale().convertToDouble()));
    Value mask = op.getMask();
    if (!mask)
      return result;
    Value bias = k.loadBroadcast(mask, {batch, head, row, key});
    if (!bias.getType().isInteger(1))
      return k.addFloats(result, bias);
    Value hidden = k.scalar(f32, -std::numeric_limits<double>::infinity());
    return arith::SelectOp::create(b, k.loc, bias, result, hidden);
  }

  void emit() {
    // Finite, so that a row without any key yet has a difference to every score.
    Value lowest = k.scalar(f32, -3.4028234663852886e38), zero = k.scalar(f32, 0);
    k.elements(op.getInit(), [&](ValueRange indices) {
      Value batch = indices[0], head = indices[op.getHeadsFirst() ? 1 : 2], row = indices[op.getHeadsFirst() ? 2 : 1];
      Value end = keys;
      if (op.getCausal()) // query i sees keys up to i + Skv - Sq
        end = k.max(k.sub(k.add(k.add(row, 1), keys), queries), k.index(0));
      auto state = k.loop(k.index(0), end, 1, {lowest, zero, zero}, [&](Value key, ValueRange carried) {
        Value s = score(batch, head, row, key);
        Value above = arith::CmpFOp::create(b, k.loc, arith::CmpFPredicate::OGT, carried[0], s);
        Value peak = arith::SelectOp::create(b, k.loc, above, carried[0], s);
        Value correction = k.expNonPositive(arith::SubFOp::create(b, k.loc, carried[0], peak));
        Value weight = k.expNonPositive(arith::SubFOp::create(b, k.loc, s, peak));
        Value value = k.loadWide(op.getValue(),
                                 position(op.getKvHeadsFirst(), batch, k.div(head, groupSize), key, indices[3]), false);
        Value sum = k.multiplyAdd(carried[1], correction, weight);
        Value output = k.multiplyAdd(weight, value, k.mulFloats(carried[2], correction));
        return codegen::LoopBuilder::Carried{peak, sum, output};
      });
      // A sum is zero where every key was hidden.
      Value empty = arith::CmpFOp::create(b, k.loc, arith::CmpFPredicate::OEQ, state[1], zero);
      Value quotient = arith::DivFOp::create(b, k.loc, state[2], state[1]);
      k.store(arith::SelectOp::create(b, k.loc, empty, zero, quotient), op.getInit(), indices);
    });
  }
};

} // namespace

LogicalResult simt::emitAttention(nn::AttentionOp op) {
  if (failed(checkFloats(op, {op.getQuery(), op.getKey(), op.getValue(), op.getInit()})))
    return failure();
  if (op.getMask() && cast<MemRefType>(op.getMask().getType()).getRank() > 4)
    return op.emitOpError("expected a mask of rank 4 at most, but got ") << op.getMask().getType();
  if (!emitOnTensorCores(op))
    Attention(op).emit();
  return success();
}

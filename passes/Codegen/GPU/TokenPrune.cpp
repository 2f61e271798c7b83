//===- TokenPrune.cpp - nn.token_prune by the attention of the class ------===//
//
// Five kernels, with their results in memory of the device between them: scores of the class, a thread each; their
// softmax, a warp a head; the importance of each token; who is kept; and a thread for each element of the result
// gathers what goes there.
//
#include "mlir/Dialect/Math/IR/Math.h"
#include "passes/Codegen/GPU/Device.h"
#include "passes/Codegen/GPU/Kernels.h"
#include "passes/Codegen/GPU/TokenRanks.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::simt;

using Carried = codegen::LoopBuilder::Carried;

namespace {

struct TokenPrune {
  nn::TokenPruneOp op;
  ThreadBuilder k;
  OpBuilder &b;
  Type f32, i32;
  Value tokens, query, key, sizes, out, outSizes;
  Value batches, count, heads, kept;

  explicit TokenPrune(nn::TokenPruneOp op)
      : op(op), k(op), b(k.builder), f32(b.getF32Type()), i32(b.getI32Type()), tokens(op.getTokens()),
        query(op.getQuery()), key(op.getKey()), sizes(op.getSizes()), out(op.getInit()), outSizes(op.getSizesInit()),
        batches(k.dim(tokens, 0)), count(k.dim(tokens, 1)), heads(k.dim(query, op.getHeadsFirst() ? 1 : 2)),
        kept(k.index(op.getKept())) {}

  void emit();

private:
  void score(Value scores);
  void softmax(Value scores);
  void sumHeads(Value scores, Value importance);
  void mark(Value importance, Value marks);
  void gather(Value importance, Value marks);
  Value isKept(Value mark) { return k.compare(arith::CmpIPredicate::ne, mark, k.scalar(i32, 0)); }
  SmallVector<Value> position(bool headsFirst, Value batch, Value head, Value token, Value channel) {
    return headsFirst ? SmallVector<Value>{batch, head, token, channel}
                      : SmallVector<Value>{batch, token, head, channel};
  }
};

} // namespace

/// What the class scores the tokens: scale * q_class . k, and the logarithm of what they stand for.
void TokenPrune::score(Value scores) {
  Value groupSize = k.div(heads, k.dim(key, op.getKvHeadsFirst() ? 1 : 2));
  k.elements(scores, [&](ValueRange at) {
    Value batch = at[0], head = at[1], token = at[2], keyHead = k.div(head, groupSize);
    Value dot = k.loop(k.index(0), k.dim(query, 3), 1, k.scalar(f32, 0), [&](Value channel, ValueRange carried) {
      Value x = k.loadWide(query, position(op.getHeadsFirst(), batch, head, k.index(0), channel), false);
      Value y = k.loadWide(key, position(op.getKvHeadsFirst(), batch, keyHead, token, channel), false);
      return Carried{k.multiplyAdd(x, y, carried[0])};
    })[0];
    Value result = k.mulFloats(dot, k.scalar(f32, op.getScale().convertToDouble()));
    if (sizes)
      result =
          k.addFloats(result, math::LogOp::create(b, k.loc, k.loadWide(sizes, {batch, token}, /*isSigned=*/false)));
    k.store(result, scores, at);
  });
}

/// In place: a thread reads what it has written itself.
void TokenPrune::softmax(Value scores) {
  Value lowest = k.scalar(f32, -std::numeric_limits<double>::infinity());
  k.warps({batches, heads}, [&](ValueRange indices, Value lane) {
    auto at = [&](Value token) { return SmallVector<Value>{indices[0], indices[1], token}; };
    auto larger = [&](Value x, Value y) { return arith::MaximumFOp::create(b, k.loc, x, y).getResult(); };
    Value peak = k.loop(lane, count, kWarpThreads, lowest, [&](Value token, ValueRange carried) {
      return Carried{larger(carried[0], k.loadScalar(scores, at(token)))};
    })[0];
    peak = k.reduceWarp(peak, larger);
    Value sum = k.loop(lane, count, kWarpThreads, k.scalar(f32, 0), [&](Value token, ValueRange carried) {
      Value power = k.expNonPositive(arith::SubFOp::create(b, k.loc, k.loadScalar(scores, at(token)), peak));
      k.store(power, scores, at(token));
      return Carried{k.addFloats(carried[0], power)};
    })[0];
    sum = k.reduceWarp(sum, [&](Value x, Value y) { return k.addFloats(x, y); });
    Value inverse = arith::DivFOp::create(b, k.loc, k.scalar(f32, 1), sum);
    k.loop(lane, count, kWarpThreads,
           [&](Value token) { k.store(k.mulFloats(k.loadScalar(scores, at(token)), inverse), scores, at(token)); });
  });
}

/// The importance as a number that can be compared and divided by, whatever the values.
void TokenPrune::sumHeads(Value scores, Value importance) {
  k.elements(importance, [&](ValueRange at) {
    Value sum = k.loop(k.index(0), heads, 1, k.scalar(f32, 0), [&](Value head, ValueRange carried) {
      return Carried{k.addFloats(carried[0], k.loadScalar(scores, {at[0], head, at[1]}))};
    })[0];
    // Next to nothing, so that tokens of no importance at all have a mean.
    Value least = k.scalar(f32, 1e-20);
    k.store(k.select(k.compare(arith::CmpFPredicate::OGT, sum, least), sum, least), importance, at);
  });
}

/// 1 for tokens that are kept, apart from the class.
void TokenPrune::mark(Value importance, Value marks) {
  k.elements(marks, [&](ValueRange at) {
    Value before = countBefore(k, importance, at[0], k.index(1), count, at[1]);
    Value stays = k.compare(arith::CmpIPredicate::ult, before, kept);
    k.store(k.select(stays, k.scalar(i32, 1), k.scalar(i32, 0)), marks, at);
  });
}

/// The class, what is kept, and the mean of the rest, weighted by importance, with the sum of its sizes.
void TokenPrune::gather(Value importance, Value marks) {
  k.elements(out, [&](ValueRange indices) {
    Value batch = indices[0], place = indices[1], channel = indices[2], zero = k.scalar(f32, 0);
    auto load = [&](Value token) { return k.loadWide(tokens, {batch, token, channel}, /*isSigned=*/false); };
    auto storeSize = [&](Value size) {
      k.branch(k.equal(channel, k.index(0)), [&] { k.store(size, outSizes, {batch, place}); });
    };
    auto branch = scf::IfOp::create(b, k.loc, k.compare(arith::CmpIPredicate::ule, place, kept), true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(branch.thenBlock()->getTerminator());
    Value found = findMarked(k, marks, batch, k.index(1), count, k.sub(place, k.index(1)),
                             [&](Value mark) { return isKept(mark); });
    Value token = k.select(k.equal(place, k.index(0)), k.index(0), found);
    k.store(load(token), out, indices);
    if (sizes)
      storeSize(k.loadWide(sizes, {batch, token}, /*isSigned=*/false));

    b.setInsertionPoint(branch.elseBlock()->getTerminator());
    auto sums = k.loop(k.index(1), count, 1, {zero, zero, zero}, [&](Value other, ValueRange carried) {
      Value stays = isKept(k.loadScalar(marks, {batch, other}));
      Value weight = k.select(stays, zero, k.loadScalar(importance, {batch, other}));
      // What is kept may be no number.
      Value x = k.select(stays, zero, load(other));
      Carried next = {k.multiplyAdd(x, weight, carried[0]), k.addFloats(carried[1], weight), carried[2]};
      if (sizes)
        next[2] = k.addFloats(carried[2], k.select(stays, zero, k.loadWide(sizes, {batch, other}, /*isSigned=*/false)));
      return next;
    });
    Value inverse = arith::DivFOp::create(b, k.loc, k.scalar(f32, 1), sums[1]);
    k.store(k.mulFloats(sums[0], inverse), out, indices);
    if (sizes)
      storeSize(sums[2]);
  });
}

void TokenPrune::emit() {
  Value scores = k.scratch({batches, heads, count}, f32), importance = k.scratch({batches, count}, f32);
  Value marks = k.scratch({batches, count}, i32);
  score(scores);
  softmax(scores);
  sumHeads(scores, importance);
  mark(importance, marks);
  gather(importance, marks);
}

LogicalResult simt::emitTokenPrune(nn::TokenPruneOp op) {
  if (failed(checkFloats(op, op->getOperands())))
    return failure();
  TokenPrune(op).emit();
  return success();
}

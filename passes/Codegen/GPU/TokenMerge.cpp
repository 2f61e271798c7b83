//===- TokenMerge.cpp - nn.token_merge by bipartite soft matching ---------===//
//
// Four kernels, with their results in memory of the device between them: metrics are normalised, a warp a token; a warp
// finds the target of each source; a thread of each source counts who ranks before it; a thread for each element of the
// result gathers what goes there. Nothing is added by atomics: equal inputs give equal bits.
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

struct TokenMerge {
  nn::TokenMergeOp op;
  ThreadBuilder k;
  OpBuilder &b;
  Type f32, i32;
  Value tokens, metric, sizes, out, outSizes;
  Value batches, count, depth, sources, targets;
  Value left; ///< sources that are not merged; with a static size of the result, as all but `batches` and `depth`

  explicit TokenMerge(nn::TokenMergeOp op)
      : op(op), k(op), b(k.builder), f32(b.getF32Type()), i32(b.getI32Type()), tokens(op.getTokens()),
        metric(op.getMetric()), sizes(op.getSizes()), out(op.getInit()), outSizes(op.getSizesInit()),
        batches(k.dim(tokens, 0)), count(k.dim(tokens, 1)),
        depth(k.dim(metric, cast<MemRefType>(metric.getType()).getRank() - 1)), sources(k.ceilDiv(count, 2)),
        targets(k.div(count, k.index(2))), left(k.sub(sources, k.index(op.getR()))) {}

  void emit();

private:
  Value loadMetric(Value batch, Value token, Value channel);
  void normalize(Value normal);
  void match(Value normal, Value best, Value bestTarget);
  void rank(Value best, Value bestTarget, Value places);
  Carried addToken(Value batch, Value token, Value channel, ValueRange sums);
  void gather(Value places);
};

} // namespace

/// Summed over heads: the cosine needs no average.
Value TokenMerge::loadMetric(Value batch, Value token, Value channel) {
  if (cast<MemRefType>(metric.getType()).getRank() == 3)
    return k.loadWide(metric, {batch, token, channel}, /*isSigned=*/false);
  auto sum = k.loop(k.index(0), k.dim(metric, 2), 1, k.scalar(f32, 0), [&](Value head, ValueRange carried) {
    return Carried{k.addFloats(carried[0], k.loadWide(metric, {batch, token, head, channel}, /*isSigned=*/false))};
  });
  return sum[0];
}

/// Scales the metric of each token to length 1.
void TokenMerge::normalize(Value normal) {
  k.warps({batches, count}, [&](ValueRange indices, Value lane) {
    Value batch = indices[0], token = indices[1];
    Value squares = k.loop(lane, depth, kWarpThreads, k.scalar(f32, 0), [&](Value channel, ValueRange carried) {
      Value x = loadMetric(batch, token, channel);
      k.store(x, normal, {batch, token, channel});
      return Carried{k.multiplyAdd(x, x, carried[0])};
    })[0];
    squares = k.reduceWarp(squares, [&](Value x, Value y) { return k.addFloats(x, y); });
    // A metric of zeros is like nothing.
    squares = arith::MaximumFOp::create(b, k.loc, squares, k.scalar(f32, 1e-30));
    Value inverse = arith::DivFOp::create(b, k.loc, k.scalar(f32, 1), math::SqrtOp::create(b, k.loc, squares));
    // A thread reads what it has written itself.
    k.loop(lane, depth, kWarpThreads, [&](Value channel) {
      SmallVector<Value> at = {batch, token, channel};
      k.store(k.mulFloats(k.loadScalar(normal, at), inverse), normal, at);
    });
  });
}

/// Finds each source's target, the first of equals. What is no number is never the best.
void TokenMerge::match(Value normal, Value best, Value bestTarget) {
  Value lowest = k.scalar(f32, -std::numeric_limits<double>::infinity());
  k.warps({batches, sources}, [&](ValueRange indices, Value lane) {
    Value batch = indices[0], source = indices[1];
    auto found = k.loop(lane, targets, kWarpThreads, {lowest, k.scalar(i32, 0)}, [&](Value target, ValueRange carried) {
      Value score = k.loop(k.index(0), depth, 1, k.scalar(f32, 0), [&](Value channel, ValueRange sum) {
        Value x = k.loadScalar(normal, {batch, k.mul(source, 2), channel});
        Value y = k.loadScalar(normal, {batch, k.add(k.mul(target, 2), 1), channel});
        return Carried{k.multiplyAdd(x, y, sum[0])};
      })[0];
      Value better = k.compare(arith::CmpFPredicate::OGT, score, carried[0]);
      Value number = arith::IndexCastOp::create(b, k.loc, i32, target);
      return Carried{k.select(better, score, carried[0]), k.select(better, number, carried[1])};
    });
    Value peak = k.reduceWarp(found[0], [&](Value x, Value y) { return arith::MaximumFOp::create(b, k.loc, x, y); });
    Value reached = k.compare(arith::CmpFPredicate::OEQ, found[0], peak);
    Value last = arith::IndexCastOp::create(b, k.loc, i32, k.sub(targets, k.index(1)));
    Value first = k.reduceWarp(k.select(reached, found[1], last),
                               [&](Value x, Value y) { return arith::MinSIOp::create(b, k.loc, x, y); });
    if (op.getProtectClass())
      peak = k.select(k.equal(source, k.index(0)), lowest, peak);
    k.branch(k.equal(lane, k.index(0)), [&] {
      k.store(peak, best, {batch, source});
      k.store(first, bestTarget, {batch, source});
    });
  });
}

/// Where each source goes: the place of its target in the result, or -1 if it is not merged.
void TokenMerge::rank(Value best, Value bestTarget, Value places) {
  k.threads({batches, sources}, [&](ValueRange at) {
    Value before = countBefore(k, best, at[0], k.index(0), sources, at[1]);
    Value merges = k.compare(arith::CmpIPredicate::ult, before, k.index(op.getR()));
    Value shift = arith::IndexCastOp::create(b, k.loc, i32, left);
    Value place = arith::AddIOp::create(b, k.loc, k.loadScalar(bestTarget, at), shift);
    k.store(k.select(merges, place, k.scalar(i32, -1)), places, at);
  });
}

/// Adds an element of a token times its size, and its size, to both sums.
Carried TokenMerge::addToken(Value batch, Value token, Value channel, ValueRange sums) {
  Value size = sizes ? k.loadWide(sizes, {batch, token}, /*isSigned=*/false) : k.scalar(f32, 1);
  Value x = k.loadWide(tokens, {batch, token, channel}, /*isSigned=*/false);
  return {k.multiplyAdd(x, size, sums[0]), k.addFloats(sums[1], size)};
}

/// The average of the tokens that go to a place, weighted by size: of one source, or of a target and the sources that
/// merge into it, in order.
void TokenMerge::gather(Value places) {
  k.elements(out, [&](ValueRange indices) {
    Value batch = indices[0], place = indices[1], channel = indices[2], zero = k.scalar(f32, 0);
    Value isSource = k.compare(arith::CmpIPredicate::ult, place, left);
    Value source = findMarked(k, places, batch, k.index(0), sources, place,
                              [&](Value mark) { return k.compare(arith::CmpIPredicate::slt, mark, k.scalar(i32, 0)); });
    // Of a place of a source, this is a number that is not used.
    Value target = k.add(k.mul(k.sub(place, left), 2), 1);
    Value own = k.select(isSource, k.mul(source, 2), target);
    Carried sums = addToken(batch, own, channel, {zero, zero});
    Value number = arith::IndexCastOp::create(b, k.loc, i32, place);
    sums = k.loop(k.index(0), sources, 1, sums, [&](Value other, ValueRange carried) {
      // Places of sources that are left are no source's target.
      Value comes = k.compare(arith::CmpIPredicate::eq, k.loadScalar(places, {batch, other}), number);
      auto branch = scf::IfOp::create(b, k.loc, TypeRange(carried), comes, /*withElseRegion=*/true);
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(branch.thenBlock());
      scf::YieldOp::create(b, k.loc, addToken(batch, k.mul(other, 2), channel, carried));
      b.setInsertionPointToStart(branch.elseBlock());
      scf::YieldOp::create(b, k.loc, carried);
      return Carried(branch.getResults());
    });
    Value inverse = arith::DivFOp::create(b, k.loc, k.scalar(f32, 1), sums[1]);
    k.store(k.mulFloats(sums[0], inverse), out, indices);
    k.branch(k.equal(channel, k.index(0)), [&] { k.store(sums[1], outSizes, {batch, place}); });
  });
}

void TokenMerge::emit() {
  Value normal = k.scratch({batches, count, depth}, f32);
  Value best = k.scratch({batches, sources}, f32), bestTarget = k.scratch({batches, sources}, i32);
  Value places = k.scratch({batches, sources}, i32);
  normalize(normal);
  match(normal, best, bestTarget);
  rank(best, bestTarget, places);
  gather(places);
}

LogicalResult simt::emitTokenMerge(nn::TokenMergeOp op) {
  if (failed(checkFloats(op, op->getOperands())))
    return failure();
  TokenMerge(op).emit();
  return success();
}

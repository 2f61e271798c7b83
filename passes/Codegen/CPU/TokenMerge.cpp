//===- TokenMerge.cpp - nn.token_merge by bipartite soft matching ---------===//
//
// One task for each sample. The targets' normalised metrics are transposed, so that the lanes of a vector are targets and
// a source's best one is found by comparing vectors. A source is merged if fewer than r others rank before it.
//
#include "passes/Codegen/CPU/Kernels.h"
#include "passes/Codegen/CPU/TokenRanks.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

namespace {

struct TokenMerge {
  nn::TokenMergeOp op;
  KernelBuilder k;
  OpBuilder &b;
  Type f32, i32;
  Value tokens, metric, sizes, out, outSizes;
  Value channels;
  int64_t depth, sources, targets, left;

  // Of the current task.
  Value batch, row, sourceRows, targetColumns, best, bestTarget;

  explicit TokenMerge(nn::TokenMergeOp op)
      : op(op), k(op), b(k.builder), f32(b.getF32Type()), i32(b.getI32Type()), tokens(op.getTokens()),
        metric(op.getMetric()), sizes(op.getSizes()), out(op.getInit()), outSizes(op.getSizesInit()) {}

  LogicalResult prepare();
  void emit();

private:
  void normalize(Value token, function_ref<SmallVector<Value>(Value)> place, Value into);
  void normalizeAll();
  void match(Value source);
  void moveTokens();
  void moveToken(Value token, Value position, bool adds);
  Value getSize(Value token);
  Value reduce(vector::CombiningKind kind, Value vector) {
    return vector::ReductionOp::create(b, k.loc, kind, vector, arith::FastMathFlags::reassoc);
  }
};

} // namespace

LogicalResult TokenMerge::prepare() {
  for (Value operand : op->getOperands())
    if (!cast<MemRefType>(operand.getType()).getElementType().isF32())
      return op.emitOpError("expected f32, but got ") << operand.getType();
  if (!hasUnitInnermostStride(tokens) || !hasUnitInnermostStride(metric) || !hasUnitInnermostStride(out))
    return op.emitOpError("expected tokens and metrics with contiguous rows");
  depth = cast<MemRefType>(metric.getType()).getShape().back();
  if (ShapedType::isDynamic(depth))
    return op.emitOpError("expected a metric of static size");
  int64_t count = cast<MemRefType>(tokens.getType()).getDimSize(1);
  sources = (count + 1) / 2;
  targets = count / 2;
  left = sources - op.getR();
  channels = k.dim(tokens, 2);
  return success();
}

void TokenMerge::emit() {
  int64_t macs = sources * targets * depth + 2 * (sources + targets) * constantOr(channels, 512);
  k.parallelItems(k.dim(tokens, 0), macs, [&](Value sample) {
    batch = sample;
    row = k.scratch({depth}, f32);
    sourceRows = k.scratch({sources, depth}, f32);
    targetColumns = k.scratch({depth, targets}, f32);
    best = k.scratch({sources}, f32);
    bestTarget = k.scratch({sources}, i32);
    normalizeAll();
    k.loop(k.index(0), k.index(sources), 1, [&](Value source) { match(source); });
    if (op.getProtectClass()) {
      Value never = k.scalar(f32, -std::numeric_limits<double>::infinity());
      memref::StoreOp::create(b, k.loc, never, best, ValueRange{k.index(0)});
    }
    moveTokens();
  });
}

/// Stores the metric of a token, averaged over heads and scaled to length 1: the cosine needs no more, and the length of
/// the average not its divisor.
void TokenMerge::normalize(Value token, function_ref<SmallVector<Value>(Value)> place, Value into) {
  auto type = cast<MemRefType>(metric.getType());
  auto loadHead = [&](Value head, Value start, Value mask) {
    if (type.getRank() == 3)
      return k.load(metric, {batch, token, start}, mask);
    return k.load(metric, {batch, token, head, start}, mask);
  };
  Value heads = type.getRank() == 3 ? k.index(1) : k.dim(metric, 2);
  auto squares = k.vectors(k.index(depth), {k.splat(f32, 0)}, [&](Value start, Value mask, ValueRange carried) {
    Value first = loadHead(k.index(0), start, mask);
    Value sum = k.loop(k.index(1), heads, 1, {first}, [&](Value head, ValueRange sums) {
      return KernelBuilder::Carried{arith::AddFOp::create(b, k.loc, sums[0], loadHead(head, start, mask))};
    })[0];
    k.store(sum, into, place(start), mask);
    return KernelBuilder::Carried{vector::FMAOp::create(b, k.loc, sum, sum, carried[0])};
  });
  // A metric of zeros is like nothing.
  Value square = arith::MaximumFOp::create(b, k.loc, reduce(vector::CombiningKind::ADD, squares[0]), k.scalar(f32, 1e-30));
  Value length = math::SqrtOp::create(b, k.loc, square);
  Value inverse = k.broadcast(arith::DivFOp::create(b, k.loc, k.scalar(f32, 1), length));
  k.vectors(k.index(depth), [&](Value start, Value mask) {
    Value x = arith::MulFOp::create(b, k.loc, k.load(into, place(start), mask), inverse);
    k.store(x, into, place(start), mask);
  });
}

void TokenMerge::normalizeAll() {
  k.loop(k.index(0), k.index(sources), 1, [&](Value source) {
    normalize(k.mul(source, 2), [&](Value start) { return SmallVector<Value>{source, start}; }, sourceRows);
  });
  k.loop(k.index(0), k.index(targets), 1, [&](Value target) {
    normalize(k.add(k.mul(target, 2), 1), [](Value start) { return SmallVector<Value>{start}; }, row);
    k.loop(k.index(0), k.index(depth), 1, [&](Value channel) {
      Value x = k.loadScalar(row, {channel});
      memref::StoreOp::create(b, k.loc, x, targetColumns, ValueRange{channel, target});
    });
  });
}

/// Finds a source's target. What is no number is never the best, so that there is an order whatever the values.
void TokenMerge::match(Value source) {
  Value lowest = k.splat(f32, -std::numeric_limits<double>::infinity());
  auto found = k.vectors(
      k.index(targets), {lowest, k.splat(i32, 0)}, [&](Value start, Value mask, ValueRange carried) {
        auto similarity = k.loop(k.index(0), k.index(depth), 1, {k.splat(f32, 0)}, [&](Value channel, ValueRange sum) {
          Value x = k.broadcast(k.loadScalar(sourceRows, {source, channel}));
          Value y = k.load(targetColumns, {channel, start}, mask);
          return KernelBuilder::Carried{vector::FMAOp::create(b, k.loc, x, y, sum[0])};
        });
        Value score = similarity[0];
        if (mask)
          score = arith::SelectOp::create(b, k.loc, mask, score, lowest);
        Value better = arith::CmpFOp::create(b, k.loc, arith::CmpFPredicate::OGT, score, carried[0]);
        return KernelBuilder::Carried{
            arith::SelectOp::create(b, k.loc, better, score, carried[0]),
            arith::SelectOp::create(b, k.loc, better, sequenceFrom(k, start), carried[1])};
      });
  Value peak = reduce(vector::CombiningKind::MAXIMUMF, found[0]);
  Value reached = arith::CmpFOp::create(b, k.loc, arith::CmpFPredicate::OEQ, found[0], k.broadcast(peak));
  Value candidates = arith::SelectOp::create(b, k.loc, reached, found[1], k.splat(i32, targets - 1));
  Value target = vector::ReductionOp::create(b, k.loc, vector::CombiningKind::MINSI, candidates);
  memref::StoreOp::create(b, k.loc, peak, best, ValueRange{source});
  memref::StoreOp::create(b, k.loc, target, bestTarget, ValueRange{source});
}

Value TokenMerge::getSize(Value token) {
  return sizes ? k.loadScalar(sizes, {batch, token}) : k.scalar(f32, 1);
}

/// Writes a token times its size, or adds that to what is there.
void TokenMerge::moveToken(Value token, Value position, bool adds) {
  Value size = getSize(token), factor = k.broadcast(size);
  k.vectors(channels, [&](Value start, Value mask) {
    Value x = k.load(tokens, {batch, token, start}, mask);
    if (adds)
      x = vector::FMAOp::create(b, k.loc, x, factor, k.load(out, {batch, position, start}, mask));
    else
      x = arith::MulFOp::create(b, k.loc, x, factor);
    k.store(x, out, {batch, position, start}, mask);
  });
  if (adds)
    size = arith::AddFOp::create(b, k.loc, k.loadScalar(outSizes, {batch, position}), size);
  memref::StoreOp::create(b, k.loc, size, outSizes, ValueRange{batch, position});
}

void TokenMerge::moveTokens() {
  k.loop(k.index(0), k.index(targets), 1, [&](Value target) {
    moveToken(k.add(k.mul(target, 2), 1), k.add(target, left), /*adds=*/false);
  });
  k.loop(k.index(0), k.index(sources), 1, {k.index(0)}, [&](Value source, ValueRange carried) {
    Value most = arith::ConstantOp::create(b, k.loc, b.getI32IntegerAttr(op.getR()));
    Value merges = arith::CmpIOp::create(b, k.loc, arith::CmpIPredicate::slt, countBefore(k, best, k.index(sources), source), most);
    Value token = k.mul(source, 2), next = carried[0];
    auto branch = scf::IfOp::create(b, k.loc, TypeRange{b.getIndexType()}, merges, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    Value target = arith::IndexCastOp::create(b, k.loc, b.getIndexType(), k.loadScalar(bestTarget, {source}));
    moveToken(token, k.add(target, left), /*adds=*/true);
    scf::YieldOp::create(b, k.loc, next);
    b.setInsertionPointToStart(branch.elseBlock());
    moveToken(token, next, /*adds=*/false);
    scf::YieldOp::create(b, k.loc, k.add(next, 1));
    return KernelBuilder::Carried{branch.getResult(0)};
  });
  k.loop(k.index(0), k.index(left + targets), 1, [&](Value position) {
    Value size = k.loadScalar(outSizes, {batch, position});
    Value inverse = k.broadcast(arith::DivFOp::create(b, k.loc, k.scalar(f32, 1), size));
    k.vectors(channels, [&](Value start, Value mask) {
      Value x = arith::MulFOp::create(b, k.loc, k.load(out, {batch, position, start}, mask), inverse);
      k.store(x, out, {batch, position, start}, mask);
    });
  });
}

LogicalResult cpu::emitTokenMerge(nn::TokenMergeOp op) {
  TokenMerge kernel(op);
  if (failed(kernel.prepare()))
    return failure();
  kernel.emit();
  return success();
}

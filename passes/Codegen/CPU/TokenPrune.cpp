//===- TokenPrune.cpp - nn.token_prune by the attention of the class ------===//
//
// One task for each sample. The scores of a head are dot products of rows; their softmax runs in vectors of tokens and
// adds up in the importance. A token is kept if fewer than `kept` others rank before it.
//
#include "passes/Codegen/CPU/Kernels.h"
#include "passes/Codegen/CPU/TokenRanks.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

namespace {

struct TokenPrune {
  nn::TokenPruneOp op;
  KernelBuilder k;
  OpBuilder &b;
  Type f32;
  Value tokens, query, key, sizes, out, outSizes;
  Value channels, heads, groupSize;
  int64_t depth, count;

  // Of the current task.
  Value batch, scores, importance;

  explicit TokenPrune(nn::TokenPruneOp op)
      : op(op), k(op), b(k.builder), f32(b.getF32Type()), tokens(op.getTokens()), query(op.getQuery()),
        key(op.getKey()), sizes(op.getSizes()), out(op.getInit()), outSizes(op.getSizesInit()) {}

  LogicalResult prepare();
  void emit();

private:
  void scoreTokens(Value head);
  void addSoftmax();
  void rankable();
  void moveTokens();
  KernelBuilder::Carried fuse(Value token, ValueRange sums);
  Value reduce(vector::CombiningKind kind, Value vector) {
    return vector::ReductionOp::create(b, k.loc, kind, vector, arith::FastMathFlags::reassoc);
  }
  SmallVector<Value> position(bool headsFirst, Value head, Value token, Value start) {
    if (headsFirst)
      return {batch, head, token, start};
    return {batch, token, head, start};
  }
};

} // namespace

LogicalResult TokenPrune::prepare() {
  for (Value operand : op->getOperands())
    if (!cast<MemRefType>(operand.getType()).getElementType().isF32())
      return op.emitOpError("expected f32, but got ") << operand.getType();
  for (Value rows : {tokens, query, key, out})
    if (!hasUnitInnermostStride(rows))
      return op.emitOpError("expected tokens, queries and keys with contiguous rows");
  depth = cast<MemRefType>(query.getType()).getDimSize(3);
  if (ShapedType::isDynamic(depth))
    return op.emitOpError("expected heads of static size");
  count = cast<MemRefType>(tokens.getType()).getDimSize(1);
  channels = k.dim(tokens, 2);
  heads = k.dim(query, op.getHeadsFirst() ? 1 : 2);
  groupSize = k.div(heads, k.dim(key, op.getKvHeadsFirst() ? 1 : 2));
  return success();
}

void TokenPrune::emit() {
  int64_t macs = count * (constantOr(heads, 8) * depth + constantOr(channels, 512));
  k.parallelItems(k.dim(tokens, 0), macs, [&](Value sample) {
    batch = sample;
    scores = k.scratch({count}, f32);
    importance = k.scratch({count}, f32);
    k.vectors(k.index(count), [&](Value start, Value mask) { k.store(k.splat(f32, 0), importance, {start}, mask); });
    k.loop(k.index(0), heads, 1, [&](Value head) {
      scoreTokens(head);
      addSoftmax();
    });
    rankable();
    moveTokens();
  });
}

/// What the class scores the tokens: scale * q_class . k, and the logarithm of what they stand for.
void TokenPrune::scoreTokens(Value head) {
  Value keyHead = k.div(head, groupSize), first = k.index(0);
  k.loop(k.index(0), k.index(count), 1, [&](Value token) {
    auto sums = k.vectors(k.index(depth), {k.splat(f32, 0)}, [&](Value start, Value mask, ValueRange carried) {
      Value x = k.load(query, position(op.getHeadsFirst(), head, first, start), mask);
      Value y = k.load(key, position(op.getKvHeadsFirst(), keyHead, token, start), mask);
      return KernelBuilder::Carried{vector::FMAOp::create(b, k.loc, x, y, carried[0])};
    });
    memref::StoreOp::create(b, k.loc, reduce(vector::CombiningKind::ADD, sums[0]), scores, token);
  });
  Value scale = k.splat(f32, op.getScale().convertToDouble());
  k.vectors(k.index(count), [&](Value start, Value mask) {
    Value x = arith::MulFOp::create(b, k.loc, k.load(scores, {start}, mask), scale);
    if (sizes)
      x = arith::AddFOp::create(b, k.loc, x, math::LogOp::create(b, k.loc, k.load(sizes, {batch, start}, mask)));
    k.store(x, scores, {start}, mask);
  });
}

/// Adds the softmax of the scores to the importance.
void TokenPrune::addSoftmax() {
  Value lowest = k.splat(f32, -std::numeric_limits<double>::infinity()), zero = k.splat(f32, 0);
  auto largest = k.vectors(k.index(count), {lowest}, [&](Value start, Value mask, ValueRange carried) {
    Value x = k.load(scores, {start}, mask);
    if (mask)
      x = arith::SelectOp::create(b, k.loc, mask, x, lowest);
    return KernelBuilder::Carried{arith::MaximumFOp::create(b, k.loc, carried[0], x)};
  });
  Value peak = k.broadcast(reduce(vector::CombiningKind::MAXIMUMF, largest[0]));
  auto sums = k.vectors(k.index(count), {zero}, [&](Value start, Value mask, ValueRange carried) {
    Value power = k.expNonPositive(arith::SubFOp::create(b, k.loc, k.load(scores, {start}, mask), peak));
    k.store(power, scores, {start}, mask);
    if (mask)
      power = arith::SelectOp::create(b, k.loc, mask, power, zero);
    return KernelBuilder::Carried{arith::AddFOp::create(b, k.loc, carried[0], power)};
  });
  Value inverse = k.broadcast(arith::DivFOp::create(b, k.loc, k.scalar(f32, 1), reduce(vector::CombiningKind::ADD, sums[0])));
  k.vectors(k.index(count), [&](Value start, Value mask) {
    Value sum = k.load(importance, {start}, mask);
    k.store(vector::FMAOp::create(b, k.loc, k.load(scores, {start}, mask), inverse, sum), importance, {start}, mask);
  });
}

/// Makes the importance a number that can be compared and divided by, whatever the values, and lets no token rank
/// behind the class.
void TokenPrune::rankable() {
  // Next to nothing, so that tokens of no importance at all have a mean.
  Value least = k.splat(f32, 1e-20);
  k.vectors(k.index(count), [&](Value start, Value mask) {
    Value x = k.load(importance, {start}, mask);
    Value above = arith::CmpFOp::create(b, k.loc, arith::CmpFPredicate::OGT, x, least);
    k.store(arith::SelectOp::create(b, k.loc, above, x, least), importance, {start}, mask);
  });
  memref::StoreOp::create(b, k.loc, k.scalar(f32, -1), importance, ValueRange{k.index(0)});
}

/// Adds a token to the fused one, the last of the result. `sums` are those of importance and of size so far.
KernelBuilder::Carried TokenPrune::fuse(Value token, ValueRange sums) {
  Value weight = k.loadScalar(importance, {token}), factor = k.broadcast(weight), last = k.index(op.getKept() + 1);
  k.vectors(channels, [&](Value start, Value mask) {
    Value sum = k.load(out, {batch, last, start}, mask);
    sum = vector::FMAOp::create(b, k.loc, k.load(tokens, {batch, token, start}, mask), factor, sum);
    k.store(sum, out, {batch, last, start}, mask);
  });
  KernelBuilder::Carried next = {arith::AddFOp::create(b, k.loc, sums[0], weight)};
  if (sizes)
    next.push_back(arith::AddFOp::create(b, k.loc, sums[1], k.loadScalar(sizes, {batch, token})));
  return next;
}

void TokenPrune::moveTokens() {
  Value zero = k.index(0), last = k.index(op.getKept() + 1), nothing = k.scalar(f32, 0);
  auto keep = [&](Value token, Value place) {
    k.vectors(channels, [&](Value start, Value mask) {
      k.store(k.load(tokens, {batch, token, start}, mask), out, {batch, place, start}, mask);
    });
    if (sizes)
      memref::StoreOp::create(b, k.loc, k.loadScalar(sizes, {batch, token}), outSizes, ValueRange{batch, place});
  };
  keep(zero, zero);
  k.vectors(channels, [&](Value start, Value mask) { k.store(k.splat(f32, 0), out, {batch, last, start}, mask); });

  KernelBuilder::Carried init = {k.index(1), nothing};
  if (sizes)
    init.push_back(nothing);
  init = k.loop(k.index(1), k.index(count), 1, init, [&](Value token, ValueRange carried) {
    Value most = arith::ConstantOp::create(b, k.loc, b.getI32IntegerAttr(op.getKept()));
    Value before = countBefore(k, importance, k.index(count), token);
    Value stays = arith::CmpIOp::create(b, k.loc, arith::CmpIPredicate::slt, before, most);
    auto branch = scf::IfOp::create(b, k.loc, TypeRange(carried), stays, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    keep(token, carried[0]);
    KernelBuilder::Carried kept(carried);
    kept[0] = k.add(carried[0], 1);
    scf::YieldOp::create(b, k.loc, kept);
    b.setInsertionPointToStart(branch.elseBlock());
    KernelBuilder::Carried fused = {carried[0]};
    fused.append(fuse(token, carried.drop_front()));
    scf::YieldOp::create(b, k.loc, fused);
    return KernelBuilder::Carried(branch.getResults());
  });
  Value inverse = k.broadcast(arith::DivFOp::create(b, k.loc, k.scalar(f32, 1), init[1]));
  k.vectors(channels, [&](Value start, Value mask) {
    Value x = arith::MulFOp::create(b, k.loc, k.load(out, {batch, last, start}, mask), inverse);
    k.store(x, out, {batch, last, start}, mask);
  });
  if (sizes)
    memref::StoreOp::create(b, k.loc, init[2], outSizes, ValueRange{batch, last});
}

LogicalResult cpu::emitTokenPrune(nn::TokenPruneOp op) {
  TokenPrune kernel(op);
  if (failed(kernel.prepare()))
    return failure();
  kernel.emit();
  return success();
}

//===- FlashSoftmax.cpp - Scores become weights, in registers -------------===//
#include "passes/Codegen/GPU/FlashAttention.h"
#include "passes/Codegen/GPU/TensorProduct.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::simt;

/// How many keys of a tile, from this thread's first on, a row sees but for a mask.
Value BlockAttention::countVisible(Value tile, Value row) {
  Value seen = keys;
  if (op.getCausal()) // query i sees keys up to i + Skv - Sq
    seen = k.min(seen, k.sub(k.add(k.add(row, 1), keys), queries));
  Value inTile = k.min(k.max(k.sub(seen, k.mul(tile, tileKeys)), k.index(0)), k.index(tileKeys));
  return arith::IndexCastOp::create(b, k.loc, b.getI32Type(), k.sub(inTile, firstKey()));
}

/// The mask of a row and of four neighbouring keys, the first `key` after this thread's first of a tile: read at once
/// where its rows have a multiple of four, or two.
SmallVector<Value> BlockAttention::loadMask(Value tile, int64_t key, Value row, bool isWhole) {
  int64_t width = std::min<int64_t>(chooseCopyWidth(k, op.getMask()), 4);
  // Rows and keys that are not there have no mask.
  Value inRow = k.min(row, k.sub(queries, k.index(1)));
  SmallVector<Value> biases;
  for (int64_t next = 0; next < 4; next += width) {
    Value at = k.add(k.add(k.mul(tile, tileKeys), firstKey()), key + next);
    if (!isWhole)
      at = k.min(at, k.sub(keys, k.index(width)));
    llvm::append_range(biases, k.loadBroadcasts(op.getMask(), {batch, head, inRow, at}, width));
  }
  return biases;
}

/// The score of a row of this thread with the key `key` after its first of a tile; that of a hidden key is minus
/// infinity. `bias` is the mask's element, null without a mask, and `visible` null where all keys of the tile are seen
/// but for that.
Value BlockAttention::maskScore(Value sum, int64_t key, Value bias, Value visible) {
  Value result = sum, isVisible;
  if (!isFused)
    result = k.mulFloats(sum, k.scalar(f32, op.getScale().convertToDouble()));
  auto require = [&](Value condition) {
    isVisible = isVisible ? arith::AndIOp::create(b, k.loc, isVisible, condition).getResult() : condition;
  };
  if (visible)
    require(k.compare(arith::CmpIPredicate::sgt, visible, arith::ConstantIntOp::create(b, k.loc, b.getI32Type(), key)));
  if (bias && bias.getType().isInteger(1))
    require(bias);
  else if (bias)
    result = k.addFloats(result, bias);
  if (!isVisible)
    return result;
  Value hidden = k.scalar(f32, -std::numeric_limits<double>::infinity());
  return arith::SelectOp::create(b, k.loc, isVisible, result, hidden);
}

/// `shift` is a peak, times the factor where fused.
Value BlockAttention::findWeight(Value score, Value shift) {
  Value factor = k.scalar(f32, exponentFactor);
  if (isFused)
    return k.exp2(k.multiplyAdd(score, factor, arith::NegFOp::create(b, k.loc, shift)));
  return k.exp2(k.mulFloats(arith::SubFOp::create(b, k.loc, score, shift), factor));
}

/// Scores of a row tile become weights. `state` are the largest scores and the sums of weights of both rows so far.
void BlockAttention::weigh(Value tile, const Pair &rowsOfTile, MutableArrayRef<Value> scores,
                           MutableArrayRef<Value> state, MutableArrayRef<Value> sums, bool isWhole) {
  for (unsigned half : {0, 1}) {
    Value peak, visible = isWhole ? Value() : countVisible(tile, rowsOfTile[half]);
    for (int64_t first = 0; first < tileKeys; first += 16) {
      SmallVector<Value> biases(4);
      if (op.getMask())
        biases = loadMask(tile, first, rowsOfTile[half], isWhole);
      for (int64_t next = 0; next < 4; ++next) {
        Value &score = scores[(first / 8 + next / 2) * 4 + half * 2 + next % 2];
        score = maskScore(score, first + next, biases[next], visible);
        peak = peak ? larger(peak, score) : score;
      }
    }
    peak = larger(state[half], reduce(peak, [&](Value x, Value y) { return larger(x, y); }));
    Value shift = isFused ? k.mulFloats(peak, k.scalar(f32, exponentFactor)) : peak;
    Value correction = findWeight(state[half], shift), total = k.mulFloats(state[2 + half], correction);
    for (int64_t i = 0; i < tileKeys / 8; ++i)
      for (unsigned j : {0, 1}) {
        Value &score = scores[i * 4 + half * 2 + j];
        score = findWeight(score, shift);
        total = k.addFloats(total, score);
      }
    for (int64_t i = 0; i < depthTiles(); ++i)
      for (unsigned j : {0, 1}) {
        Value &sum = sums[i * 4 + half * 2 + j];
        sum = k.mulFloats(sum, correction);
      }
    state[half] = peak, state[2 + half] = total;
  }
}

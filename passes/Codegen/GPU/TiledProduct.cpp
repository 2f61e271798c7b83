//===- TiledProduct.cpp - Matrix products through memory of the block -----===//
#include "passes/Codegen/GPU/TiledProduct.h"
#include "passes/Codegen/GPU/SplitSteps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::simt;

using Carried = codegen::LoopBuilder::Carried;

/// Threads of a side of the block, elements that a thread computes along each side, and steps at a time.
static constexpr int64_t kSide = 16, kEach = 4, kSteps = 16;
static constexpr int64_t kTile = kSide * kEach, kThreads = kSide * kSide;
/// Rows of the left tile are one element apart from a multiple of the 32 banks of shared memory.
static constexpr int64_t kLhsStride = kSteps + 1, kRhsOffset = kTile * kLhsStride;
static constexpr int64_t kSharedElements = kRhsOffset + kSteps * kTile;

bool simt::fillsTiles(Value rows, Value columns) {
  auto isLong = [](Value size) {
    int64_t constant = codegen::constantOr(size);
    return constant < 0 || constant >= kTile / 4;
  };
  return isLong(rows) && isLong(columns);
}

namespace {

/// What one block computes.
struct TileOfBlock {
  ThreadBuilder &k;
  const TiledProduct &product;
  Value batch, firstRow, firstColumn, firstStep, endStep, thread, shared;

  Value isBelow(Value index, Value size) {
    return arith::CmpIOp::create(k.builder, k.loc, arith::CmpIPredicate::ult, index, size);
  }
  Value clamp(Value index, Value size) { return k.min(index, k.sub(size, k.index(1))); }

  /// Steps past the last one count as zeros in both operands, of which one may hold an infinity. Rows and columns past
  /// the last one repeat it: they are not stored.
  Value orZero(Value element, Value step) {
    Value zero = k.scalar(k.builder.getF32Type(), 0);
    return arith::SelectOp::create(k.builder, k.loc, isBelow(step, product.steps), element, zero);
  }

  /// Copies the steps from `first` on to the memory of the block: neighbouring threads read neighbours.
  void fill(Value first) {
    for (int64_t i = 0; i < kTile * kSteps / kThreads; ++i) {
      Value element = k.add(thread, i * kThreads);
      Value row = k.div(element, k.index(kSteps)), step = k.rem(element, k.index(kSteps)), at = k.add(first, step);
      Value value = product.lhs(batch, clamp(k.add(firstRow, row), product.rows), clamp(at, product.steps));
      k.store(orZero(value, at), shared, k.add(k.mul(row, kLhsStride), step));
    }
    for (int64_t i = 0; i < kTile * kSteps / kThreads; ++i) {
      Value element = k.add(thread, i * kThreads);
      Value step = k.div(element, k.index(kTile)), column = k.rem(element, k.index(kTile)), at = k.add(first, step);
      Value value = product.rhs(batch, clamp(at, product.steps), clamp(k.add(firstColumn, column), product.columns));
      k.store(orZero(value, at), shared, k.add(element, kRhsOffset));
    }
  }

  void emit() {
    // Elements of a thread are kSide apart, so that neighbours store neighbours.
    Value y = k.div(thread, k.index(kSide)), x = k.rem(thread, k.index(kSide));
    Carried zeros(kEach * kEach, k.scalar(k.builder.getF32Type(), 0));
    Carried sums = k.loop(firstStep, endStep, kSteps, zeros, [&](Value first, ValueRange carried) {
      fill(first);
      k.barrier();
      Carried next = k.loop(k.index(0), k.index(kSteps), 1, carried, [&](Value step, ValueRange current) {
        SmallVector<Value> left, right;
        for (int64_t i = 0; i < kEach; ++i) {
          left.push_back(k.loadScalar(shared, k.add(k.mul(k.add(y, i * kSide), kLhsStride), step)));
          right.push_back(k.loadScalar(shared, k.add(k.mul(step, kTile), k.add(x, kRhsOffset + i * kSide))));
        }
        Carried result;
        for (int64_t i = 0; i < kEach * kEach; ++i)
          result.push_back(k.multiplyAdd(left[i / kEach], right[i % kEach], current[i]));
        return result;
      });
      k.barrier();
      return next;
    });
    for (int64_t i = 0; i < kEach * kEach; ++i) {
      Value row = k.add(firstRow, k.add(y, i / kEach * kSide)),
            column = k.add(firstColumn, k.add(x, i % kEach * kSide));
      Value inside =
          arith::AndIOp::create(k.builder, k.loc, isBelow(row, product.rows), isBelow(column, product.columns));
      k.branch(inside, [&] { product.store(sums[i], batch, row, column); });
    }
  }
};

} // namespace

/// Sums of 32-bit multiply-adds of 256 threads, of which each reads two numbers from shared memory, where 32 of them
/// come in a cycle, for four products. Nothing is copied ahead.
static constexpr BlockCost kCost = {kSteps * kTile * kTile / 2 / 32, /*latency=*/2000, kThreads, kSharedElements * 4,
                                    /*registers=*/80};

void simt::emitTiledProduct(ThreadBuilder &k, const TiledProduct &product) {
  Value rows = k.ceilDiv(product.rows, kTile), columns = k.ceilDiv(product.columns, kTile);
  Value tiles = k.ceilDiv(product.steps, kSteps);
  StepSlices slices;
  int64_t numRows = codegen::constantOr(product.rows, product.likelyRows), batch = codegen::constantOr(product.batch);
  int64_t numColumns = codegen::constantOr(product.columns), numTiles = codegen::constantOr(tiles);
  if (numRows > 0 && numColumns > 0 && batch > 0 && numTiles > 0) {
    int64_t blocks = batch * llvm::divideCeil(numRows, kTile) * llvm::divideCeil(numColumns, kTile);
    slices = chooseSlices(k, kCost, blocks, numTiles, batch * numRows * numColumns);
    remarkSlices(k, slices);
  }
  PartialSums sums(k, slices, k.builder.getF32Type(), {product.batch, product.rows, product.columns});
  SmallVector<Value> grid = {sums.getSlices(), product.batch, rows, columns};
  k.blocks(grid, kThreads, k.builder.getF32Type(), kSharedElements, [&](ValueRange tile, Value thread, Value shared) {
    TiledProduct part = product;
    auto keep = [&](Value sum, Value batch, Value row, Value column) {
      sums.store(sum, tile[0], {batch, row, column});
    };
    Value first = k.index(0), end = product.steps;
    if (sums.areSplit()) {
      part.store = keep;
      std::tie(first, end) = sums.getTiles(tile[0], tiles);
      first = k.mul(first, kSteps), end = k.mul(end, kSteps);
    }
    Value row = k.mul(tile[2], kTile), column = k.mul(tile[3], kTile);
    TileOfBlock{k, part, tile[1], row, column, first, end, thread, shared}.emit();
  });
  sums.addUp([&](Value sum, ValueRange at) { product.store(sum, at[0], at[1], at[2]); });
}

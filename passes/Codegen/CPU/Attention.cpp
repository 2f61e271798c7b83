//===- Attention.cpp - nn.attention with an online softmax ----------------===//
//
// The scores of a block of keys are K Q^T, in vectors of queries: rows of K are read element by element, against a
// transposed block of queries in scratch. The softmax runs down the keys, lane by lane, and nothing is ever reduced
// across a vector. The output is P V in vectors of channels: weights are read element by element, rows of V and of the
// output as they are. A task has a group of query blocks: a block of keys and values meets all of them, and is copied
// before where its rows are no neighbours. Scores have the unit of powers of 2.
//
#include "passes/Codegen/CPU/Attention.h"
#include "passes/Codegen/CPU/Kernels.h"
#include "llvm/Support/SaveAndRestore.h"
#include <cmath>

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

namespace {

/// Finite, so that a row without any key yet has a difference to every score.
constexpr double kLowest = -3.4028234663852886e38;
/// What a block of queries should not exceed, with its scores and its output; and that of a group without the scores.
constexpr int64_t kBlockBytes = 48 << 10, kGroupBytes = 128 << 10;
/// Keys in a block, at most; and keys where only a run knows how many there are.
constexpr int64_t kMostKeys = 64, kUsualKeys = 256;

} // namespace

LogicalResult Attention::prepare() {
  Type outElement = cast<MemRefType>(out.getType()).getElementType();
  if (!outElement.isF32() && !isNarrowFloat(outElement))
    return op.emitOpError("expected a result of f32, bf16 or f16, but got ") << out.getType();
  for (Value operand : {query, key, value})
    if (!cast<MemRefType>(operand.getType()).getElementType().isF32())
      return op.emitOpError("expected f32, but got ") << operand.getType();
  if (!hasUnitInnermostStride(query) || !hasUnitInnermostStride(out))
    return op.emitOpError("expected queries and results with contiguous rows");
  if (mask && cast<MemRefType>(mask.getType()).getRank() > 4)
    return op.emitOpError("expected a mask of rank 4 at most, but got ") << mask.getType();
  depth = cast<MemRefType>(query.getType()).getDimSize(3);
  valueDepth = cast<MemRefType>(value.getType()).getDimSize(3);
  if (ShapedType::isDynamic(depth) || ShapedType::isDynamic(valueDepth))
    return op.emitOpError("expected heads of static size");
  int64_t bytes = 0;
  for (Value rows : {query, key, value, out}) {
    auto type = cast<MemRefType>(rows.getType());
    bytes += type.hasStaticShape() ? type.getNumElements() * type.getElementTypeBitWidth() / 8 : k.target.getL2Bytes();
  }
  prefetches = bytes > k.target.getL2Bytes() / 2;
  heads = k.dim(query, headDim(op.getHeadsFirst()));
  groupSize = k.div(heads, k.dim(value, headDim(op.getKvHeadsFirst())));
  queries = k.dim(query, sequence(op.getHeadsFirst()));
  keys = k.dim(value, sequence(op.getKvHeadsFirst()));

  channelLanes = choosesChannelLanes();

  // One vector of queries where the second would be empty, or the scratch too large for the cache.
  int64_t lanes = k.lanes(), fixed = constantOr(queries);
  bool fits = (depth + valueDepth + kMostKeys) * 2 * lanes * 4 <= kBlockBytes;
  vectors = fits && (fixed <= 0 || fixed > lanes) ? 2 : 1;
  blockQueries = vectors * lanes;
  int64_t most = maxTileRows(k.target, vectors, Product::F32);
  int64_t fixedKeys = constantOr(keys);
  blockKeys = fixedKeys > 0 ? evenBlock(fixedKeys, kMostKeys) : std::max(kMostKeys / most, int64_t(1)) * most;
  // As many blocks of queries as there is room for, but enough groups for several threads.
  constexpr int64_t tasks = 12;
  int64_t blocks = fixed > 0 ? llvm::divideCeil(fixed, blockQueries) : 1024, fixedHeads = constantOr(heads, 1);
  int64_t batches = constantOr(k.dim(query, 0), 1);
  groupBlocks = std::max<int64_t>(kGroupBytes / ((depth + valueDepth) * blockQueries * 4), 1);
  groupBlocks = std::min<int64_t>(groupBlocks, std::max<int64_t>(blocks * fixedHeads * batches / tasks, 1));
  groupBlocks = evenBlock(blocks, groupBlocks);
  return success();
}

void Attention::emit() {
  Value blocks = k.ceilDiv(queries, blockQueries), groups = k.ceilDiv(blocks, groupBlocks);
  SmallVector<Value> sizes = {k.dim(query, 0), heads, groups};
  constexpr int64_t perExponential = 16;
  int64_t perGroup = groupBlocks * blockQueries * constantOr(keys, kUsualKeys) * (depth + valueDepth + perExponential);
  Value units = k.mul(k.mul(sizes[0], heads), groups);
  k.parallelItems(units, perGroup, [&](Value unit) {
    auto taskOf = [&](Value unit) -> Task {
      SmallVector<Value> indices = k.delinearize(unit, sizes);
      return {indices[0], indices[1], k.mul(indices[2], groupBlocks)};
    };
    task = taskOf(unit);
    next = taskOf(k.min(k.add(unit, 1), k.sub(units, k.index(1))));
    kvHead = k.div(task.head, groupSize);
    emitTask(k.min(k.index(groupBlocks), k.sub(blocks, task.firstBlock)));
  });
}

/// Rows past the last query repeat it: they are computed but not stored.
Value Attention::clampedQuery(int64_t lane) {
  Value row = k.add(firstQuery, lane);
  int64_t fixed = constantOr(queries);
  if (fixed > 0 && fixed % blockQueries == 0)
    return row;
  return k.min(row, k.sub(queries, k.index(1)));
}

void Attention::packQueries() {
  Value scale = k.splat(f32, op.getScale().convertToDouble() * (hasBias ? 1 : M_LOG2E));
  int64_t lanes = k.lanes();
  for (int64_t v = 0; v < vectors; ++v) {
    SmallVector<Value> positions;
    for (int64_t lane = 0; lane < lanes; ++lane)
      positions.push_back(clampedQuery(v * lanes + lane));
    auto block = [&](Value channel, int64_t count) {
      SmallVector<Value> rows;
      Value filled = count < lanes ? k.maskBelow(k.index(count)) : Value();
      for (Value row : positions) {
        Value x = k.load(query, position(op.getHeadsFirst(), task.head, row, channel), filled);
        rows.push_back(arith::MulFOp::create(b, k.loc, x, scale));
      }
      k.transpose(rows);
      for (int64_t i = 0; i < count; ++i)
        k.store(rows[i], queryScratch, {queryBlock, k.add(channel, i), k.index(v * lanes)});
    };
    channelBlocks(depth, block);
  }
}

/// Runs `block` for each vector of channels, and for a rest that is shorter.
void Attention::channelBlocks(int64_t channels, function_ref<void(Value, int64_t)> block) {
  int64_t lanes = k.lanes(), whole = channels - channels % lanes;
  k.loop(k.index(0), k.index(whole), lanes, [&](Value channel) { block(channel, lanes); });
  if (channels != whole)
    block(k.index(whole), channels - whole);
}

Value Attention::queryIndices(int64_t vector) {
  VectorType type = k.vectorOf(b.getIndexType());
  auto lanes = llvm::map_to_vector(llvm::seq<int64_t>(0, k.lanes()),
                                   [&](int64_t lane) { return Attribute(b.getIndexAttr(vector * k.lanes() + lane)); });
  Value offsets = arith::ConstantOp::create(b, k.loc, DenseElementsAttr::get(type, lanes));
  return arith::AddIOp::create(b, k.loc, offsets, k.broadcast(firstQuery));
}

Value Attention::masked(Value score, Value keyIndex, int64_t vector) {
  Value hidden = k.splat(f32, -std::numeric_limits<double>::infinity());
  if (op.getCausal()) {
    // Query i sees keys up to i + Skv - Sq.
    Value last = k.broadcast(k.sub(k.add(keyIndex, queries), keys));
    Value seen = arith::CmpIOp::create(b, k.loc, arith::CmpIPredicate::sge, queryIndices(vector), last);
    score = arith::SelectOp::create(b, k.loc, seen, score, hidden);
  }
  if (!mask)
    return score;
  auto type = cast<MemRefType>(mask.getType());
  auto element = [&](Value row) {
    Value all[] = {task.batch, task.head, row, keyIndex};
    SmallVector<Value> indices;
    for (int64_t i = 0, missing = 4 - type.getRank(); i < type.getRank(); ++i)
      indices.push_back(type.getDimSize(i) == 1 ? k.index(0) : all[missing + i]);
    return k.loadScalar(mask, indices);
  };
  Value bias;
  if (type.getRank() < 2 || type.getDimSize(type.getRank() - 2) == 1) {
    bias = k.broadcast(element(firstQuery));
  } else {
    SmallVector<Value> elements;
    for (int64_t lane = 0; lane < k.lanes(); ++lane)
      elements.push_back(element(clampedQuery(vector * k.lanes() + lane)));
    bias = vector::FromElementsOp::create(b, k.loc, k.vectorOf(type.getElementType()), elements);
  }
  if (type.getElementType().isInteger(1))
    return arith::SelectOp::create(b, k.loc, bias, score, hidden);
  return arith::AddFOp::create(b, k.loc, score, bias);
}

void Attention::scores(Value firstKey, Value row, int64_t rows) {
  RegisterTile tile{rows, vectors, Product::F32, {k.index(depth)}, {}, {}};
  readLhs(k, tile, keyScratch ? keyScratch : key,
          [&](int64_t i, ValueRange ivs) { return keyPosition(keyScratch, firstKey, k.add(row, i), ivs[0]); });
  tile.rhs = [&](int64_t v, ValueRange ivs) {
    return k.load(queryScratch, {queryBlock, ivs[0], k.index(v * k.lanes())});
  };
  SmallVector<Value> accumulators = emitRegisterTile(k, tile);
  for (int64_t v = 0; v < vectors; ++v) {
    Value peak = k.load(peakScratch, {k.index(v), k.index(0)});
    for (int64_t i = 0; i < rows; ++i) {
      Value score = masked(accumulators[i * vectors + v], k.add(k.add(firstKey, row), i), v);
      k.store(score, scoreScratch, {k.add(row, i), k.index(v * k.lanes())});
      // One instruction, other than a maximum that minds NaN.
      Value above = arith::CmpFOp::create(b, k.loc, arith::CmpFPredicate::OGT, peak, score);
      peak = arith::SelectOp::create(b, k.loc, above, peak, score);
    }
    k.store(peak, peakScratch, {k.index(v), k.index(0)});
  }
}

/// Where a block of keys or values is copied to, close together, if the rows of one head are apart: they may be in few
/// sets of the cache. Null where they are not.
Value Attention::makeRowScratch(Value from, int64_t channels) {
  if (strideBytes(from, sequence(op.getKvHeadsFirst())) == channels * 4 && hasUnitInnermostStride(from))
    return {};
  return k.scratch({blockKeys, int64_t(llvm::alignTo(channels, k.lanes()))}, f32);
}

/// Of an element of a block of keys or values, in its scratch or where they are.
SmallVector<Value> Attention::keyPosition(Value scratch, Value firstKey, Value row, Value channel) {
  if (scratch)
    return {row, channel};
  return position(op.getKvHeadsFirst(), kvHead, k.add(firstKey, row), channel);
}

void Attention::copyRows(Value from, Value to, Value firstKey, Value count, int64_t channels) {
  k.loop(k.index(0), count, 1, [&](Value row) {
    k.vectors(k.index(channels), [&](Value channel, Value filled) {
      SmallVector<Value> at = position(op.getKvHeadsFirst(), kvHead, k.add(firstKey, row), channel);
      k.store(k.loadAny(from, at, filled), to, {row, channel}, filled);
    });
  });
}

/// Asks for a part of `count` rows of a head, from `place.row` on: the one of `turn`, of which there are `turns`. What
/// is asked for in equal parts comes evenly, and nobody waits for it; the first cache has no room for it yet.
void Attention::prefetch(Value from, const RowPlace &place, int64_t count, Value turn, int64_t turns, bool isWrite) {
  if (!prefetches)
    return;
  constexpr int64_t lineBits = 512;
  constexpr int secondCache = 2;
  auto type = cast<MemRefType>(from.getType());
  // Whole rows, which take fewer instructions than single lines. Turns that are left over ask for later rows.
  int64_t share = llvm::divideCeil(count, turns);
  Value last = k.sub(place.end, k.index(1));
  Value first = k.add(place.row, k.mul(turn, share));
  for (int64_t i = 0; i < share; ++i) {
    Value row = k.min(k.add(first, i), last);
    for (int64_t channel = 0; channel < type.getDimSize(3); channel += lineBits / type.getElementTypeBitWidth())
      memref::PrefetchOp::create(b, k.loc, from,
                                 position(place.headsFirst, place.batch, place.head, row, k.index(channel)), isWrite,
                                 secondCache, /*isDataCache=*/true);
  }
}

/// Asks for the next block of keys or values, after the last one for the first of the next task. Each tile that meets
/// the current block asks for a part.
void Attention::prefetchKeys(Value from, Value firstKey, Value tile, int64_t tiles) {
  Value following = k.add(firstKey, blockKeys);
  Value isLast = arith::CmpIOp::create(b, k.loc, arith::CmpIPredicate::sge, following, keyEnd);
  auto choose = [&](Value ofNext, Value ofThis) -> Value {
    return arith::SelectOp::create(b, k.loc, isLast, ofNext, ofThis);
  };
  RowPlace place{op.getKvHeadsFirst(), choose(next.batch, task.batch), choose(k.div(next.head, groupSize), kvHead),
                 choose(k.index(0), following), keys};
  prefetch(from, place, blockKeys, k.add(k.mul(queryBlock, tiles), tile), tiles * groupBlocks, /*isWrite=*/false);
}

/// Asks for the queries or results of a task. Each tile of the current task asks for a part.
void Attention::prefetchQueries(Value from, const Task &task, Value firstKey, Value tile, int64_t tiles, bool isWrite) {
  int64_t blocks = llvm::divideCeil(constantOr(keys, kUsualKeys), blockKeys);
  Value block = k.add(k.mul(k.div(firstKey, k.index(blockKeys)), groupBlocks), queryBlock);
  Value first = k.mul(task.firstBlock, blockQueries);
  Value end = k.min(k.add(first, groupBlocks * blockQueries), queries);
  RowPlace place{op.getHeadsFirst(), task.batch, task.head, first, end};
  prefetch(from, place, groupBlocks * blockQueries, k.add(k.mul(block, tiles), tile), tiles * blocks * groupBlocks,
           isWrite);
}

/// Lets all blocks of queries of the group see a block of keys.
void Attention::keyBlock(Value firstKey, Value count, Value blocks) {
  if (keyScratch)
    copyRows(key, keyScratch, firstKey, count, depth);
  if (valueScratch)
    copyRows(value, valueScratch, firstKey, count, valueDepth);
  k.loop(k.index(0), blocks, 1, [&](Value block) {
    queryBlock = block;
    firstQuery = k.mul(k.add(task.firstBlock, block), blockQueries);
    auto update = [&] { eachSize([&] { updateBlock(firstKey, count); }); };
    if (!op.getCausal())
      return update();
    // The last query of the block sees the most keys.
    Value end = k.sub(k.add(k.add(firstQuery, blockQueries), keys), queries);
    Value seen = arith::CmpIOp::create(b, k.loc, arith::CmpIPredicate::slt, firstKey, end);
    k.branch(seen, update);
  });
}

/// Emits `body` for whole blocks of queries, and once more for a last one that one vector holds.
void Attention::eachSize(function_ref<void()> body) {
  int64_t fixed = constantOr(queries), rest = fixed % blockQueries;
  if (vectors == 1 || (fixed > 0 && (rest == 0 || rest > k.lanes())))
    return body();
  Value few =
      arith::CmpIOp::create(b, k.loc, arith::CmpIPredicate::sle, k.sub(queries, firstQuery), k.index(k.lanes()));
  auto emitHalf = [&] {
    llvm::SaveAndRestore half(vectors, int64_t(1));
    body();
  };
  k.branch(few, emitHalf, body);
}

/// The softmax's numerator.
Value Attention::weigh(Value score, Value peak) {
  Value difference = arith::SubFOp::create(b, k.loc, score, peak);
  if (hasBias)
    difference = arith::MulFOp::create(b, k.loc, difference, k.splat(f32, M_LOG2E));
  return k.exp2NonPositive(difference);
}

/// One step of the online softmax of a block of queries. The state holds the maximum and the sum of each query.
void Attention::updateBlock(Value firstKey, Value count) {
  auto stateAt = [&](int64_t i) { return SmallVector<Value>{queryBlock, k.index(i), k.index(0)}; };
  SmallVector<Value> state, peaks;
  for (int64_t i = 0; i < 2 * vectors; ++i)
    state.push_back(k.load(stateScratch, stateAt(i)));
  for (int64_t v = 0; v < vectors; ++v)
    k.store(state[v], peakScratch, {k.index(v), k.index(0)});
  int64_t mostRows = maxTileRows(k.target, vectors, Product::F32);
  int64_t tileKeys = constantOr(keys) > 0 ? evenBlock(blockKeys, mostRows) : mostRows;
  k.tiles(k.index(0), count, tileKeys, [&](Value row, int64_t rows) {
    Value tile = k.div(row, k.index(tileKeys));
    int64_t tiles = llvm::divideCeil(blockKeys, tileKeys);
    prefetchKeys(key, firstKey, tile, tiles);
    prefetchQueries(query, next, firstKey, tile, tiles, /*isWrite=*/false);
    scores(firstKey, row, rows);
  });
  for (int64_t v = 0; v < vectors; ++v)
    peaks.push_back(k.load(peakScratch, {k.index(v), k.index(0)}));
  auto at = [&](Value row, int64_t v) { return SmallVector<Value>{row, k.index(v * k.lanes())}; };
  KernelBuilder::Carried corrections, sums;
  for (int64_t v = 0; v < vectors; ++v) {
    corrections.push_back(weigh(state[v], peaks[v]));
    sums.push_back(arith::MulFOp::create(b, k.loc, state[vectors + v], corrections[v]));
  }
  sums = k.loop(k.index(0), count, 1, sums, [&](Value row, ValueRange carried) {
    KernelBuilder::Carried next;
    for (int64_t v = 0; v < vectors; ++v) {
      Value weight = weigh(k.load(scoreScratch, at(row, v)), peaks[v]);
      k.store(weight, scoreScratch, at(row, v));
      next.push_back(arith::AddFOp::create(b, k.loc, carried[v], weight));
    }
    return next;
  });

  for (int64_t v = 0; v < vectors; ++v)
    k.store(corrections[v], factorScratch, {k.index(v * k.lanes())});
  addValues(firstKey, count);
  for (int64_t v = 0; v < vectors; ++v) {
    k.store(peaks[v], stateScratch, stateAt(v));
    k.store(sums[v], stateScratch, stateAt(vectors + v));
  }
}

/// What a block of queries starts from.
void Attention::startBlock() {
  packQueries();
  Value zero = k.splat(f32, 0), lowest = k.splat(f32, kLowest);
  startOutput();
  for (int64_t i = 0; i < 2 * vectors; ++i)
    k.store(i < vectors ? lowest : zero, stateScratch, {queryBlock, k.index(i), k.index(0)});
}

void Attention::emitTask(Value blocks) {
  int64_t lanes = k.lanes();
  queryScratch = k.scratch({groupBlocks, depth, blockQueries}, f32);
  int64_t outRows = channelLanes ? blockQueries : valueDepth;
  outScratch =
      k.scratch({groupBlocks, outRows, channelLanes ? int64_t(llvm::alignTo(valueDepth, lanes)) : blockQueries}, f32);
  factorScratch = k.scratch({blockQueries}, f32);
  stateScratch = k.scratch({groupBlocks, 2 * vectors, lanes}, f32);
  peakScratch = k.scratch({vectors, lanes}, f32);
  scoreScratch = k.scratch({blockKeys, blockQueries}, f32);
  keyScratch = makeRowScratch(key, depth);
  valueScratch = makeRowScratch(value, valueDepth);
  auto forBlocks = [&](void (Attention::*body)()) {
    k.loop(k.index(0), blocks, 1, [&](Value block) {
      queryBlock = block;
      firstQuery = k.mul(k.add(task.firstBlock, block), blockQueries);
      eachSize([&] { (this->*body)(); });
    });
  };
  forBlocks(&Attention::startBlock);

  Value end = keys;
  if (op.getCausal()) { // no query of this group sees more
    Value past = k.mul(k.add(task.firstBlock, blocks), blockQueries);
    end = k.min(keys, k.max(k.sub(k.add(past, keys), queries), k.index(0)));
  }
  keyEnd = end;
  int64_t fixed = op.getCausal() ? -1 : constantOr(keys);
  Value whole = k.mul(k.div(end, k.index(blockKeys)), blockKeys);
  k.loop(k.index(0), whole, blockKeys, [&](Value first) { keyBlock(first, k.index(blockKeys), blocks); });
  if (fixed < 0 || fixed % blockKeys != 0)
    k.loop(whole, end, blockKeys, [&](Value first) { keyBlock(first, k.sub(end, whole), blocks); });
  forBlocks(&Attention::storeOutput);
}

LogicalResult cpu::emitAttention(nn::AttentionOp op) {
  Attention attention(op);
  if (failed(attention.prepare()))
    return failure();
  attention.emit();
  return success();
}

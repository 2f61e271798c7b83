//===- Attention.cpp - nn.attention with an online softmax ----------------===//
//
// The lanes of a vector are queries. The scores of a block of keys are K Q^T: rows of K are read in place, element by
// element, against a transposed block of queries in scratch; so is the output, V^T P^T. The softmax runs down the keys,
// lane by lane, and nothing is ever reduced across a vector.
//
#include "passes/Codegen/CPU/Contraction.h"
#include "passes/Codegen/CPU/Kernels.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

namespace {

/// Finite, so that a row without any key yet has a difference to every score.
constexpr double kLowest = -3.4028234663852886e38;
/// Bytes that the scratch of one task should not exceed.
constexpr int64_t kScratchBytes = 32 << 10;

struct Attention {
  nn::AttentionOp op;
  KernelBuilder k;
  OpBuilder &b;
  Type f32;
  Value query, key, value, mask, out;
  Value heads, groupSize, queries, keys;
  int64_t depth, valueDepth, vectors, blockQueries, blockKeys, tileRows;

  // Of the current task.
  Value batch, head, kvHead, firstQuery;
  Value queryScratch, scoreScratch, outScratch;

  explicit Attention(nn::AttentionOp op)
      : op(op), k(op), b(k.builder), f32(b.getF32Type()), query(op.getQuery()), key(op.getKey()), value(op.getValue()),
        mask(op.getMask()), out(op.getInit()) {}

  unsigned sequence(bool headsFirst) { return headsFirst ? 2 : 1; }
  unsigned headDim(bool headsFirst) { return headsFirst ? 1 : 2; }

  SmallVector<Value> position(bool headsFirst, Value head, Value row, Value channel) {
    if (headsFirst)
      return {batch, head, row, channel};
    return {batch, row, head, channel};
  }

  LogicalResult prepare();
  void emit();
  void emitTask();
  void packQueries();
  void channelBlocks(int64_t channels, function_ref<void(Value, int64_t)> block);
  KernelBuilder::Carried keyBlock(Value firstKey, Value count, ValueRange state);
  void scores(Value firstKey, Value row, int64_t rows);
  Value masked(Value score, Value key, int64_t vector);
  void storeOutput(ValueRange sums);
  Value queryIndices(int64_t vector);
  Value clampedQuery(int64_t lane);
};

LogicalResult Attention::prepare() {
  for (Value operand : {query, key, value, out})
    if (!cast<MemRefType>(operand.getType()).getElementType().isF32())
      return op.emitOpError("expected f32, but got ") << operand.getType();
  if (!hasUnitInnermostStride(query) || !hasUnitInnermostStride(out))
    return op.emitOpError("expected queries and results with contiguous rows");
  if (op.getKeyPacked())
    return op.emitOpError("expected a key in rows");
  if (mask && cast<MemRefType>(mask.getType()).getRank() > 4)
    return op.emitOpError("expected a mask of rank 4 at most, but got ") << mask.getType();
  depth = cast<MemRefType>(query.getType()).getDimSize(3);
  valueDepth = cast<MemRefType>(value.getType()).getDimSize(3);
  if (ShapedType::isDynamic(depth) || ShapedType::isDynamic(valueDepth))
    return op.emitOpError("expected heads of static size");
  heads = k.dim(query, headDim(op.getHeadsFirst()));
  groupSize = k.div(heads, k.dim(value, headDim(op.getKvHeadsFirst())));
  queries = k.dim(query, sequence(op.getHeadsFirst()));
  keys = k.dim(value, sequence(op.getKvHeadsFirst()));

  // One vector of queries where the second would be mostly empty, or the scratch too large for the cache.
  int64_t lanes = k.lanes(), fixed = constantOr(queries);
  constexpr int64_t mostKeys = 64;
  vectors = 2;
  if (fixed > 0 && llvm::alignTo(fixed, 2 * lanes) > llvm::alignTo(fixed, lanes))
    vectors = 1;
  if ((depth + valueDepth + mostKeys) * 2 * lanes * 4 > kScratchBytes)
    vectors = 1;
  blockQueries = vectors * lanes;
  int64_t most = maxTileRows(k.target, vectors, Product::F32);
  int64_t fixedKeys = constantOr(keys);
  blockKeys = fixedKeys > 0 ? evenBlock(fixedKeys, mostKeys) : std::max(mostKeys / most, int64_t(1)) * most;
  tileRows = fixedKeys > 0 ? evenBlock(blockKeys, most) : most;
  return success();
}

void Attention::emit() {
  Value blocks = k.ceilDiv(queries, blockQueries);
  SmallVector<Value> sizes = {k.dim(query, 0), heads, blocks};
  constexpr int64_t perExponential = 16;
  int64_t perBlock = blockQueries * constantOr(keys, 256) * (depth + valueDepth + perExponential);
  k.parallelItems(k.mul(k.mul(sizes[0], heads), blocks), perBlock, [&](Value unit) {
    SmallVector<Value> indices = k.delinearize(unit, sizes);
    batch = indices[0];
    head = indices[1];
    kvHead = k.div(head, groupSize);
    firstQuery = k.mul(indices[2], blockQueries);
    emitTask();
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
  Value scale = k.splat(f32, op.getScale().convertToDouble());
  int64_t lanes = k.lanes();
  for (int64_t v = 0; v < vectors; ++v) {
    SmallVector<Value> positions;
    for (int64_t lane = 0; lane < lanes; ++lane)
      positions.push_back(clampedQuery(v * lanes + lane));
    auto block = [&](Value channel, int64_t count) {
      SmallVector<Value> rows;
      Value filled = count < lanes ? k.maskBelow(k.index(count)) : Value();
      for (Value row : positions) {
        Value x = k.load(query, position(op.getHeadsFirst(), head, row, channel), filled);
        rows.push_back(arith::MulFOp::create(b, k.loc, x, scale));
      }
      k.transpose(rows);
      for (int64_t i = 0; i < count; ++i)
        k.store(rows[i], queryScratch, {k.add(channel, i), k.index(v * lanes)});
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
  auto lanes = llvm::map_to_vector(llvm::seq<int64_t>(0, k.lanes()), [&](int64_t lane) {
    return Attribute(b.getIndexAttr(vector * k.lanes() + lane));
  });
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
    Value all[] = {batch, head, row, keyIndex};
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
  tile.lhs = [&](int64_t i, ValueRange ivs) {
    return k.loadScalar(key, position(op.getKvHeadsFirst(), kvHead, k.add(k.add(firstKey, row), i), ivs[0]));
  };
  tile.rhs = [&](int64_t v, ValueRange ivs) { return k.load(queryScratch, {ivs[0], k.index(v * k.lanes())}); };
  SmallVector<Value> accumulators = emitRegisterTile(k, tile);
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t v = 0; v < vectors; ++v) {
      Value score = masked(accumulators[i * vectors + v], k.add(k.add(firstKey, row), i), v);
      k.store(score, scoreScratch, {k.add(row, i), k.index(v * k.lanes())});
    }
}

/// One step of the online softmax. `state` holds the maxima, then the sums, of each vector of queries.
KernelBuilder::Carried Attention::keyBlock(Value firstKey, Value count, ValueRange state) {
  k.tiles(k.index(0), count, tileRows, [&](Value row, int64_t rows) { scores(firstKey, row, rows); });

  auto at = [&](Value row, int64_t v) { return SmallVector<Value>{row, k.index(v * k.lanes())}; };
  auto peaks = k.loop(k.index(0), count, 1, state.take_front(vectors), [&](Value row, ValueRange carried) {
    KernelBuilder::Carried next;
    for (int64_t v = 0; v < vectors; ++v)
      next.push_back(arith::MaxNumFOp::create(b, k.loc, carried[v], k.load(scoreScratch, at(row, v))));
    return next;
  });
  KernelBuilder::Carried corrections, sums;
  for (int64_t v = 0; v < vectors; ++v) {
    Value difference = arith::SubFOp::create(b, k.loc, state[v], peaks[v]);
    corrections.push_back(k.expNonPositive(difference));
    sums.push_back(arith::MulFOp::create(b, k.loc, state[vectors + v], corrections[v]));
  }
  sums = k.loop(k.index(0), count, 1, sums, [&](Value row, ValueRange carried) {
    KernelBuilder::Carried next;
    for (int64_t v = 0; v < vectors; ++v) {
      Value difference = arith::SubFOp::create(b, k.loc, k.load(scoreScratch, at(row, v)), peaks[v]);
      Value weight = k.expNonPositive(difference);
      k.store(weight, scoreScratch, at(row, v));
      next.push_back(arith::AddFOp::create(b, k.loc, carried[v], weight));
    }
    return next;
  });

  int64_t most = evenBlock(valueDepth, maxTileRows(k.target, vectors, Product::F32));
  k.tiles(k.index(0), k.index(valueDepth), most, [&](Value channel, int64_t rows) {
    RegisterTile tile{rows, vectors, Product::F32, {count}, {}, {}};
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t v = 0; v < vectors; ++v)
        tile.init.push_back(
            arith::MulFOp::create(b, k.loc, k.load(outScratch, at(k.add(channel, i), v)), corrections[v]));
    tile.lhs = [&](int64_t i, ValueRange ivs) {
      return k.loadScalar(value, position(op.getKvHeadsFirst(), kvHead, k.add(firstKey, ivs[0]), k.add(channel, i)));
    };
    tile.rhs = [&](int64_t v, ValueRange ivs) { return k.load(scoreScratch, at(ivs[0], v)); };
    SmallVector<Value> accumulators = emitRegisterTile(k, tile);
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t v = 0; v < vectors; ++v)
        k.store(accumulators[i * vectors + v], outScratch, at(k.add(channel, i), v));
  });
  peaks.append(sums);
  return peaks;
}

void Attention::storeOutput(ValueRange sums) {
  Value zero = k.splat(f32, 0), one = k.splat(f32, 1);
  for (int64_t v = 0; v < vectors; ++v) {
    // A sum is zero where every key was hidden.
    Value empty = arith::CmpFOp::create(b, k.loc, arith::CmpFPredicate::OEQ, sums[v], zero);
    Value inverse = arith::SelectOp::create(b, k.loc, empty, zero, arith::DivFOp::create(b, k.loc, one, sums[v]));
    auto block = [&](Value channel, int64_t count) {
      SmallVector<Value> rows(k.lanes(), zero);
      for (int64_t i = 0; i < count; ++i) {
        Value sum = k.load(outScratch, {k.add(channel, i), k.index(v * k.lanes())});
        rows[i] = arith::MulFOp::create(b, k.loc, sum, inverse);
      }
      k.transpose(rows);
      Value filled = count < k.lanes() ? k.maskBelow(k.index(count)) : Value();
      for (int64_t lane = 0; lane < k.lanes(); ++lane) {
        Value row = k.add(firstQuery, v * k.lanes() + lane);
        auto storeRow = [&] { k.store(rows[lane], out, position(op.getHeadsFirst(), head, row, channel), filled); };
        int64_t fixed = constantOr(queries);
        if (fixed > 0 && fixed % blockQueries == 0)
          storeRow();
        else
          k.branch(arith::CmpIOp::create(b, k.loc, arith::CmpIPredicate::slt, row, queries), storeRow);
      }
    };
    channelBlocks(valueDepth, block);
  }
}

void Attention::emitTask() {
  queryScratch = k.scratch({depth, blockQueries}, f32);
  scoreScratch = k.scratch({blockKeys, blockQueries}, f32);
  outScratch = k.scratch({valueDepth, blockQueries}, f32);
  packQueries();
  Value zero = k.splat(f32, 0);
  k.loop(k.index(0), k.index(valueDepth), 1, [&](Value channel) {
    for (int64_t v = 0; v < vectors; ++v)
      k.store(zero, outScratch, {channel, k.index(v * k.lanes())});
  });

  KernelBuilder::Carried state(vectors, k.splat(f32, kLowest));
  state.append(vectors, zero);
  Value end = keys;
  if (op.getCausal()) // no query of this block sees more
    end = k.min(keys, k.max(k.sub(k.add(k.add(firstQuery, blockQueries), keys), queries), k.index(0)));
  int64_t fixed = op.getCausal() ? -1 : constantOr(keys);
  Value whole = k.mul(k.div(end, k.index(blockKeys)), blockKeys);
  auto step = [&](Value count) {
    return [&, count](Value first, ValueRange carried) { return keyBlock(first, count, carried); };
  };
  state = k.loop(k.index(0), whole, blockKeys, state, step(k.index(blockKeys)));
  if (fixed < 0 || fixed % blockKeys != 0)
    state = k.loop(whole, end, blockKeys, state, step(k.sub(end, whole)));
  storeOutput(ArrayRef<Value>(state).drop_front(vectors));
}

} // namespace

LogicalResult cpu::emitAttention(nn::AttentionOp op) {
  Attention attention(op);
  if (failed(attention.prepare()))
    return failure();
  attention.emit();
  return success();
}

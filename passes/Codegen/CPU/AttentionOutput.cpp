//===- AttentionOutput.cpp - The sums of weighted values ------------------===//
//
// The output of a block of queries, P V, waits for the next block of keys in scratch. Its vectors are channels of a
// query: weights are read element by element, rows of values and of the output as they are. Where the channels would
// leave more lanes empty than the queries, vectors are queries of a channel, as those of the scores, and the output is
// transposed in the end.
//
#include "passes/Codegen/CPU/Attention.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

bool Attention::choosesChannelLanes() {
  // The transposes take about a twentieth of the time.
  constexpr double transposes = 1.05;
  auto perElement = [&](int64_t count) { return double(llvm::alignTo(count, k.lanes())) / double(count); };
  int64_t fixed = constantOr(queries);
  return perElement(valueDepth) <= (fixed > 0 ? perElement(fixed) : 1) * transposes;
}

/// Queries of the current block that are computed: of a last one that is known, those that there are.
int64_t Attention::countRows() {
  int64_t fixed = constantOr(queries), rows = vectors * k.lanes();
  return fixed > 0 && (rows < blockQueries || fixed < blockQueries) ? fixed % blockQueries : rows;
}

void Attention::startOutput() {
  Value zero = k.splat(f32, 0);
  int64_t channelVectors = llvm::divideCeil(valueDepth, k.lanes());
  k.loop(k.index(0), k.index(channelLanes ? countRows() : valueDepth), 1, [&](Value row) {
    for (int64_t v = 0; v < (channelLanes ? channelVectors : vectors); ++v)
      k.store(zero, outScratch, {queryBlock, row, k.index(v * k.lanes())});
  });
}

/// Multiplies the output of a block of queries by its factors, and adds the values of `count` keys by their weights.
void Attention::addValues(Value firstKey, Value count) {
  int64_t rows = channelLanes ? countRows() : valueDepth;
  int64_t all = channelLanes ? int64_t(llvm::divideCeil(valueDepth, k.lanes())) : vectors;
  // As many sums as hide the latency of an instruction, of few queries, too; and no vector alone, which would be read
  // for half as many products as scalars are.
  constexpr int64_t leastSums = 8;
  int64_t most = std::min(std::max<int64_t>(all % 2 ? 3 : 2, llvm::divideCeil(leastSums, rows)), all);
  int64_t tileRows = evenBlock(rows, maxTileRows(k.target, most, Product::F32));
  int64_t rowTiles = llvm::divideCeil(rows, tileRows), tiles = llvm::divideCeil(all, most) * rowTiles;
  k.tiles(k.index(0), k.index(all), most, [&](Value vector, int64_t tileVectors) {
    k.tiles(k.index(0), k.index(rows), tileRows, [&](Value row, int64_t size) {
      Value part = k.add(k.mul(k.div(vector, k.index(most)), rowTiles), k.div(row, k.index(tileRows)));
      prefetchKeys(value, firstKey, part, tiles);
      prefetchQueries(out, task, firstKey, part, tiles, /*isWrite=*/true);
      emitValueTile({row, vector, size, tileVectors}, firstKey, count);
    });
  });
}

void Attention::emitValueTile(const ValueTile &place, Value firstKey, Value count) {
  SmallVector<Value> starts, masks(place.vectors);
  for (int64_t v = 0; v < place.vectors; ++v)
    starts.push_back(k.mul(k.add(place.vector, v), k.lanes()));
  if (channelLanes && valueDepth % k.lanes() != 0)
    for (int64_t v = 0; v < place.vectors; ++v)
      masks[v] = k.maskBelow(k.sub(k.index(valueDepth), starts[v]));
  auto rowAt = [&](int64_t i) { return k.add(place.row, i); };
  auto outAt = [&](int64_t i, int64_t v) { return SmallVector<Value>{queryBlock, rowAt(i), starts[v]}; };
  auto valueAt = [&](Value step, Value channel) { return keyPosition(valueScratch, firstKey, step, channel); };
  Value from = valueScratch ? valueScratch : value;

  RegisterTile tile{place.rows, place.vectors, Product::F32, {count}, {}, {}};
  for (int64_t i = 0; i < place.rows; ++i)
    for (int64_t v = 0; v < place.vectors; ++v) {
      Value factor =
          channelLanes ? k.broadcast(k.loadScalar(factorScratch, {rowAt(i)})) : k.load(factorScratch, {starts[v]});
      tile.init.push_back(arith::MulFOp::create(b, k.loc, k.load(outScratch, outAt(i, v)), factor));
    }
  tile.lhs = [&](int64_t i, ValueRange ivs) {
    return channelLanes ? k.loadScalar(scoreScratch, {ivs[0], rowAt(i)})
                        : k.loadScalar(from, valueAt(ivs[0], rowAt(i)));
  };
  tile.rhs = [&](int64_t v, ValueRange ivs) {
    return channelLanes ? k.load(from, valueAt(ivs[0], starts[v]), masks[v])
                        : k.load(scoreScratch, {ivs[0], starts[v]});
  };
  SmallVector<Value> accumulators = emitRegisterTile(k, tile);
  for (int64_t i = 0; i < place.rows; ++i)
    for (int64_t v = 0; v < place.vectors; ++v)
      k.store(accumulators[i * place.vectors + v], outScratch, outAt(i, v));
}

void Attention::storeOutput() {
  Value zero = k.splat(f32, 0), one = k.splat(f32, 1);
  for (int64_t v = 0; v < vectors; ++v) {
    Value sum = k.load(stateScratch, {queryBlock, k.index(vectors + v), k.index(0)});
    // A sum is zero where every key was hidden.
    Value empty = arith::CmpFOp::create(b, k.loc, arith::CmpFPredicate::OEQ, sum, zero);
    Value factor = arith::SelectOp::create(b, k.loc, empty, zero, arith::DivFOp::create(b, k.loc, one, sum));
    if (channelLanes)
      k.store(factor, factorScratch, {k.index(v * k.lanes())});
    else
      storeTransposed(factor, v);
  }
  if (channelLanes)
    storeQueries();
}

/// Stores the rows of a block's output, multiplied by their factors.
void Attention::storeQueries() {
  Value rows = k.min(k.index(vectors * k.lanes()), k.sub(queries, firstQuery));
  k.loop(k.index(0), rows, 1, [&](Value row) {
    Value factor = k.broadcast(k.loadScalar(factorScratch, {row}));
    k.vectors(k.index(valueDepth), [&](Value channel, Value filled) {
      Value result = arith::MulFOp::create(b, k.loc, k.load(outScratch, {queryBlock, row, channel}, filled), factor);
      k.store(k.roundTo(result, out), out, position(op.getHeadsFirst(), task.head, k.add(firstQuery, row), channel),
              filled);
    });
  });
}

/// Transposes the output of one vector of queries, multiplied by their factors, and stores it.
void Attention::storeTransposed(Value factor, int64_t vector) {
  int64_t lanes = k.lanes(), fixed = constantOr(queries);
  channelBlocks(valueDepth, [&](Value channel, int64_t count) {
    SmallVector<Value> rows(lanes, k.splat(f32, 0));
    for (int64_t i = 0; i < count; ++i) {
      Value sum = k.load(outScratch, {queryBlock, k.add(channel, i), k.index(vector * lanes)});
      rows[i] = arith::MulFOp::create(b, k.loc, sum, factor);
    }
    k.transpose(rows);
    Value filled = count < lanes ? k.maskBelow(k.index(count)) : Value();
    for (int64_t lane = 0; lane < lanes; ++lane) {
      Value row = k.add(firstQuery, vector * lanes + lane);
      auto storeRow = [&] {
        k.store(k.roundTo(rows[lane], out), out, position(op.getHeadsFirst(), task.head, row, channel), filled);
      };
      if (fixed > 0 && fixed % blockQueries == 0)
        storeRow();
      else
        k.branch(arith::CmpIOp::create(b, k.loc, arith::CmpIPredicate::slt, row, queries), storeRow);
    }
  });
}

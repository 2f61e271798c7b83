//===- FlashAttention.cpp - nn.attention on tensor cores ------------------===//
#include "dialects/NN/IR/NNPrecision.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "passes/Codegen/GPU/SplitSteps.h"
#include "passes/Codegen/GPU/TensorContraction.h"
#include "passes/Codegen/GPU/TensorProduct.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::simt;

using Carried = codegen::LoopBuilder::Carried;

/// Four warps, and a tile of keys and values in memory of the block while the next one comes.
static constexpr int64_t kThreads = 128, kStages = 2, kChunkBytes = 16;
/// Memory that any kernel may have.
static constexpr int64_t kSharedBytes = 48 << 10;

namespace {

/// The output of 64 or 128 queries of one head, sixteen or twice sixteen for each warp. Scores never leave registers
/// (Dao et al. 2022, "FlashAttention"; Dao 2023, "FlashAttention-2"): their softmax is online, and as a fragment of
/// sums they are one of a left operand.
class BlockAttention {
public:
  BlockAttention(WarpBuilder &k, nn::AttentionOp op, TensorFormat format)
      : k(k), b(k.builder), op(op), format(format), f32(b.getF32Type()), bytes(format.elementBytes()) {
    queries = k.dim(op.getQuery(), op.getHeadsFirst() ? 2 : 1);
    heads = k.dim(op.getQuery(), op.getHeadsFirst() ? 1 : 2);
    keys = k.dim(op.getValue(), op.getKvHeadsFirst() ? 2 : 1);
    groupSize = k.div(heads, k.dim(op.getValue(), op.getKvHeadsFirst() ? 1 : 2));
    depth = cast<MemRefType>(op.getQuery().getType()).getDimSize(3);
    rowBytes = llvm::alignTo(depth * bytes, 128);
    tileKeys = llvm::bit_floor(std::min<uint64_t>(64, kSharedBytes / (kStages * 2 * rowBytes)));
    rowTiles = chooseRowTiles();
    double perUnit = op.getScale().convertToDouble() * llvm::numbers::log2e;
    isFused = !op.getMask() && perUnit > 0 && perUnit <= 1;
    exponentFactor = isFused ? perUnit : llvm::numbers::log2e;
  }

  void emit();

private:
  /// A pair of values for each thread: of its rows `lane / 4` and eight further down.
  using Pair = std::array<Value, 2>;

  int64_t chooseRowTiles();
  int64_t blockQueries() const { return 64 * rowTiles; }
  void emitBlock(Value batchIndex, Value headIndex, Value first, Value threadIndex, Value shared);
  SmallVector<Value> place(bool headsFirst, Value headIndex, Value row, Value channel) {
    return headsFirst ? SmallVector<Value>{batch, headIndex, row, channel}
                      : SmallVector<Value>{batch, row, headIndex, channel};
  }
  /// Where an element of a row lies: its chunk is in other banks than those of the seven rows around.
  Value offsetOf(Value row, Value chunk) {
    Value in = k.exclusiveOr(chunk, k.rem(row, k.index(8)));
    return k.add(k.mul(row, rowBytes / bytes), k.mul(in, kChunkBytes / bytes));
  }
  void copyRows(Value memref, bool headsFirst, Value headIndex, Value firstRow, Value rows, int64_t count, Value begin);
  void copyTile(Value tile);
  Carried attend(Value tile, ValueRange carried, bool isWhole);
  Carried score(Value begin);
  Value maskScore(Value sum, Value key, Value row, bool isWhole);
  void weigh(Value tile, const Pair &rows, MutableArrayRef<Value> scores, MutableArrayRef<Value> state,
             MutableArrayRef<Value> sums, bool isWhole);
  Value findWeight(Value score, Value shift);
  void addValues(Value begin, ArrayRef<Value> weights, MutableArrayRef<Value> sums);
  SmallVector<Value> toLeft(ArrayRef<Value> weights, int64_t step);
  Value countWholeTiles(Value tiles);
  void store(ValueRange results);

  Value reduce(Value value, function_ref<Value(Value, Value)> combine) {
    for (int64_t mask : {1, 2}) // the four threads of a row
      value = combine(value, k.shuffleXor(value, mask));
    return value;
  }
  Value larger(Value x, Value y) { return arith::MaximumFOp::create(b, k.loc, x, y); }
  Value rounded(Value word) { return format.isTF32() ? k.roundToTF32(word) : word; }
  int64_t depthTiles() const { return llvm::divideCeil(depth, 8); }
  int64_t numScores() const { return tileKeys / 8 * 4; } ///< of a thread's two rows
  int64_t numSums() const { return depthTiles() * 4; }
  int64_t depthGroups() const { return llvm::divideCeil(depth, 8 * format.perWord()); }
  Value stageBegin(Value tile) { return k.mul(k.rem(tile, k.index(kStages)), 2 * tileKeys * rowBytes / bytes); }

  WarpBuilder &k;
  OpBuilder &b;
  nn::AttentionOp op;
  TensorFormat format;
  Type f32;
  int64_t bytes, depth, rowBytes, tileKeys;
  int64_t rowTiles; ///< sixteens of queries of a warp, which share the fragments of keys and values
  /// A weight is two to the difference of score and peak times `exponentFactor`; fused, of scores that are not scaled.
  bool isFused;
  double exponentFactor;
  Value queries, heads, keys, groupSize;
  Value batch, head, kvHead, firstQuery, thread, lane, array, end;
  SmallVector<Pair> rows;                             ///< of each row tile
  SmallVector<SmallVector<SmallVector<Value>>> query; ///< fragments of each row tile and group
};

} // namespace

/// Two where they fit in registers, and where the larger blocks still fill the target: each fragment of keys and values
/// is then read half as often, which else takes shared memory longer than the products take.
int64_t BlockAttention::chooseRowTiles() {
  auto type = cast<MemRefType>(op.getQuery().getType());
  if (format.isTF32() || depth > 64 || !type.hasStaticShape() || type.getNumElements() == 0)
    return 1;
  int64_t number = codegen::constantOr(queries), others = type.getNumElements() / number / depth;
  int64_t processors = getMultiprocessors(k).count;
  return processors > 0 && others * ((number + 127) / 128) >= processors ? 2 : 1;
}

void BlockAttention::copyRows(Value memref, bool headsFirst, Value headIndex, Value firstRow, Value size, int64_t count,
                              Value begin) {
  int64_t width = chooseCopyWidth(k, memref), parts = rowBytes / bytes / width, chunk = kChunkBytes / bytes;
  auto copy = [&](Value first) {
    Value number = k.add(thread, first), row = k.div(number, k.index(parts));
    Value channel = k.mul(k.rem(number, k.index(parts)), width), at = k.add(firstRow, row);
    Value inside = k.isBelow(at, size);
    if (depth * bytes % 128 != 0)
      inside = arith::AndIOp::create(b, k.loc, inside, k.isBelow(channel, k.index(depth)));
    Value to = k.add(begin, k.add(offsetOf(row, k.div(channel, k.index(chunk))), k.rem(channel, k.index(chunk))));
    Value read = arith::SelectOp::create(b, k.loc, inside, k.index(width), k.index(0));
    k.copyAsync(memref, place(headsFirst, headIndex, at, channel), array, to, width, read);
  };
  for (int64_t first = 0; first < count * parts; first += kThreads)
    copy(k.index(first));
}

void BlockAttention::copyTile(Value tile) {
  Value begin = stageBegin(tile), first = k.mul(tile, tileKeys);
  copyRows(op.getKey(), op.getKvHeadsFirst(), kvHead, first, keys, tileKeys, begin);
  copyRows(op.getValue(), op.getKvHeadsFirst(), kvHead, first, keys, tileKeys,
           k.add(begin, tileKeys * rowBytes / bytes));
}

/// The products of the warp's queries with the keys of a tile.
Carried BlockAttention::score(Value begin) {
  Carried sums(rowTiles * numScores(), k.scalar(f32, 0));
  for (int64_t group = 0; group < depthGroups(); group += 2)
    for (int64_t tile = 0; tile < tileKeys / 8; ++tile) {
      // Eight keys, and four chunks of their channels: the right fragments of two groups.
      Value row = k.add(k.rem(lane, k.index(8)), tile * 8), chunk = k.add(k.div(lane, k.index(8)), 2 * group);
      SmallVector<Value> words = k.loadMatrices(array, k.add(begin, offsetOf(row, chunk)), /*transpose=*/false);
      for (int64_t next = 0; next < 2 && group + next < depthGroups(); ++next) {
        Value right[] = {rounded(words[2 * next]), rounded(words[2 * next + 1])};
        for (int64_t rowTile = 0; rowTile < rowTiles; ++rowTile) {
          MutableArrayRef<Value> part = MutableArrayRef<Value>(sums).slice(rowTile * numScores() + tile * 4, 4);
          llvm::copy(k.multiply(format, query[rowTile][group + next], right, part), part.begin());
        }
      }
    }
  return sums;
}

/// The score of a row of this thread with a key; that of a hidden key is minus infinity. Of a whole tile, all keys are
/// visible but for a mask.
Value BlockAttention::maskScore(Value sum, Value key, Value row, bool isWhole) {
  Value result = sum, visible;
  if (!isFused)
    result = k.mulFloats(sum, k.scalar(f32, op.getScale().convertToDouble()));
  auto require = [&](Value condition) {
    visible = visible ? arith::AndIOp::create(b, k.loc, visible, condition).getResult() : condition;
  };
  if (!isWhole) {
    require(k.isBelow(key, keys));
    if (op.getCausal()) { // query i sees keys up to i + Skv - Sq
      Value last = k.sub(k.add(row, keys), queries);
      require(arith::CmpIOp::create(b, k.loc, arith::CmpIPredicate::sle, key, last));
    }
  }
  if (Value mask = op.getMask()) {
    // Rows and keys that are not there have no mask.
    Value inRow = k.min(row, k.sub(queries, k.index(1))), there = k.min(key, k.sub(keys, k.index(1)));
    Value bias = k.loadBroadcast(mask, {batch, head, inRow, there});
    if (bias.getType().isInteger(1))
      require(bias);
    else
      result = k.addFloats(result, bias);
  }
  if (!visible)
    return result;
  Value hidden = k.scalar(f32, -std::numeric_limits<double>::infinity());
  return arith::SelectOp::create(b, k.loc, visible, result, hidden);
}

/// `shift` is a peak, times the factor where fused.
Value BlockAttention::findWeight(Value score, Value shift) {
  Value factor = k.scalar(f32, exponentFactor);
  if (isFused)
    return k.exp2(k.multiplyAdd(score, factor, arith::NegFOp::create(b, k.loc, shift)));
  return k.exp2(k.mulFloats(arith::SubFOp::create(b, k.loc, score, shift), factor));
}

/// Weights of eight or sixteen keys as a left fragment. Of tf32, keys count in the order in which sums have them: a
/// thread's two neighbours are four apart.
SmallVector<Value> BlockAttention::toLeft(ArrayRef<Value> weights, int64_t step) {
  if (format.isTF32()) {
    ArrayRef<Value> tile = weights.slice(step * 4, 4);
    SmallVector<Value> words;
    for (int64_t i : {0, 2, 1, 3})
      words.push_back(rounded(arith::BitcastOp::create(b, k.loc, b.getI32Type(), tile[i])));
    return words;
  }
  Type element = cast<MemRefType>(array.getType()).getElementType();
  SmallVector<Value> words;
  for (int64_t i = 0; i < 8; i += 2) {
    Value pair = vector::FromElementsOp::create(b, k.loc, VectorType::get(2, f32), weights.slice(step * 8 + i, 2));
    Value both = arith::TruncFOp::create(b, k.loc, VectorType::get(2, element), pair);
    Value word = vector::BitCastOp::create(b, k.loc, VectorType::get(1, b.getI32Type()), both);
    words.push_back(vector::ExtractOp::create(b, k.loc, word, 0));
  }
  return words;
}

/// sums += weights * values.
void BlockAttention::addValues(Value begin, ArrayRef<Value> weights, MutableArrayRef<Value> sums) {
  int64_t stepKeys = 8 * format.perWord();
  for (int64_t step = 0; step < tileKeys / stepKeys; ++step) {
    SmallVector<SmallVector<Value>> left;
    for (int64_t rowTile = 0; rowTile < rowTiles; ++rowTile)
      left.push_back(toLeft(weights.slice(rowTile * numScores(), numScores()), step));
    auto multiply = [&](int64_t tile, ArrayRef<Value> right) {
      for (int64_t rowTile = 0; rowTile < rowTiles; ++rowTile) {
        MutableArrayRef<Value> part = sums.slice(rowTile * numSums() + tile * 4, 4);
        llvm::copy(k.multiply(format, left[rowTile], right, part), part.begin());
      }
    };
    if (!format.isTF32()) {
      for (int64_t tile = 0; tile < depthTiles(); tile += 2) {
        Value row = k.add(k.rem(lane, k.index(16)), step * 16), chunk = k.add(k.div(lane, k.index(16)), tile);
        SmallVector<Value> words = k.loadMatrices(array, k.add(begin, offsetOf(row, chunk)), /*transpose=*/true);
        for (int64_t next = 0; next < 2 && tile + next < depthTiles(); ++next)
          multiply(tile + next, ArrayRef<Value>(words).slice(2 * next, 2));
      }
      continue;
    }
    for (int64_t tile = 0; tile < depthTiles(); ++tile) {
      SmallVector<Value> right;
      for (int64_t next = 0; next < 2; ++next) {
        Value row = k.add(k.mul(k.rem(lane, k.index(4)), 2), step * 8 + next);
        Value channel = k.add(k.div(lane, k.index(4)), tile * 8);
        Value at = k.add(offsetOf(row, k.div(channel, k.index(4))), k.rem(channel, k.index(4)));
        right.push_back(rounded(k.loadWord(array, k.add(begin, at))));
      }
      multiply(tile, right);
    }
  }
}

/// Scores of a row tile become weights. `state` are the largest scores and the sums of weights of both rows so far.
void BlockAttention::weigh(Value tile, const Pair &rowsOfTile, MutableArrayRef<Value> scores,
                           MutableArrayRef<Value> state, MutableArrayRef<Value> sums, bool isWhole) {
  for (unsigned half : {0, 1}) {
    Value peak;
    for (int64_t i = 0; i < tileKeys / 8; ++i)
      for (unsigned j : {0, 1}) {
        Value &score = scores[i * 4 + half * 2 + j];
        Value column = k.add(k.mul(k.rem(lane, k.index(4)), 2), i * 8 + j);
        score = maskScore(score, k.add(k.mul(tile, tileKeys), column), rowsOfTile[half], isWhole);
        peak = peak ? larger(peak, score) : score;
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

/// Carried are four numbers of state for each row tile, then the sums of values of each.
Carried BlockAttention::attend(Value tile, ValueRange carried, bool isWhole) {
  Value begin = stageBegin(tile);
  Carried scores = score(begin), result(carried);
  MutableArrayRef<Value> states = MutableArrayRef<Value>(result).take_front(4 * rowTiles);
  MutableArrayRef<Value> sums = MutableArrayRef<Value>(result).drop_front(4 * rowTiles);
  for (int64_t i = 0; i < rowTiles; ++i)
    weigh(tile, rows[i], MutableArrayRef<Value>(scores).slice(i * numScores(), numScores()), states.slice(4 * i, 4),
          sums.slice(i * numSums(), numSums()), isWhole);
  addValues(k.add(begin, tileKeys * rowBytes / bytes), scores, sums);
  return result;
}

void BlockAttention::store(ValueRange results) {
  Value zero = k.scalar(f32, 0);
  for (int64_t rowTile = 0; rowTile < rowTiles; ++rowTile) {
    ValueRange state = results.slice(4 * rowTile, 4),
               sums = results.slice(4 * rowTiles + rowTile * numSums(), numSums());
    for (unsigned half : {0, 1}) {
      Value total = reduce(state[2 + half], [&](Value x, Value y) { return k.addFloats(x, y); });
      // It is zero where every key was hidden.
      Value empty = arith::CmpFOp::create(b, k.loc, arith::CmpFPredicate::OEQ, total, zero);
      Value inverse = arith::DivFOp::create(b, k.loc, k.scalar(f32, 1), total);
      inverse = arith::SelectOp::create(b, k.loc, empty, zero, inverse);
      Value row = rows[rowTile][half];
      k.branch(k.isBelow(row, queries), [&] {
        for (int64_t i = 0; i < depthTiles(); ++i)
          for (unsigned j : {0, 1}) {
            Value channel = k.add(k.mul(k.rem(lane, k.index(4)), 2), i * 8 + j);
            auto write = [&] {
              k.store(k.mulFloats(sums[i * 4 + half * 2 + j], inverse), op.getInit(),
                      place(op.getHeadsFirst(), head, row, channel));
            };
            if ((i + 1) * 8 <= depth)
              write();
            else
              k.branch(k.isBelow(channel, k.index(depth)), write);
          }
      });
    }
  }
}

/// The first tiles, of which every query of the block sees all keys, where there is no mask.
Value BlockAttention::countWholeTiles(Value tiles) {
  if (op.getMask())
    return k.index(0);
  Value seen = keys;
  if (op.getCausal()) // what the first query sees
    seen = k.max(k.sub(k.add(k.add(firstQuery, keys), k.index(1)), queries), k.index(0));
  return k.min(k.div(seen, k.index(tileKeys)), tiles);
}

void BlockAttention::emitBlock(Value batchIndex, Value headIndex, Value first, Value threadIndex, Value shared) {
  batch = batchIndex, head = headIndex, firstQuery = first, thread = threadIndex;
  kvHead = k.div(head, groupSize);
  array = k.view(shared, cast<MemRefType>(op.getQuery().getType()).getElementType());
  lane = k.rem(thread, k.index(32));
  Value warpRow = k.mul(k.div(thread, k.index(32)), 16 * rowTiles), row = k.add(warpRow, k.div(lane, k.index(4)));

  // Queries pass through the memory of the tiles into registers.
  copyRows(op.getQuery(), op.getHeadsFirst(), head, firstQuery, queries, blockQueries(), k.index(0));
  k.closeGroup();
  k.waitForGroups(0);
  k.barrier();
  for (int64_t rowTile = 0; rowTile < rowTiles; ++rowTile) {
    Value first = k.add(firstQuery, k.add(row, rowTile * 16));
    rows.push_back({first, k.add(first, 8)});
    query.emplace_back();
    for (int64_t group = 0; group < depthGroups(); ++group) {
      Value line = k.add(k.add(warpRow, rowTile * 16), k.rem(lane, k.index(16)));
      Value chunk = k.add(k.div(lane, k.index(16)), 2 * group);
      query.back().push_back(k.loadMatrices(array, offsetOf(line, chunk), /*transpose=*/false));
      for (Value &word : query.back().back())
        word = rounded(word);
    }
  }
  k.barrier();

  end = keys;
  if (op.getCausal()) // what the last query of the block sees
    end = k.min(keys, k.max(k.sub(k.add(k.add(firstQuery, blockQueries()), keys), queries), k.index(0)));
  Value tiles = k.ceilDiv(end, tileKeys);
  auto below = [&](Value tile) { return b.createOrFold<arith::CmpIOp>(k.loc, arith::CmpIPredicate::ult, tile, tiles); };
  k.branch(below(k.index(0)), [&] { copyTile(k.index(0)); });
  k.closeGroup();
  // The peak is finite, so that a row without any key yet has a difference to every score.
  Value lowest = k.scalar(f32, -3.4028234663852886e38), zero = k.scalar(f32, 0);
  Carried carried;
  for (int64_t rowTile = 0; rowTile < rowTiles; ++rowTile)
    carried.append({lowest, lowest, zero, zero});
  carried.append(rowTiles * numSums(), zero);
  Value whole = countWholeTiles(tiles);
  auto attendAll = [&](Value from, Value to, bool isWhole) {
    carried = k.loop(from, to, 1, carried, [&](Value tile, ValueRange inner) {
      k.waitForGroups(0);
      k.barrier(); // all have come, and the tile before was read
      Value next = k.add(tile, 1);
      k.branch(below(next), [&] { copyTile(next); });
      k.closeGroup();
      return attend(tile, inner, isWhole);
    });
  };
  attendAll(k.index(0), whole, /*isWhole=*/true);
  attendAll(whole, tiles, /*isWhole=*/false);
  store(carried);
}

void BlockAttention::emit() {
  Value tiles = k.ceilDiv(queries, blockQueries());
  SmallVector<Value> grid = {k.dim(op.getQuery(), 0), heads, tiles};
  int64_t size = std::max(kStages * 2 * tileKeys * rowBytes, blockQueries() * rowBytes);
  auto emitOne = [&](ValueRange indices, Value threadIndex, Value shared) {
    emitBlock(indices[0], indices[1], k.mul(indices[2], blockQueries()), threadIndex, shared);
  };
  k.blocks(grid, kThreads, b.getI8Type(), size, emitOne);
}

bool simt::emitOnTensorCores(nn::AttentionOp op) {
  WarpBuilder k(op);
  auto type = cast<MemRefType>(op.getQuery().getType());
  auto elementOf = [](Value memref) { return cast<MemRefType>(memref.getType()).getElementType(); };
  std::optional<TensorFormat> format =
      TensorFormat::find(type.getElementType(), elementOf(op.getKey()), nn::allowsTF32(op));
  if (!format || format->isInteger() || elementOf(op.getKey()) != elementOf(op.getValue()))
    return false;
  // Longer heads do not fit in registers; of odd ones nothing is copied at once.
  int64_t depth = type.getDimSize(3), valueDepth = cast<MemRefType>(op.getValue().getType()).getDimSize(3);
  if (ShapedType::isDynamic(depth) || depth != valueDepth || depth > 128)
    return false;
  for (Value operand : {op.getQuery(), op.getKey(), op.getValue()})
    if (chooseCopyWidth(k, operand) * format->elementBytes() < 4)
      return false;
  BlockAttention(k, op, *format).emit();
  return true;
}

//===- FlashAttention.cpp - nn.attention on tensor cores ------------------===//
#include "passes/Codegen/GPU/FlashAttention.h"
#include "dialects/NN/IR/NNPrecision.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "passes/Codegen/GPU/TensorContraction.h"
#include "passes/Codegen/GPU/TensorProduct.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::simt;

using Carried = codegen::LoopBuilder::Carried;

/// Four warps.
static constexpr int64_t kThreads = 128;
/// Blocks of a multiprocessor, for which a thread can have 255 registers: for a third, ptxas would spill. And those of
/// a thread that may be in use all the time: values of tf32 are loaded one by one, and have more addresses.
static constexpr int64_t kResidentBlocks = 2, kMostRegisters = 184, kMostRegistersOfTF32 = 140;
/// Memory that any kernel may have.
static constexpr int64_t kSharedBytes = 48 << 10;

/// In registers: sums, scores, state and queries, or the fragments of two groups of them. ptxas adds about seventy:
/// fragments of keys and values while they are loaded, addresses, and what a softmax has between.
bool BlockAttention::fits(const Multiprocessors &processors) {
  int64_t queryWords = 4 * (keepsQueries ? depthGroups() : 2);
  int64_t registers = rowTiles * (numSums() + numScores() + 4 + queryWords);
  int64_t number = codegen::constantOr(keys);
  bool isWhole = number > 0 && number % tileKeys == 0 && !op.getCausal();
  if (!keepsQueries && !isWhole)
    registers += 8; // of rows and keys that are compared
  return registers <= (format.isTF32() ? kMostRegistersOfTF32 : kMostRegisters) &&
         sharedBytes() <= processors.blockBytes;
}

/// Two row tiles where the larger blocks still fill the target: each fragment of keys and values is then read half as
/// often, which else takes shared memory longer than the products take. Long heads have queries in shared memory then.
/// A mask takes more registers, and more time.
void BlockAttention::chooseShape() {
  int64_t mostKeys = llvm::bit_floor(std::min<uint64_t>(64, kSharedBytes / (kStages * 2 * rowBytes)));
  auto type = cast<MemRefType>(op.getQuery().getType());
  Multiprocessors processors = getMultiprocessors(k);
  rowTiles = 2;
  bool isFull = false;
  if (!op.getMask() && type.hasStaticShape() && type.getNumElements() > 0 && processors.count > 0) {
    int64_t number = codegen::constantOr(queries), others = type.getNumElements() / number / depth;
    isFull = int64_t(others * llvm::divideCeil(number, blockQueries())) >= processors.count;
  }
  for (tileKeys = mostKeys; isFull && tileKeys >= 16; tileKeys /= 2)
    for (bool keep : {true, false}) {
      keepsQueries = keep;
      if (fits(processors))
        return;
    }
  rowTiles = 1, tileKeys = mostKeys, keepsQueries = true;
}

void BlockAttention::copyRows(Value memref, bool headsFirst, Value headIndex, Value firstRow, Value size, int64_t count,
                              Value begin, function_ref<Value(Value)> placeRow) {
  int64_t width = chooseCopyWidth(k, memref), parts = rowBytes / bytes / width, chunk = kChunkBytes / bytes;
  // A thread copies the same channels of rows that are a constant apart.
  int64_t perRow = llvm::bit_ceil(uint64_t(parts)), rowStep = kThreads / perRow;
  Value row = k.div(thread, k.index(perRow)), channel = k.mul(k.rem(thread, k.index(perRow)), width);
  Value in = k.rem(channel, k.index(chunk)), isChannel;
  if (depth * bytes % 128 != 0)
    isChannel = k.isBelow(channel, k.index(depth));
  auto copy = [&](Value at, Value line) {
    Value inside = k.isBelow(at, size);
    if (isChannel)
      inside = arith::AndIOp::create(b, k.loc, inside, isChannel);
    Value read = arith::SelectOp::create(b, k.loc, inside, k.index(width), k.index(0));
    Value to = k.add(begin, k.add(offsetOf(line, k.div(channel, k.index(chunk))), in));
    k.copyAsync(memref, place(headsFirst, headIndex, at, channel), array, to, width, read);
  };
  auto copyAll = [&] {
    for (int64_t next = 0; next < count; next += rowStep)
      copy(k.add(k.add(firstRow, row), next), k.add(placeRow(row), placeRow(k.index(next))));
  };
  if (parts == perRow)
    return copyAll();
  k.branch(k.isBelow(channel, k.index(parts * width)), copyAll);
}

void BlockAttention::copyTile(Value tile) {
  Value begin = stageBegin(tile), first = k.mul(tile, tileKeys);
  auto place = [&](Value row) { return placeKey(row); };
  copyRows(op.getKey(), op.getKvHeadsFirst(), kvHead, first, keys, tileKeys, begin, place);
  copyRows(op.getValue(), op.getKvHeadsFirst(), kvHead, first, keys, tileKeys,
           k.add(begin, tileKeys * rowBytes / bytes), place);
}

/// The left fragment of sixteen queries for a group of channels.
SmallVector<Value> BlockAttention::loadQuery(int64_t rowTile, int64_t group) {
  Value line = k.add(k.add(warpRow, rowTile * 16), k.rem(lane, k.index(16)));
  Value offset = offsetOf(line, k.div(lane, k.index(16)), 2 * group);
  SmallVector<Value> words = k.loadMatrices(array, k.add(queryBegin(), offset), /*transpose=*/false);
  for (Value &word : words)
    word = rounded(word);
  return words;
}

/// The products of the warp's queries with the keys of a tile.
Carried BlockAttention::score(Value begin) {
  Carried sums(rowTiles * numScores(), k.scalar(f32, 0));
  for (int64_t group = 0; group < depthGroups(); group += 2) {
    SmallVector<SmallVector<Value>> left[2];
    for (int64_t next = 0; next < 2 && group + next < depthGroups(); ++next)
      for (int64_t rowTile = 0; rowTile < rowTiles; ++rowTile)
        left[next].push_back(keepsQueries ? query[rowTile][group + next] : loadQuery(rowTile, group + next));
    for (int64_t tile = 0; tile < tileKeys / 8; ++tile) {
      // Eight keys, and four chunks of their channels: the right fragments of two groups.
      Value offset = offsetOf(k.add(k.rem(lane, k.index(8)), tile * 8), k.div(lane, k.index(8)), 2 * group);
      SmallVector<Value> words = k.loadMatrices(array, k.add(begin, offset), /*transpose=*/false);
      for (int64_t next = 0; next < 2 && group + next < depthGroups(); ++next) {
        Value right[] = {rounded(words[2 * next]), rounded(words[2 * next + 1])};
        for (int64_t rowTile = 0; rowTile < rowTiles; ++rowTile) {
          MutableArrayRef<Value> part = MutableArrayRef<Value>(sums).slice(rowTile * numScores() + tile * 4, 4);
          llvm::copy(k.multiply(format, left[next][rowTile], right, part), part.begin());
        }
      }
    }
  }
  return sums;
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
        Value offset = offsetOf(k.add(k.rem(lane, k.index(16)), step * 16), k.div(lane, k.index(16)), tile);
        SmallVector<Value> words = k.loadMatrices(array, k.add(begin, offset), /*transpose=*/true);
        for (int64_t next = 0; next < 2 && tile + next < depthTiles(); ++next)
          multiply(tile + next, ArrayRef<Value>(words).slice(2 * next, 2));
      }
      continue;
    }
    for (int64_t tile = 0; tile < depthTiles(); ++tile) {
      SmallVector<Value> right;
      for (int64_t next = 0; next < 2; ++next) {
        Value row = k.add(k.mul(k.rem(lane, k.index(4)), 2), step * 8 + next);
        Value channel = k.div(lane, k.index(4));
        Value at = k.add(offsetOf(row, k.div(channel, k.index(4)), tile * 2), k.rem(channel, k.index(4)));
        right.push_back(rounded(k.loadWord(array, k.add(begin, at))));
      }
      multiply(tile, right);
    }
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
            Value channel = k.add(firstChannel(), i * 8 + j);
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

/// The first tiles, of which every query of the block sees all keys, but for a mask.
Value BlockAttention::countWholeTiles(Value tiles) {
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
  warpRow = k.mul(k.div(thread, k.index(32)), 16 * rowTiles);
  Value row = k.add(warpRow, k.div(lane, k.index(4)));

  copyRows(op.getQuery(), op.getHeadsFirst(), head, firstQuery, queries, blockQueries(), queryBegin(),
           [](Value row) { return row; });
  for (int64_t rowTile = 0; rowTile < rowTiles; ++rowTile) {
    Value first = k.add(firstQuery, k.add(row, rowTile * 16));
    rows.push_back({first, k.add(first, 8)});
  }
  if (keepsQueries) { // they pass through the memory of the tiles
    k.closeGroup();
    k.waitForGroups(0);
    k.barrier();
    for (int64_t rowTile = 0; rowTile < rowTiles; ++rowTile) {
      query.emplace_back();
      for (int64_t group = 0; group < depthGroups(); ++group)
        query.back().push_back(loadQuery(rowTile, group));
    }
    k.barrier();
  }

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
  auto emitOne = [&](ValueRange indices, Value threadIndex, Value shared) {
    emitBlock(indices[0], indices[1], k.mul(indices[2], blockQueries()), threadIndex, shared);
  };
  k.blocks(grid, kThreads, b.getI8Type(), sharedBytes(), emitOne, kResidentBlocks);
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

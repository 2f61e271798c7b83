//===- TensorProduct.cpp - Matrix products on tensor cores ----------------===//
#include "passes/Codegen/GPU/TensorProduct.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "passes/Codegen/GPU/Device.h"
#include "passes/Codegen/GPU/SplitSteps.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::simt;

using Carried = codegen::LoopBuilder::Carried;

static constexpr int64_t kChunkBytes = 16;
/// Of a block, on any machine.
static constexpr int64_t kDeclaredBytes = 48 << 10;
/// Cycles from the last warp's arrival at a barrier to its first product behind it.
static constexpr int64_t kBarrierCycles = 40;
/// Elements that lie between the rows of sums in shared memory: rows of a fragment begin in different banks.
static constexpr int64_t kSumsPadding = 8;

namespace {

/// How a block divides its work among warps.
struct Tiling {
  int64_t rows, columns;         ///< of a block
  int64_t warpRows, warpColumns; ///< of a warp
  int64_t slices;                ///< warps that share a tile's steps
  int64_t lineBytes;             ///< steps of a row that are in shared memory at a time
  int64_t stages;                ///< tiles in shared memory

  int64_t warps() const { return rows / warpRows * (columns / warpColumns) * slices; }
  int64_t threads() const { return kWarpThreads * warps(); }
  int64_t words() const { return lineBytes / 4; }
  int64_t lhsBytes() const { return rows * lineBytes; }
  int64_t rhsBytes() const { return columns * lineBytes; }
  int64_t stageBytes() const { return lhsBytes() + rhsBytes(); }
  int64_t sumsStride() const { return warpColumns + kSumsPadding; }
  int64_t bytes() const { return std::max(stages * stageBytes(), warps() * 16 * sumsStride() * 4); }
};

// The wide ones read least for a product, but leave room for no other block on their multiprocessor. Of each size, more
// steps in a tile mean fewer barriers; what a block may ask for decides (Multiprocessors::blockBytes).
constexpr Tiling kTilings[] = {
    {128, 256, 64, 64, 1, 128, 4}, //
    {128, 256, 64, 64, 1, 64, 4},  //
    {128, 128, 64, 64, 1, 64, 3},  //
    {64, 64, 32, 32, 1, 64, 4},    //
    {16, 32, 16, 32, 4, 128, 4},
};
constexpr const Tiling &kSmall = kTilings[3], &kFlat = kTilings[4];

struct Plan {
  const Tiling *tiling = nullptr;
  StepSlices slices;
};

} // namespace

/// What a tile of a block costs. Each quarter of a multiprocessor takes a product of 16 x 8 x 32 bytes in as many
/// cycles as the target says (of tf32, bf16 and bytes alike), shared memory gives and takes 128 bytes, and the second
/// cache gives what the target says. A warp reads its rows and columns from shared memory once each, a block writes its
/// own. All of a block's warps wait at its barrier.
static BlockCost costOf(const Tiling &tiling, const Multiprocessors &processors) {
  int64_t products = tiling.rows * tiling.columns * tiling.lineBytes / (16 * 8 * 32);
  int64_t read = tiling.warps() * (tiling.warpRows + tiling.warpColumns) * tiling.lineBytes / tiling.slices;
  int64_t cached = processors.cacheBytes ? tiling.stageBytes() / processors.cacheBytes : 0;
  int64_t work = std::max({products * processors.productCycles / 4, (read + tiling.stageBytes()) / 128, cached});
  int64_t resident = std::max<int64_t>(processors.sharedBytes / tiling.bytes(), 1);
  work += kBarrierCycles / resident;
  // About what ptxas takes: sums, fragments while the next ones come, and addresses.
  int64_t fragments = tiling.warpRows / 4 + tiling.warpColumns / 4;
  int64_t registers = tiling.warpRows * tiling.warpColumns / 32 + 2 * fragments + 40;
  return {work, /*latency=*/400, tiling.threads(), tiling.bytes(), registers};
}

/// Blocks that a thread leaves registers for on a multiprocessor, 0 if the target does not say. Left alone, ptxas may
/// aim at one more than fit and spill for it; told to aim at more than two, it spills addresses of convolutions.
static int64_t countResident(const Tiling &tiling, const Multiprocessors &processors) {
  if (!processors.count)
    return 0;
  int64_t blocks = processors.registers / (tiling.threads() * costOf(tiling, processors).registers);
  return std::clamp<int64_t>(blocks, 1, 2);
}

/// The tiles, and slices of the steps, that take the least time on the target's multiprocessors.
static Plan choosePlan(WarpBuilder &k, const TensorProduct &product) {
  int64_t rows = codegen::constantOr(product.rows, product.likelyRows), columns = codegen::constantOr(product.columns);
  int64_t batch = codegen::constantOr(product.batch), steps = codegen::constantOr(product.steps);
  if (rows <= 0 || columns <= 0 || batch <= 0 || steps <= 0)
    return {rows > 0 && rows <= 32 ? &kFlat : &kSmall, {}};
  Plan best;
  Multiprocessors processors = getMultiprocessors(k);
  for (const Tiling &tiling : kTilings) {
    bool isFlat = &tiling == &kFlat, fills = rows >= tiling.rows && columns >= tiling.columns;
    if (isFlat != (rows <= 32) || !(isFlat || &tiling == &kSmall || fills) ||
        tiling.bytes() > std::max(processors.blockBytes, kDeclaredBytes))
      continue;
    int64_t blocks = batch * llvm::divideCeil(rows, tiling.rows) * llvm::divideCeil(columns, tiling.columns);
    int64_t tiles = llvm::divideCeil(steps, tiling.lineBytes / product.format.elementBytes());
    StepSlices slices = chooseSlices(k, costOf(tiling, processors), blocks, tiles, batch * rows * columns);
    if (!best.tiling || slices.cycles < best.slices.cycles)
      best = {&tiling, slices};
  }
  remarkSlices(k, best.slices);
  return best;
}

namespace {

/// What one block computes.
class BlockProduct {
public:
  BlockProduct(WarpBuilder &k, const TensorProduct &product, const Tiling &tiling)
      : k(k), b(k.builder), product(product), format(product.format), tiling(tiling), bytes(format.elementBytes()),
        stepsPerTile(tiling.lineBytes / bytes) {}

  /// Of the tiles [firstTile, endTile) of the steps.
  void emit(Value batch, Value firstRow, Value firstColumn, Value firstTile, Value endTile, Value thread, Value shared);

private:
  /// Where chunk `chunk` of a line lies, of `chunks`: chunks of neighbouring lines are in different banks.
  Value placeChunk(Value line, Value chunk, int64_t chunks);
  /// Part `part` of `parts` of what lies in memory; zeros, or nothing, where `isThere` does not hold.
  void copyTile(const TensorOperand &operand, Value stageBegin, Value firstLine, Value firstElement, Value lines,
                Value elements, int64_t tileLines, int64_t tileElements, bool isWords, Value isThere, int64_t part,
                int64_t parts);
  void copyStage(Value tile, int64_t part, int64_t parts);
  SmallVector<Value> loadLhs(Value stageBegin, int64_t group, int64_t row);
  SmallVector<Value> loadRhs(Value stageBegin, int64_t group, int64_t column);
  Carried loadGroup(Value tile, int64_t group);
  void multiplyGroup(ArrayRef<Value> fragments, MutableArrayRef<Value> sums);
  Carried multiplyTile(Value tile, ValueRange carried);
  void storeSums(ValueRange sums);
  int64_t groups() const { return tiling.lineBytes / 32 / tiling.slices; }
  /// Whether fragments of f32 are rounded to tf32 after they are loaded: what passes through registers is before.
  bool isRoundedLate(const TensorOperand &operand) const { return format.isTF32() && !operand.isTF32 && !operand.load; }
  /// Fragments of words take too many registers to be there twice.
  bool isAhead() const { return !format.hasWords(); }
  int64_t numSums() const { return tiling.warpRows * tiling.warpColumns / 32; }
  Value stageBegin(Value tile) { return k.mul(k.rem(tile, k.index(tiling.stages)), tiling.stageBytes() / bytes); }

  WarpBuilder &k;
  OpBuilder &b;
  const TensorProduct &product;
  TensorFormat format;
  const Tiling &tiling;
  int64_t bytes, stepsPerTile;
  Value batch, firstRow, firstColumn, endTile, thread, shared, array;
  Value lane, warpRow, warpColumn, slice;
};

} // namespace

Value BlockProduct::placeChunk(Value line, Value chunk, int64_t chunks) {
  // Eight chunks span all banks: that is one line, or a part of it, or the two lines of 64 bytes.
  Value key = chunks >= 8 ? k.rem(line, k.index(8)) : k.rem(k.div(line, k.index(8 / chunks)), k.index(chunks));
  return k.exclusiveOr(chunk, key);
}

void BlockProduct::copyTile(const TensorOperand &operand, Value begin, Value firstLine, Value firstElement, Value lines,
                            Value elements, int64_t tileLines, int64_t tileElements, bool isWords, Value isThere,
                            int64_t part, int64_t parts) {
  int64_t chunk = kChunkBytes / bytes, chunks = tileElements / chunk, width = operand.width,
          perLine = tileElements / width;
  int64_t copies = tileLines * perLine;
  bool throughRegisters = operand.load || width * bytes < 4;
  auto fits = [](Value size, int64_t tile) {
    int64_t constant = codegen::constantOr(size);
    return constant > 0 && constant % tile == 0;
  };
  bool linesFit = fits(lines, tileLines), elementsFit = fits(elements, tileElements);
  auto copy = [&](Value number) {
    Value line = k.div(number, k.index(perLine)), element = k.mul(k.rem(number, k.index(perLine)), width);
    Value atLine = k.add(firstLine, line), atElement = k.add(firstElement, element), inside;
    auto require = [&](Value condition) {
      if (isConstantIntValue(condition, 1))
        return;
      inside = inside ? arith::AndIOp::create(b, k.loc, inside, condition).getResult() : condition;
    };
    if (!throughRegisters)
      require(isThere);
    if (!linesFit)
      require(k.isBelow(atLine, lines));
    if (!elementsFit)
      require(k.isBelow(atElement, elements));
    SmallVector<Value> from;
    if (!operand.load)
      from = operand.at(batch, atLine, atElement);
    if (operand.there)
      require(operand.there(from));
    // Of words, the four lines that a fragment is made of differ in two chunks each.
    Value place = isWords ? k.exclusiveOr(k.div(element, k.index(chunk)), k.mul(k.rem(line, k.index(4)), 2))
                          : placeChunk(line, k.div(element, k.index(chunk)), chunks);
    Value to =
        k.add(begin, k.add(k.mul(line, tileElements), k.add(k.mul(place, chunk), k.rem(element, k.index(chunk)))));
    if (!throughRegisters) {
      Value read = inside ? arith::SelectOp::create(b, k.loc, inside, k.index(width), k.index(0)).getResult() : Value();
      k.copyAsync(operand.memref, from, array, to, width, read);
      return;
    }
    for (int64_t i = 0; i < width; ++i) {
      Value zero = k.scalar(cast<MemRefType>(array.getType()).getElementType(), 0), value = zero;
      auto load = [&] {
        Value number = k.add(atElement, i);
        if (!operand.load)
          return k.loadScalar(operand.memref, operand.at(batch, atLine, number));
        Value loaded = operand.load(batch, atLine, number);
        if (!format.isTF32())
          return loaded;
        Value word = k.roundToTF32(arith::BitcastOp::create(b, k.loc, b.getI32Type(), loaded));
        return arith::BitcastOp::create(b, k.loc, loaded.getType(), word).getResult();
      };
      if (inside) {
        auto branch = scf::IfOp::create(b, k.loc, zero.getType(), inside, /*withElseRegion=*/true);
        OpBuilder::InsertionGuard guard(b);
        b.setInsertionPointToEnd(branch.thenBlock());
        scf::YieldOp::create(b, k.loc, load());
        b.setInsertionPointToEnd(branch.elseBlock());
        scf::YieldOp::create(b, k.loc, zero);
        value = branch.getResult(0);
      } else {
        value = load();
      }
      k.store(value, array, k.add(to, i));
    }
  };
  auto guarded = [&](Value first) {
    Value number = k.add(thread, first);
    if (copies % tiling.threads() == 0)
      return copy(number);
    k.branch(k.isBelow(number, k.index(copies)), [&] { copy(number); });
  };
  if (throughRegisters) {
    if (part == 0)
      k.branch(isThere, [&] { k.loop(k.index(0), k.index(copies), tiling.threads(), guarded); });
    return;
  }
  int64_t rounds = llvm::divideCeil(copies, tiling.threads());
  for (int64_t round = rounds * part / parts; round < rounds * (part + 1) / parts; ++round)
    guarded(k.index(round * tiling.threads()));
}

void BlockProduct::copyStage(Value tile, int64_t part, int64_t parts) {
  Value begin = stageBegin(tile), step = k.mul(tile, stepsPerTile);
  Value isThere = b.createOrFold<arith::CmpIOp>(k.loc, arith::CmpIPredicate::ult, tile, endTile);
  if (isConstantIntValue(isThere, 0))
    return;
  copyTile(product.lhs, begin, firstRow, step, product.rows, product.steps, tiling.rows, stepsPerTile, false, isThere,
           part, parts);
  Value rhs = k.add(begin, tiling.lhsBytes() / bytes);
  if (!format.hasWords())
    return copyTile(product.rhs, rhs, step, firstColumn, product.steps, product.columns, stepsPerTile, tiling.columns,
                    false, isThere, part, parts);
  int64_t perWord = format.perWord();
  copyTile(product.rhs, rhs, k.mul(tile, tiling.words()), k.mul(firstColumn, perWord),
           k.ceilDiv(product.steps, perWord), k.mul(product.columns, perWord), tiling.words(), tiling.columns * perWord,
           true, isThere, part, parts);
}

SmallVector<Value> BlockProduct::loadLhs(Value begin, int64_t group, int64_t row) {
  Value line = k.add(k.add(warpRow, row), k.rem(lane, k.index(16)));
  Value chunk = k.add(k.div(lane, k.index(16)), 2 * group);
  if (tiling.slices > 1)
    chunk = k.add(chunk, k.mul(slice, tiling.lineBytes / 16 / tiling.slices));
  Value place = placeChunk(line, chunk, tiling.lineBytes / kChunkBytes);
  Value offset = k.add(k.mul(line, stepsPerTile), k.mul(place, kChunkBytes / bytes));
  SmallVector<Value> words = k.loadMatrices(array, k.add(begin, offset), /*transpose=*/false);
  if (isRoundedLate(product.lhs))
    for (Value &word : words)
      word = k.roundToTF32(word);
  return words;
}

/// The fragments of two neighbours of eight columns.
SmallVector<Value> BlockProduct::loadRhs(Value begin, int64_t group, int64_t column) {
  Value rhs = k.add(begin, tiling.lhsBytes() / bytes), firstGroup = k.index(group);
  if (tiling.slices > 1)
    firstGroup = k.add(firstGroup, k.mul(slice, tiling.lineBytes / 32 / tiling.slices));
  Value first = k.add(warpColumn, column);
  if (!format.hasWords()) {
    Value line = k.add(k.mul(firstGroup, 16), k.rem(lane, k.index(16)));
    Value chunk = k.add(k.div(first, k.index(8)), k.div(lane, k.index(16)));
    Value place = placeChunk(line, chunk, tiling.columns * bytes / kChunkBytes);
    Value offset = k.add(k.mul(line, tiling.columns), k.mul(place, kChunkBytes / bytes));
    return k.loadMatrices(array, k.add(rhs, offset), /*transpose=*/true);
  }
  SmallVector<Value> words;
  for (int64_t part = 0; part < 4; ++part) {
    Value line = k.add(k.mul(firstGroup, 8), k.add(k.rem(lane, k.index(4)), part % 2 * 4));
    Value word = k.add(first, k.add(k.div(lane, k.index(4)), part / 2 * 8));
    Value place = k.exclusiveOr(k.div(word, k.index(4)), k.mul(k.rem(line, k.index(4)), 2));
    Value at = k.add(k.mul(line, tiling.columns), k.add(k.mul(place, 4), k.rem(word, k.index(4))));
    words.push_back(k.loadWord(array, k.add(rhs, k.mul(at, format.perWord()))));
    if (isRoundedLate(product.rhs))
      words.back() = k.roundToTF32(words.back());
  }
  return words;
}

/// The fragments of the warp's rows, then of its columns, for the steps of one product.
Carried BlockProduct::loadGroup(Value tile, int64_t group) {
  Value begin = stageBegin(tile);
  Carried words;
  for (int64_t row = 0; row < tiling.warpRows; row += 16)
    llvm::append_range(words, loadLhs(begin, group, row));
  for (int64_t column = 0; column < tiling.warpColumns; column += 16)
    llvm::append_range(words, loadRhs(begin, group, column));
  return words;
}

void BlockProduct::multiplyGroup(ArrayRef<Value> fragments, MutableArrayRef<Value> sums) {
  int64_t rows = tiling.warpRows / 16, columns = tiling.warpColumns / 8;
  ArrayRef<Value> left = fragments.take_front(rows * 4), right = fragments.drop_front(rows * 4);
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t column = 0; column < columns; ++column) {
      MutableArrayRef<Value> place = sums.slice((row * columns + column) * 4, 4);
      llvm::copy(k.multiply(format, left.slice(row * 4, 4), right.slice(column * 2, 2), place), place.begin());
    }
}

/// Carried are the sums, then the fragments of the tile's first group, where those are loaded ahead: a group's while
/// the one before is multiplied, and so those of the next tile. Between a barrier and the first product behind it
/// nothing is waited for then.
Carried BlockProduct::multiplyTile(Value tile, ValueRange carried) {
  Carried sums(carried.take_front(numSums())), fragments(carried.drop_front(numSums()));
  Value nextCopy = k.add(tile, tiling.stages - 1);
  auto waitForTile = [&] {
    // All but the last stages - 2 groups of copies have come, of all threads; the stage before has been read.
    k.waitForGroups(tiling.stages - 2);
    k.barrier();
  };
  int64_t count = groups(), parts = std::max<int64_t>(count - 1, 1);
  if (!isAhead()) {
    waitForTile();
    copyStage(nextCopy, 0, 1);
    k.closeGroup();
    for (int64_t group = 0; group < count; ++group)
      multiplyGroup(loadGroup(tile, group), sums);
    return sums;
  }
  for (int64_t group = 0; group < count; ++group) {
    bool isLast = group == count - 1;
    if (group < parts)
      copyStage(nextCopy, group, parts);
    if (group == parts - 1)
      k.closeGroup();
    if (isLast)
      waitForTile(); // the next one
    Carried next = loadGroup(isLast ? k.add(tile, 1) : tile, isLast ? 0 : group + 1);
    multiplyGroup(fragments, sums);
    fragments = std::move(next);
  }
  llvm::append_range(sums, fragments);
  return sums;
}

/// Each sixteen rows of the warps' sums, one after the other, go to shared memory and from there to the destination:
/// four neighbours at a time, or two, where all rows have a multiple of them, and a thread has the same columns of each
/// row.
void BlockProduct::storeSums(ValueRange sums) {
  Value stored = k.view(shared, sums[0].getType());
  int64_t stride = tiling.sumsStride(), slab = 16 * stride, columns = tiling.warpColumns / 8;
  int64_t threads = 32 * tiling.slices; // that store the tile of a warp
  int64_t width = 4, all = codegen::constantOr(product.columns);
  while (width > 1 && (all <= 0 || all % width != 0))
    width /= 2;
  int64_t across = std::min(threads * width, tiling.warpColumns);
  Value warp = k.div(thread, k.index(32)), tileOfWarp = k.div(thread, k.index(threads));
  Value number = k.mul(k.rem(thread, k.index(threads)), width);
  Value beginRow = k.div(number, k.index(across)), beginColumn = k.rem(number, k.index(across));
  auto storeFrom = [&](Value inRow, Value inColumn, Value toRow) {
    Value toColumn = k.add(k.add(firstColumn, warpColumn), inColumn);
    Value at = k.add(k.mul(tileOfWarp, slab * tiling.slices), k.add(k.mul(inRow, stride), inColumn));
    SmallVector<Value> total = k.loadNeighbours(stored, at, width);
    for (int64_t other = 1; other < tiling.slices; ++other)
      for (auto [sum, part] : llvm::zip(total, k.loadNeighbours(stored, k.add(at, other * slab), width)))
        sum = format.isInteger() ? arith::AddIOp::create(b, k.loc, sum, part).getResult() : k.addFloats(sum, part);
    Value inside =
        arith::AndIOp::create(b, k.loc, k.isBelow(toRow, product.rows), k.isBelow(toColumn, product.columns));
    k.branch(inside, [&] { product.store(total, batch, toRow, toColumn); });
  };
  for (int64_t row = 0; row < tiling.warpRows / 16; ++row) {
    k.barrier(); // what lay there has been read
    for (int64_t column = 0; column < columns; ++column)
      for (int64_t i = 0; i < 4; i += 2) {
        // Register i of thread 4 * row + column / 2 is in row + 8 * (i / 2), column + i % 2.
        Value inRow = k.add(k.div(lane, k.index(4)), i / 2 * 8);
        Value inColumn = k.add(k.mul(k.rem(lane, k.index(4)), 2), column * 8);
        Value at = k.add(k.mul(warp, slab), k.add(k.mul(inRow, stride), inColumn));
        k.storeNeighbours(sums.slice((row * columns + column) * 4 + i, 2), stored, at);
      }
    k.barrier();
    Value slabRow = k.add(k.add(firstRow, warpRow), row * 16);
    for (int64_t column = 0; column < tiling.warpColumns; column += across)
      k.loop(beginRow, k.index(16), threads * width / across,
             [&](Value inRow) { storeFrom(inRow, k.add(beginColumn, column), k.add(slabRow, inRow)); });
  }
}

void BlockProduct::emit(Value batchIndex, Value row, Value column, Value firstTile, Value lastTile, Value threadIndex,
                        Value memory) {
  batch = batchIndex, firstRow = row, firstColumn = column, endTile = lastTile;
  thread = threadIndex, shared = memory;
  array = k.view(shared, cast<MemRefType>(product.lhs.memref.getType()).getElementType());
  lane = k.rem(thread, k.index(32));
  Value warp = k.div(thread, k.index(32)), tileOfWarp = k.div(warp, k.index(tiling.slices));
  slice = k.rem(warp, k.index(tiling.slices));
  int64_t across = tiling.columns / tiling.warpColumns;
  warpRow = k.mul(k.div(tileOfWarp, k.index(across)), tiling.warpRows);
  warpColumn = k.mul(k.rem(tileOfWarp, k.index(across)), tiling.warpColumns);

  for (int64_t stage = 0; stage + 1 < tiling.stages; ++stage) {
    copyStage(k.add(firstTile, stage), 0, 1);
    k.closeGroup();
  }
  Type sumType = format.isInteger() ? Type(b.getI32Type()) : Type(b.getF32Type());
  Carried init(numSums(), k.scalar(sumType, 0));
  if (isAhead()) {
    k.waitForGroups(tiling.stages - 2);
    k.barrier();
    llvm::append_range(init, loadGroup(firstTile, 0));
  }
  Carried sums =
      k.loop(firstTile, endTile, 1, init, [&](Value tile, ValueRange carried) { return multiplyTile(tile, carried); });
  k.waitForGroups(0); // those behind the last tile write zeros
  storeSums(ArrayRef<Value>(sums).take_front(numSums()));
}

/// Tiles in an order in which neighbours, which run at the same time, read the same rows and columns.
static std::pair<Value, Value> orderTiles(WarpBuilder &k, Value row, Value column, Value rows, Value columns) {
  constexpr int64_t band = 8;
  if (codegen::constantOr(rows) < 2 * band)
    return {row, column};
  Value number = k.add(k.mul(row, columns), column), perBand = k.mul(columns, band);
  Value first = k.mul(k.div(number, perBand), band), inBand = k.rem(number, perBand);
  Value height = k.min(k.sub(rows, first), k.index(band));
  return {k.add(first, k.rem(inBand, height)), k.div(inBand, height)};
}

void simt::emitTensorProduct(WarpBuilder &k, const TensorProduct &product) {
  Plan plan = choosePlan(k, product);
  const Tiling &tiling = *plan.tiling;
  Value rows = k.ceilDiv(product.rows, tiling.rows), columns = k.ceilDiv(product.columns, tiling.columns);
  Value tiles = k.ceilDiv(product.steps, tiling.lineBytes / product.format.elementBytes());
  Type sumType = product.format.isInteger() ? Type(k.builder.getI32Type()) : Type(k.builder.getF32Type());
  PartialSums sums(k, plan.slices, sumType, {product.batch, product.rows, product.columns});
  SmallVector<Value> grid = {sums.getSlices(), product.batch, rows, columns};
  k.blocks(
      grid, tiling.threads(), k.builder.getI8Type(), tiling.bytes(),
      [&](ValueRange tile, Value thread, Value shared) {
        auto [row, column] = orderTiles(k, tile[2], tile[3], rows, columns);
        auto [first, end] = sums.getTiles(tile[0], tiles);
        TensorProduct part = product;
        auto keep = [&](ValueRange parts, Value batch, Value row, Value column) {
          k.storeNeighbours(parts, sums.getMemory(), {tile[0], batch, row, column});
        };
        if (sums.areSplit())
          part.store = keep;
        BlockProduct(k, part, tiling)
            .emit(tile[1], k.mul(row, tiling.rows), k.mul(column, tiling.columns), first, end, thread, shared);
      },
      countResident(tiling, getMultiprocessors(k)));
  sums.addUp([&](Value sum, ValueRange at) { product.store(sum, at[0], at[1], at[2]); });
}

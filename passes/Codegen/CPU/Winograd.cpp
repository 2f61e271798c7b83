//===- Winograd.cpp - nn.winograd_input and nn.winograd_conv --------------===//
//
// F(m x m, 3 x 3) of Lavin and Gray (2016), with the interpolation points 0, 1, -1 (m = 2) and 2, -2 (m = 4). Vectors
// are channels. A product computes a panel of output channels for one or two blocks of tiles at all positions; its sums
// go to a scratch buffer that stays in the cache until the output transform reads them.
//
//===----------------------------------------------------------------------===//
#include "passes/Codegen/CPU/Contraction.h"
#include "passes/Codegen/CPU/Kernels.h"
#include "passes/Codegen/Common/TaskWork.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

namespace {

/// The transforms of one dimension.
class Transform {
public:
  Transform(KernelBuilder &k, int64_t m) : k(k), m(m) {}

  /// B^T d: m + 2 elements of m + 2.
  SmallVector<Value> input(ArrayRef<Value> d) {
    if (m == 2)
      return {sub(d[0], d[2]), add(d[1], d[2]), sub(d[2], d[1]), sub(d[1], d[3])};
    Value even = fma(-4, d[2], d[4]), odd = fma(-4, d[1], d[3]);
    Value wideEven = sub(d[4], d[2]), wideOdd = sub(d[3], d[1]);
    return {fma(4, d[0], fma(-5, d[2], d[4])),
            add(even, odd),
            sub(even, odd),
            fma(2, wideOdd, wideEven),
            fma(-2, wideOdd, wideEven),
            fma(4, d[1], fma(-5, d[3], d[5]))};
  }

  /// A^T s: m elements of m + 2.
  SmallVector<Value> output(ArrayRef<Value> s) {
    Value even = add(s[1], s[2]), odd = sub(s[1], s[2]);
    if (m == 2)
      return {add(s[0], even), sub(odd, s[3])};
    Value wideEven = add(s[3], s[4]), wideOdd = sub(s[3], s[4]);
    return {add(s[0], add(even, wideEven)), fma(2, wideOdd, odd), fma(4, wideEven, even),
            add(s[5], fma(8, wideOdd, odd))};
  }

private:
  Value add(Value a, Value b) { return arith::AddFOp::create(k.builder, k.loc, a, b); }
  Value sub(Value a, Value b) { return arith::SubFOp::create(k.builder, k.loc, a, b); }
  Value fma(double factor, Value a, Value b) {
    return vector::FMAOp::create(k.builder, k.loc, k.splat(k.builder.getF32Type(), factor), a, b);
  }

  KernelBuilder &k;
  int64_t m;
};

/// transform(M) applied to the columns and then to the rows of a square matrix of vectors, row by row.
SmallVector<Value> transformBoth(ArrayRef<Value> matrix, int64_t size,
                                 function_ref<SmallVector<Value>(ArrayRef<Value>)> transform) {
  SmallVector<SmallVector<Value>> columns; // transformed
  for (int64_t j = 0; j < size; ++j) {
    SmallVector<Value> column;
    for (int64_t i = 0; i < size; ++i)
      column.push_back(matrix[i * size + j]);
    columns.push_back(transform(column));
  }
  SmallVector<Value> result;
  for (size_t i = 0; i < columns[0].size(); ++i) {
    SmallVector<Value> row;
    for (const SmallVector<Value> &column : columns)
      row.push_back(column[i]);
    result.append(transform(row));
  }
  return result;
}

} // namespace

LogicalResult cpu::emitWinogradInput(nn::WinogradInputOp op) {
  KernelBuilder k(op);
  Value input = op.getInput(), out = op.getInit();
  auto inputType = cast<MemRefType>(input.getType()), tiles = cast<MemRefType>(out.getType());
  if (llvm::any_of(op.getPads(), [](int64_t pad) { return pad != 0; }))
    return op.emitOpError("expected its padding to be in the input");
  if (!hasUnitInnermostStride(input) || !hasUnitInnermostStride(out) || tiles.getDimSize(4) != k.lanes())
    return op.emitOpError("expected contiguous channels in chunks of ") << k.lanes() << ", but got " << tiles;
  int64_t m = op.getM(), size = m + 2, perBlock = tiles.getDimSize(3);
  int64_t down = (inputType.getDimSize(1) - 2) / m, across = (inputType.getDimSize(2) - 2) / m;
  int64_t count = inputType.getDimSize(0) * down * across, channels = inputType.getDimSize(3);
  SmallVector<Value> sizes = {k.index(inputType.getDimSize(0)), k.index(down), k.index(across)};

  Transform transform(k, m);
  int64_t work = size * size * channels * codegen::kWorkPerElement * 3;
  k.parallelItems(k.index(tiles.getDimSize(0) * perBlock), work, [&](Value slot) {
    Value block = k.div(slot, k.index(perBlock)), row = k.rem(slot, k.index(perBlock));
    Value number = tiles.getDimSize(0) * perBlock == count ? slot : k.min(slot, k.index(count - 1));
    SmallVector<Value> at = k.delinearize(number, sizes);
    Value top = k.mul(at[1], m), left = k.mul(at[2], m);
    k.vectors(k.index(channels), [&](Value channel, Value mask) {
      SmallVector<Value> pixels;
      for (int64_t i = 0; i < size * size; ++i)
        pixels.push_back(k.load(input, {at[0], k.add(top, i / size), k.add(left, i % size), channel}, mask));
      auto both = transformBoth(pixels, size, [&](ArrayRef<Value> line) { return transform.input(line); });
      Value chunk = k.div(channel, k.index(k.lanes()));
      for (auto [position, value] : llvm::enumerate(both))
        k.store(value, out, {block, k.index(position), chunk, row, k.index(0)});
    });
  });
  return success();
}

namespace {

struct WinogradConv {
  nn::WinogradConvOp op;
  KernelBuilder k;
  Value tiles, weight;
  MemRefType tilesType, weightType, outType;
  int64_t m, positions, perBlock, blocks, vectors, groupBlocks;

  explicit WinogradConv(nn::WinogradConvOp op) : op(op), k(op) {}
  LogicalResult prepare();
  void emit();
  void emitSums(Value sums, Value panel, Value firstBlock);
  void emitPixels(Epilogue &epilogue, Value sums, Value panel, Value firstBlock);
  void storePixels(Epilogue &epilogue, ArrayRef<Value> pixels, ArrayRef<Value> at, Value column, Value mask);
};

LogicalResult WinogradConv::prepare() {
  tiles = op.getTiles();
  weight = op.getWeight();
  tilesType = cast<MemRefType>(tiles.getType());
  weightType = cast<MemRefType>(weight.getType());
  outType = cast<MemRefType>(op.getInit().getType());
  if (weightType.getRank() != 5 || tilesType.getDimSize(4) != k.lanes() || weightType.getDimSize(4) % k.lanes() != 0)
    return op.emitOpError("expected a weight packed in vectors of ") << k.lanes() << ", but got " << weightType;
  for (Value operand : {tiles, weight, op.getInit()})
    if (!hasUnitInnermostStride(operand))
      return op.emitOpError("expected contiguous channels");
  m = op.getM();
  positions = op.getPositions();
  blocks = tilesType.getDimSize(0);
  perBlock = tilesType.getDimSize(3);
  vectors = weightType.getDimSize(4) / k.lanes();
  // Blocks share what was loaded of the weight, as long as their sums stay in the second cache.
  constexpr int64_t mostSumBytes = 128 << 10;
  int64_t blockBytes = positions * perBlock * vectors * k.lanes() * 4;
  groupBlocks = evenBlock(blocks, mostSumBytes / blockBytes);
  return success();
}

void WinogradConv::emit() {
  Epilogue epilogue(k, op.getEpilogue(), op.getExtras(), op.getInit());
  Value panels = k.index(weightType.getDimSize(0)), groups = k.ceilDiv(k.index(blocks), groupBlocks);
  int64_t width = vectors * k.lanes(), channels = weightType.getDimSize(2) * k.lanes();
  int64_t work = positions * groupBlocks * perBlock * width * (channels + 4 * codegen::kWorkPerElement);
  // What is larger, the tiles or the weight, is read once.
  bool panelsFirst = weightType.getNumElements() > tilesType.getNumElements();
  Value items = k.mul(panels, groups);
  k.parallelItems(items, work, [&](Value item) {
    SmallVector<Value> sizes = {panels, groups};
    if (!panelsFirst)
      std::swap(sizes[0], sizes[1]);
    SmallVector<Value> at = k.delinearize(item, sizes);
    if (!panelsFirst)
      std::swap(at[0], at[1]);
    Value sums = k.scratch({positions, groupBlocks * perBlock, width}, k.builder.getF32Type());
    Value firstBlock = k.mul(at[1], groupBlocks);
    emitSums(sums, at[0], firstBlock);
    emitPixels(epilogue, sums, at[0], firstBlock);
  });
}

/// sums[position, tile, channel] for the tiles of a group of blocks.
void WinogradConv::emitSums(Value sums, Value panel, Value firstBlock) {
  k.loop(k.index(0), k.index(positions), 1, [&](Value position) {
    k.inBlock(k.div(firstBlock, k.index(groupBlocks)), groupBlocks, k.index(blocks), [&](Value block) {
      RegisterTile tile{perBlock, vectors, Product::F32, {k.index(weightType.getDimSize(2)), k.index(k.lanes())},
                        {},       {}};
      readLhs(k, tile, tiles, [&](int64_t row, ValueRange ivs) {
        return SmallVector<Value>{block, position, ivs[0], k.index(row), ivs[1]};
      });
      tile.rhs = [&](int64_t v, ValueRange ivs) {
        return k.load(weight, {panel, position, ivs[0], ivs[1], k.index(v * k.lanes())});
      };
      Value zero = k.index(0);
      prefetchPanels(k, tile, weight, {panel, position, zero, zero, zero}, {k.sub(block, firstBlock), groupBlocks});
      // The tiles of the next position: their rows are as many lines, one for each step.
      tile.prefetch = [&, weightAhead = std::move(tile.prefetch)](ValueRange ivs, int64_t atOnce) {
        if (weightAhead)
          weightAhead(ivs, atOnce);
        memref::PrefetchOp::create(k.builder, k.loc, tiles, ValueRange{block, k.add(position, 1), ivs[0], ivs[1], zero},
                                   /*isWrite=*/false, /*localityHint=*/3, /*isDataCache=*/true);
      };
      SmallVector<Value> accumulators = emitRegisterTile(k, tile);
      Value first = k.mul(k.sub(block, firstBlock), perBlock);
      for (int64_t row = 0; row < perBlock; ++row)
        for (int64_t v = 0; v < vectors; ++v)
          k.store(accumulators[row * vectors + v], sums, {position, k.add(first, row), k.index(v * k.lanes())});
    });
  });
}

/// The output transform of those tiles.
void WinogradConv::emitPixels(Epilogue &epilogue, Value sums, Value panel, Value firstBlock) {
  int64_t down = llvm::divideCeil(outType.getDimSize(1), m), across = llvm::divideCeil(outType.getDimSize(2), m);
  int64_t count = outType.getDimSize(0) * down * across, outputs = outType.getDimSize(3), width = vectors * k.lanes();
  SmallVector<Value> sizes = {k.index(outType.getDimSize(0)), k.index(down), k.index(across)};
  Transform transform(k, m);
  Value first = k.mul(firstBlock, perBlock);
  Value rows = k.min(k.index(groupBlocks * perBlock), k.sub(k.index(count), first));
  k.loop(k.index(0), rows, 1, [&](Value row) {
    SmallVector<Value> at = k.delinearize(k.add(first, row), sizes);
    at[1] = k.mul(at[1], m);
    at[2] = k.mul(at[2], m);
    for (int64_t v = 0; v < vectors; ++v) {
      SmallVector<Value> matrix;
      for (int64_t position = 0; position < positions; ++position)
        matrix.push_back(k.load(sums, {k.index(position), row, k.index(v * k.lanes())}));
      auto pixels = transformBoth(matrix, m + 2, [&](ArrayRef<Value> line) { return transform.output(line); });
      Value column = k.add(k.mul(panel, width), v * k.lanes());
      Value mask = outputs % width != 0 ? k.maskBelow(k.sub(k.index(outputs), column)) : Value();
      storePixels(epilogue, pixels, at, column, mask);
    }
  });
}

/// Stores those of m x m pixels that are in the image.
void WinogradConv::storePixels(Epilogue &epilogue, ArrayRef<Value> pixels, ArrayRef<Value> at, Value column,
                               Value mask) {
  int64_t rest[] = {outType.getDimSize(1) % m, outType.getDimSize(2) % m};
  auto inside = [&](unsigned dim, int64_t offset, Value index) -> Value {
    if (rest[dim] == 0 || offset < rest[dim])
      return k.builder.createOrFold<arith::ConstantIntOp>(k.loc, 1, 1);
    return k.builder.createOrFold<arith::CmpIOp>(k.loc, arith::CmpIPredicate::slt, index,
                                                 k.index(outType.getDimSize(1 + dim)));
  };
  for (int64_t i = 0; i < m; ++i) {
    Value y = k.add(at[1], i);
    k.branch(inside(0, i, y), [&] {
      for (int64_t j = 0; j < m; ++j) {
        Value x = k.add(at[2], j);
        k.branch(inside(1, j, x), [&] { epilogue.store(pixels[i * m + j], {at[0], y, x}, column, mask); });
      }
    });
  }
}

} // namespace

LogicalResult cpu::emitWinogradConv(nn::WinogradConvOp op) {
  WinogradConv conv(op);
  if (failed(conv.prepare()))
    return failure();
  conv.emit();
  return success();
}

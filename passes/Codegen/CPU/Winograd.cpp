//===- Winograd.cpp - nn.winograd_input and nn.winograd_conv --------------===//
//
// F(m x m, 3 x 3) of Lavin and Gray (2016), with the interpolation points 0, 1, -1 (m = 2) and 2, -2 (m = 4). Vectors
// are channels. A product computes a panel of output channels for one or two blocks of tiles at all positions; its sums
// go to a scratch buffer that stays in the cache until the output transform reads them.
//
// Of integers, the input's transform is exact in 16 bits: of unsigned bytes, it is 17340 at most. Filters are scaled to
// whole numbers (lower-winograd). All after that is arithmetic modulo 2^32, in which 9 has an inverse: the scale of
// F(4x4), 576, is 9 * 64.
//
//===----------------------------------------------------------------------===//
#include "passes/Codegen/CPU/Contraction.h"
#include "passes/Codegen/CPU/Kernels.h"
#include "passes/Codegen/Common/TaskWork.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

namespace {

/// The transforms of one dimension, of floats or integers.
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

  /// A^T s: m elements of m + 2. The last filter of integers has half the scale of the others.
  SmallVector<Value> output(ArrayRef<Value> s) {
    Value even = add(s[1], s[2]), odd = sub(s[1], s[2]);
    if (m == 2)
      return {add(s[0], even), sub(odd, s[3])};
    Value wideEven = add(s[3], s[4]), wideOdd = sub(s[3], s[4]), last = isInteger(s[5]) ? add(s[5], s[5]) : s[5];
    return {add(s[0], add(even, wideEven)), fma(2, wideOdd, odd), fma(4, wideEven, even),
            add(last, fma(8, wideOdd, odd))};
  }

  /// A convolution's sum from that of transformed integers, which have the square of the scale of G.
  Value unscale(Value sum) {
    if (!isInteger(sum))
      return sum;
    constexpr int64_t inverseOf9 = 0x38e38e39; // modulo 2^32
    if (m == 4)
      sum = arith::MulIOp::create(k.builder, k.loc, sum, splat(sum, inverseOf9));
    return arith::ShRSIOp::create(k.builder, k.loc, sum, splat(sum, m == 4 ? 6 : 2));
  }

private:
  static bool isInteger(Value vector) { return getElementTypeOrSelf(vector).isInteger(); }

  Value splat(Value like, int64_t value) {
    auto type = cast<VectorType>(like.getType());
    return arith::ConstantOp::create(k.builder, k.loc,
                                     DenseElementsAttr::get(type, codegen::constantAttr(type.getElementType(), value)));
  }

  Value add(Value a, Value b) {
    return isInteger(a) ? arith::AddIOp::create(k.builder, k.loc, a, b).getResult()
                        : arith::AddFOp::create(k.builder, k.loc, a, b).getResult();
  }
  Value sub(Value a, Value b) {
    return isInteger(a) ? arith::SubIOp::create(k.builder, k.loc, a, b).getResult()
                        : arith::SubFOp::create(k.builder, k.loc, a, b).getResult();
  }
  Value fma(int64_t factor, Value a, Value b) {
    if (isInteger(a))
      return add(arith::MulIOp::create(k.builder, k.loc, a, splat(a, factor)), b);
    return vector::FMAOp::create(k.builder, k.loc, splat(a, factor), a, b);
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
  auto vector =
      VectorType::get({int64_t(k.target.getVectorBits() / tiles.getElementTypeBitWidth())}, tiles.getElementType());
  int64_t lanes = vector.getNumElements();
  if (!hasUnitInnermostStride(input) || !hasUnitInnermostStride(out) || tiles.getDimSize(4) != lanes)
    return op.emitOpError("expected contiguous channels in chunks of ") << lanes << ", but got " << tiles;
  int64_t m = op.getM(), size = m + 2, perBlock = tiles.getDimSize(3);
  int64_t down = (inputType.getDimSize(1) - 2) / m, across = (inputType.getDimSize(2) - 2) / m;
  int64_t count = inputType.getDimSize(0) * down * across, channels = inputType.getDimSize(3);
  SmallVector<Value> sizes = {k.index(inputType.getDimSize(0)), k.index(down), k.index(across)};

  if (tiles.getElementType().isInteger() && channels % lanes != 0)
    return op.emitOpError("expected whole vectors of ") << lanes << " channels, but got " << channels;

  Transform transform(k, m);
  int64_t work = size * size * channels * codegen::kWorkPerElement * 3;
  k.parallelItems(k.index(tiles.getDimSize(0) * perBlock), work, [&](Value slot) {
    Value block = k.div(slot, k.index(perBlock)), row = k.rem(slot, k.index(perBlock));
    Value number = tiles.getDimSize(0) * perBlock == count ? slot : k.min(slot, k.index(count - 1));
    SmallVector<Value> at = k.delinearize(number, sizes);
    Value top = k.mul(at[1], m), left = k.mul(at[2], m);
    auto transformChannels = [&](Value channel, Value mask) {
      SmallVector<Value> pixels;
      for (int64_t i = 0; i < size * size; ++i) {
        SmallVector<Value> pixel = {at[0], k.add(top, i / size), k.add(left, i % size), channel};
        pixels.push_back(mask ? k.load(input, pixel, mask)
                              : vector::LoadOp::create(k.builder, k.loc, vector, input, pixel));
      }
      auto both = transformBoth(pixels, size, [&](ArrayRef<Value> line) { return transform.input(line); });
      Value chunk = k.div(channel, k.index(lanes));
      for (auto [position, value] : llvm::enumerate(both))
        k.store(value, out, {block, k.index(position), chunk, row, k.index(0)});
    };
    if (vector.getElementType().isInteger())
      k.loop(k.index(0), k.index(channels), lanes, [&](Value channel) { transformChannels(channel, {}); });
    else
      k.vectors(k.index(channels), transformChannels);
  });
  return success();
}

namespace {

struct WinogradConv {
  nn::WinogradConvOp op;
  KernelBuilder k;
  Value tiles, weight;
  MemRefType tilesType, weightType, outType;
  Product product;
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
  FailureOr<Product> chosen = chooseProduct(op, tilesType.getElementType(), weightType.getElementType());
  if (failed(chosen))
    return failure();
  product = *chosen;
  int64_t steps = stepsPerProduct(product),
          width = weightType.getRank() == 5 ? weightType.getDimSize(steps == 1 ? 4 : 3) : 0;
  if (width == 0 || width % k.lanes() != 0 || tilesType.getDimSize(4) != steps * k.lanes())
    return op.emitOpError("expected a weight packed in vectors of ") << k.lanes() << ", but got " << weightType;
  for (Value operand : {tiles, weight, op.getInit()})
    if (!hasUnitInnermostStride(operand))
      return op.emitOpError("expected contiguous channels");
  m = op.getM();
  positions = op.getPositions();
  blocks = tilesType.getDimSize(0);
  perBlock = tilesType.getDimSize(3);
  vectors = width / k.lanes();
  if (steps > 1 && !(weight = k.collapse(weight, 3, 4)))
    return op.emitOpError("expected a contiguous weight, but got ") << weightType;
  // Blocks share what was loaded of the weight, as long as their sums stay in the second cache.
  constexpr int64_t mostSumBytes = 128 << 10;
  int64_t blockBytes = positions * perBlock * vectors * k.lanes() * 4;
  groupBlocks = evenBlock(blocks, mostSumBytes / blockBytes);
  return success();
}

void WinogradConv::emit() {
  Epilogue epilogue(k, op.getEpilogue(), op.getExtras(), op.getInit());
  Value panels = k.index(weightType.getDimSize(0)), groups = k.ceilDiv(k.index(blocks), groupBlocks);
  int64_t width = vectors * k.lanes(), channels = tilesType.getDimSize(2) * tilesType.getDimSize(4);
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
    Type sum = isInteger(product) ? Type(k.builder.getI32Type()) : Type(k.builder.getF32Type());
    Value sums = k.scratch({positions, groupBlocks * perBlock, width}, sum);
    Value firstBlock = k.mul(at[1], groupBlocks);
    emitSums(sums, at[0], firstBlock);
    emitPixels(epilogue, sums, at[0], firstBlock);
  });
}

/// sums[position, tile, channel] for the tiles of a group of blocks.
void WinogradConv::emitSums(Value sums, Value panel, Value firstBlock) {
  k.loop(k.index(0), k.index(positions), 1, [&](Value position) {
    k.inBlock(k.div(firstBlock, k.index(groupBlocks)), groupBlocks, k.index(blocks), [&](Value block) {
      RegisterTile tile{perBlock, vectors, product, {k.index(tilesType.getDimSize(2)), k.index(k.lanes())}, {}, {}};
      int64_t steps = stepsPerProduct(product);
      readLhs(k, tile, tiles, [&](int64_t row, ValueRange ivs) {
        return SmallVector<Value>{block, position, ivs[0], k.index(row), k.mul(ivs[1], steps)};
      });
      tile.rhs = [&](int64_t v, ValueRange ivs) {
        if (steps == 1)
          return k.load(weight, {panel, position, ivs[0], ivs[1], k.index(v * k.lanes())});
        Value step = k.add(k.mul(ivs[0], k.lanes()), ivs[1]);
        return loadColumns(k, weight, {panel, position, step, k.index(v * k.lanes() * steps)}, steps);
      };
      Value zero = k.index(0);
      SmallVector<Value> first(cast<MemRefType>(weight.getType()).getRank(), zero);
      first[0] = panel;
      first[1] = position;
      prefetchPanels(k, tile, weight, first, {k.sub(block, firstBlock), groupBlocks});
      // The tiles of the next position: their rows are as many lines, one for each step.
      tile.prefetch = [&, weightAhead = std::move(tile.prefetch)](ValueRange ivs, int64_t atOnce) {
        if (weightAhead)
          weightAhead(ivs, atOnce);
        memref::PrefetchOp::create(k.builder, k.loc, tiles, ValueRange{block, k.add(position, 1), ivs[0], ivs[1], zero},
                                   /*isWrite=*/false, /*localityHint=*/3, /*isDataCache=*/true);
      };
      SmallVector<Value> accumulators = emitRegisterTile(k, tile);
      Value firstRow = k.mul(k.sub(block, firstBlock), perBlock);
      for (int64_t row = 0; row < perBlock; ++row)
        for (int64_t v = 0; v < vectors; ++v)
          k.store(accumulators[row * vectors + v], sums, {position, k.add(firstRow, row), k.index(v * k.lanes())});
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
      for (Value &pixel : pixels)
        pixel = transform.unscale(pixel);
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

//===- Winograd.cpp - nn.winograd_input and nn.winograd_conv --------------===//
//
// F(m x m, 3 x 3) of Lavin and Gray (2016), with the interpolation points 0, 1, -1 (m = 2) and 2, -2 (m = 4). Vectors
// are channels. A product computes a panel of output channels for one or two blocks of tiles at all positions; its sums
// go to a scratch buffer that stays in the cache until the output transform reads them. Tiles are transformed by a
// kernel of their own, or by each task of the convolution for itself.
//
// Of integers, the input's transform is exact in 16 bits: of unsigned bytes, it is 17340 at most. Filters are scaled to
// whole numbers (lower-winograd). All after that is arithmetic modulo 2^32, in which 9 has an inverse: the scale of
// F(4x4), 576, is 9 * 64.
//
//===----------------------------------------------------------------------===//
#include "dialects/NN/IR/WinogradTiles.h"
#include "passes/Codegen/CPU/Contraction.h"
#include "passes/Codegen/CPU/Kernels.h"
#include "passes/Codegen/Common/Instructions.h"
#include "passes/Codegen/Common/TaskWork.h"
#include "passes/Codegen/Common/WinogradCost.h"

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

/// The tiles of padded images, and their input transform.
class Tiles {
public:
  /// Failure, with an error at `op`, where the image is not as kernels read it.
  static FailureOr<Tiles> of(Operation *op, KernelBuilder &k, Value image, int64_t m) {
    auto type = cast<MemRefType>(image.getType());
    Tiles tiles(k, image, m);
    if (!hasUnitInnermostStride(image))
      return op->emitOpError("expected contiguous channels, but got ") << type;
    if (type.getElementType().isInteger() && tiles.channels() % tiles.lanes() != 0)
      return op->emitOpError("expected whole vectors of ") << tiles.lanes() << " channels, but got " << type;
    return tiles;
  }

  Value count() const { return k->mul(k->mul(k->dim(image, 0), down()), across()); }
  int64_t channels() const { return type.getDimSize(3); }
  int64_t lanes() const { return vector.getNumElements(); }
  int64_t workPerTile() const { return size * size * channels() * codegen::kWorkPerElement * 3; }

  /// Transforms `channels` of tile `number`, or of the last one if there are fewer, from `firstChannel` on, to `out`,
  /// [blocks, positions, chunks, rows, lanes].
  void emit(Value number, bool mayBePast, Value firstChannel, int64_t channels, Value out, Value block, Value row) {
    Value inside = mayBePast ? k->min(number, k->sub(count(), k->index(1))) : number;
    SmallVector<Value> at = k->delinearize(inside, {k->dim(image, 0), down(), across()});
    Value top = k->mul(at[1], m), left = k->mul(at[2], m);
    Transform transform(*k, m);
    auto transformChannels = [&](Value offset, Value mask) {
      Value channel = k->add(firstChannel, offset);
      SmallVector<Value> pixels;
      for (int64_t i = 0; i < size * size; ++i) {
        SmallVector<Value> pixel = {at[0], k->add(top, i / size), k->add(left, i % size), channel};
        pixels.push_back(mask ? k->load(image, pixel, mask)
                              : vector::LoadOp::create(k->builder, k->loc, vector, image, pixel));
      }
      auto both = transformBoth(pixels, size, [&](ArrayRef<Value> line) { return transform.input(line); });
      Value chunk = k->div(offset, k->index(lanes()));
      for (auto [position, value] : llvm::enumerate(both))
        k->store(value, out, {block, k->index(position), chunk, row, k->index(0)});
    };
    if (vector.getElementType().isInteger())
      k->loop(k->index(0), k->index(channels), lanes(), [&](Value offset) { transformChannels(offset, {}); });
    else
      k->vectors(k->index(channels), transformChannels);
  }

private:
  Tiles(KernelBuilder &k, Value image, int64_t m)
      : k(&k), image(image), type(cast<MemRefType>(image.getType())), m(m), size(m + 2),
        vector(VectorType::get({int64_t(k.target.getVectorBits() / type.getElementTypeBitWidth())},
                               type.getElementType())) {}

  Value down() const { return tilesAlong(1); }
  Value across() const { return tilesAlong(2); }
  Value tilesAlong(unsigned dimension) const {
    return k->div(k->sub(k->dim(image, dimension), k->index(2)), k->index(m));
  }

  KernelBuilder *k;
  Value image;
  MemRefType type;
  int64_t m, size;
  VectorType vector;
};

/// Whether it is known that so many tiles fill all of their blocks.
bool fillBlocks(Value count, int64_t perBlock) {
  int64_t constant = constantOr(count);
  return perBlock == 1 || (constant >= 0 && constant % perBlock == 0);
}

template <typename OpT>
bool hasPads(OpT op) {
  return llvm::any_of(op.getPads(), [](int64_t pad) { return pad != 0; });
}

} // namespace

LogicalResult cpu::emitWinogradInput(nn::WinogradInputOp op) {
  KernelBuilder k(op);
  Value out = op.getInit();
  auto type = cast<MemRefType>(out.getType());
  if (hasPads(op))
    return op.emitOpError("expected its padding to be in the input");
  FailureOr<Tiles> tiles = Tiles::of(op, k, op.getInput(), op.getM());
  if (failed(tiles))
    return failure();
  if (!hasUnitInnermostStride(out) || type.getDimSize(4) != tiles->lanes())
    return op.emitOpError("expected contiguous channels in chunks of ") << tiles->lanes() << ", but got " << type;
  int64_t perBlock = type.getDimSize(3);
  Value slots = k.mul(k.dim(out, 0), perBlock);
  bool mayBePast = !fillBlocks(tiles->count(), perBlock);
  k.parallelItems(slots, tiles->workPerTile(), [&](Value slot) {
    tiles->emit(slot, mayBePast, k.index(0), tiles->channels(), out, k.div(slot, k.index(perBlock)),
                k.rem(slot, k.index(perBlock)));
  });
  return success();
}

namespace {

struct WinogradConv {
  nn::WinogradConvOp op;
  KernelBuilder k;
  /// The tiles of all images, or those of the current group of blocks, made from the image.
  Value tiles, weight, blocks;
  std::optional<Tiles> image;
  MemRefType weightType, outType;
  Product product;
  /// Blocks of a group share what was loaded of the weight; `tileBlocks` of them, or fewer, are one register tile.
  int64_t m, positions, chunks, lanes, perBlock, vectors, groupBlocks, tileBlocks;
  /// Groups of channels, of which `chunks` are those of one.
  int64_t channelGroups;
  bool prefetchesTiles = true; ///< not from the first cache
  /// Register tiles that meet the weight of a position, one after the other: in each group, or of one image.
  int64_t turns;

  explicit WinogradConv(nn::WinogradConvOp op) : op(op), k(op) {}
  LogicalResult prepare();
  void emit();
  void emitGroup(Epilogue &epilogue, Value panel, Value firstBlock);
  void emitTiles(Value firstBlock, Value channelGroup);
  void emitSums(Value sums, Value panel, Value firstBlock);
  void emitSumsOf(Value sums, Value panel, Value position, Value block, int64_t count, Value firstBlock);
  void emitPixels(Epilogue &epilogue, Value sums, Value panel, Value firstBlock);
  void storePixels(Epilogue &epilogue, ArrayRef<Value> pixels, ArrayRef<Value> at, Value column, Value mask);
};

LogicalResult WinogradConv::prepare() {
  weight = op.getWeight();
  auto inputType = cast<MemRefType>(op.getInput().getType());
  weightType = cast<MemRefType>(weight.getType());
  outType = cast<MemRefType>(op.getInit().getType());
  m = op.getM();
  channelGroups = op.getGroup();
  positions = op.getPositions();
  FailureOr<Product> chosen = chooseProduct(op, inputType.getElementType(), weightType.getElementType());
  if (failed(chosen))
    return failure();
  product = *chosen;
  int64_t steps = stepsPerProduct(product),
          width = weightType.getRank() == 5 ? weightType.getDimSize(steps == 1 ? 4 : 3) : 0;
  lanes = steps * k.lanes();
  if (width == 0 || width % k.lanes() != 0 || (!op.readsImage() && inputType.getDimSize(4) != lanes))
    return op.emitOpError("expected a weight packed in vectors of ") << k.lanes() << ", but got " << weightType;
  for (Value operand : {op.getInput(), weight, op.getInit()})
    if (!hasUnitInnermostStride(operand))
      return op.emitOpError("expected contiguous channels");
  if (hasPads(op))
    return op.emitOpError("expected its padding to be in the input");
  if (op.readsImage()) {
    FailureOr<Tiles> found = Tiles::of(op, k, op.getInput(), m);
    if (failed(found))
      return failure();
    image = *found;
    chunks = llvm::divideCeil(image->channels() / channelGroups, lanes);
    int64_t tileBytes = positions * chunks * lanes * inputType.getElementTypeBitWidth() / 8;
    perBlock =
        codegen::chooseTilesPerTask({op.countTiles(), nn::countSampleTiles(op)}, tileBytes, channelGroups, k.target);
    prefetchesTiles = perBlock * tileBytes > k.target.getL1Bytes();
    blocks = k.ceilDiv(image->count(), perBlock);
  } else {
    tiles = op.getInput();
    blocks = k.dim(tiles, 0);
    chunks = inputType.getDimSize(2);
    perBlock = inputType.getDimSize(3);
  }
  vectors = width / k.lanes();
  if (steps > 1 && !(weight = k.collapse(weight, 3, 4)))
    return op.emitOpError("expected a contiguous weight, but got ") << weightType;
  // Blocks share what was loaded of the weight, as long as their sums stay in the second cache.
  constexpr int64_t mostSumBytes = 128 << 10;
  int64_t blockBytes = positions * perBlock * vectors * k.lanes() * 4, mostBlocks = mostSumBytes / blockBytes;
  if (int64_t constant = constantOr(blocks); constant >= 0 || image) {
    tileBlocks = 1;
    groupBlocks = turns = image ? 1 : evenBlock(constant, mostBlocks);
    return success();
  }
  int64_t mostRows = codegen::maxTileRows(k.target, std::max<int64_t>(vectors, 2));
  tileBlocks = std::max<int64_t>(std::min(mostBlocks, mostRows / perBlock), 1);
  groupBlocks = std::max<int64_t>(mostBlocks / tileBlocks, 1) * tileBlocks;
  turns = std::clamp<int64_t>(llvm::divideCeil(std::max<int64_t>(nn::countSampleTiles(op), 1), perBlock * tileBlocks),
                              1, groupBlocks / tileBlocks);
  return success();
}

void WinogradConv::emit() {
  Epilogue epilogue(k, op.getEpilogue(), op.getExtras(), op.getInit());
  Value panels = k.index(weightType.getDimSize(0)), groups = k.ceilDiv(blocks, groupBlocks);
  int64_t width = vectors * k.lanes(), channels = chunks * lanes;
  int64_t work = positions * groupBlocks * perBlock * width * (channels + 4 * codegen::kWorkPerElement);
  if (image) {
    int64_t panelsOfGroup = weightType.getDimSize(0) / channelGroups;
    work = work * panelsOfGroup + groupBlocks * perBlock * image->workPerTile() / channelGroups;
    // Tasks that follow each other share a part of the weight.
    k.parallelItems(k.mul(groups, channelGroups), work, [&](Value item) {
      SmallVector<Value> at = k.delinearize(item, {k.index(channelGroups), groups});
      Value firstBlock = k.mul(at[1], groupBlocks), firstPanel = k.mul(at[0], panelsOfGroup);
      emitTiles(firstBlock, at[0]);
      k.loop(firstPanel, k.add(firstPanel, k.index(panelsOfGroup)), 1,
             [&](Value panel) { emitGroup(epilogue, panel, firstBlock); });
    });
    return;
  }
  // What is larger, the tiles or the weight, is read once; of a dynamic number of tiles, those of one image count.
  int64_t constantBlocks = constantOr(blocks), fewBlocks = constantBlocks;
  if (constantBlocks < 0)
    fewBlocks = llvm::divideCeil(std::max<int64_t>(nn::countSampleTiles(op), 1), perBlock);
  bool panelsFirst = weightType.getNumElements() > fewBlocks * positions * perBlock * channels;
  if (nn::TuningAttr tuning = nn::getTuning(op); tuning && !tuning.getShare().empty())
    panelsFirst = tuning.getShare() == "columns";
  Value items = k.mul(panels, groups);
  k.parallelItems(items, work, [&](Value item) {
    SmallVector<Value> sizes = {panels, groups};
    if (!panelsFirst)
      std::swap(sizes[0], sizes[1]);
    SmallVector<Value> at = k.delinearize(item, sizes);
    if (!panelsFirst)
      std::swap(at[0], at[1]);
    emitGroup(epilogue, at[0], k.mul(at[1], groupBlocks));
  });
}

/// The tiles of a group of blocks, in scratch: their channels of one group.
void WinogradConv::emitTiles(Value firstBlock, Value channelGroup) {
  Type element = cast<MemRefType>(op.getInput().getType()).getElementType();
  tiles = k.scratch({groupBlocks, positions, chunks, perBlock, lanes}, element);
  int64_t channels = image->channels() / channelGroups;
  Value first = k.mul(firstBlock, perBlock), firstChannel = k.mul(channelGroup, channels);
  bool mayBePast = !fillBlocks(image->count(), perBlock);
  k.loop(k.index(0), k.index(groupBlocks * perBlock), 1, [&](Value slot) {
    image->emit(k.add(first, slot), mayBePast, firstChannel, channels, tiles, k.div(slot, k.index(perBlock)),
                k.rem(slot, k.index(perBlock)));
  });
}

/// A panel of output channels of a group of blocks.
void WinogradConv::emitGroup(Epilogue &epilogue, Value panel, Value firstBlock) {
  Type sum = isInteger(product) ? Type(k.builder.getI32Type()) : Type(k.builder.getF32Type());
  Value sums = k.scratch({positions, groupBlocks * perBlock, vectors * k.lanes()}, sum);
  emitSums(sums, panel, firstBlock);
  emitPixels(epilogue, sums, panel, firstBlock);
}

/// sums[position, tile, channel] for the tiles of a group of blocks.
void WinogradConv::emitSums(Value sums, Value panel, Value firstBlock) {
  k.loop(k.index(0), k.index(positions), 1, [&](Value position) {
    if (tileBlocks == 1) {
      k.inBlock(k.div(firstBlock, k.index(groupBlocks)), groupBlocks, blocks,
                [&](Value block) { emitSumsOf(sums, panel, position, block, 1, firstBlock); });
      return;
    }
    k.tiles(firstBlock, k.min(k.index(groupBlocks), k.sub(blocks, firstBlock)), tileBlocks,
            [&](Value block, int64_t count) { emitSumsOf(sums, panel, position, block, count, firstBlock); });
  });
}

/// The sums of `count` blocks, in one register tile.
void WinogradConv::emitSumsOf(Value sums, Value panel, Value position, Value block, int64_t count, Value firstBlock) {
  int64_t rows = count * perBlock, steps = stepsPerProduct(product);
  Value tileBlock = image ? k.sub(block, firstBlock) : block, zero = k.index(0);
  RegisterTile tile{rows, vectors, product, {k.index(chunks), k.index(k.lanes())}, {}, {}};
  readLhs(k, tile, tiles, [&](int64_t row, ValueRange ivs) {
    return SmallVector<Value>{k.add(tileBlock, row / perBlock), position, ivs[0], k.index(row % perBlock),
                              k.mul(ivs[1], steps)};
  });
  tile.rhs = [&](int64_t v, ValueRange ivs) {
    if (steps == 1)
      return k.load(weight, {panel, position, ivs[0], ivs[1], k.index(v * k.lanes())});
    Value step = k.add(k.mul(ivs[0], k.lanes()), ivs[1]);
    return loadColumns(k, weight, {panel, position, step, k.index(v * k.lanes() * steps)}, steps);
  };
  SmallVector<Value> first(cast<MemRefType>(weight.getType()).getRank(), zero);
  first[0] = panel;
  first[1] = position;
  Value turn = k.div(k.sub(block, firstBlock), k.index(tileBlocks));
  if (turns > 1 && constantOr(blocks) < 0)
    turn = k.rem(turn, k.index(turns));
  prefetchPanels(k, tile, weight, first, {turn, turns});
  // The tiles of the next position: their rows are as many lines, one for each step.
  tile.prefetch = [&, weightAhead = std::move(tile.prefetch)](ValueRange ivs, int64_t atOnce) {
    if (weightAhead)
      weightAhead(ivs, atOnce);
    if (!prefetchesTiles)
      return;
    Value nextBlock = count == 1 ? tileBlock : k.add(tileBlock, k.div(ivs[1], k.index(perBlock)));
    Value row = count == 1 ? ivs[1] : k.rem(ivs[1], k.index(perBlock));
    memref::PrefetchOp::create(k.builder, k.loc, tiles, ValueRange{nextBlock, k.add(position, 1), ivs[0], row, zero},
                               /*isWrite=*/false, /*localityHint=*/3, /*isDataCache=*/true);
  };
  SmallVector<Value> accumulators = emitRegisterTile(k, tile);
  Value firstRow = k.mul(k.sub(block, firstBlock), perBlock);
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t v = 0; v < vectors; ++v)
      k.store(accumulators[row * vectors + v], sums, {position, k.add(firstRow, row), k.index(v * k.lanes())});
}

/// The output transform of those tiles.
void WinogradConv::emitPixels(Epilogue &epilogue, Value sums, Value panel, Value firstBlock) {
  int64_t outputs = outType.getDimSize(3), width = vectors * k.lanes();
  Value out = op.getInit();
  SmallVector<Value> sizes = {k.dim(out, 0), k.ceilDiv(k.dim(out, 1), m), k.ceilDiv(k.dim(out, 2), m)};
  Value count = k.mul(k.mul(sizes[0], sizes[1]), sizes[2]);
  Transform transform(k, m);
  Value first = k.mul(firstBlock, perBlock);
  Value rows = k.min(k.index(groupBlocks * perBlock), k.sub(count, first));
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
  auto inside = [&](unsigned dim, int64_t offset, Value index) -> Value {
    Value size = k.dim(op.getInit(), 1 + dim);
    // A tile has one pixel at least.
    int64_t constant = constantOr(size), least = constant < 0 ? 1 : constant % m;
    if ((constant >= 0 && least == 0) || offset < least)
      return k.builder.createOrFold<arith::ConstantIntOp>(k.loc, 1, 1);
    return k.builder.createOrFold<arith::CmpIOp>(k.loc, arith::CmpIPredicate::slt, index, size);
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

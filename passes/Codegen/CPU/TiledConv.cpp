//===- TiledConv.cpp - nn.conv in tile registers --------------------------===//
//
// The rows of a tile are output pixels whose windows begin at equal distances in memory.
//
#include "passes/Codegen/CPU/MatrixTile.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::codegen;
using namespace lathe::cpu;

namespace {

/// Which pixels share a tile.
enum class Pixels {
  OfLine,  ///< neighbours in a line of the image
  OfLines, ///< those of several lines, and the windows between them that reach over the end of a line
  Lines    ///< a line, too short for a second tile
};

/// Neighbouring pixels of a line that lie in neighbouring rows of the sums.
struct PixelRun {
  Value line, column, sumsRow, count;
};

struct TiledConv {
  nn::ConvOp op;
  KernelBuilder k;
  Value input, weight, out;
  int64_t taps[2], strides[2], dilations[2]; ///< of a window; merged taps are one
  int64_t group, outputs, width, vectors, channels;
  Value lines, pixels, inputPixels; ///< of the result's height and width, and of the input's width
  ChunkedReduction reduction{2};
  Pixels shape = Pixels::OfLine;
  int64_t linesPerTile = 1;
  Value extent; ///< rows that a unit has for tiles to begin at
  ContractionSpace space = {};
  SmallVector<Value> outerSizes;
  int64_t tapsOfPart = 0; ///< how many of the window's dimensions the number of the reduction's part tells
  std::optional<TileRegisters> registers;

  explicit TiledConv(nn::ConvOp op) : op(op), k(op) {}

  LogicalResult prepare();
  void mergeTaps();
  void choosePixels();
  void chooseParts();
  void emit(Epilogue &epilogue);
  void emitTile(const TilePlace &place, Epilogue &epilogue);
  SmallVector<Value> placeTiles(const TilePlace &place, Value line, SmallVectorImpl<PixelRun> &runs);
  Value windowAddress(Value image, Value line, Value start, ValueRange tap, Value channel);
};

LogicalResult TiledConv::prepare() {
  input = op.getInput();
  weight = op.getWeight();
  out = op.getInit();
  group = op.getGroup();
  auto inputType = cast<MemRefType>(input.getType()), weightType = cast<MemRefType>(weight.getType());
  channels = inputType.getDimSize(3);
  outputs = cast<MemRefType>(out.getType()).getDimSize(3);
  if (llvm::any_of(op.getPads(), [](int64_t pad) { return pad != 0; }))
    return op.emitOpError("expected its padding to be in the input");
  if (!hasUnitInnermostStride(input) || !hasUnitInnermostStride(out) || ShapedType::isDynamic(channels) ||
      ShapedType::isDynamic(outputs))
    return op.emitOpError("expected contiguous channels of static number");
  reduction = ChunkedReduction(channels / group);
  if (weightType.getRank() != 6 || !weightType.hasStaticShape() || reduction.size % 2 ||
      weightType.getDimSize(3) * 2 != reduction.stored() || weightType.getDimSize(5) != 2)
    return op.emitOpError("expected a weight [panels, KH, KW, C/2, n0, 2] packed for tile registers, but got ")
           << weightType;
  for (int i = 0; i < 2; ++i) {
    taps[i] = weightType.getDimSize(1 + i);
    strides[i] = op.getStrides()[i];
    dilations[i] = op.getDilations()[i];
  }
  width = weightType.getDimSize(4);
  if (width != kTileColumns && width != 2 * kTileColumns)
    return op.emitOpError("expected panels of one or two tiles of columns, but got ") << width;
  vectors = width / kTileColumns;
  if (!(weight = k.collapse(weight, 4, 5)))
    return op.emitOpError("expected a contiguous weight, but got ") << weightType;
  lines = k.dim(out, 1);
  pixels = k.dim(out, 2);
  inputPixels = k.dim(input, 2);
  mergeTaps();
  choosePixels();
  return success();
}

/// Few channels leave most of a chunk empty: the taps of a window's row, which are neighbours in memory, become one
/// reduction, in fewer chunks than taps.
void TiledConv::mergeTaps() {
  int64_t size = taps[1] * channels;
  if (group != 1 || dilations[1] != 1 || reduction.rest() || strideBytes(input, 2) != channels * 2)
    return;
  for (int64_t chunks = llvm::divideCeil(size, ChunkedReduction::kMostChunk); chunks < taps[1]; ++chunks)
    if (size % (2 * chunks) == 0) {
      taps[1] = 1;
      reduction = ChunkedReduction(size, size / chunks);
      return;
    }
}

void TiledConv::choosePixels() {
  int64_t height = constantOr(lines), columns = constantOr(pixels), inputColumns = constantOr(inputPixels);
  extent = pixels;
  if (height <= 1 || columns <= 0 || columns > kTileRows || inputColumns <= 0)
    return;
  // Windows of neighbouring lines are as far from each other as windows of one line.
  bool oneStride = strides[0] == 1 && strides[1] == 1 && strideBytes(input, 2) > 0 &&
                   strideBytes(input, 1) == inputColumns * strideBytes(input, 2);
  linesPerTile = std::min((2 * kTileRows + inputColumns - columns) / inputColumns, height);
  if (oneStride && linesPerTile >= 2) {
    shape = Pixels::OfLines;
    extent = k.index((height - 1) * inputColumns + columns);
  } else {
    shape = Pixels::Lines;
    linesPerTile = 2;
  }
}

/// Where the window of pixel `start` begins at a tap; in a unit of several lines pixels are counted through them.
Value TiledConv::windowAddress(Value image, Value line, Value start, ValueRange tap, Value channel) {
  Value y = k.add(k.mul(line, strides[0]), k.mul(tap[0], dilations[0]));
  Value x = k.add(k.mul(start, strides[1]), k.mul(tap[1], dilations[1]));
  return addressOf(k, input, {image, y, x, channel});
}

/// The first window of each tile of rows, counted from the beginning of `line`; and where the sums belong.
SmallVector<Value> TiledConv::placeTiles(const TilePlace &place, Value line, SmallVectorImpl<PixelRun> &runs) {
  SmallVector<Value> starts;
  if (shape == Pixels::Lines) {
    for (int64_t i = 0; i < place.rows / constantOr(pixels); ++i) {
      starts.push_back(k.index(0));
      runs.push_back({k.add(line, i), k.index(0), k.index(i * kTileRows), pixels});
    }
    return starts;
  }
  bool several = shape == Pixels::OfLines;
  int64_t columns = constantOr(pixels), pitch = constantOr(inputPixels);
  int64_t lineCount = several ? place.rows / columns : 1;
  int64_t rows = several ? (lineCount - 1) * pitch + columns : place.rows;
  Value first = several ? k.mul(line, pitch) : place.row;
  for (int64_t begin = 0; begin < rows; begin += kTileRows) {
    // A last tile that is not full begins earlier: it computes rows again that are not stored again.
    Value wanted = k.add(first, begin), start = wanted;
    if (begin + kTileRows > rows || place.end)
      start = k.min(wanted, k.sub(extent, registers->height));
    starts.push_back(several ? k.sub(start, first) : start);
    Value shift = k.sub(wanted, start);
    if (!several) {
      Value end = place.end ? place.end : k.add(place.row, place.rows);
      runs.push_back({line, wanted, k.add(shift, begin), k.min(k.sub(end, wanted), k.index(kTileRows))});
      continue;
    }
    for (int64_t i = 0; i < lineCount; ++i) {
      int64_t from = std::max(i * pitch, begin), to = std::min(i * pitch + columns, begin + kTileRows);
      if (from < to)
        runs.push_back({k.add(line, i), k.index(from - i * pitch), k.add(shift, from), k.index(to - from)});
    }
  }
  return starts;
}

/// Columns of a panel that tiles read again and again are to stay in the first cache: a line of the window is a part of
/// the reduction, or a tap.
void TiledConv::chooseParts() {
  int64_t rows = constantOr(space.rows), units = constantOr(space.outer);
  bool fits = units == 1 || llvm::divideCeil(rows, 2 * kTileRows) <= 2 * kPartTiles;
  if (rows <= 0 || units <= 0 || !fits || taps[0] * taps[1] * reduction.chunks() <= kPartChunks)
    return;
  int64_t loops = taps[1] * reduction.chunks() > kPartChunks ? 2 : 1;
  int64_t parts = taps[0] * (loops == 2 ? taps[1] : 1);
  if (parts == 1)
    return;
  tapsOfPart = loops;
  space.parts = parts;
  space.mostTiles = kPartTiles;
}

void TiledConv::emit(Epilogue &epilogue) {
  bool unitIsImage = shape != Pixels::OfLine;
  outerSizes = {k.dim(out, 0), unitIsImage ? k.index(1) : lines};
  space.vectors = vectors;
  space.product = Product::Bf16Tiles;
  space.outer = k.mul(outerSizes[0], outerSizes[1]);
  space.rows = unitIsImage ? k.mul(lines, pixels) : pixels;
  space.rowMultiple = unitIsImage ? constantOr(pixels) : 1;
  space.mostRows = unitIsImage ? linesPerTile * constantOr(pixels) : space.mostRows;
  space.panels = k.dim(weight, 0);
  space.reduction = taps[0] * taps[1] * reduction.chunks() * ChunkedReduction::kMostChunk;
  chooseParts();

  Value height = shape == Pixels::Lines ? pixels : k.max(k.min(extent, k.index(kTileRows)), k.index(1));
  space.beginTask = [&](int64_t tiles) {
    registers.emplace(height, reduction.chunk, space.parts > 1 ? tiles : 1).begin(k);
  };
  space.endTask = [&] { registers->end(k); };
  emitContraction(k, space, [&](const TilePlace &place) { emitTile(place, epilogue); });
}

void TiledConv::emitTile(const TilePlace &place, Epilogue &epilogue) {
  SmallVector<Value> outer = k.delinearize(place.unit, outerSizes);
  Value line = shape == Pixels::OfLine ? outer[1] : k.div(place.row, pixels);
  SmallVector<PixelRun> runs;
  SmallVector<Value> starts = placeTiles(place, line, runs);
  auto weightType = cast<MemRefType>(weight.getType());
  int64_t panelsPerGroup = weightType.getDimSize(0) / group, outputsPerGroup = outputs / group;
  Value groupIndex = group == 1 ? k.index(0) : k.div(place.panel, k.index(panelsPerGroup));
  Value inGroup = group == 1 ? place.panel : k.rem(place.panel, k.index(panelsPerGroup));

  MatrixTile tile;
  tile.rowTiles = starts.size();
  tile.columnTiles = vectors;
  tile.reduction = reduction;
  tile.part = place.reductionPart;
  tile.parts = space.parts;
  tile.sumsRow = space.parts > 1 ? k.mul(place.turn.part, 2 * kTileRows) : k.index(0);
  // Taps that are parts of the reduction have no loop.
  SmallVector<Value> fixed = k.delinearize(place.reductionPart, {k.index(taps[0]), k.index(taps[1])});
  if (tapsOfPart < 2)
    fixed.assign(tapsOfPart, place.reductionPart);
  for (int64_t extent : ArrayRef(taps).drop_front(tapsOfPart))
    tile.bounds.push_back(k.index(extent));
  auto withFixed = [&](ValueRange looped) {
    SmallVector<Value> all(fixed);
    all.append(looped.begin(), looped.end());
    return all;
  };
  Value channel = k.mul(groupIndex, channels / group);
  tile.lhs = [&](int64_t i, ValueRange looped) {
    Value tileLine = shape == Pixels::Lines ? k.add(line, i) : line;
    return windowAddress(outer[0], tileLine, starts[i], withFixed(looped), channel);
  };
  tile.rowStride = k.mul(strideBytesOf(k, input, 2), strides[1]);
  auto weightIndices = [&](ValueRange looped) {
    SmallVector<Value> indices = {place.panel};
    indices.append(withFixed(looped));
    indices.resize(weightType.getRank(), k.index(0));
    return indices;
  };
  tile.rhs = [&](ValueRange looped) { return addressOf(k, weight, weightIndices(looped)); };
  RegisterTile ahead{place.rows, vectors, space.product, tile.bounds, {}, {}};
  ahead.bounds.push_back(k.index(reduction.chunks()));
  PanelTurn turn = place.turn;
  turn.distance = weightType.getNumElements() / weightType.getDimSize(0);
  prefetchPanels(k, ahead, weight, weightIndices({}), turn);
  tile.prefetch = ahead.prefetch;
  emitMatrixTile(k, *registers, tile);

  Value firstOutput = k.mul(groupIndex, outputsPerGroup), column = k.add(firstOutput, k.mul(inGroup, width));
  // Columns end with the group; a static count that divides spares the masks.
  Value end = outputsPerGroup % width == 0 ? k.index(outputs) : k.add(firstOutput, outputsPerGroup);
  k.branch(k.equal(place.reductionPart, k.index(space.parts - 1)), [&] {
    for (const PixelRun &run : runs)
      storeTileRows(k, epilogue, *registers, {run.column, k.add(tile.sumsRow, run.sumsRow), run.count}, vectors, column,
                    end, [&](Value pixel) -> SmallVector<Value> {
                      return {outer[0], run.line, pixel};
                    });
  });
}

} // namespace

LogicalResult cpu::emitTiledConv(nn::ConvOp op) {
  TiledConv conv(op);
  if (failed(conv.prepare()))
    return failure();
  Epilogue epilogue(conv.k, op.getEpilogue(), op.getExtras(), conv.out);
  conv.emit(epilogue);
  return success();
}

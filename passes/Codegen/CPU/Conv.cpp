//===- Conv.cpp - nn.conv as register tiles -------------------------------===//
#include "passes/Codegen/CPU/Kernels.h"
#include "passes/Codegen/CPU/MatrixTile.h"
#include "passes/Codegen/Common/Instructions.h"
#include "passes/Codegen/Common/Tuning.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

namespace {

/// Rows [begin, begin + count) of the kernel. If these are not all, sums wait in the destination for the next part.
struct KernelPart {
  Value begin;
  int64_t count;
  bool first = true, last = true;
};

/// A convolution in place: rows of the tile are neighbours along the output's width.
struct DirectConv {
  nn::ConvOp op;
  KernelBuilder k;
  Product product;
  Value input, weight, out;
  int64_t kernel[2], strides[2], dilations[2];
  int64_t group, outputs, width, vectors, steps;
  bool isPadded = false; ///< by lines
  Region noEpilogue;

  explicit DirectConv(nn::ConvOp op) : op(op), k(op) {}
  LogicalResult prepare();
  LogicalResult emit();
  bool cutsImagesApart();
  LogicalResult emitPointwise(Epilogue &epilogue);
  void emitWindows(Epilogue &epilogue);
  void emitPart(Epilogue &epilogue, const KernelPart &part);
  int64_t chooseColumn();
  std::pair<Value, Value> tapsInside(Value line, const KernelPart &part);
};

LogicalResult DirectConv::prepare() {
  input = op.getInput();
  weight = op.getWeight();
  out = op.getInit();
  auto inputType = cast<MemRefType>(input.getType()), weightType = cast<MemRefType>(weight.getType());
  int64_t packedSteps = weightType.getRank() == 6 ? weightType.getDimSize(5) : 1;
  FailureOr<Product> chosen = chooseProduct(op, inputType.getElementType(), weightType.getElementType(), packedSteps);
  if (failed(chosen))
    return failure();
  product = *chosen;
  isPadded = llvm::any_of(op.getPads(), [](int64_t pad) { return pad != 0; });
  if (isPadded && !codegen::skipsPadding(op, k.target))
    return op.emitOpError("expected its padding to be in the input");
  int64_t perProduct = product == Product::Bf16Tiles ? 2 : stepsPerProduct(product);
  if (weightType.getRank() != (perProduct == 1 ? 5 : 6) || !weightType.hasStaticShape() ||
      (perProduct > 1 && weightType.getDimSize(5) != perProduct))
    return op.emitOpError("expected a packed weight of static shape, but got ") << weightType;
  if (!hasUnitInnermostStride(input) || !hasUnitInnermostStride(out))
    return op.emitOpError("expected contiguous channels");
  for (int i = 0; i < 2; ++i) {
    kernel[i] = weightType.getDimSize(1 + i);
    strides[i] = op.getStrides()[i];
    dilations[i] = op.getDilations()[i];
  }
  group = op.getGroup();
  outputs = cast<MemRefType>(out.getType()).getDimSize(3);
  if (ShapedType::isDynamic(outputs))
    return op.emitOpError("expected a static number of output channels");
  width = weightType.getDimSize(4);
  k.target = codegen::fitPanels(k.target, width);
  if (width % k.lanes() != 0)
    return op.emitOpError("expected panels of whole vectors of ") << k.lanes() << " columns, but got " << width;
  vectors = width / k.lanes();
  steps = weightType.getDimSize(3);
  if (perProduct > 1 && !(weight = k.collapse(weight, 4, 5)))
    return op.emitOpError("expected a contiguous weight, but got ") << weightType;
  return success();
}

/// Whether the tiles of each image of a dynamic batch are cut by themselves: where these are about as large as tiles of
/// more images would be, of which the last ones, smaller and smaller, take longer.
bool DirectConv::cutsImagesApart() {
  int64_t lines = constantOr(k.dim(out, 1)), columns = constantOr(k.dim(out, 2));
  if (constantOr(k.dim(out, 0)) >= 0 || lines < 0 || columns < 0 || product == Product::Bf16Tiles)
    return false;
  int64_t most = maxTileRows(k.target, vectors, product);
  return 4 * evenBlock(lines * columns, most) >= 3 * most;
}

LogicalResult DirectConv::emitPointwise(Epilogue &epilogue) {
  unsigned first = cutsImagesApart() ? 1 : 0;
  Value rows = k.collapse(input, first, 2);
  Value panels = k.collapse(op.getWeight(), 1, 3);
  if (!rows || !panels || !epilogue.collapse(first, 2))
    return failure();
  return emitMatrixProduct(k, op, rows, panels, epilogue);
}

/// A panel of the weight stays in the second cache while all tiles meet it and the next one arrives, which takes longer
/// than they do where it comes from memory: large ones are read by single rows of the kernel.
static int64_t chooseKernelRows(nn::ConvOp op) {
  auto weight = cast<MemRefType>(op.getWeight().getType());
  int64_t rows = weight.getDimSize(1), cacheBytes = nn::getTarget(op).getL2Bytes();
  auto isF32 = [](Value value) { return cast<MemRefType>(value.getType()).getElementType().isF32(); };
  bool addsUp = isF32(op.getInput()) && isF32(op.getWeight()) && isF32(op.getInit());
  if (nn::TuningAttr tuning = nn::getTuning(op)) {
    int64_t measured = tuning.getKernelRows();
    StringRef obstacle = measured < 1 || rows % measured != 0 ? "the kernel has not as many rows, or a part of them"
                         : !addsUp && measured != rows        ? "the result cannot hold sums"
                                                              : "";
    if (std::optional<int64_t> tuned = codegen::takeTuned(op, "kernel_rows", measured, obstacle))
      return *tuned;
  }
  int64_t bytes = weight.getNumElements() * 4, panelBytes = bytes / weight.getDimSize(0);
  return addsUp && bytes >= cacheBytes / 2 && panelBytes > cacheBytes / 7 ? 1 : rows;
}

void DirectConv::emitWindows(Epilogue &epilogue) {
  int64_t part = epilogue.isInPlace() ? kernel[0] : chooseKernelRows(op), last = kernel[0] - part;
  if (last == 0)
    return emitPart(epilogue, {k.index(0), part});
  Epilogue sums(k, noEpilogue, ValueRange(), out);
  emitPart(sums, {k.index(0), part, /*first=*/true, /*last=*/false});
  k.loop(k.index(part), k.index(last), part,
         [&](Value begin) { emitPart(sums, {begin, part, /*first=*/false, /*last=*/false}); });
  emitPart(epilogue, {k.index(last), part, /*first=*/false, /*last=*/true});
}

/// How many pixels of a line a tile has if tiles go down the lines before they go along: where a window has one pixel
/// of each of several lines, and these push each other out of the cache before the next line meets them again. 0 for
/// none.
int64_t DirectConv::chooseColumn() {
  int64_t lineCount = constantOr(k.dim(out, 1)), linePixels = constantOr(k.dim(out, 2));
  int64_t channels = cast<MemRefType>(input.getType()).getDimSize(3);
  bool isColumn = kernel[0] > 1 && kernel[1] == 1 && strides[1] == 1 && product == Product::F32;
  if (!isColumn || lineCount < 2 || linePixels < 1 || ShapedType::isDynamic(channels) ||
      kernel[0] * linePixels * channels * 4 < k.target.getL2Bytes() / 2)
    return 0;
  int64_t most = maxTileRows(k.target, vectors, product), least = most / 2 + 1;
  for (int64_t pixels = most; pixels >= least; --pixels)
    if (linePixels % pixels == 0)
      return pixels;
  return 0;
}

/// The first of the part's lines of the kernel that meets the image, and how many do.
std::pair<Value, Value> DirectConv::tapsInside(Value line, const KernelPart &part) {
  if (!isPadded)
    return {part.begin, k.index(part.count)};
  int64_t before = op.getPads()[0];
  Value start = k.mul(line, strides[0]), end = k.add(part.begin, part.count);
  Value missing = k.max(k.sub(k.index(before), start), k.index(0));
  Value left = k.max(k.sub(k.add(k.dim(input, 1), before), start), k.index(0));
  Value first = k.max(k.ceilDiv(missing, dilations[0]), part.begin);
  Value last = k.min(k.ceilDiv(left, dilations[0]), end);
  return {first, k.max(k.sub(last, first), k.index(0))};
}

void DirectConv::emitPart(Epilogue &epilogue, const KernelPart &part) {
  int64_t perProduct = stepsPerProduct(product), channels = cast<MemRefType>(input.getType()).getDimSize(3);
  // The taps of one kernel row are neighbours in memory, so that row is one reduction.
  Value flat, flatWeight;
  if (group == 1 && dilations[1] == 1 && channels == steps * perProduct) {
    flat = k.collapse(input, 2, 3);
    flatWeight = k.collapse(weight, 2, 3);
  }
  bool merged = flat && flatWeight;

  ContractionSpace space;
  space.op = op;
  space.vectors = vectors;
  space.product = product;
  space.panelsInside = group > 1;
  // Lines of the image that are short share a tile: its rows are the pixels of one or more lines.
  int64_t lineCount = constantOr(k.dim(out, 1)), linePixels = constantOr(k.dim(out, 2));
  bool severalLines =
      !isPadded && lineCount > 1 && linePixels > 0 && 2 * linePixels <= maxTileRows(k.target, vectors, product);
  int64_t columnPixels = severalLines ? 0 : chooseColumn();
  SmallVector<Value> outerSizes = {k.dim(out, 0), severalLines   ? k.index(1)
                                                  : columnPixels ? k.index(linePixels / columnPixels)
                                                                 : k.dim(out, 1)};
  space.outer = k.mul(outerSizes[0], outerSizes[1]);
  space.rows = severalLines   ? k.index(lineCount * linePixels)
               : columnPixels ? k.index(lineCount * columnPixels)
                              : k.dim(out, 2);
  space.rowMultiple = severalLines ? linePixels : std::max<int64_t>(columnPixels, 1);
  if (columnPixels)
    space.mostRows = columnPixels;
  space.panels = k.dim(weight, 0);
  space.reduction = part.count * kernel[1] * steps * perProduct;
  int64_t panelsPerGroup = cast<MemRefType>(weight.getType()).getDimSize(0) / group;
  int64_t outputsPerGroup = outputs / group, channelsPerGroup = channels / group;

  // Which pixels are rows of a tile, and the channels that they meet.
  struct Window {
    SmallVector<Value> outer;
    Value firstLine, row, inGroup, groupIndex, firstChannel;
    Value firstTap, taps; ///< lines of the kernel that meet the image
  };
  auto windowOf = [&](const TilePlace &place) -> Window {
    SmallVector<Value> outer = k.delinearize(place.unit, outerSizes);
    Value firstLine = severalLines   ? k.div(place.row, k.index(linePixels))
                      : columnPixels ? k.div(place.row, k.index(columnPixels))
                                     : outer[1];
    Value row = columnPixels ? k.mul(outer[1], columnPixels) : place.row;
    Value inGroup = place.panel, groupIndex = k.index(0);
    if (group > 1) {
      inGroup = k.rem(place.panel, k.index(panelsPerGroup));
      groupIndex = k.div(place.panel, k.index(panelsPerGroup));
    }
    auto [firstTap, taps] = tapsInside(firstLine, part);
    return {outer, firstLine, row, inGroup, groupIndex, k.mul(groupIndex, channelsPerGroup), firstTap, taps};
  };
  auto pixelOf = [this, severalLines, linePixels](const Window &window, int64_t i) -> std::pair<Value, Value> {
    if (!severalLines)
      return {window.firstLine, k.add(window.row, i)};
    return {k.add(window.firstLine, i / linePixels), k.index(i % linePixels)};
  };
  /// The tile with its left operand.
  auto tileAt = [&](const Window &window, int64_t rows) {
    RegisterTile tile{rows, vectors, product, {window.taps}, {}, {}};
    if (merged)
      tile.bounds.push_back(k.index(kernel[1] * steps));
    else
      tile.bounds.append({k.index(kernel[1]), k.index(steps)});
    auto indicesAt = [=](int64_t i, ValueRange ivs) {
      auto [line, column] = pixelOf(window, i);
      Value y = k.add(k.mul(line, strides[0]), k.mul(k.add(window.firstTap, ivs[0]), dilations[0]));
      if (isPadded)
        y = k.sub(y, k.index(op.getPads()[0]));
      Value x = k.mul(column, strides[1]);
      Value channel = k.mul(ivs.back(), perProduct);
      SmallVector<Value> indices = {window.outer[0], y};
      if (merged) {
        indices.push_back(k.add(k.mul(x, channels), channel));
      } else {
        indices.push_back(k.add(x, k.mul(ivs[1], dilations[1])));
        indices.push_back(k.add(window.firstChannel, channel));
      }
      return indices;
    };
    Value memref = merged ? flat : input;
    readLhs(k, tile, memref, indicesAt);
    stageDistantRows(k, tile, memref, strides[1] * strideBytes(input, 2), indicesAt);
    return tile;
  };
  StagedPairs staged;
  if (isPairs(product) && group == 1)
    space.stageRows = [&](const TilePlace &place) { staged.stage(k, tileAt(windowOf(place), place.rows)); };

  Value panels = merged ? flatWeight : weight;
  WidenedPanel widened;
  if (WidenedPanel::pays(product, panels, k.target))
    space.stagePanel = [&](Value panel) { widened.stage(k, panels, panel); };

  emitContraction(k, space, [&](const TilePlace &place) {
    Value panel = place.panel;
    int64_t rows = place.rows;
    Window window = windowOf(place);
    Value firstOutput = k.mul(window.groupIndex, outputsPerGroup);
    RegisterTile tile = tileAt(window, rows);
    if (place.isStaged)
      staged.attach(k, tile);
    tile.rhs = [&](int64_t v, ValueRange ivs) {
      SmallVector<Value> indices = {place.isPanelStaged ? k.index(0) : panel, k.add(window.firstTap, ivs[0])};
      indices.append(ivs.begin() + 1, ivs.end());
      indices.push_back(k.index(v * k.lanes() * perProduct));
      Value memref = place.isPanelStaged ? widened.getWords() : panels;
      if (product == Product::F16)
        return k.load(memref, indices);
      return perProduct > 1 ? loadColumns(k, memref, indices, perProduct) : k.widen(k.load(memref, indices));
    };
    SmallVector<Value> first(tile.bounds.size() + 2, k.index(0));
    first[0] = panel;
    first[1] = part.begin;
    PanelTurn turn = place.turn;
    turn.distance = kernel[0] * kernel[1] * steps * perProduct * width;
    // As many steps as if all of the kernel met the image.
    RegisterTile ahead{rows, vectors, product, tile.bounds, {}, {}};
    ahead.bounds[0] = k.index(part.count);
    prefetchPanels(k, ahead, panels, first, turn);
    tile.prefetch = ahead.prefetch;
    Value column = k.add(firstOutput, k.mul(window.inGroup, width));
    // Columns end with the group; a static count that divides spares the masks.
    Value end = outputsPerGroup % width == 0 ? k.index(outputs) : k.add(firstOutput, outputsPerGroup);
    auto outputAt = [&](int64_t i) -> SmallVector<Value> {
      auto [line, column] = pixelOf(window, i);
      return {window.outer[0], line, column};
    };
    if (part.last)
      for (int64_t i = 0; i < rows; ++i)
        epilogue.prefetch(vectors, outputAt(i), column);
    if (!part.first)
      tile.init = loadTile(k, out, rows, vectors, column, end, outputAt);
    else if (startsFromBias(product))
      tile.init = startTile(k, epilogue, rows, vectors, column, end);
    storeTile(k, epilogue, emitRegisterTile(k, tile), rows, vectors, column, end, outputAt);
  });
}

LogicalResult DirectConv::emit() {
  Epilogue epilogue(k, op.getEpilogue(), op.getExtras(), out);
  if (kernel[0] == 1 && kernel[1] == 1 && strides[0] == 1 && strides[1] == 1 && group == 1 && !isPadded &&
      succeeded(emitPointwise(epilogue)))
    return success();
  if (product == Product::Bf16Tiles)
    return emitTiledConv(op);
  emitWindows(epilogue);
  return success();
}

} // namespace

bool cpu::addsUpInDestination(nn::ConvOp op) {
  auto weight = cast<MemRefType>(op.getWeight().getType());
  if (weight.getRank() != 5 || !weight.hasStaticShape())
    return false;
  if (weight.getDimSize(1) > 1)
    return chooseKernelRows(op) < weight.getDimSize(1);
  return splitsReduction(op.getInput(), op.getWeight(), op.getInit(), nn::getTarget(op));
}

LogicalResult cpu::emitConv(nn::ConvOp op) {
  // A weight that was left unpacked has one input channel for each group, and the group's one output.
  auto weight = cast<MemRefType>(op.getWeight().getType());
  if (weight.getRank() == 4 && weight.getDimSize(2) == 1 && weight.getDimSize(3) == int64_t(op.getGroup()))
    return emitDepthwise(op);
  if (codegen::hasGroupsInVectors(op, nn::getTarget(op)))
    return emitGroupedConv(op);
  DirectConv conv(op);
  if (failed(conv.prepare()))
    return failure();
  return conv.emit();
}

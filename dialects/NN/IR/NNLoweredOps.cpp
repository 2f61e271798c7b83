//===- NNLoweredOps.cpp - Verifiers and costs of forms that lowering chooses //
#include "dialects/NN/IR/NNVerify.h"
#include "dialects/NN/IR/WinogradTiles.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::nn;

LATHE_NN_EFFECTS(WinogradInputOp)
LATHE_NN_EFFECTS(WinogradConvOp)
LATHE_NN_EFFECTS(ExpandDepthwiseOp)

//===----------------------------------------------------------------------===//
// WinogradInput, WinogradConv
//===----------------------------------------------------------------------===//

static int64_t ceilDiv(int64_t a, int64_t b) { return llvm::divideCeil(a, b); }

/// Output pixels of a side of a tile, checked.
static LogicalResult verifyTileSize(Operation *op, int64_t m) {
  if (m == 2 || m == 4)
    return success();
  return op->emitOpError("expected tiles of m = 2 or 4 pixels, but got ") << m;
}

static std::string describeCount(int64_t count) { return count < 0 ? "all" : std::to_string(count); }

/// Whether only dimensions before the last are dynamic.
static bool hasStaticChannels(ShapedType type) { return !ShapedType::isDynamic(type.getShape().back()); }

static int64_t times(int64_t count, int64_t more) { return count < 0 || more < 0 ? -1 : count * more; }

/// Tiles of m x m pixels of an image with pads, checked; negative where a dimension is dynamic.
template <typename OpT>
static FailureOr<int64_t> verifyImage(OpT op) {
  auto input = cast<ShapedType>(op.getInput().getType());
  Type element = input.getElementType();
  if (input.getRank() != 4 || !hasStaticChannels(input) || !(element.isF32() || element.isInteger(16)))
    return op.emitOpError("expected an input [N, H, W, C] of f32 or i16 with static C, but got ") << input;
  if (op.getPads().size() != 4 || llvm::any_of(op.getPads(), [](int64_t pad) { return pad < 0; }))
    return op.emitOpError("expected four pads that are not negative");
  int64_t count = input.isDynamicDim(0) ? -1 : input.getDimSize(0), m = op.getM();
  for (unsigned i = 0; i < 2; ++i) {
    if (input.isDynamicDim(1 + i)) {
      count = -1;
      continue;
    }
    int64_t size = input.getDimSize(1 + i) + op.getPads()[i] + op.getPads()[i + 2] - 2;
    if (size <= 0 || size % m != 0)
      return op.emitOpError("expected whole tiles, a padded size of ") << m << " n + 2, but got " << size + 2;
    count = times(count, size / m);
  }
  return count;
}

/// Whether it has the form of transformed tiles, [blocks, positions, chunks, tiles, lanes].
static bool isTiles(ShapedType type, int64_t positions) {
  return type.getRank() == 5 && !llvm::any_of(type.getShape().drop_front(), ShapedType::isDynamic) &&
         type.getDimSize(1) == positions && llvm::all_of(type.getShape().drop_front(), [](int64_t s) { return s > 0; });
}

/// Whether tiles are in as many blocks as so many of them need, as far as that is known.
static bool holdsTiles(ShapedType tiles, int64_t count) {
  return count < 0 || tiles.isDynamicDim(0) || tiles.getDimSize(0) == ceilDiv(count, tiles.getDimSize(3));
}

AffineExpr nn::getTileBlocks(WinogradInputOp op, AffineExpr images, AffineExpr height, AffineExpr width) {
  int64_t m = op.getM();
  ArrayRef<int64_t> pads = op.getPads();
  AffineExpr tiles =
      images * (height + (pads[0] + pads[2] - 2)).floorDiv(m) * (width + (pads[1] + pads[3] - 2)).floorDiv(m);
  return tiles.ceilDiv(op.getResultShapedType().getDimSize(3));
}

LogicalResult WinogradInputOp::verify() {
  auto input = cast<ShapedType>(getInput().getType()), tiles = getResultShapedType();
  if (failed(verifyTileSize(*this, getM())))
    return failure();
  FailureOr<int64_t> found = verifyImage(*this);
  if (failed(found))
    return failure();
  int64_t count = *found;
  if (!isTiles(tiles, getPositions()) || tiles.getElementType() != input.getElementType() ||
      !holdsTiles(tiles, count) || tiles.getDimSize(2) != ceilDiv(input.getDimSize(3), tiles.getDimSize(4)))
    return emitOpError("expected a result [blocks, ")
           << getPositions() << ", chunks, tiles, lanes] for " << describeCount(count) << " tiles, but got " << tiles;
  return verifyForm(*this);
}

/// Additions and multiply-adds of B^T d B, as they are shared between its rows.
int64_t WinogradInputOp::getMacs() {
  if (!getResultShapedType().hasStaticShape())
    return -1;
  int64_t perTile = getM() == 4 ? 144 : 32;
  return getResultShapedType().getNumElements() / getPositions() * perTile;
}

WinogradImage nn::getWinogradImage(WinogradConvOp op) {
  // A dynamic size holds the borders of a window, and what may be missing of a last tile.
  int64_t unused = 2 + int64_t(op.getM()) - 1;
  auto withPads = [&](Value image, ArrayRef<int64_t> pads) -> WinogradImage {
    return {image, {pads[0] + pads[2] - unused, pads[1] + pads[3] - unused}};
  };
  if (op.readsImage())
    return withPads(op.getInput(), op.getPads());
  if (auto tiles = op.getInput().getDefiningOp<WinogradInputOp>())
    return withPads(tiles.getInput(), tiles.getPads());
  return {};
}

int64_t WinogradConvOp::countTiles() {
  ShapedType result = getResultShapedType();
  return result.isDynamicDim(0) ? -1 : times(result.getDimSize(0), countSampleTiles(*this));
}

int64_t nn::countSampleTiles(WinogradConvOp op) {
  ShapedType result = op.getResultShapedType();
  if (result.isDynamicDim(1) || result.isDynamicDim(2))
    return -1;
  return ceilDiv(result.getDimSize(1), op.getM()) * ceilDiv(result.getDimSize(2), op.getM());
}

LogicalResult WinogradConvOp::verify() {
  auto input = cast<ShapedType>(getInput().getType()), weight = cast<ShapedType>(getWeight().getType());
  ShapedType result = getResultShapedType();
  if (failed(verifyTileSize(*this, getM())))
    return failure();
  if (result.getRank() != 4 || !hasStaticChannels(result))
    return emitOpError("expected a result [N, OH, OW, O] with static O, but got ") << result;
  int64_t count = countTiles(), channels; // of the input, and what fills their last chunk
  if (readsImage()) {
    FailureOr<int64_t> found = verifyImage(*this);
    if (failed(found))
      return failure();
    if (count >= 0 && *found >= 0 && *found != count)
      return emitOpError("expected an image of ") << count << " tiles, but it has " << *found;
    channels = input.getDimSize(3);
  } else {
    if (!isTiles(input, getPositions()))
      return emitOpError("expected tiles [blocks, ") << getPositions() << ", chunks, tiles, lanes], but got " << input;
    if (!holdsTiles(input, count))
      return emitOpError("expected blocks for ") << count << " tiles, but got " << input;
    channels = input.getDimSize(2) * input.getDimSize(4);
  }
  int64_t outputs = result.getDimSize(3), group = getGroup();
  if (group < 1 || channels % group != 0 || outputs % group != 0 || (group > 1 && !readsImage()))
    return emitOpError("expected groups of an image that divide ")
           << channels << " and " << outputs << " channels, but got " << group << " of " << input;
  channels /= group;
  // Only a single group may fill a chunk, or a panel, in part.
  auto holdsChannels = [&](int64_t chunks, int64_t lanes) {
    return readsImage() && group == 1 ? chunks == ceilDiv(channels, lanes) : chunks * lanes == channels;
  };
  auto holdsOutputs = [&](int64_t panels, int64_t width) {
    return panels == ceilDiv(outputs, width) && (group == 1 || outputs / group % width == 0);
  };
  bool plain = weight.getRank() == 3 && weight.getDimSize(0) == getPositions() && weight.getDimSize(2) == outputs;
  if (plain && !readsImage())
    plain = ceilDiv(weight.getDimSize(1), input.getDimSize(4)) == input.getDimSize(2);
  else if (plain)
    plain = weight.getDimSize(1) == channels;
  bool packed = weight.getRank() == 5 && weight.getDimSize(1) == getPositions();
  if (packed && input.getElementType().isInteger())
    packed = holdsChannels(weight.getDimSize(2), 2) && weight.getDimSize(4) == 2 &&
             holdsOutputs(weight.getDimSize(0), weight.getDimSize(3));
  else if (packed)
    packed = holdsChannels(weight.getDimSize(2), weight.getDimSize(3)) &&
             holdsOutputs(weight.getDimSize(0), weight.getDimSize(4));
  if (input.getElementType() != weight.getElementType())
    return emitOpError("expected tiles and a weight of one type, but got ") << input << " and " << weight;
  if (!weight.hasStaticShape() || (!plain && !packed))
    return emitOpError("expected a weight [")
           << getPositions() << ", C/group, O], or packed for the tiles, but got " << weight;
  return verifyEpilogue(*this);
}

/// Those of the products; a convolution of the same size has up to four times as many.
int64_t WinogradConvOp::getMacs() {
  auto input = cast<ShapedType>(getInput().getType());
  if (!input.hasStaticShape() || !getResultShapedType().hasStaticShape())
    return -1;
  int64_t elements = readsImage() ? countTiles() * getPositions() * input.getDimSize(3) : input.getNumElements();
  return elements * getResultShapedType().getShape().back() / getGroup();
}

//===----------------------------------------------------------------------===//
// ExpandDepthwise
//===----------------------------------------------------------------------===//

LogicalResult ExpandDepthwiseOp::verify() {
  auto input = cast<ShapedType>(getInput().getType()), expand = cast<ShapedType>(getExpandWeight().getType());
  auto weight = cast<ShapedType>(getWeight().getType());
  ShapedType result = getResultShapedType();
  for (ShapedType type : {input, expand, weight, result})
    if (!type.hasStaticShape() || !type.getElementType().isF32())
      return emitOpError("expected operands and a result of f32 and of static shape, but got ") << type;
  if (input.getRank() != 4 || result.getRank() != 4 || weight.getRank() != 4 || weight.getDimSize(2) != 1 ||
      weight.getDimSize(3) != result.getDimSize(3))
    return emitOpError("expected an input [N, H, W, Ci], a weight [KH, KW, 1, C] and a result [N, OH, OW, C]");
  int64_t channels = result.getDimSize(3), rank = expand.getRank();
  bool fits = (rank == 2 && expand.getDimSize(1) == channels) ||
              (rank == 3 && expand.getDimSize(0) == ceilDiv(channels, expand.getDimSize(2)));
  if (!fits || expand.getDimSize(rank - 2) != input.getDimSize(3))
    return emitOpError("expected a weight [Ci, C], or packed in panels, to expand by, but got ") << expand;
  if (getStrides().size() != 2 || getPads().size() != 4)
    return emitOpError("expected two strides and four pads");
  for (unsigned i = 0; i < 2; ++i) {
    int64_t stride = getStrides()[i], window = weight.getDimSize(i);
    if (stride < 1 || stride > window || getPads()[i] < 0 || getPads()[i + 2] < 0)
      return emitOpError("expected strides of 1 to the window's size, and pads that are not negative");
    int64_t size = (input.getDimSize(1 + i) + getPads()[i] + getPads()[i + 2] - window) / stride + 1;
    if (size != result.getDimSize(1 + i))
      return emitOpError("expected a result of size ") << size << ", but got " << result.getDimSize(1 + i);
  }
  for (Value extra : getExpandExtras()) {
    auto type = cast<ShapedType>(extra.getType());
    if (type.getRank() > 1 || (type.getRank() == 1 && type.getDimSize(0) != 1 && type.getDimSize(0) != channels))
      return emitOpError("expected operands [C] or [1] of the first epilogue, but got ") << type;
  }
  if (failed(verifyEpilogueRegion(*this, getExpandEpilogue(), getExpandExtras(), input.getElementType())))
    return failure();
  return verifyEpilogue(*this);
}

int64_t ExpandDepthwiseOp::getMacs() {
  auto input = cast<ShapedType>(getInput().getType()), weight = cast<ShapedType>(getWeight().getType());
  return input.getNumElements() * weight.getDimSize(3) +
         getResultShapedType().getNumElements() * weight.getDimSize(0) * weight.getDimSize(1);
}

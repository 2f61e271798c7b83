//===- LayoutMovement.cpp - Transposes sink through data movement ---------===//
#include "passes/Fuse/LayoutPatterns.h"

using namespace mlir;
using namespace lathe;

onnx::TransposeOp lathe::getRunTimeTranspose(Value value) {
  auto transpose = value ? value.getDefiningOp<onnx::TransposeOp>() : nullptr;
  return transpose && !fuse::isConstantExpression(value) ? transpose : nullptr;
}

std::optional<SmallVector<int64_t>> lathe::normalizeAxes(std::optional<SmallVector<int64_t>> axes, int64_t rank) {
  if (axes)
    for (int64_t &axis : *axes) {
      axis += axis < 0 ? rank : 0;
      if (axis < 0 || axis >= rank)
        return std::nullopt;
    }
  return axes;
}

SmallVector<int64_t> lathe::removeDims(ArrayRef<int64_t> permutation, ArrayRef<int64_t> removed) {
  SmallVector<int64_t> kept, sorted;
  for (auto [i, p] : llvm::enumerate(permutation))
    if (!llvm::is_contained(removed, int64_t(i)))
      kept.push_back(p);
  sorted = kept;
  llvm::sort(sorted);
  return llvm::map_to_vector(kept, [&](int64_t p) -> int64_t { return llvm::find(sorted, p) - sorted.begin(); });
}

/// Clones `op` with another first operand and first result type.
static Operation *cloneOn(PatternRewriter &rewriter, Operation *op, Value data, ArrayRef<int64_t> permutation) {
  Operation *sunk = rewriter.clone(*op);
  sunk->setOperand(0, data);
  for (Value result : sunk->getResults())
    result.setType(fuse::permute(fuse::getType(result), fuse::invert(permutation)));
  return sunk;
}

namespace {
/// Reduce*(T(x), axes): the axes are those of x, and what remains of the transpose comes after.
struct SinkThroughReduce : RewritePattern {
  explicit SinkThroughReduce(MLIRContext *context) : RewritePattern(MatchAnyOpTypeTag(), 1, context) {}

  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    if (!op->getName().getStringRef().starts_with("onnx.Reduce") || op->getNumOperands() != 2)
      return failure();
    onnx::TransposeOp transpose = getRunTimeTranspose(op->getOperand(0));
    std::optional<SmallVector<int64_t>> axes = fuse::getInts(op->getOperand(1));
    if (!transpose || !axes || axes->empty())
      return failure();
    SmallVector<int64_t> permutation = fuse::getPermutation(transpose), after = permutation;
    axes = normalizeAxes(axes, permutation.size());
    if (!axes)
      return failure();
    auto keep = op->getAttrOfType<IntegerAttr>("keepdims");
    if (keep && keep.getInt() == 0)
      after = removeDims(permutation, *axes);
    SmallVector<int64_t> moved = llvm::map_to_vector(*axes, [&](int64_t axis) { return permutation[axis]; });
    llvm::sort(moved);
    Operation *sunk = cloneOn(rewriter, op, transpose.getData(), after);
    sunk->setOperand(1, fuse::createInts(rewriter, op->getLoc(), moved));
    sunk->getOperand(1).getDefiningOp()->moveBefore(sunk);
    replaceTransposed(rewriter, op, sunk, after);
    return success();
  }
};
} // namespace

static LogicalResult sinkThroughSplit(onnx::SplitOp op, PatternRewriter &rewriter) {
  onnx::TransposeOp transpose = getRunTimeTranspose(op.getInput());
  if (!transpose)
    return failure();
  SmallVector<int64_t> permutation = fuse::getPermutation(transpose);
  int64_t axis = op.getAxis();
  axis += axis < 0 ? permutation.size() : 0;
  auto sunk = cast<onnx::SplitOp>(cloneOn(rewriter, op, transpose.getData(), permutation));
  sunk.setAxis(permutation[axis]);
  replaceTransposed(rewriter, op, sunk, permutation);
  return success();
}

static LogicalResult sinkThroughSlice(onnx::SliceOp op, PatternRewriter &rewriter) {
  onnx::TransposeOp transpose = getRunTimeTranspose(op.getData());
  if (!transpose)
    return failure();
  SmallVector<int64_t> permutation = fuse::getPermutation(transpose);
  std::optional<SmallVector<int64_t>> axes;
  if (op.getAxes())
    axes = normalizeAxes(fuse::getInts(op.getAxes()), permutation.size());
  else if (RankedTensorType starts = fuse::getType(op.getStarts()); starts && starts.hasStaticShape())
    axes = llvm::to_vector(llvm::seq<int64_t>(0, starts.getNumElements()));
  if (!axes || axes->size() > permutation.size())
    return failure();
  SmallVector<int64_t> moved = llvm::map_to_vector(*axes, [&](int64_t axis) { return permutation[axis]; });
  Value movedAxes = fuse::createInts(rewriter, op.getLoc(), moved);
  // Axes have the type of starts and ends.
  Type indexType = cast<ShapedType>(op.getStarts().getType()).getElementType();
  if (!indexType.isInteger(64)) {
    SmallVector<int32_t> narrow(moved.begin(), moved.end());
    auto type = RankedTensorType::get({int64_t(narrow.size())}, indexType);
    movedAxes = onnx::ConstantOp::create(rewriter, op.getLoc(), DenseIntElementsAttr::get(type, narrow));
  }
  auto sunk = cast<onnx::SliceOp>(cloneOn(rewriter, op, transpose.getData(), permutation));
  sunk.getAxesMutable().assign(movedAxes);
  replaceTransposed(rewriter, op, sunk, permutation);
  return success();
}

static LogicalResult sinkThroughGather(onnx::GatherOp op, PatternRewriter &rewriter) {
  onnx::TransposeOp transpose = getRunTimeTranspose(op.getData());
  int64_t indexRank = fuse::getRank(op.getIndices());
  if (!transpose || indexRank < 0 || indexRank > 1)
    return failure();
  SmallVector<int64_t> permutation = fuse::getPermutation(transpose), after = permutation;
  int64_t axis = op.getAxis();
  axis += axis < 0 ? permutation.size() : 0;
  if (indexRank == 0)
    after = removeDims(permutation, {axis});
  auto sunk = cast<onnx::GatherOp>(cloneOn(rewriter, op, transpose.getData(), after));
  sunk.setAxis(permutation[axis]);
  replaceTransposed(rewriter, op, sunk, after);
  return success();
}

static LogicalResult sinkThroughPad(onnx::PadOp op, PatternRewriter &rewriter) {
  onnx::TransposeOp transpose = getRunTimeTranspose(op.getData());
  std::optional<SmallVector<int64_t>> pads = fuse::getInts(op.getPads());
  if (!transpose || !pads)
    return failure();
  SmallVector<int64_t> permutation = fuse::getPermutation(transpose);
  int64_t rank = permutation.size();
  std::optional<SmallVector<int64_t>> axes = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  if (op.getAxes())
    axes = normalizeAxes(fuse::getInts(op.getAxes()), rank);
  if (!axes || pads->size() != 2 * axes->size())
    return failure();
  SmallVector<int64_t> moved(2 * rank, 0);
  for (auto [i, axis] : llvm::enumerate(*axes)) {
    moved[permutation[axis]] = (*pads)[i];
    moved[permutation[axis] + rank] = (*pads)[i + axes->size()];
  }
  Value movedPads = fuse::createInts(rewriter, op.getLoc(), moved);
  auto sunk = cast<onnx::PadOp>(cloneOn(rewriter, op, transpose.getData(), permutation));
  sunk.getPadsMutable().assign(movedPads);
  sunk.getAxesMutable().clear();
  replaceTransposed(rewriter, op, sunk, permutation);
  return success();
}

static LogicalResult sinkThroughResize(onnx::ResizeOp op, PatternRewriter &rewriter) {
  onnx::TransposeOp transpose = getRunTimeTranspose(op.getX());
  if (!transpose || op.getAxes() || op.getCoordinateTransformationMode() == "tf_crop_and_resize")
    return failure();
  SmallVector<int64_t> permutation = fuse::getPermutation(transpose), inverse = fuse::invert(permutation);
  Value scales, sizes;
  if (op.getScales()) {
    std::optional<SmallVector<float>> given = fuse::getFloats(op.getScales());
    if (!given || given->size() != permutation.size())
      return failure();
    SmallVector<float> moved = llvm::map_to_vector(inverse, [&](int64_t p) { return (*given)[p]; });
    auto type = RankedTensorType::get({int64_t(moved.size())}, rewriter.getF32Type());
    scales = onnx::ConstantOp::create(rewriter, op.getLoc(), DenseFPElementsAttr::get(type, moved));
  } else if (op.getSizes()) {
    std::optional<SmallVector<int64_t>> given = fuse::getInts(op.getSizes());
    if (!given || given->size() != permutation.size())
      return failure();
    sizes = fuse::createInts(rewriter, op.getLoc(), fuse::compose(*given, inverse));
  }
  auto sunk = cast<onnx::ResizeOp>(cloneOn(rewriter, op, transpose.getData(), permutation));
  sunk.getRoiMutable().clear();
  if (scales)
    sunk.getScalesMutable().assign(scales);
  if (sizes)
    sunk.getSizesMutable().assign(sizes);
  replaceTransposed(rewriter, op, sunk, permutation);
  return success();
}

//===----------------------------------------------------------------------===//
// Ops along one axis
//===----------------------------------------------------------------------===//

/// ArgMax, ArgMin and TopK.
template <typename OpT>
static LogicalResult sinkThroughSelection(OpT op, PatternRewriter &rewriter) {
  onnx::TransposeOp transpose = getRunTimeTranspose(op->getOperand(0));
  if (!transpose)
    return failure();
  SmallVector<int64_t> permutation = fuse::getPermutation(transpose), after = permutation;
  int64_t axis = op.getAxis();
  axis += axis < 0 ? permutation.size() : 0;
  if (auto keep = op->template getAttrOfType<IntegerAttr>("keepdims"); keep && keep.getInt() == 0)
    after = removeDims(permutation, {axis});
  auto sunk = cast<OpT>(cloneOn(rewriter, op, transpose.getData(), after));
  sunk.setAxis(permutation[axis]);
  replaceTransposed(rewriter, op, sunk, after);
  return success();
}

static LogicalResult sinkThroughCumSum(onnx::CumSumOp op, PatternRewriter &rewriter) {
  onnx::TransposeOp transpose = getRunTimeTranspose(op.getX());
  auto axis = normalizeAxes(fuse::getInts(op.getAxis()), fuse::getRank(op.getX()));
  if (!transpose || !axis || axis->size() != 1)
    return failure();
  SmallVector<int64_t> permutation = fuse::getPermutation(transpose);
  auto type = cast<RankedTensorType>(op.getAxis().getType());
  APInt moved(type.getElementTypeBitWidth(), permutation[axis->front()]);
  Value movedAxis = onnx::ConstantOp::create(rewriter, op.getLoc(), DenseIntElementsAttr::get(type, moved));
  auto sunk = cast<onnx::CumSumOp>(cloneOn(rewriter, op, transpose.getData(), permutation));
  sunk.getAxisMutable().assign(movedAxis);
  replaceTransposed(rewriter, op, sunk, permutation);
  return success();
}

/// Expand and Tile, whose second operand has a number for each dimension.
template <typename OpT>
static LogicalResult sinkThroughRepetition(OpT op, PatternRewriter &rewriter) {
  onnx::TransposeOp transpose = getRunTimeTranspose(op->getOperand(0));
  std::optional<SmallVector<int64_t>> counts = fuse::getInts(op->getOperand(1));
  if (!transpose || !counts)
    return failure();
  SmallVector<int64_t> permutation = fuse::getPermutation(transpose);
  if (counts->size() != permutation.size())
    return failure();
  Value moved = fuse::createInts(rewriter, op.getLoc(), fuse::compose(*counts, fuse::invert(permutation)));
  Operation *sunk = cloneOn(rewriter, op, transpose.getData(), permutation);
  sunk->setOperand(1, moved);
  replaceTransposed(rewriter, op, sunk, permutation);
  return success();
}

/// QuantizeLinear and DequantizeLinear, with one scale or one for each slice along an axis.
template <typename OpT>
static LogicalResult sinkThroughQuantization(OpT op, PatternRewriter &rewriter) {
  onnx::TransposeOp transpose = getRunTimeTranspose(op->getOperand(0));
  if (!transpose || op.getBlockSize() != 0 || fuse::getRank(op->getOperand(1)) > 1)
    return failure();
  SmallVector<int64_t> permutation = fuse::getPermutation(transpose);
  int64_t rank = permutation.size(), axis = op.getAxis();
  axis += axis < 0 ? rank : 0;
  auto sunk = cast<OpT>(cloneOn(rewriter, op, transpose.getData(), permutation));
  if (axis >= 0 && axis < rank)
    sunk.setAxis(permutation[axis]);
  replaceTransposed(rewriter, op, sunk, permutation);
  return success();
}

void lathe::addSinkThroughMovement(RewritePatternSet &patterns) {
  patterns.add<SinkThroughReduce>(patterns.getContext());
  patterns.add(sinkThroughSplit);
  patterns.add(sinkThroughSlice);
  patterns.add(sinkThroughGather);
  patterns.add(sinkThroughPad);
  patterns.add(sinkThroughResize);
  patterns.add(sinkThroughSelection<onnx::ArgMaxOp>);
  patterns.add(sinkThroughSelection<onnx::ArgMinOp>);
  patterns.add(sinkThroughSelection<onnx::TopKOp>);
  patterns.add(sinkThroughCumSum);
  patterns.add(sinkThroughRepetition<onnx::ExpandOp>);
  patterns.add(sinkThroughRepetition<onnx::TileOp>);
  patterns.add(sinkThroughQuantization<onnx::QuantizeLinearOp>);
  patterns.add(sinkThroughQuantization<onnx::DequantizeLinearOp>);
}

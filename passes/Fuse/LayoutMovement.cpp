//===- LayoutMovement.cpp - Transposes sink through data movement ---------===//
#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"
#include "passes/Fuse/LayoutPatterns.h"

using namespace mlir;
using namespace lathe;

/// The transpose of a value that is computed at run time; null if `value` is none.
static onnx::TransposeOp getTranspose(Value value) {
  auto transpose = value ? value.getDefiningOp<onnx::TransposeOp>() : nullptr;
  return transpose && !fuse::isConstantExpression(value) ? transpose : nullptr;
}

/// Axes of an operand or attribute, made positive; nullopt if they are not known.
static std::optional<SmallVector<int64_t>> normalize(std::optional<SmallVector<int64_t>> axes, int64_t rank) {
  if (axes)
    for (int64_t &axis : *axes) {
      axis += axis < 0 ? rank : 0;
      if (axis < 0 || axis >= rank)
        return std::nullopt;
    }
  return axes;
}

/// What is left of a permutation when result dimensions in `removed` are gone.
static SmallVector<int64_t> removeDims(ArrayRef<int64_t> permutation, ArrayRef<int64_t> removed) {
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
    onnx::TransposeOp transpose = getTranspose(op->getOperand(0));
    std::optional<SmallVector<int64_t>> axes = fuse::getInts(op->getOperand(1));
    if (!transpose || !axes || axes->empty())
      return failure();
    SmallVector<int64_t> permutation = fuse::getPermutation(transpose), after = permutation;
    axes = normalize(axes, permutation.size());
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

/// Reshape-like ops: what moves only dimensions of size 1 is skipped; groups of dimensions that stay together in x are
/// merged there, and dimensions are split there.
struct SinkThroughReshape : RewritePattern {
  explicit SinkThroughReshape(MLIRContext *context) : RewritePattern(MatchAnyOpTypeTag(), 1, context) {}

  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    if (!isa<onnx::ReshapeOp, onnx::FlattenOp, onnx::SqueezeOp, onnx::UnsqueezeOp>(op))
      return failure();
    onnx::TransposeOp transpose = getTranspose(op->getOperand(0));
    RankedTensorType result = fuse::getType(op->getResult(0));
    if (!transpose || !result)
      return failure();
    Value data = transpose.getData();
    RankedTensorType type = fuse::getType(data), transposed = fuse::getType(op->getOperand(0));
    SmallVector<int64_t> permutation = fuse::getPermutation(transpose);
    if (succeeded(moveUnits(op, data, permutation, rewriter)))
      return success();
    if (result.getRank() == type.getRank() && !fuse::movesOnlyUnits(type, permutation))
      return failure();
    bool known = !isAmbiguous(op, result);
    if (known && result.getRank() < type.getRank() && succeeded(merge(op, data, permutation, transposed, result, rewriter)))
      return success();
    if (known && result.getRank() > type.getRank() && succeeded(split(op, data, permutation, transposed, result, rewriter)))
      return success();
    if (!fuse::movesOnlyUnits(type, permutation))
      return failure();
    Value reshaped = fuse::createReshape(rewriter, op->getLoc(), data, result);
    if (!reshaped)
      return failure();
    rewriter.replaceOp(op, reshaped);
    return success();
  }

  /// Squeeze and Unsqueeze name their dimensions, so that they can do the same to x.
  static LogicalResult moveUnits(Operation *op, Value data, ArrayRef<int64_t> permutation, PatternRewriter &rewriter) {
    if (!isa<onnx::SqueezeOp, onnx::UnsqueezeOp>(op) || op->getNumOperands() != 2)
      return failure();
    bool squeezes = isa<onnx::SqueezeOp>(op);
    int64_t resultRank = fuse::getRank(op->getResult(0));
    auto axes = normalize(fuse::getInts(op->getOperand(1)), squeezes ? permutation.size() : resultRank);
    if (!axes)
      return failure();
    llvm::sort(*axes);
    SmallVector<int64_t> after, moved;
    Value changed;
    if (squeezes) {
      moved = llvm::map_to_vector(*axes, [&](int64_t axis) { return permutation[axis]; });
      llvm::sort(moved);
      after = removeDims(permutation, *axes);
      changed = fuse::createSqueeze(rewriter, op->getLoc(), data, moved);
    } else {
      SmallVector<int64_t> kept;
      for (int64_t i = 0; i < resultRank; ++i)
        if (!llvm::is_contained(*axes, i))
          kept.push_back(i);
      size_t next = 0;
      for (int64_t i = 0; i < resultRank; ++i)
        after.push_back(llvm::is_contained(*axes, i) ? i : kept[permutation[next++]]);
      changed = fuse::createUnsqueeze(rewriter, op->getLoc(), data, *axes);
    }
    rewriter.replaceOp(op, fuse::isIdentity(after) ? changed : fuse::createTranspose(rewriter, op->getLoc(), changed, after));
    return success();
  }

  /// Whether types alone do not tell which dimensions a reshape merges or splits: several sizes are unknown, and the
  /// reshape does not copy them from the front.
  static bool isAmbiguous(Operation *op, RankedTensorType to) {
    if (llvm::count_if(to.getShape(), ShapedType::isDynamic) <= 1)
      return false;
    auto reshape = dyn_cast<onnx::ReshapeOp>(op);
    std::optional<SmallVector<int64_t>> shape = reshape ? fuse::getInts(reshape.getShape()) : std::nullopt;
    if (!shape || reshape.getAllowzero() || shape->size() != size_t(to.getRank()))
      return true;
    bool leading = true;
    for (auto [asked, size] : llvm::zip(*shape, to.getShape())) {
      leading &= asked == 0;
      if (ShapedType::isDynamic(size) && !leading)
        return true;
    }
    return false;
  }

  /// How many leading dimensions a reshape leaves alone.
  static int64_t countKept(ArrayRef<ReassociationIndices> groups) {
    int64_t kept = 0;
    for (const ReassociationIndices &group : groups) {
      if (group.size() != 1)
        break;
      ++kept;
    }
    return kept;
  }

  static LogicalResult merge(Operation *op, Value data, ArrayRef<int64_t> permutation, RankedTensorType from,
                             RankedTensorType to, PatternRewriter &rewriter) {
    auto groups = getReassociationIndicesForReshape(from, to);
    if (!groups || groups->size() != size_t(to.getRank()))
      return failure();
    // Groups in the order that they have in `data`; inside one, only dimensions of size 1 may be out of place.
    SmallVector<std::pair<int64_t, int64_t>> order; // first dimension in data, result dimension
    for (auto [i, group] : llvm::enumerate(*groups)) {
      SmallVector<int64_t> wide;
      for (int64_t dim : group)
        if (group.size() == 1 || from.getDimSize(dim) != 1)
          wide.push_back(permutation[dim]);
      if (wide.empty())
        wide.push_back(permutation[*llvm::min_element(group, [&](int64_t a, int64_t b) { return permutation[a] < permutation[b]; })]);
      for (size_t j = 1; j < wide.size(); ++j)
        if (wide[j] <= wide[j - 1] || hasWideBetween(fuse::getType(data), wide[j - 1], wide[j]))
          return failure();
      order.emplace_back(wide.front(), i);
    }
    llvm::sort(order);
    SmallVector<int64_t> shape, after(to.getRank());
    for (auto [position, entry] : llvm::enumerate(order)) {
      shape.push_back(to.getDimSize(entry.second));
      after[entry.second] = position;
    }
    int64_t kept = 0;
    while (kept < int64_t(order.size()) && (*groups)[order[kept].second].size() == 1 && order[kept].first == kept)
      ++kept;
    return finish(op, data, RankedTensorType::get(shape, to.getElementType()), kept, after, rewriter);
  }

  static bool hasWideBetween(RankedTensorType type, int64_t first, int64_t last) {
    for (int64_t i = first + 1; i < last; ++i)
      if (type.getDimSize(i) != 1)
        return true;
    return false;
  }

  static LogicalResult split(Operation *op, Value data, ArrayRef<int64_t> permutation, RankedTensorType from,
                             RankedTensorType to, PatternRewriter &rewriter) {
    auto groups = getReassociationIndicesForReshape(from, to);
    if (!groups || groups->size() != size_t(from.getRank()))
      return failure();
    SmallVector<int64_t> inverse = fuse::invert(permutation), shape, after(to.getRank());
    SmallVector<ReassociationIndices> inData;
    for (int64_t dim : inverse) {
      inData.push_back((*groups)[dim]);
      for (int64_t part : (*groups)[dim]) {
        after[part] = shape.size();
        shape.push_back(to.getDimSize(part));
      }
    }
    return finish(op, data, RankedTensorType::get(shape, to.getElementType()), countKept(inData), after, rewriter);
  }

  static LogicalResult finish(Operation *op, Value data, RankedTensorType type, int64_t kept, ArrayRef<int64_t> after,
                              PatternRewriter &rewriter) {
    Value reshaped = fuse::createReshape(rewriter, op->getLoc(), data, type, kept);
    if (!reshaped)
      return failure();
    rewriter.replaceOp(op, fuse::isIdentity(after) ? reshaped : fuse::createTranspose(rewriter, op->getLoc(), reshaped, after));
    return success();
  }
};
} // namespace

static LogicalResult sinkThroughSplit(onnx::SplitOp op, PatternRewriter &rewriter) {
  onnx::TransposeOp transpose = getTranspose(op.getInput());
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
  onnx::TransposeOp transpose = getTranspose(op.getData());
  if (!transpose)
    return failure();
  SmallVector<int64_t> permutation = fuse::getPermutation(transpose);
  std::optional<SmallVector<int64_t>> axes;
  if (op.getAxes())
    axes = normalize(fuse::getInts(op.getAxes()), permutation.size());
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
  onnx::TransposeOp transpose = getTranspose(op.getData());
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
  onnx::TransposeOp transpose = getTranspose(op.getData());
  std::optional<SmallVector<int64_t>> pads = fuse::getInts(op.getPads());
  if (!transpose || !pads)
    return failure();
  SmallVector<int64_t> permutation = fuse::getPermutation(transpose);
  int64_t rank = permutation.size();
  std::optional<SmallVector<int64_t>> axes = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  if (op.getAxes())
    axes = normalize(fuse::getInts(op.getAxes()), rank);
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
  onnx::TransposeOp transpose = getTranspose(op.getX());
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

void lathe::addSinkThroughMovement(RewritePatternSet &patterns) {
  patterns.add<SinkThroughReduce, SinkThroughReshape>(patterns.getContext());
  patterns.add(sinkThroughSplit);
  patterns.add(sinkThroughSlice);
  patterns.add(sinkThroughGather);
  patterns.add(sinkThroughPad);
  patterns.add(sinkThroughResize);
}

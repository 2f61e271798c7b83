//===- LayoutReshape.cpp - Transposes sink through reshapes ---------------===//
#include "dialects/ONNX/IR/Elementwise.h"
#include "passes/Fuse/LayoutPatterns.h"
#include <numeric>

using namespace mlir;
using namespace lathe;

//===----------------------------------------------------------------------===//
// The finest dimensions of a reshape
//===----------------------------------------------------------------------===//

namespace {
/// A size: a number, or that many times the one size that is not known.
struct Size {
  int64_t factor = 1;
  bool unknown = false;

  bool isOne() const { return factor == 1 && !unknown; }
  bool operator==(const Size &other) const { return factor == other.factor && unknown == other.unknown; }
  int64_t asType() const { return unknown ? ShapedType::kDynamic : factor; }
};

/// The finest dimensions that those of a reshape's operand and of its result are products of. Those of size one are
/// among them where both sides have one at the same place.
struct Regrouping {
  SmallVector<int64_t> sizes;
  SmallVector<SmallVector<int64_t>> from, to; ///< which of them each dimension consists of
};

/// Walks along the dimensions of both sides.
class Regrouper {
public:
  /// The first `copied` dimensions are known to be equal.
  Regrouper(RankedTensorType from, RankedTensorType to, int64_t copied) : from{from, 0}, to{to, 0} {
    result.from.resize(from.getRank());
    result.to.resize(to.getRank());
    for (int64_t dim = 0; dim < copied; ++dim, ++this->from.next, ++this->to.next)
      add(from.getDimSize(dim), dim, dim);
  }

  std::optional<Regrouping> run() {
    auto [fromKnown, fromUnknown] = from.count();
    auto [toKnown, toUnknown] = to.count();
    if (fromUnknown > 1 || fromUnknown != toUnknown || fromKnown == 0 || toKnown == 0)
      return std::nullopt;
    if (!fromUnknown && fromKnown != toKnown)
      return std::nullopt;
    int64_t common = std::gcd(fromKnown, toKnown);
    from.unknownFactor = toKnown / common;
    to.unknownFactor = fromKnown / common;
    while (true) {
      pairUnits();
      from.advance();
      to.advance();
      if (from.left.isOne() && to.left.isOne())
        return result;
      std::optional<Size> size = takeCommon(from.left, to.left);
      if (!size)
        return std::nullopt;
      add(size->asType(), from.next - 1, to.next - 1);
    }
  }

private:
  struct Side {
    RankedTensorType type;
    int64_t next;              ///< dimension
    Size left = {};            ///< of the one before
    int64_t unknownFactor = 1; ///< what the dimension that is not known is taken for

    /// Product of the sizes that are known, and how many are not.
    std::pair<int64_t, int64_t> count() const {
      int64_t known = 1, unknown = 0;
      for (int64_t size : type.getShape().drop_front(next))
        ShapedType::isDynamic(size) ? ++unknown : known *= size;
      return {known, unknown};
    }
    bool isAtUnit() const { return left.isOne() && next < type.getRank() && type.getDimSize(next) == 1; }
    void advance() {
      while (left.isOne() && next < type.getRank()) {
        bool unknown = type.isDynamicDim(next);
        left = {unknown ? unknownFactor : type.getDimSize(next), unknown};
        ++next;
      }
    }
  };

  void add(int64_t size, int64_t fromDim, int64_t toDim) {
    result.from[fromDim].push_back(result.sizes.size());
    result.to[toDim].push_back(result.sizes.size());
    result.sizes.push_back(size);
  }

  void pairUnits() {
    while (from.isAtUnit() && to.isAtUnit())
      add(1, from.next++, to.next++);
  }

  /// Divides both by the smaller one, if it is a factor of the other.
  static std::optional<Size> takeCommon(Size &a, Size &b) {
    if (a.unknown > b.unknown || (a.unknown == b.unknown && a.factor > b.factor))
      return takeCommon(b, a);
    if (a.isOne() || b.factor % a.factor != 0)
      return std::nullopt;
    Size taken = a;
    b = {b.factor / a.factor, b.unknown != a.unknown};
    a = {};
    return taken;
  }

  Side from, to;
  Regrouping result;
};
} // namespace

/// Nullopt where the reshape mixes dimensions, or types do not tell.
static std::optional<Regrouping> regroup(Operation *op) {
  RankedTensorType from = fuse::getType(op->getOperand(0)), to = fuse::getType(op->getResult(0));
  int64_t copied = 0;
  if (auto reshape = dyn_cast<onnx::ReshapeOp>(op)) {
    if (std::optional<SmallVector<int64_t>> shape = fuse::getInts(reshape.getShape()); shape && !reshape.getAllowzero())
      copied = llvm::find_if(*shape, [](int64_t size) { return size != 0; }) - shape->begin();
  } else if (auto flatten = dyn_cast<onnx::FlattenOp>(op)) {
    copied = flatten.getAxis() == 1;
  }
  if (copied > std::min(from.getRank(), to.getRank()))
    return std::nullopt;
  return Regrouper(from, to, copied).run();
}

namespace {
/// A reshape to `type`, whose first `equal` dimensions are those of the operand.
struct PlannedReshape {
  RankedTensorType type;
  int64_t equal = 0;

  bool isPossible() const { return fuse::canReshape(type, equal); }
  Value create(PatternRewriter &rewriter, Location loc, Value value) const {
    return value.getType() == type ? value : fuse::createReshape(rewriter, loc, value, type, equal);
  }
};

/// A reshape of T(x) the other way: x is split into the finest dimensions, those are transposed, then merged.
class Plan {
public:
  /// `permutation` is that of T.
  Plan(const Regrouping &regrouping, RankedTensorType x, ArrayRef<int64_t> permutation)
      : regrouping(regrouping), places(regrouping.sizes.size()) {
    SmallVector<int64_t> shape;
    for (auto [i, dim] : llvm::enumerate(fuse::invert(permutation))) {
      split.equal += split.equal == int64_t(i) && regrouping.from[dim].size() == 1;
      for (int64_t part : regrouping.from[dim]) {
        places[part] = shape.size();
        shape.push_back(regrouping.sizes[part]);
      }
    }
    split.type = RankedTensorType::get(shape, x.getElementType());
  }

  /// Where in x the parts of a dimension of the result are.
  SmallVector<int64_t> getPlaces(int64_t dim) const {
    return llvm::map_to_vector(regrouping.to[dim], [&](int64_t part) { return places[part]; });
  }

  /// How many dimensions stay where they are before the first that does not.
  static int64_t countKept(ArrayRef<int64_t> permutation) {
    int64_t kept = 0;
    while (kept < int64_t(permutation.size()) && permutation[kept] == kept)
      ++kept;
    return kept;
  }

  /// The result, which has type `result`, with its dimensions in this order; null, and no change, if constants do not
  /// say its sizes.
  Value create(PatternRewriter &rewriter, Location loc, Value x, ArrayRef<int64_t> order, RankedTensorType result) const {
    PlannedReshape merge{fuse::permute(result, order)};
    SmallVector<int64_t> permutation;
    for (auto [i, dim] : llvm::enumerate(order)) {
      merge.equal += merge.equal == int64_t(i) && regrouping.to[dim].size() == 1;
      llvm::append_range(permutation, getPlaces(dim));
    }
    // A transpose that moves no element is a reshape; as a transpose it would come to the merging one, again and again.
    PlannedReshape moveUnits{fuse::permute(split.type, permutation), countKept(permutation)};
    bool movesElements = !fuse::movesOnlyUnits(split.type, permutation);
    if (!split.isPossible() || !merge.isPossible() || (!movesElements && !moveUnits.isPossible()))
      return {};
    x = split.create(rewriter, loc, x);
    x = movesElements ? fuse::createTranspose(rewriter, loc, x, permutation) : moveUnits.create(rewriter, loc, x);
    return merge.create(rewriter, loc, x);
  }

private:
  const Regrouping &regrouping;
  PlannedReshape split;
  SmallVector<int64_t> places; ///< of the finest dimensions in x
};
} // namespace

//===----------------------------------------------------------------------===//
// Patterns
//===----------------------------------------------------------------------===//

/// Squeeze and Unsqueeze name their dimensions, so that they can do the same to x.
static LogicalResult moveUnits(Operation *op, Value data, ArrayRef<int64_t> permutation, PatternRewriter &rewriter) {
  if (!isa<onnx::SqueezeOp, onnx::UnsqueezeOp>(op) || op->getNumOperands() != 2)
    return failure();
  bool squeezes = isa<onnx::SqueezeOp>(op);
  int64_t resultRank = fuse::getRank(op->getResult(0));
  auto axes = normalizeAxes(fuse::getInts(op->getOperand(1)), squeezes ? permutation.size() : resultRank);
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

namespace {
/// Reshape-like ops: what moves only dimensions of size 1 is skipped; groups of dimensions that stay together in x are
/// merged there, and dimensions are split there. Where groups do not stay together, a search may ask for two transposes:
/// one that brings them together, and one after it that may sink on.
struct SinkThroughReshape : RewritePattern {
  explicit SinkThroughReshape(MLIRContext *context) : RewritePattern(MatchAnyOpTypeTag(), 1, context) {}

  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    if (!isa<onnx::ReshapeOp, onnx::FlattenOp, onnx::SqueezeOp, onnx::UnsqueezeOp>(op))
      return failure();
    onnx::TransposeOp transpose = getRunTimeTranspose(op->getOperand(0));
    RankedTensorType result = fuse::getType(op->getResult(0));
    if (!transpose || !result)
      return failure();
    Value data = transpose.getData();
    SmallVector<int64_t> permutation = fuse::getPermutation(transpose);
    if (succeeded(moveUnits(op, data, permutation, rewriter)))
      return success();
    if (std::optional<Regrouping> regrouping = regroup(op)) {
      bool together = staysTogether(*regrouping, permutation);
      StringRef way = getAskedWay(op);
      if ((together || !way.empty()) && succeeded(sink(op, data, permutation, *regrouping, way == kByLast, rewriter)))
        return success();
    }
    if (!fuse::movesOnlyUnits(fuse::getType(data), permutation))
      return failure();
    Value reshaped = fuse::createReshape(rewriter, op->getLoc(), data, result);
    if (!reshaped)
      return failure();
    rewriter.replaceOp(op, reshaped);
    return success();
  }

  /// Whether what is merged lies side by side in x.
  static bool staysTogether(const Regrouping &regrouping, ArrayRef<int64_t> permutation) {
    SmallVector<int64_t> places(regrouping.sizes.size(), -1);
    int64_t next = 0;
    for (int64_t dim : fuse::invert(permutation))
      for (int64_t part : regrouping.from[dim])
        if (regrouping.sizes[part] != 1)
          places[part] = next++;
    return llvm::all_of(regrouping.to, [&](ArrayRef<int64_t> parts) {
      int64_t last = -1;
      for (int64_t part : parts) {
        if (places[part] < 0)
          continue;
        if (last >= 0 && places[part] != last + 1)
          return false;
        last = places[part];
      }
      return true;
    });
  }

  /// Merges in the order that dimensions have in x: each by the first of its parts, or by the last.
  static LogicalResult sink(Operation *op, Value data, ArrayRef<int64_t> permutation, const Regrouping &regrouping,
                            bool byLast, PatternRewriter &rewriter) {
    Plan plan(regrouping, fuse::getType(data), permutation);
    SmallVector<std::pair<int64_t, int64_t>> order; // place in x, dimension of the result
    for (auto [i, parts] : llvm::enumerate(regrouping.to)) {
      int64_t place = order.empty() ? -1 : order.back().first;
      SmallVector<int64_t> wide;
      for (auto [part, at] : llvm::zip(parts, plan.getPlaces(i)))
        if (regrouping.sizes[part] != 1 || parts.size() == 1)
          wide.push_back(at);
      if (!wide.empty())
        place = byLast ? *llvm::max_element(wide) : *llvm::min_element(wide);
      order.emplace_back(place, i);
    }
    llvm::sort(order);
    SmallVector<int64_t> dims = llvm::map_to_vector(order, [](auto entry) { return entry.second; });
    Value merged = plan.create(rewriter, op->getLoc(), data, dims, fuse::getType(op->getResult(0)));
    if (!merged)
      return failure();
    if (auto reshape = merged.getDefiningOp<onnx::ReshapeOp>(); reshape && !getAskedWay(op).empty())
      reshape->setAttr(kSinkAttr, rewriter.getStringAttr(kSettled));
    rewriter.replaceOp(op, fuse::isIdentity(dims) ? merged
                                                  : fuse::createTranspose(rewriter, op->getLoc(), merged, fuse::invert(dims)));
    return success();
  }
};
} // namespace

/// T2(Reshape(T1(x))) moves elements once: x is split, transposed by both, and merged.
static LogicalResult mergeAcrossReshape(onnx::TransposeOp outer, PatternRewriter &rewriter) {
  auto reshape = outer.getData().getDefiningOp<onnx::ReshapeOp>();
  onnx::TransposeOp inner = reshape ? getRunTimeTranspose(reshape.getData()) : nullptr;
  if (!inner || reshape->getAttr(kSinkAttr) == rewriter.getStringAttr(kSettled))
    return failure();
  std::optional<Regrouping> regrouping = regroup(reshape);
  if (!regrouping)
    return failure();
  Plan plan(*regrouping, fuse::getType(inner.getData()), fuse::getPermutation(inner));
  Value merged = plan.create(rewriter, outer.getLoc(), inner.getData(), fuse::getPermutation(outer),
                             fuse::getType(reshape.getReshaped()));
  if (!merged)
    return failure();
  rewriter.replaceOp(outer, merged);
  return success();
}

namespace {
/// A function of single elements of Reshape(T(x)) is computed before the reshape, so that it does not keep T from what
/// may take it.
struct HoistOverReshape : RewritePattern {
  explicit HoistOverReshape(MLIRContext *context) : RewritePattern(MatchAnyOpTypeTag(), 1, context) {}

  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    if (!onnx::isElementwise(op))
      return failure();
    Operation *reshape = op->getOperand(0).getDefiningOp();
    RankedTensorType result = fuse::getType(op->getResult(0));
    bool single = llvm::all_of(op->getOperands().drop_front(), [](Value operand) {
      RankedTensorType type = fuse::getType(operand);
      return !type || (type.hasStaticShape() && type.getNumElements() == 1);
    });
    if (!isa_and_nonnull<onnx::ReshapeOp, onnx::FlattenOp>(reshape) || !getRunTimeTranspose(reshape->getOperand(0)) ||
        !single || !result || !fuse::haveSameShape(op->getOperand(0), op->getResult(0)))
      return failure();
    Operation *before = rewriter.clone(*op);
    before->setOperand(0, reshape->getOperand(0));
    before->getResult(0).setType(fuse::getType(reshape->getOperand(0)).clone(result.getElementType()));
    Operation *after = rewriter.clone(*reshape);
    after->setOperand(0, before->getResult(0));
    after->getResult(0).setType(result);
    rewriter.replaceOp(op, after);
    return success();
  }
};
} // namespace

/// Flattening channels with space, before a product with a constant, takes the elements in another order, and so the
/// rows of the constant.
static LogicalResult reorderWeight(nn::LinearOp op, PatternRewriter &rewriter) {
  Operation *reshape = op.getInput().getDefiningOp();
  if (!isa_and_nonnull<onnx::ReshapeOp, onnx::FlattenOp>(reshape) || op.getInit() ||
      !fuse::isConstantExpression(op.getWeight()) || fuse::getRank(op.getWeight()) != 2)
    return failure();
  onnx::TransposeOp transpose = getRunTimeTranspose(reshape->getOperand(0));
  std::optional<Regrouping> regrouping = transpose ? regroup(reshape) : std::nullopt;
  if (!regrouping || regrouping->to.empty())
    return failure();
  Plan plan(*regrouping, fuse::getType(transpose.getData()), fuse::getPermutation(transpose));
  // The dimensions before are those of x.
  int64_t last = regrouping->to.size() - 1, before = -1;
  for (int64_t dim = 0; dim < last; ++dim)
    for (auto [part, place] : llvm::zip(regrouping->to[dim], plan.getPlaces(dim))) {
      if (regrouping->sizes[part] != 1 && place < before)
        return failure();
      before = std::max(before, place);
    }
  SmallVector<int64_t> rows = plan.getPlaces(last), order = llvm::to_vector(llvm::seq<int64_t>(0, rows.size()));
  SmallVector<int64_t> shape = llvm::map_to_vector(regrouping->to[last], [&](int64_t part) { return regrouping->sizes[part]; });
  PlannedReshape flat{fuse::getType(op.getInput())};
  if (llvm::any_of(rows, [&](int64_t place) { return place < before; }) || ShapedType::isDynamicShape(shape) || !flat.isPossible())
    return failure();
  llvm::sort(order, [&](int64_t a, int64_t b) { return rows[a] < rows[b]; });
  Location loc = op.getLoc();
  RankedTensorType weightType = fuse::getType(op.getWeight());
  order.push_back(order.size());
  shape.push_back(weightType.getDimSize(1));
  auto parts = RankedTensorType::get(shape, weightType.getElementType());
  Value weight = fuse::createTranspose(rewriter, loc, fuse::createReshape(rewriter, loc, op.getWeight(), parts), order);
  weight = fuse::createReshape(rewriter, loc, weight, weightType);
  Value input = flat.create(rewriter, loc, transpose.getData());
  rewriter.modifyOpInPlace(op, [&] {
    op.getInputMutable().assign(input);
    op.getWeightMutable().assign(weight);
  });
  return success();
}

/// Splits to `shape`, transposes, and merges to the op's result.
static LogicalResult writeBlocks(Operation *op, ArrayRef<int64_t> shape, ArrayRef<int64_t> permutation,
                                 PatternRewriter &rewriter) {
  RankedTensorType result = fuse::getType(op->getResult(0));
  PlannedReshape split{RankedTensorType::get(shape, result.getElementType()), 1}, merge{result, 1};
  if (!split.isPossible() || !merge.isPossible())
    return failure();
  Value blocks = split.create(rewriter, op->getLoc(), op->getOperand(0));
  rewriter.replaceOp(op, merge.create(rewriter, op->getLoc(),
                                      fuse::createTranspose(rewriter, op->getLoc(), blocks, permutation)));
  return success();
}

/// [N, C, H, W] with blocks taken out of C.
static LogicalResult writeDepthToSpace(onnx::DepthToSpaceOp op, PatternRewriter &rewriter) {
  RankedTensorType type = fuse::getType(op.getInput());
  int64_t block = op.getBlocksize();
  if (!type || type.getRank() != 4 || type.isDynamicDim(1))
    return failure();
  int64_t depth = type.getDimSize(1) / (block * block);
  bool depthFirst = op.getMode() == "DCR";
  SmallVector<int64_t> shape = {type.getDimSize(0), block, block, depth, type.getDimSize(2), type.getDimSize(3)};
  if (!depthFirst)
    std::rotate(shape.begin() + 1, shape.begin() + 3, shape.begin() + 4);
  return writeBlocks(op, shape, depthFirst ? ArrayRef<int64_t>{0, 3, 4, 1, 5, 2} : ArrayRef<int64_t>{0, 1, 4, 2, 5, 3}, rewriter);
}

/// [N, C, H, W] with blocks taken out of H and W.
static LogicalResult writeSpaceToDepth(onnx::SpaceToDepthOp op, PatternRewriter &rewriter) {
  RankedTensorType type = fuse::getType(op.getInput());
  int64_t block = op.getBlocksize();
  if (!type || type.getRank() != 4 || type.isDynamicDim(2) || type.isDynamicDim(3))
    return failure();
  return writeBlocks(op, {type.getDimSize(0), type.getDimSize(1), type.getDimSize(2) / block, block, type.getDimSize(3) / block, block},
                     {0, 3, 5, 1, 2, 4}, rewriter);
}

void lathe::addSinkThroughReshape(RewritePatternSet &patterns) {
  patterns.add<SinkThroughReshape, HoistOverReshape>(patterns.getContext());
  patterns.add(reorderWeight);
  patterns.add(writeDepthToSpace);
  patterns.add(writeSpaceToDepth);
  patterns.add(mergeAcrossReshape);
}

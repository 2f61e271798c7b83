//===- Simplify.cpp - Removes data movement that does nothing -------------===//
#include "dialects/ONNX/IR/ONNXDialect.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/Import/Passes.h"

namespace lathe {
#define GEN_PASS_DEF_IMPORTSIMPLIFY
#include "passes/Import/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;
using namespace lathe::onnx;

/// The permutation of a Transpose of known rank; nullopt if it has none that is valid.
static std::optional<SmallVector<int64_t>> getPermutation(TransposeOp op) {
  auto type = dyn_cast<RankedTensorType>(op.getData().getType());
  if (!type)
    return std::nullopt;
  SmallVector<int64_t> perm;
  if (op.getPerm())
    perm.assign(op.getPerm()->begin(), op.getPerm()->end());
  else
    for (int64_t axis = type.getRank(); axis-- > 0;)
      perm.push_back(axis);
  if (int64_t(perm.size()) != type.getRank() || !isPermutationVector(perm))
    return std::nullopt;
  return perm;
}

static LogicalResult mergeTransposes(TransposeOp op, PatternRewriter &rewriter) {
  auto inner = op.getData().getDefiningOp<TransposeOp>();
  auto outerPerm = getPermutation(op);
  if (!outerPerm)
    return failure();
  bool isIdentity = llvm::all_of(llvm::enumerate(*outerPerm), [](auto p) { return int64_t(p.index()) == p.value(); });
  if (isIdentity && op.getData().getType() == op.getType()) {
    rewriter.replaceOp(op, op.getData());
    return success();
  }
  auto innerPerm = inner ? getPermutation(inner) : std::nullopt;
  if (!innerPerm || innerPerm->size() != outerPerm->size())
    return failure();
  SmallVector<int64_t> both;
  for (int64_t axis : *outerPerm)
    both.push_back((*innerPerm)[axis]);
  rewriter.replaceOpWithNewOp<TransposeOp>(op, op.getType(), inner.getData(), rewriter.getDenseI64ArrayAttr(both));
  return success();
}

/// Ops whose result has the operand's elements in the same order.
static bool keepsOrder(Operation *op) {
  return op && isa<ReshapeOp, FlattenOp, SqueezeOp, UnsqueezeOp>(op);
}

/// A constant that reshapes anything of as many elements to `type`; null if `type` has two unknown sizes or more.
static Value makeTarget(OpBuilder &builder, Location loc, RankedTensorType type) {
  if (type.getNumDynamicDims() > 1 || llvm::is_contained(type.getShape(), 0))
    return nullptr;
  SmallVector<int64_t> sizes;
  for (int64_t size : type.getShape())
    sizes.push_back(ShapedType::isDynamic(size) ? -1 : size);
  return ConstantOp::create(builder, loc, builder.getI64TensorAttr(sizes));
}

struct MergeReshapes : RewritePattern {
  explicit MergeReshapes(MLIRContext *context) : RewritePattern(MatchAnyOpTypeTag(), 1, context) {}

  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    if (!keepsOrder(op))
      return failure();
    auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
    Value source = op->getOperand(0);
    if (type && type.hasStaticShape() && source.getType() == type) {
      rewriter.replaceOp(op, source);
      return success();
    }
    Operation *inner = source.getDefiningOp();
    if (!type || !keepsOrder(inner) || !isa<RankedTensorType>(inner->getOperand(0).getType()))
      return failure();
    if (inner->getOperand(0).getType() == type && type.getNumDynamicDims() <= 1) {
      rewriter.replaceOp(op, inner->getOperand(0));
      return success();
    }
    Value target = makeTarget(rewriter, op->getLoc(), type);
    if (!target)
      return failure();
    rewriter.replaceOpWithNewOp<ReshapeOp>(op, type, inner->getOperand(0), target, /*allowzero=*/0);
    return success();
  }
};

static LogicalResult removeCast(CastOp op, PatternRewriter &rewriter) {
  if (op.getInput().getType() != op.getType() || !isa<RankedTensorType>(op.getType()))
    return failure();
  rewriter.replaceOp(op, op.getInput());
  return success();
}

/// Ops that select or repeat, forwards, change nothing if a static shape stays the same.
template <typename OpT>
static LogicalResult removeSameShape(OpT op, PatternRewriter &rewriter) {
  auto type = dyn_cast<RankedTensorType>(op.getType());
  if (!type || !type.hasStaticShape() || op->getOperand(0).getType() != type)
    return failure();
  rewriter.replaceOp(op, op->getOperand(0));
  return success();
}

/// A Slice of all elements, unless a step is negative.
static LogicalResult removeSlice(SliceOp op, PatternRewriter &rewriter) {
  DenseIntElementsAttr steps;
  if (op.getSteps() && (!matchPattern(op.getSteps(), m_Constant(&steps)) ||
                        llvm::any_of(steps.getValues<APInt>(), [](const APInt &step) { return step.isNegative(); })))
    return failure();
  return removeSameShape(op, rewriter);
}

/// A Pad by nothing on either side, which a negative pad on one and a positive on the other is not.
static LogicalResult removePad(PadOp op, PatternRewriter &rewriter) {
  DenseIntElementsAttr pads;
  if (!matchPattern(op.getPads(), m_Constant(&pads)) ||
      !llvm::all_of(pads.getValues<APInt>(), [](const APInt &pad) { return pad.isZero(); }) ||
      op.getData().getType() != op.getType())
    return failure();
  rewriter.replaceOp(op, op.getData());
  return success();
}

static LogicalResult removeConcat(ConcatOp op, PatternRewriter &rewriter) {
  if (op.getInputs().size() != 1 || op.getInputs()[0].getType() != op.getType())
    return failure();
  rewriter.replaceOp(op, op.getInputs()[0]);
  return success();
}

static LogicalResult removeSplit(SplitOp op, PatternRewriter &rewriter) {
  if (op->getNumResults() != 1 || op.getInput().getType() != op->getResult(0).getType())
    return failure();
  rewriter.replaceOp(op, op.getInput());
  return success();
}

static LogicalResult chooseBranch(WhereOp op, PatternRewriter &rewriter) {
  DenseIntElementsAttr condition;
  if (!matchPattern(op.getCondition(), m_Constant(&condition)) || !condition.isSplat())
    return failure();
  Value chosen = condition.getSplatValue<APInt>().isZero() ? op.getY() : op.getX();
  if (chosen.getType() != op.getType() || !cast<ShapedType>(op.getType()).hasStaticShape())
    return failure();
  rewriter.replaceOp(op, chosen);
  return success();
}

namespace {

struct ImportSimplifyPass : lathe::impl::ImportSimplifyBase<ImportSimplifyPass> {
  using ImportSimplifyBase::ImportSimplifyBase;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add(mergeTransposes);
    patterns.add<MergeReshapes>(&getContext());
    patterns.add(removeCast);
    patterns.add(removeSameShape<ExpandOp>);
    patterns.add(removeSameShape<TileOp>);
    patterns.add(removeSlice);
    patterns.add(removePad);
    patterns.add(removeConcat);
    patterns.add(removeSplit);
    patterns.add(chooseBranch);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace

//===- PropagateLayout.cpp - Transposes sink until they cancel ------------===//
#include "passes/Fuse/LayoutPatterns.h"
#include "passes/Fuse/Passes.h"

namespace lathe {
#define GEN_PASS_DEF_FUSEPROPAGATELAYOUT
#include "passes/Fuse/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

static LogicalResult mergeTransposes(onnx::TransposeOp op, PatternRewriter &rewriter) {
  SmallVector<int64_t> permutation = fuse::getPermutation(op);
  if (fuse::isIdentity(permutation)) {
    rewriter.replaceOp(op, op.getData());
    return success();
  }
  auto inner = op.getData().getDefiningOp<onnx::TransposeOp>();
  if (!inner)
    return failure();
  SmallVector<int64_t> both = fuse::compose(fuse::getPermutation(inner), permutation);
  if (fuse::isIdentity(both))
    rewriter.replaceOp(op, inner.getData());
  else
    rewriter.replaceOp(op, fuse::createTranspose(rewriter, op.getLoc(), inner.getData(), both));
  return success();
}

/// A transpose that moves no element is a reshape.
static LogicalResult makeReshape(onnx::TransposeOp op, PatternRewriter &rewriter) {
  SmallVector<int64_t> permutation = fuse::getPermutation(op);
  RankedTensorType type = fuse::getType(op.getData());
  if (!fuse::movesOnlyUnits(type, permutation) || fuse::isConstantExpression(op.getData()))
    return failure();
  int64_t kept = 0;
  while (kept < type.getRank() && permutation[kept] == kept)
    ++kept;
  Value reshaped = fuse::createReshape(rewriter, op.getLoc(), op.getData(), fuse::getType(op.getTransposed()), kept);
  if (!reshaped)
    return failure();
  rewriter.replaceOp(op, reshaped);
  return success();
}

/// Of two reshapes the second is enough.
static LogicalResult mergeReshapes(onnx::ReshapeOp op, PatternRewriter &rewriter) {
  Operation *inner = op.getData().getDefiningOp();
  if (!isa_and_nonnull<onnx::ReshapeOp, onnx::SqueezeOp, onnx::UnsqueezeOp, onnx::FlattenOp>(inner))
    return failure();
  RankedTensorType type = fuse::getType(op.getReshaped()), source = fuse::getType(inner->getOperand(0));
  if (!type || !source)
    return failure();
  // With one unknown size, or none, equal types have equal sizes.
  if (type == source && llvm::count_if(type.getShape(), ShapedType::isDynamic) <= 1) {
    rewriter.replaceOp(op, inner->getOperand(0));
    return success();
  }
  Value reshaped = fuse::createReshape(rewriter, op.getLoc(), inner->getOperand(0), type);
  if (!reshaped)
    return failure();
  rewriter.replaceOp(op, reshaped);
  return success();
}

GreedyRewriteConfig lathe::getSinkingConfig(func::FuncOp function) {
  int64_t ops = 0;
  function.walk([&](Operation *) { ++ops; });
  return GreedyRewriteConfig().setMaxNumRewrites(100 * ops);
}

/// Says what the transposes that are left cost.
static void report(func::FuncOp function) {
  function.walk([](onnx::TransposeOp op) {
    RankedTensorType type = fuse::getType(op.getTransposed());
    if (!type || fuse::isConstantExpression(op.getData()))
      return;
    int64_t bytes = type.getElementType().isIntOrFloat() ? llvm::divideCeil(type.getElementTypeBitWidth(), 8) : 8;
    bool dynamic = !type.hasStaticShape();
    for (int64_t size : type.getShape())
      bytes *= ShapedType::isDynamic(size) ? 1 : size;
    fuse::missed(op, "TransposeLeft") << remark::reason("{0} moves {1} bytes{2}", type, bytes,
                                                        dynamic ? " for each element of its symbolic dimensions" : "");
  });
}

namespace {
struct FusePropagateLayout : lathe::impl::FusePropagateLayoutBase<FusePropagateLayout> {
  void runOnOperation() override {
    RewritePatternSet sinking(&getContext()), reshaping(&getContext());
    sinking.add(mergeTransposes);
    sinking.add(mergeReshapes);
    addSinkThroughComputation(sinking);
    addSinkThroughMovement(sinking);
    addSinkThroughReshape(sinking);
    reshaping.add(mergeTransposes);
    reshaping.add(makeReshape);
    reshaping.add(mergeReshapes);
    FrozenRewritePatternSet sinkingPatterns(std::move(sinking));
    if (failed(applyPatternsGreedily(getOperation(), sinkingPatterns, getSinkingConfig(getOperation()))))
      fuse::missed(getOperation(), "PropagateLayout") << remark::reason("transposes sink without end");
    searchLayout(getOperation(), sinkingPatterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(reshaping))))
      return signalPassFailure();
    report(getOperation());
  }
};
} // namespace

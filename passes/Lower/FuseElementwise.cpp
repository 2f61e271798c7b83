//===- FuseElementwise.cpp - Fuse elementwise linalg ops ------------------===//
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/Lower/Passes.h"

namespace lathe {
#define GEN_PASS_DEF_LOWERFUSEELEMENTWISE
#include "passes/Lower/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

/// More than a few additions: worth a trip through memory.
static bool isExpensive(linalg::GenericOp op) {
  return llvm::any_of(op.getBody()->without_terminator(), [](Operation &inner) {
    if (isa<math::AbsFOp, math::AbsIOp>(inner))
      return false;
    return isa<math::MathDialect>(inner.getDialect()) ||
           isa<arith::DivFOp, arith::DivSIOp, arith::DivUIOp, arith::RemSIOp, arith::RemUIOp,
               tensor::ExtractOp>(inner);
  });
}

/// Whether fusing the producer of `operand` makes no element be computed more often than before, or
/// only cheap ones.
static bool isWorthFusing(OpOperand *operand) {
  auto producer = operand->get().getDefiningOp<linalg::GenericOp>();
  auto consumer = dyn_cast<linalg::GenericOp>(operand->getOwner());
  if (!producer || !consumer || producer.getNumParallelLoops() != producer.getNumLoops())
    return false;
  if (!isExpensive(producer))
    return true;
  if (!producer->hasOneUse())
    return false;
  // Each element is read once if the loops that do not index it are absent.
  return consumer.getMatchingIndexingMap(operand).isPermutation();
}

namespace {
struct LowerFuseElementwisePass : lathe::impl::LowerFuseElementwiseBase<LowerFuseElementwisePass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    linalg::populateElementwiseOpsFusionPatterns(patterns, isWorthFusing);
    linalg::GenericOp::getCanonicalizationPatterns(patterns, &getContext());
    tensor::EmptyOp::getCanonicalizationPatterns(patterns, &getContext());
    affine::AffineApplyOp::getCanonicalizationPatterns(patterns, &getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace

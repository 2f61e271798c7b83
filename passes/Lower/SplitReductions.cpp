//===- SplitReductions.cpp - Sums over an image, by parts of its lines ----===//
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/IR/Remarks.h"
#include "passes/Lower/Passes.h"

namespace lathe {
#define GEN_PASS_DEF_LOWERSPLITREDUCTIONS
#include "passes/Lower/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

/// With less to read, one thread is done before another one has begun.
static constexpr int64_t kLeastElements = 64 << 10;
/// With more columns, kernels that write an image share it by columns, and it is to be read so.
static constexpr int64_t kMostColumns = 256;
static constexpr int64_t kMostParts = 8;

/// Sums of columns [N, H, W, C] -> [N, C], or over a part of H and W; everything else as it is.
static bool sumsLines(linalg::GenericOp op) {
  if (op.getNumDpsInputs() != 1 || op.getNumDpsInits() != 1 || !op.hasPureTensorSemantics() || op.hasDynamicShape())
    return false;
  SmallVector<unsigned> reductions;
  op.getReductionDims(reductions);
  unsigned loops = op.getNumLoops();
  bool areNeighbours = !reductions.empty() && reductions.back() - reductions.front() + 1 == reductions.size();
  return areNeighbours && reductions.back() + 1 < loops && op.getIndexingMapsArray()[0].isIdentity() &&
         op.getIndexingMapsArray()[1].isProjectedPermutation();
}

/// How many parts there are to be; 1 where one sum is as good.
static int64_t countParts(linalg::GenericOp op) {
  int64_t elements = 1, columns = 1, lines = 1;
  SmallVector<unsigned> reductions;
  op.getReductionDims(reductions);
  for (auto [dim, size] : llvm::enumerate(op.getStaticLoopRanges())) {
    elements *= size;
    columns *= llvm::is_contained(reductions, dim) ? 1 : size;
    if (dim == reductions.front())
      lines = size;
  }
  if (elements < kLeastElements || columns > kMostColumns)
    return 1;
  int64_t parts = std::min(kMostParts, lines);
  while (lines % parts != 0)
    --parts;
  return parts;
}

namespace {

struct LowerSplitReductions : lathe::impl::LowerSplitReductionsBase<LowerSplitReductions> {
  void runOnOperation() override {
    SmallVector<linalg::GenericOp> ops;
    getOperation().walk([&](linalg::GenericOp op) {
      if (sumsLines(op) && countParts(op) > 1)
        ops.push_back(op);
    });
    IRRewriter rewriter(&getContext());
    for (linalg::GenericOp op : ops)
      split(rewriter, op);
  }

private:
  void split(IRRewriter &rewriter, linalg::GenericOp op) {
    Location loc = op.getLoc();
    int64_t parts = countParts(op);
    // Upstream splits ops that have one reduction.
    SmallVector<unsigned> reductions;
    op.getReductionDims(reductions);
    SmallVector<ReassociationIndices> loops;
    for (unsigned dim = 0; dim < op.getNumLoops(); ++dim) {
      if (llvm::is_contained(reductions, dim) && dim != reductions.front())
        loops.back().push_back(dim);
      else
        loops.push_back({dim});
    }
    rewriter.setInsertionPoint(op);
    linalg::LinalgOp single = op;
    if (reductions.size() > 1) {
      FailureOr<linalg::CollapseResult> collapsed = linalg::collapseOpIterationDims(op, loops, rewriter);
      if (failed(collapsed))
        return;
      rewriter.replaceOp(op, collapsed->results);
      single = collapsed->collapsedOp;
    }
    rewriter.setInsertionPoint(single);
    // The parts come first: each is a task.
    auto outermost = [&](linalg::LinalgOp) {
      return linalg::SplitReductionOptions{parts, /*index=*/0, /*innerParallel=*/false};
    };
    if (succeeded(linalg::splitReduction(rewriter, single, outermost)))
      remark::passed(loc,
                     remark::RemarkOpts::name("SplitReduction").category("lower").function(getOperation().getName()))
          << remark::metric("Parts", parts);
  }
};

} // namespace

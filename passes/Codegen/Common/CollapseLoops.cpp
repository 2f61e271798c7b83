//===- CollapseLoops.cpp - Loops of linalg ops that can be one ------------===//
#include "passes/Codegen/Common/CollapseLoops.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace lathe;

/// Whether loops `dim` and `dim + 1` of the op can be one: every operand has both side by side and
/// contiguous, or none.
static bool canCollapse(linalg::GenericOp op, unsigned dim) {
  if (op.getIteratorTypesArray()[dim] != op.getIteratorTypesArray()[dim + 1])
    return false;
  for (OpOperand &operand : op->getOpOperands()) {
    AffineMap map = op.getMatchingIndexingMap(&operand);
    if (!map.isProjectedPermutation() || !linalg::isDimSequencePreserved(map, {dim, dim + 1}))
      return false;
    auto type = dyn_cast<MemRefType>(operand.get().getType());
    if (!type)
      continue;
    for (unsigned result = 0; result + 1 < map.getNumResults(); ++result) {
      if (map.getDimPosition(result) != dim)
        continue;
      SmallVector<ReassociationIndices> groups;
      for (int64_t position = 0; position < type.getRank(); ++position) {
        if (position == int64_t(result) + 1)
          groups.back().push_back(position);
        else
          groups.push_back({position});
      }
      if (!memref::CollapseShapeOp::isGuaranteedCollapsible(type, groups))
        return false;
    }
  }
  return true;
}

/// Takes the dimensions that are read at 0 only, those that broadcast, from the operands' memrefs.
static void dropConstantIndices(RewriterBase &rewriter, linalg::GenericOp op) {
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  rewriter.setInsertionPoint(op);
  for (auto [operand, map] : llvm::zip(op->getOpOperands(), maps)) {
    auto type = dyn_cast<MemRefType>(operand.get().getType());
    if (!type)
      continue;
    SmallVector<OpFoldResult> sizes = memref::getMixedSizes(rewriter, op.getLoc(), operand.get());
    SmallVector<AffineExpr> kept;
    SmallVector<int64_t> shape;
    for (auto [dim, expr] : llvm::enumerate(map.getResults())) {
      if (expr == rewriter.getAffineConstantExpr(0)) {
        sizes[dim] = rewriter.getIndexAttr(1);
        continue;
      }
      kept.push_back(expr);
      shape.push_back(type.getDimSize(dim));
    }
    if (kept.size() == sizes.size())
      continue;
    SmallVector<OpFoldResult> offsets(sizes.size(), rewriter.getIndexAttr(0)),
        strides(sizes.size(), rewriter.getIndexAttr(1));
    MemRefType reduced = memref::SubViewOp::inferRankReducedResultType(shape, type, offsets, sizes, strides);
    operand.set(memref::SubViewOp::create(rewriter, op.getLoc(), reduced, operand.get(), offsets, sizes, strides));
    map = AffineMap::get(map.getNumDims(), map.getNumSymbols(), kept, op.getContext());
  }
  op.setIndexingMapsAttr(rewriter.getAffineMapArrayAttr(maps));
}

linalg::GenericOp codegen::collapseLoops(RewriterBase &rewriter, linalg::GenericOp op) {
  if (op.hasIndexSemantics() || op.getNumLoops() < 2)
    return op;
  dropConstantIndices(rewriter, op);
  SmallVector<ReassociationIndices> groups{{0}};
  for (unsigned dim = 1; dim < op.getNumLoops(); ++dim) {
    if (canCollapse(op, dim - 1))
      groups.back().push_back(dim);
    else
      groups.push_back({dim});
  }
  if (groups.size() == op.getNumLoops())
    return op;
  rewriter.setInsertionPoint(op);
  FailureOr<linalg::CollapseResult> result = linalg::collapseOpIterationDims(op, groups, rewriter);
  if (failed(result))
    return op;
  rewriter.eraseOp(op);
  return cast<linalg::GenericOp>(result->collapsedOp.getOperation());
}

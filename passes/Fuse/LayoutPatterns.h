//===- LayoutPatterns.h - How transposes pass ops -------------------------===//
#ifndef PASSES_FUSE_LAYOUTPATTERNS_H
#define PASSES_FUSE_LAYOUTPATTERNS_H

#include "passes/Fuse/Utils.h"

namespace lathe {

/// Replaces each result of `op` by a transpose, by `permutation`, of the same result of `replacement`.
void replaceTransposed(mlir::PatternRewriter &rewriter, mlir::Operation *op, mlir::Operation *replacement,
                       llvm::ArrayRef<int64_t> permutation);

/// Patterns that sink transposes through elementwise ops, concatenations and nn ops.
void addSinkThroughComputation(mlir::RewritePatternSet &patterns);
/// Patterns that sink transposes through reductions, reshapes, slices, splits, gathers, pads and resizes.
void addSinkThroughMovement(mlir::RewritePatternSet &patterns);

} // namespace lathe

#endif // PASSES_FUSE_LAYOUTPATTERNS_H

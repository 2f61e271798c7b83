//===- NormPatterns.h - Norms by simpler ops ------------------------------===//
#ifndef PASSES_FUSE_NORMPATTERNS_H
#define PASSES_FUSE_NORMPATTERNS_H

#include "passes/Fuse/Utils.h"

namespace lathe {

/// Patterns that write instance, group and local response norms as reductions and elementwise ops, which work on any
/// layout.
void addChannelNorms(mlir::RewritePatternSet &patterns);

/// Why they leave an op as it is; empty if it is none of these norms.
llvm::StringRef getChannelNormRefusal(mlir::Operation *op);

} // namespace lathe

#endif // PASSES_FUSE_NORMPATTERNS_H

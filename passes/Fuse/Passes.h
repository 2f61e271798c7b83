//===- Passes.h - Passes of the fuse phase -----------------===//
#ifndef PASSES_FUSE_PASSES_H
#define PASSES_FUSE_PASSES_H

#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"

namespace lathe {

#define GEN_PASS_DECL
#include "passes/Fuse/Passes.h.inc"

/// What the fuse phase needs to know.
struct FuseOptions {};

/// The passes of the fuse phase in order.
void buildFusePipeline(mlir::OpPassManager &passes, const FuseOptions &options);

#define GEN_PASS_REGISTRATION
#include "passes/Fuse/Passes.h.inc"

} // namespace lathe

#endif // PASSES_FUSE_PASSES_H

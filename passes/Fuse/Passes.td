//===- Passes.td - Passes of the fuse phase ----------------===//
#ifndef PASSES_FUSE_PASSES_TD
#define PASSES_FUSE_PASSES_TD

include "mlir/Pass/PassBase.td"

#endif // PASSES_FUSE_PASSES_TD

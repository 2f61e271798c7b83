//===- Passes.td - Passes of the compress phase ----------------===//
#ifndef PASSES_COMPRESS_PASSES_TD
#define PASSES_COMPRESS_PASSES_TD

include "mlir/Pass/PassBase.td"

#endif // PASSES_COMPRESS_PASSES_TD

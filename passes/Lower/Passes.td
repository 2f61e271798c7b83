//===- Passes.td - Passes of the lower phase ----------------===//
#ifndef PASSES_LOWER_PASSES_TD
#define PASSES_LOWER_PASSES_TD

include "mlir/Pass/PassBase.td"

#endif // PASSES_LOWER_PASSES_TD

//===- Passes.td - Passes of the codegen phase ----------------===//
#ifndef PASSES_CODEGEN_PASSES_TD
#define PASSES_CODEGEN_PASSES_TD

include "mlir/Pass/PassBase.td"

#endif // PASSES_CODEGEN_PASSES_TD

//===- Passes.td - Passes of the import phase ----------------===//
#ifndef PASSES_IMPORT_PASSES_TD
#define PASSES_IMPORT_PASSES_TD

include "mlir/Pass/PassBase.td"

#endif // PASSES_IMPORT_PASSES_TD

//===- Passes.h - Passes of the import phase -----------------===//
#ifndef PASSES_IMPORT_PASSES_H
#define PASSES_IMPORT_PASSES_H

#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"

namespace lathe {

#define GEN_PASS_DECL
#include "passes/Import/Passes.h.inc"

/// What the import phase needs to know.
struct ImportOptions {
  /// NAME=SIZE or NAME=LOWER..UPPER for symbolic dimensions.
  llvm::SmallVector<std::string> dims;
};

/// The passes of the import phase in order.
void buildImportPipeline(mlir::OpPassManager &passes, const ImportOptions &options);

#define GEN_PASS_REGISTRATION
#include "passes/Import/Passes.h.inc"

} // namespace lathe

#endif // PASSES_IMPORT_PASSES_H

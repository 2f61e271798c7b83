//===- Passes.h - Passes of the codegen phase -----------------===//
#ifndef PASSES_CODEGEN_PASSES_H
#define PASSES_CODEGEN_PASSES_H

#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"

namespace lathe {

#define GEN_PASS_DECL
#include "passes/Codegen/Passes.h.inc"

/// What the codegen phase needs to know.
struct CodegenOptions {};

/// The passes of the codegen phase in order.
void buildCodegenPipeline(mlir::OpPassManager &passes, const CodegenOptions &options);

#define GEN_PASS_REGISTRATION
#include "passes/Codegen/Passes.h.inc"

} // namespace lathe

#endif // PASSES_CODEGEN_PASSES_H

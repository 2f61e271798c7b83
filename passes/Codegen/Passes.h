//===- Passes.h - Passes of the codegen phase -----------------===//
#ifndef PASSES_CODEGEN_PASSES_H
#define PASSES_CODEGEN_PASSES_H

#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"
#include <string>

namespace lathe {

#define GEN_PASS_DECL
#include "passes/Codegen/Passes.h.inc"

/// What the codegen phase needs to know.
struct CodegenOptions {
  std::string name = "model"; ///< prefix of the artifact's symbols
  bool instrument = false;    ///< kernels of @main are timed: `codegen-instrument`
  bool gpu = false;           ///< kernels become grids of threads; the module's target is a GPU
  bool emulate = false;       ///< and these grids become loops on the host again
  bool exportBlocks = false;  ///< of which the functions of single blocks are visible
};

/// From tensors to memrefs and calls of kernels: the `bufferize` phase.
void buildBufferizePipeline(mlir::OpPassManager &passes, const CodegenOptions &options);
/// From kernels on memrefs to loops and tasks: the `codegen` phase.
void buildKernelPipeline(mlir::OpPassManager &passes, const CodegenOptions &options);
/// From kernels in a gpu.module, as the `codegen` phase leaves them, to its NVVM dialect.
void buildDevicePipeline(mlir::OpPassManager &passes);
/// To the LLVM dialect with the artifact's entry point: the `llvm` phase.
void buildLLVMPipeline(mlir::OpPassManager &passes, const CodegenOptions &options);

/// The three of them in order.
void buildCodegenPipeline(mlir::OpPassManager &passes, const CodegenOptions &options);

/// Makes them known to lathe-opt as `codegen-phase-bufferize`, `-kernels`, `-llvm` and
/// `codegen-pipeline`.
void registerCodegenPipelines();

#define GEN_PASS_REGISTRATION
#include "passes/Codegen/Passes.h.inc"

} // namespace lathe

#endif // PASSES_CODEGEN_PASSES_H

//===- Pipeline.h - From a model's file to an object ----------------------===//
#ifndef LIB_DRIVER_PIPELINE_H
#define LIB_DRIVER_PIPELINE_H

#include "lib/Driver/Options.h"
#include "lib/Execution/LoadedModel.h"
#include "lib/Target/Target.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Pass/PassManager.h"
#include "passes/Import/Passes.h"

namespace lathe {

/// All dialects, interface models and translations that the phases need. Compiles slowly: included once.
void registerDialects(mlir::DialectRegistry &registry);

/// Appends the passes of one phase for a target. `Import` and `Object` have none.
void buildPhase(mlir::OpPassManager &passes, Phase phase, const CompileOptions &options, nn::TargetAttr target);

/// Runs the phases after `done` up to and including `last` (at most `LLVM`) on a module. The module gets the
/// description of the best target. With several targets it has, from `lower` to `codegen`, a module inside for each. A
/// GPU has no phases after `Codegen`, unless it is emulated: see `generateKernels`. Fails after an error that was
/// emitted to the context.
mlir::LogicalResult runPhases(mlir::ModuleOp module, const CompileOptions &options, Phase last,
                              Phase done = Phase::Import);

/// Reads an ONNX file, or a .mlir file in the form after `import`, and runs the phases up to `last`; null after an
/// error.
mlir::OwningOpRef<mlir::ModuleOp> compileFile(llvm::StringRef path, mlir::MLIRContext &context,
                                              const CompileOptions &options, Phase last);

/// The PTX of a GPU's kernels, from a module of the `codegen` phase, whose kernels are lowered to the NVVM dialect by
/// this.
mlir::FailureOr<Bytes> generateKernels(mlir::ModuleOp module, const CompileOptions &options);

/// Loads a module of the `llvm` phase into this process; `codeBytes`, if given, becomes the size of its code. The time
/// of code generation is accounted below `timing`.
llvm::Expected<std::unique_ptr<LoadedModel>> loadModule(mlir::ModuleOp module, uint64_t *codeBytes = nullptr,
                                                        mlir::TimingScope *timing = nullptr);

} // namespace lathe

#endif // LIB_DRIVER_PIPELINE_H

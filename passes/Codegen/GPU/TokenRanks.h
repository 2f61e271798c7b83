//===- TokenRanks.h - Which tokens come first, in scalars -----------------===//
#ifndef PASSES_CODEGEN_GPU_TOKENRANKS_H
#define PASSES_CODEGEN_GPU_TOKENRANKS_H

#include "passes/Codegen/GPU/ThreadBuilder.h"

namespace lathe::simt {

/// How many of the elements [first, count) of line `line` of `scores`, memref<? x ? x f32> without NaN, rank before the
/// one at `position`: those that are larger, and equal ones before it.
mlir::Value countBefore(ThreadBuilder &k, mlir::Value scores, mlir::Value line, mlir::Value first, mlir::Value count,
                        mlir::Value position);

/// The index of element number `number`, from zero, of those in [first, count) of line `line` of `marks` that are
/// `marked`; `first` if there are fewer.
mlir::Value findMarked(ThreadBuilder &k, mlir::Value marks, mlir::Value line, mlir::Value first, mlir::Value count,
                       mlir::Value number, llvm::function_ref<mlir::Value(mlir::Value mark)> marked);

} // namespace lathe::simt

#endif // PASSES_CODEGEN_GPU_TOKENRANKS_H

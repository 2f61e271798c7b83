//===- TokenRanks.h - Which tokens come first, in vectors -------*- C++ -*-===//
#ifndef PASSES_CODEGEN_CPU_TOKENRANKS_H
#define PASSES_CODEGEN_CPU_TOKENRANKS_H

#include "passes/Codegen/CPU/KernelBuilder.h"

namespace lathe::cpu {

/// start, start + 1, ... in the lanes of an i32 vector.
mlir::Value sequenceFrom(KernelBuilder &k, mlir::Value start);

/// How many of the first `count` elements of `scores` (a memref of f32) rank before the one at `position`: those that
/// are larger, and equal ones before it. An i32. All elements must be ordered, that is none may be NaN.
mlir::Value countBefore(KernelBuilder &k, mlir::Value scores, mlir::Value count, mlir::Value position);

} // namespace lathe::cpu

#endif // PASSES_CODEGEN_CPU_TOKENRANKS_H

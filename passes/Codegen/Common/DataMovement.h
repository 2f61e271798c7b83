//===- DataMovement.h - What a model moves without computing --------------===//
#ifndef PASSES_CODEGEN_COMMON_DATAMOVEMENT_H
#define PASSES_CODEGEN_COMMON_DATAMOVEMENT_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include <optional>

namespace lathe::codegen {

/// Ops of @main that only move elements, those in loops once, with the bytes of what they move: of dynamic sizes the
/// largest.
struct DataMovement {
  int64_t transposes = 0, transposedBytes = 0;
  int64_t copies = 0, copiedBytes = 0;
};

/// Counts the ops of a function on memrefs, and writes them as `lathe.movement` on the module.
DataMovement recordMovement(mlir::func::FuncOp main);
/// What was recorded; nullopt where nothing was.
std::optional<DataMovement> readMovement(mlir::ModuleOp module);

} // namespace lathe::codegen

#endif // PASSES_CODEGEN_COMMON_DATAMOVEMENT_H

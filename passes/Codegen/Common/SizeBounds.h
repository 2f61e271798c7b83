//===- SizeBounds.h - Bounds of sizes that are computed at run time -------===//
#ifndef PASSES_CODEGEN_COMMON_SIZEBOUNDS_H
#define PASSES_CODEGEN_COMMON_SIZEBOUNDS_H

#include "passes/Codegen/Common/Signature.h"
#include "llvm/ADT/DenseMap.h"
#include <optional>

namespace lathe::codegen {

/// Interval arithmetic on index values of @main, from the bounds of the symbolic dimensions.
class SizeBounds {
public:
  struct Bounds {
    int64_t lower, upper;
  };

  SizeBounds(mlir::func::FuncOp main, const Signature &signature) : main(main), signature(signature) {}

  /// Bounds, both inclusive; nullopt where the value depends on data.
  std::optional<Bounds> get(mlir::Value value);
  std::optional<Bounds> get(mlir::OpFoldResult value);
  /// Bounds of a dimension of a memref of @main.
  std::optional<Bounds> getDim(mlir::Value memref, int64_t dim);
  /// Largest number of bytes that an identity-layout memref of this type and these sizes takes;
  /// INT64_MAX where it has no such number.
  std::optional<int64_t> getBytes(mlir::MemRefType type, mlir::ValueRange sizes);

private:
  std::optional<Bounds> getArgumentDim(mlir::BlockArgument argument, int64_t dim);
  std::optional<Bounds> compute(mlir::Value value);
  std::optional<Bounds> computeArgument(mlir::BlockArgument argument);
  std::optional<Bounds> computeArithmetic(mlir::Operation *op, llvm::ArrayRef<Bounds> ranges);
  std::optional<Bounds> evaluate(mlir::AffineExpr expr, llvm::ArrayRef<Bounds> dims, llvm::ArrayRef<Bounds> symbols);
  std::optional<llvm::SmallVector<Bounds>> getAll(mlir::ValueRange values);

  mlir::func::FuncOp main;
  const Signature &signature;
  llvm::DenseMap<mlir::Value, std::optional<Bounds>> known;
};

/// Bytes of one element in memory.
int64_t getElementBytes(mlir::Type type);

} // namespace lathe::codegen

#endif // PASSES_CODEGEN_COMMON_SIZEBOUNDS_H

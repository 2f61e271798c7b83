//===- KernelSizes.h - Sizes of kernels' results before they are computed -===//
#ifndef PASSES_LOWER_KERNELSIZES_H
#define PASSES_LOWER_KERNELSIZES_H

#include "dialects/Interfaces/SymbolicShapes.h"
#include "dialects/NN/IR/NNDialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace lathe {

/// Sizes of what the kernels of a function compute, as values that are known before: their destinations are made of
/// them. Made at the builder's place.
class KernelSizes {
public:
  using Sizes = llvm::SmallVector<mlir::OpFoldResult>;

  KernelSizes(mlir::func::FuncOp function, mlir::ImplicitLocOpBuilder &builder);

  /// From the symbolic shapes, or from the value itself where they do not reach.
  Sizes sizesOf(mlir::Value value);
  /// Of the only result of a kernel; fails after an error on it.
  mlir::FailureOr<Sizes> resultSizes(nn::KernelOpInterface op);
  /// An uninitialised tensor; `type` says which sizes are static.
  mlir::Value createEmpty(const Sizes &sizes, mlir::RankedTensorType type);
  /// size + more.
  mlir::OpFoldResult plus(mlir::OpFoldResult size, int64_t more);

private:
  mlir::OpFoldResult sizeOf(mlir::Value value, int64_t dim);
  mlir::OpFoldResult times(mlir::OpFoldResult a, mlir::OpFoldResult b);
  mlir::OpFoldResult windowed(mlir::OpFoldResult size, int64_t pads, int64_t extent, int64_t stride);
  Sizes productSizes(nn::MatMulOp op, mlir::RankedTensorType type);

  SymbolicShapes shapes;
  mlir::ImplicitLocOpBuilder &builder;
};

} // namespace lathe

#endif // PASSES_LOWER_KERNELSIZES_H

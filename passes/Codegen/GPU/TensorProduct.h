//===- TensorProduct.h - Matrix products on tensor cores ------------------===//
#ifndef PASSES_CODEGEN_GPU_TENSORPRODUCT_H
#define PASSES_CODEGEN_GPU_TENSORPRODUCT_H

#include "passes/Codegen/GPU/WarpBuilder.h"

namespace lathe::simt {

/// One side of a product as lines of elements: rows of steps on the left. On the right, steps of columns; where a
/// format has words, words of steps, of which a column has `perWord` neighbours.
struct TensorOperand {
  mlir::Value memref;
  /// Elements that are copied at once: neighbours in memory, there or not there together, from a multiple of their
  /// bytes.
  int64_t width;
  llvm::function_ref<mlir::SmallVector<mlir::Value>(mlir::Value batch, mlir::Value line, mlir::Value element)> at;
  /// Computes an element where it does not lie in memory as it is multiplied: then it passes through registers, and
  /// `memref` and `at` are not used.
  llvm::function_ref<mlir::Value(mlir::Value batch, mlir::Value line, mlir::Value element)> load = nullptr;
  /// Where elements of the line may be missing: whether those at `at`, copied at once, are there. Null if all are.
  llvm::function_ref<mlir::Value(mlir::ArrayRef<mlir::Value> at)> there = nullptr;
  /// Whether elements of f32 are numbers of tf32.
  bool isTF32 = false;
};

/// A batch of products of matrices; what is not there counts as zero. Sums are f32, or i32 of bytes.
struct TensorProduct {
  TensorFormat format;
  mlir::Value batch, rows, columns, steps;
  TensorOperand lhs, rhs;
  /// Takes the sums of one column, or of two or four neighbours from a multiple of their number on.
  llvm::function_ref<void(mlir::ValueRange sums, mlir::Value batch, mlir::Value row, mlir::Value column)> store;
  /// What tiles are chosen for where `rows` is not constant; negative if that is not known.
  int64_t likelyRows = -1;
};

/// Blocks of four or eight warps compute tiles whose size follows from that of the product. Operands come through
/// memory of the block, several tiles ahead, in an order of 16-byte chunks in which neither copies nor fragments meet
/// in a bank; sums stay in registers and leave through the same memory, so that neighbours store neighbours. For few
/// rows, the warps of a block share the steps and add up their sums in a fixed order. Steps of few tiles are split: see
/// SplitSteps.h.
void emitTensorProduct(WarpBuilder &k, const TensorProduct &product);

} // namespace lathe::simt

#endif // PASSES_CODEGEN_GPU_TENSORPRODUCT_H

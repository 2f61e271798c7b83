//===- Rows.h - Kernels over the rows of a tensor -------------------------===//
#ifndef PASSES_CODEGEN_CPU_ROWS_H
#define PASSES_CODEGEN_CPU_ROWS_H

#include "passes/Codegen/CPU/KernelBuilder.h"
#include "passes/Codegen/Common/TaskWork.h"

namespace lathe::cpu {

/// All rows (the last dimension) of an input and an output of equal shape; any layout with contiguous rows.
struct Rows {
  KernelBuilder &k;
  mlir::Value input, out;
  mlir::SmallVector<mlir::Value> outerSizes;
  mlir::Value size;

  Rows(KernelBuilder &k, mlir::Value input, mlir::Value out) : k(k), input(input), out(out) {
    int64_t rank = mlir::cast<mlir::MemRefType>(input.getType()).getRank();
    for (int64_t i = 0; i + 1 < rank; ++i)
      outerSizes.push_back(k.dim(input, i));
    size = k.dim(input, rank - 1);
  }

  /// Runs `body` for each row, in tasks. It computes `passes` vectors for each one loaded and stored; its argument are
  /// the indices of the outer dimensions.
  void forEach(int64_t passes, llvm::function_ref<void(mlir::ValueRange outer)> body) {
    mlir::Value rows = k.index(1);
    for (mlir::Value outer : outerSizes)
      rows = k.mul(rows, outer);
    k.parallelItems(rows, (passes + 2 * codegen::kWorkPerElement) * constantOr(size, 512), [&](mlir::Value row) {
      mlir::SmallVector<mlir::Value> outer = k.delinearize(row, outerSizes);
      body(outer);
    });
  }

  mlir::Value load(mlir::ValueRange outer, mlir::Value start, mlir::Value mask) {
    return loadFrom(input, outer, start, mask);
  }
  mlir::Value loadFrom(mlir::Value memref, mlir::ValueRange outer, mlir::Value start, mlir::Value mask) {
    mlir::SmallVector<mlir::Value> indices(outer.begin(), outer.end());
    indices.push_back(start);
    return k.load(memref, indices, mask);
  }
  void store(mlir::Value vector, mlir::ValueRange outer, mlir::Value start, mlir::Value mask) {
    mlir::SmallVector<mlir::Value> indices(outer.begin(), outer.end());
    indices.push_back(start);
    k.store(vector, out, indices, mask);
  }
};

} // namespace lathe::cpu

#endif // PASSES_CODEGEN_CPU_ROWS_H

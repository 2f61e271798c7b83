//===- TiledProduct.h - Matrix products through memory of the block -------===//
#ifndef PASSES_CODEGEN_GPU_TILEDPRODUCT_H
#define PASSES_CODEGEN_GPU_TILEDPRODUCT_H

#include "passes/Codegen/GPU/ThreadBuilder.h"

namespace lathe::simt {

/// A batch of products of f32 matrices as index values and what reads and writes one element. Whatever is a contraction
/// has this form: of a convolution the rows are output pixels, the steps taps and input channels.
struct TiledProduct {
  mlir::Value batch, rows, columns, steps;
  llvm::function_ref<mlir::Value(mlir::Value batch, mlir::Value row, mlir::Value step)> lhs;
  llvm::function_ref<mlir::Value(mlir::Value batch, mlir::Value step, mlir::Value column)> rhs;
  llvm::function_ref<void(mlir::Value sum, mlir::Value batch, mlir::Value row, mlir::Value column)> store;
  /// What slices are chosen for where `rows` is not constant; negative if that is not known.
  int64_t likelyRows = -1;
};

/// False for products so flat that most of a tile would be empty: a thread for each element serves them as well.
bool fillsTiles(mlir::Value rows, mlir::Value columns);

/// A block computes 64 x 64 elements, each of its 256 threads 4 x 4 of them in registers. Sixteen steps of both
/// operands at a time are in memory of the block, so that an element is read from global memory once for 64 products.
void emitTiledProduct(ThreadBuilder &k, const TiledProduct &product);

} // namespace lathe::simt

#endif // PASSES_CODEGEN_GPU_TILEDPRODUCT_H

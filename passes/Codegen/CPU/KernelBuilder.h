//===- KernelBuilder.h - Builds loops and vectors for one kernel ----------===//
#ifndef PASSES_CODEGEN_CPU_KERNELBUILDER_H
#define PASSES_CODEGEN_CPU_KERNELBUILDER_H

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "passes/Codegen/Common/LoopBuilder.h"

namespace lathe::cpu {

/// What a LoopBuilder does, and vectors.
class KernelBuilder : public codegen::LoopBuilder {
public:
  using LoopBuilder::LoopBuilder;

  /// Lanes of a vector register of 32-bit elements; of several registers inside `withRegisters`.
  int64_t lanes() const { return registers * target.getVectorBits() / 32; }
  mlir::VectorType vectorOf(mlir::Type element) const { return mlir::VectorType::get({lanes()}, element); }

  /// Runs `body` with vectors of `count` registers: where elements of fewer bits leave, they fill one.
  void withRegisters(int64_t count, llvm::function_ref<void()> body);

  /// All lanes the constant (float or integer).
  mlir::Value splat(mlir::Type element, double value);
  mlir::Value broadcast(mlir::Value value);

  /// Rows become columns, in each of the squares that lie beside each other: as many vectors as a square has rows.
  void transpose(mlir::MutableArrayRef<mlir::Value> rows);

  /// `lanes()` elements at the indices; those without mask are zero.
  mlir::Value load(mlir::Value memref, mlir::ValueRange indices, mlir::Value mask = {});
  /// The same from rows of any stride and of i1. With a mask, lanes without it hold the last element of the row.
  mlir::Value loadAny(mlir::Value memref, mlir::ValueRange indices, mlir::Value mask = {});
  /// The elements of a vector as f32: of f32, bf16, f16, or signed i8.
  mlir::Value widen(mlir::Value vector);
  /// A vector of f32 rounded to elements of a memref: f32, bf16 or f16 (half to even).
  mlir::Value roundTo(mlir::Value vector, mlir::Value memref);
  void store(mlir::Value vector, mlir::Value memref, mlir::ValueRange indices, mlir::Value mask = {});
  /// Lanes below `count`, which may be negative or larger than the vector.
  mlir::Value maskBelow(mlir::Value count);

  /// A buffer of the current task, allocated once before its loops.
  mlir::Value scratch(mlir::ArrayRef<int64_t> shape, mlir::Type element);

  /// The task loop: `body` runs for each task in any order, or at once.
  void parallel(mlir::Value tasks, llvm::function_ref<void(mlir::Value)> body);
  /// A task loop over blocks of `items` with `workPerItem` (see TaskWork.h) each.
  void parallelItems(mlir::Value items, int64_t workPerItem, llvm::function_ref<void(mlir::Value)> body);
  /// Runs `body` for the members of block `block` of `size` items out of `total`.
  void inBlock(mlir::Value block, int64_t size, mlir::Value total, llvm::function_ref<void(mlir::Value)> body);
  /// Covers [first, first + count) with tiles of `most` items, and what is left with smaller ones: one if `count` is
  /// static, powers of two otherwise.
  void tiles(mlir::Value first, mlir::Value count, int64_t most,
             llvm::function_ref<void(mlir::Value start, int64_t size)> body);
  /// The part of `tiles` after the tiles of `most`.
  void restTiles(mlir::Value first, mlir::Value count, int64_t most,
                 llvm::function_ref<void(mlir::Value start, int64_t size)> body);
  /// Runs `body` for each vector of `count` neighbours: without mask, and with one for a rest that fills no vector.
  Carried vectors(mlir::Value count, mlir::ValueRange init,
                  llvm::function_ref<Carried(mlir::Value start, mlir::Value mask, mlir::ValueRange carried)> body);
  void vectors(mlir::Value count, llvm::function_ref<void(mlir::Value start, mlir::Value mask)> body);

private:
  int64_t registers = 1;
};

/// `count` in equal blocks, each as large as `most` at most: the size of one.
int64_t evenBlock(int64_t count, int64_t most);

using codegen::constantOr;

/// Whether f32 may lie in memory as this type: kernels widen and round it in registers.
inline bool isNarrowFloat(mlir::Type type) { return type.isBF16() || type.isF16(); }

/// True where vectors of the innermost dimension can be loaded.
bool hasUnitInnermostStride(mlir::Value memref);

/// Bytes from one element of a dimension to the next, or -1 where that is dynamic.
int64_t strideBytes(mlir::Value memref, unsigned dimension);

} // namespace lathe::cpu

#endif // PASSES_CODEGEN_CPU_KERNELBUILDER_H

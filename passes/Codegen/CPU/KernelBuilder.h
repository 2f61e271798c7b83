//===- KernelBuilder.h - Builds loops and vectors for one kernel ----------===//
#ifndef PASSES_CODEGEN_CPU_KERNELBUILDER_H
#define PASSES_CODEGEN_CPU_KERNELBUILDER_H

#include "dialects/NN/IR/NNDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace lathe::cpu {

/// An OpBuilder at the place of one nn op, with the arithmetic on indices and vectors that kernels are made of.
/// Index arithmetic folds constants, so static shapes leave static offsets.
class KernelBuilder {
public:
  KernelBuilder(mlir::Operation *op)
      : builder(op), loc(op->getLoc()), target(nn::getTarget(op)) {}

  mlir::OpBuilder builder;
  mlir::Location loc;
  nn::TargetAttr target;

  /// Lanes of a vector register of 32-bit elements.
  int64_t lanes() const { return target.getVectorBits() / 32; }
  mlir::VectorType vectorOf(mlir::Type element) const { return mlir::VectorType::get({lanes()}, element); }

  mlir::Value index(int64_t value);
  mlir::Value add(mlir::Value a, mlir::Value b);
  mlir::Value add(mlir::Value a, int64_t b) { return add(a, index(b)); }
  mlir::Value sub(mlir::Value a, mlir::Value b);
  mlir::Value mul(mlir::Value a, mlir::Value b);
  mlir::Value mul(mlir::Value a, int64_t b) { return mul(a, index(b)); }
  /// Of values that are not negative.
  mlir::Value div(mlir::Value a, mlir::Value b);
  mlir::Value rem(mlir::Value a, mlir::Value b);
  mlir::Value ceilDiv(mlir::Value a, int64_t b) { return div(add(a, b - 1), index(b)); }
  mlir::Value min(mlir::Value a, mlir::Value b);
  mlir::Value max(mlir::Value a, mlir::Value b);
  mlir::Value equal(mlir::Value a, mlir::Value b);

  /// Size of a memref's dimension: a constant where it is static.
  mlir::Value dim(mlir::Value memref, unsigned dimension);
  /// All lanes the constant (float or integer).
  mlir::Value splat(mlir::Type element, double value);
  mlir::Value scalar(mlir::Type element, double value);
  mlir::Value broadcast(mlir::Value value);

  /// e^x for x <= 0: see codegen::emitExpNonPositive.
  mlir::Value expNonPositive(mlir::Value x);
  /// Rows become columns, in each of the squares that lie beside each other: as many vectors as a square has rows.
  void transpose(mlir::MutableArrayRef<mlir::Value> rows);

  /// `lanes()` elements at the indices; those without mask are zero.
  mlir::Value load(mlir::Value memref, mlir::ValueRange indices, mlir::Value mask = {});
  /// The same from rows of any stride and of i1. With a mask, lanes without it hold the last element of the row.
  mlir::Value loadAny(mlir::Value memref, mlir::ValueRange indices, mlir::Value mask = {});
  mlir::Value loadScalar(mlir::Value memref, mlir::ValueRange indices);
  /// The elements of a vector as f32: of f32, bf16, or signed i8.
  mlir::Value widen(mlir::Value vector);
  /// A vector of f32 rounded to elements of a memref: f32, or bf16 (half to even).
  mlir::Value roundTo(mlir::Value vector, mlir::Value memref);
  void store(mlir::Value vector, mlir::Value memref, mlir::ValueRange indices, mlir::Value mask = {});
  /// Lanes below `count`, which may be negative or larger than the vector.
  mlir::Value maskBelow(mlir::Value count);

  /// A buffer of the current task, allocated once before its loops.
  mlir::Value scratch(mlir::ArrayRef<int64_t> shape, mlir::Type element);

  using Carried = mlir::SmallVector<mlir::Value>;
  /// A loop that carries values. Loops of one or no iteration are not made.
  Carried loop(mlir::Value lower, mlir::Value upper, int64_t step, mlir::ValueRange init,
               llvm::function_ref<Carried(mlir::Value, mlir::ValueRange)> body);
  void loop(mlir::Value lower, mlir::Value upper, int64_t step, llvm::function_ref<void(mlir::Value)> body);
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
  void branch(mlir::Value condition, llvm::function_ref<void()> body);

  /// Splits `flat` into indices below `sizes`, outermost first.
  mlir::SmallVector<mlir::Value> delinearize(mlir::Value flat, mlir::ArrayRef<mlir::Value> sizes);
  /// Merges the dimensions [first, last] of a memref; null where its layout forbids that.
  mlir::Value collapse(mlir::Value memref, unsigned first, unsigned last);
};

/// `count` in equal blocks, each as large as `most` at most: the size of one.
int64_t evenBlock(int64_t count, int64_t most);

/// The constant that an index value holds, or -1.
int64_t constantOr(mlir::Value value, int64_t otherwise = -1);

/// True where vectors of the innermost dimension can be loaded.
bool hasUnitInnermostStride(mlir::Value memref);

/// Bytes from one element of a dimension to the next, or -1 where that is dynamic.
int64_t strideBytes(mlir::Value memref, unsigned dimension);

} // namespace lathe::cpu

#endif // PASSES_CODEGEN_CPU_KERNELBUILDER_H

//===- ThreadBuilder.h - Builds the code of one thread --------------------===//
#ifndef PASSES_CODEGEN_GPU_THREADBUILDER_H
#define PASSES_CODEGEN_GPU_THREADBUILDER_H

#include "passes/Codegen/Common/LoopBuilder.h"

namespace lathe::simt {

/// Dimensions that are numbered as one of `size`.
struct MergedDims {
  mlir::SmallVector<mlir::Value> sizes;
  mlir::Value size;
};

/// Whether elements are f32, bf16 or f16: kernels compute on all of them in f32.
bool isComputedInF32(mlir::Type element);
/// Emits an error of `op` for a memref of other elements.
mlir::LogicalResult checkFloats(mlir::Operation *op, mlir::ValueRange memrefs);

/// What a LoopBuilder does, for kernels in which a thread computes one element of the destination, or a block one row.
class ThreadBuilder : public codegen::LoopBuilder {
public:
  using LoopBuilder::LoopBuilder;

  /// One thread for each combination of indices below `sizes`: neighbours differ in the last index.
  void threads(mlir::ArrayRef<mlir::Value> sizes, llvm::function_ref<void(mlir::ValueRange indices)> body);
  /// One thread for each element of `memref`.
  void elements(mlir::Value memref, llvm::function_ref<void(mlir::ValueRange indices)> body);

  /// A block of `threads` threads for each combination of indices below `sizes`. `shared` is memory of the block,
  /// `count` elements of type `element`. A thread may have registers that leave room for `resident` blocks on a
  /// multiprocessor, where that is given: fewer spill, and for more the device's assembler would use fewer.
  void blocks(mlir::ArrayRef<mlir::Value> sizes, int64_t threads, mlir::Type element, int64_t count,
              llvm::function_ref<void(mlir::ValueRange indices, mlir::Value thread, mlir::Value shared)> body,
              int64_t resident = 0);
  /// A block of one warp for each combination of indices below `sizes`.
  void warps(mlir::ArrayRef<mlir::Value> sizes,
             llvm::function_ref<void(mlir::ValueRange indices, mlir::Value lane)> body);
  /// Memory of the device between kernels of one op, which codegen-gpu-place-scratch finds room for.
  mlir::Value scratch(mlir::ArrayRef<mlir::Value> sizes, mlir::Type element);

  /// The sizes of all dimensions of `memref` but the last.
  mlir::SmallVector<mlir::Value> leadingSizes(mlir::Value memref);
  /// The dimensions of `memref` but the last `kept` as one.
  MergedDims mergeLeading(mlir::Value memref, int64_t kept);
  /// Indices of the dimensions that were merged and of those that were kept.
  mlir::SmallVector<mlir::Value> indicesOf(const MergedDims &dims, mlir::Value merged, mlir::ValueRange kept);
  /// Waits until all threads of the block have come here.
  void barrier();

  /// An f32 is rounded to the element type of a memref of bf16 or f16.
  void store(mlir::Value value, mlir::Value memref, mlir::ValueRange indices);
  /// The element of `memref` at the last of `indices`, with index 0 where a dimension has size one: as NumPy
  /// broadcasts.
  mlir::Value loadBroadcast(mlir::Value memref, mlir::ValueRange indices);
  /// An element of f32, f16, bf16 or of i8 as a number in the accumulator's type: f32, or i32 for `isSigned` or
  /// unsigned i8.
  mlir::Value loadWide(mlir::Value memref, mlir::ValueRange indices, bool isSigned);

  /// Folds the values of a warp's threads; every thread gets the result.
  mlir::Value reduceWarp(mlir::Value value, llvm::function_ref<mlir::Value(mlir::Value, mlir::Value)> combine);
  /// The value of the thread whose number in the warp differs in the bits of `mask`.
  mlir::Value shuffleXor(mlir::Value value, int64_t mask);

  mlir::Value select(mlir::Value condition, mlir::Value a, mlir::Value b);
  mlir::Value compare(mlir::arith::CmpFPredicate predicate, mlir::Value a, mlir::Value b);
  mlir::Value compare(mlir::arith::CmpIPredicate predicate, mlir::Value a, mlir::Value b);
  mlir::Value addFloats(mlir::Value a, mlir::Value b);
  mlir::Value mulFloats(mlir::Value a, mlir::Value b);
  /// a * b + c of floats or integers.
  mlir::Value multiplyAdd(mlir::Value a, mlir::Value b, mlir::Value c);

  /// What the region of an nn op, which is not empty, makes of an accumulator and the elements of its extras; null for
  /// one that it does not use.
  mlir::Value applyEpilogue(mlir::Region &epilogue, mlir::Value accumulator, mlir::ArrayRef<mlir::Value> extras);
  /// Applies the region of an nn op to an accumulator and stores the result; `extras` broadcast to `out`.
  void storeEpilogue(mlir::Region &epilogue, mlir::ValueRange extras, mlir::Value accumulator, mlir::Value out,
                     mlir::ValueRange indices);

  /// The type in which products of these elements are summed up: f32, or i32 of bytes. Null for types that have no
  /// product.
  mlir::Type accumulatorType(mlir::Value lhs, mlir::Value rhs);
};

} // namespace lathe::simt

#endif // PASSES_CODEGEN_GPU_THREADBUILDER_H

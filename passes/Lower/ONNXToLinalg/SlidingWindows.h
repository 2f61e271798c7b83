//===- SlidingWindows.h - Windows of convolutions and pools ---------------===//
#ifndef PASSES_LOWER_ONNXTOLINALG_SLIDINGWINDOWS_H
#define PASSES_LOWER_ONNXTOLINALG_SLIDINGWINDOWS_H

#include "passes/Lower/ONNXToLinalg/Lowering.h"

namespace lathe {

/// Windows over all dimensions but the first two of a tensor [N, C, d1, ...].
struct SlidingWindows {
  llvm::SmallVector<int64_t> kernel, strides, dilations;
  llvm::SmallVector<int64_t> before, after; ///< padding as ONNX counts it; ceil_mode may reach further

  size_t rank() const { return kernel.size(); }
  int64_t extent(size_t i) const { return dilations[i] * (kernel[i] - 1) + 1; }
};

/// The windows of an op with ONNX's attributes for them; an error if padding depends on a size that is not known.
llvm::FailureOr<SlidingWindows> getSlidingWindows(Lowering &lowering, mlir::Operation *op, mlir::Value input,
                                                  llvm::ArrayRef<int64_t> kernel);

/// The tensor of `resultDims` that has at place p of dimension 2 + i the element (p - before[i]) / spacing[i] of the
/// input, and `fill` where there is none. Negative padding crops.
mlir::Value emitSpread(Lowering &lowering, mlir::Value input, llvm::ArrayRef<mlir::AffineExpr> dims,
                       llvm::ArrayRef<mlir::AffineExpr> resultDims, llvm::ArrayRef<int64_t> before,
                       llvm::ArrayRef<int64_t> spacing, mlir::TypedAttr fill);

/// Where the window's element lies in the input: loops `first`.. of a linalg body are the window's position, loops
/// `second`.. the place in it. `inside` is false in padding, where the index is held within the input.
struct WindowPlace {
  llvm::SmallVector<mlir::Value> indices;
  mlir::Value inside, counted; ///< counted: in the input or in padding that ONNX counts
};
WindowPlace emitWindowPlace(mlir::ImplicitLocOpBuilder &b, const SlidingWindows &windows, unsigned first,
                            unsigned second, llvm::ArrayRef<mlir::Value> sizes);

} // namespace lathe

#endif // PASSES_LOWER_ONNXTOLINALG_SLIDINGWINDOWS_H

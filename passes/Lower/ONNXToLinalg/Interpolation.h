//===- Interpolation.h - Weights of interpolation -------------------------===//
#ifndef PASSES_LOWER_ONNXTOLINALG_INTERPOLATION_H
#define PASSES_LOWER_ONNXTOLINALG_INTERPOLATION_H

#include "passes/Lower/ONNXToLinalg/Lowering.h"

namespace lathe {

/// Weights of the four neighbours at distances 1 + t, t, 1 - t, 2 - t (Keys 1981), in the type of `t`.
void createCubicWeights(mlir::ImplicitLocOpBuilder &b, mlir::Value t, double a,
                        llvm::SmallVectorImpl<mlir::Value> &weights);

/// An element along one dimension: its index, held within the tensor, its weight (null: 1) and
/// whether it is there (null: yes).
struct Tap {
  mlir::Value index, weight, inside;
};

/// The tap at the whole number `place` (of floating point) along a dimension of `size` elements.
Tap createTap(mlir::ImplicitLocOpBuilder &b, mlir::Value place, mlir::Value size,
              mlir::Value weight);

/// Sum of all products of taps, one dimension after the other, in `type`; `load` reads at
/// `position`, to which the taps' indices are added. What is not there counts as 0.
mlir::Value createTapSum(mlir::ImplicitLocOpBuilder &b, llvm::ArrayRef<llvm::SmallVector<Tap>> taps,
                         mlir::Value inside, llvm::SmallVectorImpl<mlir::Value> &position,
                         mlir::Type type, llvm::function_ref<mlir::Value()> load);

/// Conversions between `index` and floating point, which has to be in the range of an index.
mlir::Value createIndex(mlir::ImplicitLocOpBuilder &b, mlir::Value floating);
mlir::Value createFloat(mlir::ImplicitLocOpBuilder &b, mlir::Value index, mlir::Type type);

} // namespace lathe

#endif // PASSES_LOWER_ONNXTOLINALG_INTERPOLATION_H

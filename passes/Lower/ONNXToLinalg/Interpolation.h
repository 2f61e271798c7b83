//===- Interpolation.h - Weights of interpolation -------------------------===//
#ifndef PASSES_LOWER_ONNXTOLINALG_INTERPOLATION_H
#define PASSES_LOWER_ONNXTOLINALG_INTERPOLATION_H

#include "passes/Lower/ONNXToLinalg/Lowering.h"

namespace lathe {

/// Weights of the four neighbours at distances 1 + t, t, 1 - t, 2 - t (Keys 1981), in the type of `t`.
void createCubicWeights(mlir::ImplicitLocOpBuilder &b, mlir::Value t, double a,
                        llvm::SmallVectorImpl<mlir::Value> &weights);

} // namespace lathe

#endif // PASSES_LOWER_ONNXTOLINALG_INTERPOLATION_H

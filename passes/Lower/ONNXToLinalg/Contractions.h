//===- Contractions.h - Sums of products as linalg.generic ----------------===//
#ifndef PASSES_LOWER_ONNXTOLINALG_CONTRACTIONS_H
#define PASSES_LOWER_ONNXTOLINALG_CONTRACTIONS_H

#include "passes/Lower/ONNXToLinalg/Lowering.h"

namespace lathe {

/// What products of these elements are summed in: f32 for f16 and bf16, the type itself for others.
mlir::Type getProductType(mlir::Type element);

/// x[2] + x[0] * x[1] in the type of x[2].
mlir::Value emitMultiplyAdd(mlir::ImplicitLocOpBuilder &b, mlir::ValueRange x);

/// The sum over `reductions` loops, which follow those of the result's `dims`, of products of two inputs.
mlir::Value emitContraction(Lowering &lowering, llvm::ArrayRef<mlir::AffineExpr> dims, unsigned reductions,
                            mlir::Type element, mlir::ValueRange inputs, llvm::ArrayRef<mlir::AffineMap> inputMaps);

} // namespace lathe

#endif // PASSES_LOWER_ONNXTOLINALG_CONTRACTIONS_H

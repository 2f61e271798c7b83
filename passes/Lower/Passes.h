//===- Passes.h - Passes of the lower phase -----------------===//
#ifndef PASSES_LOWER_PASSES_H
#define PASSES_LOWER_PASSES_H

#include "dialects/NN/IR/NNDialect.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"

namespace lathe {

#define GEN_PASS_DECL
#include "passes/Lower/Passes.h.inc"

/// What the lower phase needs to know.
struct LowerOptions {
  /// 3x3 convolutions may be computed by Winograd's algorithm.
  bool winograd = true;
  /// The target is a GPU: forms of ops that are made for vectors and caches of a CPU are not chosen.
  bool gpu = false;
};

/// The passes of the lower phase in order.
void buildLowerPipeline(mlir::OpPassManager &passes, const LowerOptions &options);

#define GEN_PASS_REGISTRATION
#include "passes/Lower/Passes.h.inc"

} // namespace lathe

#endif // PASSES_LOWER_PASSES_H

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
#include "passes/Lower/TuningFile.h"
#include <functional>
#include <memory>

namespace lathe {

#define GEN_PASS_DECL
#include "passes/Lower/Passes.h.inc"

/// Where the choices for kernels come from, and who wants to know which there are.
struct TuningRequest {
  /// Null where cost models choose.
  std::shared_ptr<const TuningFile> file;
  /// Where not null, called for each op that can be tuned, when it has its `nn.tuning`; at once for several functions.
  std::function<void(mlir::Operation *op, const TuningKey &kernel)> observe;
};

/// `lower-apply-tuning` with measurements that were read already.
std::unique_ptr<mlir::Pass> createApplyTuningPass(TuningRequest request);

/// What the lower phase needs to know.
struct LowerOptions {
  /// 3x3 convolutions may be computed by Winograd's algorithm.
  bool winograd = true;
  /// The target is a GPU: forms of ops that are made for vectors and caches of a CPU are not chosen.
  bool gpu = false;
  TuningRequest tuning;
};

/// The passes of the lower phase in order.
void buildLowerPipeline(mlir::OpPassManager &passes, const LowerOptions &options);

#define GEN_PASS_REGISTRATION
#include "passes/Lower/Passes.h.inc"

} // namespace lathe

#endif // PASSES_LOWER_PASSES_H

//===- Decisions.h - Forms of ops that lowering chooses -------------------===//
#ifndef PASSES_LOWER_DECISIONS_H
#define PASSES_LOWER_DECISIONS_H

#include "dialects/NN/IR/NNDepthwise.h"
#include "passes/Codegen/Common/WinogradCost.h"

namespace lathe {

/// How a convolution is computed: see `lower-winograd`.
struct WinogradDecision {
  /// Why it cannot be by Winograd's algorithm, whatever the cost; empty if it can.
  llvm::StringRef obstacle;
  int64_t largestTile = 0; ///< that is exact: 0, 2 or 4
  bool isMeasured = false; ///< the tuning of the op says `plan.m`
  codegen::WinogradPlan plan;
};
WinogradDecision decideWinograd(nn::ConvOp op);

/// Whether a depthwise convolution is computed together with the 1x1 convolution that alone computes its input; and
/// that one, null if there is none. See `lower-fuse-depthwise`.
struct FusionDecision {
  nn::ConvOp expand;
  llvm::StringRef obstacle; ///< why they cannot be one op; empty if they can
  llvm::StringRef drawback; ///< why they should not; empty if they should
};
FusionDecision decideFusion(nn::ConvOp op);

} // namespace lathe

#endif // PASSES_LOWER_DECISIONS_H

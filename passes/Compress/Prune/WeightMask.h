//===- WeightMask.h - Which weights to remove -----------------------------===//
#ifndef PASSES_COMPRESS_PRUNE_WEIGHTMASK_H
#define PASSES_COMPRESS_PRUNE_WEIGHTMASK_H

#include "llvm/ADT/ArrayRef.h"
#include <cstdint>
#include <vector>

namespace lathe {

/// What the removal of each weight costs, in any unit: the squared error of the layer's output, or an estimate.
/// `[taps, inputs, outputs]`, as the weight is stored.
struct WeightCosts {
  int64_t taps = 1;    ///< positions of a convolution's window; 1 for a matrix
  int64_t inputs = 0;  ///< input channels of an output
  int64_t outputs = 0;
  std::vector<float> values; ///< not negative
};

/// True for each weight to remove.
using WeightMask = std::vector<bool>;

/// How many weights of each layer to remove, `sparsity` of all in total: those of the smallest LAMP scores (Lee et al.,
/// "Layer-adaptive Sparsity for the Magnitude-based Pruning", ICLR 2021). A weight's score is its cost as a part of the
/// costs in its layer that are not smaller, so that layers of different scales compare and none is removed as a whole.
std::vector<int64_t> allocateRemovals(llvm::ArrayRef<WeightCosts> layers, double sparsity);

/// The mask of the `count` cheapest weights; of equal ones the first.
WeightMask selectCheapest(llvm::ArrayRef<float> costs, int64_t count);

/// The mask that leaves the `n` dearest of each `m` neighbouring inputs of an output, within a tap; the last group of a
/// tap may be shorter. Of equal ones the first goes first.
WeightMask selectPattern(const WeightCosts &costs, int64_t n, int64_t m);

} // namespace lathe

#endif // PASSES_COMPRESS_PRUNE_WEIGHTMASK_H

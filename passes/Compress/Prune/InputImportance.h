//===- InputImportance.h - How much the inputs of a layer matter ----------===//
#ifndef PASSES_COMPRESS_PRUNE_INPUTIMPORTANCE_H
#define PASSES_COMPRESS_PRUNE_INPUTIMPORTANCE_H

#include "passes/Compress/Calibration/ChannelStatistics.h"
#include <vector>

namespace lathe {

/// The root of the mean square of each input. A squared weight times it is the square of Wanda's score (Sun et al., "A
/// Simple and Effective Pruning Approach for Large Language Models", 2023) with the norm's exponent of RIA (Zhang et
/// al., "Plug-and-Play", ICLR 2024): half of Wanda's, because inputs are not independent of each other.
std::vector<double> getDampedNorms(const ChannelStatistics &inputs);

/// The mean squared error of the output when a weight of each input changes by 1 and the bias makes up for its mean.
std::vector<double> getVariances(const ChannelStatistics &inputs);

/// The same when all other weights, too, make up for it: 1 / diag(H^-1), H the covariance of the inputs (optimal brain
/// surgeon; Frantar & Alistarh, "SparseGPT", 2023). Needs the statistics' gram.
std::vector<double> getConditionalVariances(const ChannelStatistics &inputs);

/// Variance of a layer's outputs, summed over the outputs, and that of what pruning changes of them.
struct OutputChange {
  double signal = 0, noise = 0;
};

/// Adjusts `weights` `[K, outputs]`, which are `original` with zeros where `removed`, so that the outputs on the inputs of
/// the statistics' gram change least in the mean square, up to a constant. Zeros stay.
OutputChange compensate(const ChannelStatistics &inputs, llvm::ArrayRef<float> original,
                        const std::vector<bool> &removed, llvm::MutableArrayRef<float> weights);

} // namespace lathe

#endif // PASSES_COMPRESS_PRUNE_INPUTIMPORTANCE_H

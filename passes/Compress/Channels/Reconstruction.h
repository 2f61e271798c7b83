//===- Reconstruction.h - Channels told by other channels -------*- C++ -*-===//
#ifndef PASSES_COMPRESS_CHANNELS_RECONSTRUCTION_H
#define PASSES_COMPRESS_CHANNELS_RECONSTRUCTION_H

#include "passes/Compress/Calibration/ChannelStatistics.h"
#include "passes/Compress/Channels/ChannelPruning.h"
#include "passes/Compress/Channels/Contractions.h"
#include <Eigen/Core>

namespace lathe {

/// Second moments of the channels that a contraction reads, on samples: around the mean, which its bias can make up
/// for; around zero where windows reach into padding, which is zero whatever the channel's mean is.
struct ChannelMoments {
  Eigen::VectorXd mean;
  Eigen::MatrixXd covariance;
  bool centered = true;

  ChannelMoments(const ChannelStatistics &statistics, bool centered);
};

/// Removes inputs of a contraction step by step, each time the ones that are missed least when the weights of all
/// others are adapted: structured optimal brain surgeon as in ZipLM (Kurtic et al., NeurIPS 2023), by the covariance
/// that the taps of a window share.
class InputEliminator {
public:
  InputEliminator(const Contraction &contraction, const ChannelMoments &moments);

  /// Squared error, summed over outputs and relative to the variance of the outputs, if these inputs go now.
  double getError(llvm::ArrayRef<int64_t> rows) const;
  void eliminate(llvm::ArrayRef<int64_t> rows);

private:
  Eigen::MatrixXd precision; ///< inverse of the damped covariance of what is left
  Eigen::MatrixXd weight;    ///< `[inputs, taps * outputs]`
  double signal = 0;
};

/// Changes the weight and the bias of a contraction that loses inputs.
void compensate(const Contraction &contraction, llvm::ArrayRef<int64_t> removed, const ChannelMoments &moments,
                ChannelCompensation compensation);

} // namespace lathe

#endif // PASSES_COMPRESS_CHANNELS_RECONSTRUCTION_H

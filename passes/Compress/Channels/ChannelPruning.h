//===- ChannelPruning.h - How channels are chosen and made up for -*- C++ -*-===//
#ifndef PASSES_COMPRESS_CHANNELS_CHANNELPRUNING_H
#define PASSES_COMPRESS_CHANNELS_CHANNELPRUNING_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <optional>

namespace lathe {

/// What says how much a channel matters.
enum class ChannelScore {
  Magnitude,      ///< the norm of its weights
  Activation,     ///< how much it fluctuates, times the norm of the weights that read it (FLAP)
  Reconstruction, ///< what is lost where the others make up for it as well as they can
};

/// What takes the place of a removed channel.
enum class ChannelCompensation {
  None,
  Mean,         ///< its mean on samples (FLAP)
  LeastSquares, ///< the linear combination of the channels that stay which is nearest to it on samples
};

/// `channels:FRACTION[:SCORE][:COMPENSATION]`, an item of `--prune=`.
struct ChannelPruning {
  double fraction = 0; ///< of the contractions' multiply-adds, in (0, 1)
  /// Without a value: by reconstruction, and least squares, where there are statistics; by magnitude without any
  /// compensation elsewhere.
  std::optional<ChannelScore> score;
  std::optional<ChannelCompensation> compensation;

  bool needsStatistics() const;
  static llvm::Expected<ChannelPruning> parse(llvm::StringRef item);
};

} // namespace lathe

#endif // PASSES_COMPRESS_CHANNELS_CHANNELPRUNING_H

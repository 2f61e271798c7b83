//===- PruneSpec.h - What pruning removes ---------------------------------===//
#ifndef PASSES_COMPRESS_PRUNE_PRUNESPEC_H
#define PASSES_COMPRESS_PRUNE_PRUNESPEC_H

#include "passes/Compress/Channels/ChannelPruning.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <optional>

namespace lathe {

/// What says how much a weight matters.
enum class PruneScore { Magnitude, Wanda, SparseGPT };

llvm::StringRef nameOf(PruneScore score);

/// Single weights to remove: a fraction of them, or all but `n` of each `m` neighbouring inputs of an output.
struct WeightPruning {
  PruneScore score = PruneScore::Magnitude;
  double sparsity = 0;  ///< zeros per weight, in (0, 1); 0 for N:M
  int64_t n = 0, m = 0; ///< 0 for a fraction
  bool uniform = false; ///< the same fraction in each layer, instead of one that suits the layer

  bool needsStatistics() const { return score != PruneScore::Magnitude; }
};

/// What `--prune=` says: items that work together, each at most once.
struct PruneSpec {
  std::optional<WeightPruning> weights;
  std::optional<ChannelPruning> channels;

  /// Reads items separated by commas: `magnitude:S`, `wanda:S` or `sparsegpt:S`, each with `:uniform`;
  /// `N:M` with `:magnitude` (the default), `:wanda` or `:sparsegpt`;
  /// what `ChannelPruning` reads. `none` is no item.
  static llvm::Expected<PruneSpec> parse(llvm::StringRef text);
};

} // namespace lathe

#endif // PASSES_COMPRESS_PRUNE_PRUNESPEC_H

//===- ChooseRanks.h - Which layer gives up how much rank -----------------===//
#ifndef PASSES_COMPRESS_LOWRANK_CHOOSERANKS_H
#define PASSES_COMPRESS_LOWRANK_CHOOSERANKS_H

#include "llvm/ADT/ArrayRef.h"
#include <cstdint>
#include <optional>
#include <vector>

namespace lathe {

/// One rank that a layer may have, or 0 for the layer as it is.
struct RankOption {
  int64_t rank = 0;
  double flops = 0;
  double loss = 0;
};

/// Chooses an option for each layer, by index, so that they take at most `flops` together: again and again the step that
/// loses least for each operation it saves, and with what is left over the steps back that win most. The options of a
/// layer are in the order of falling operations. Nullopt where even the last ones take more.
std::optional<std::vector<size_t>> chooseRanks(llvm::ArrayRef<std::vector<RankOption>> layers, double flops);

} // namespace lathe

#endif // PASSES_COMPRESS_LOWRANK_CHOOSERANKS_H

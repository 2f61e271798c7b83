//===- ChooseRanks.cpp - Which layer gives up how much rank ---------------===//
#include "passes/Compress/LowRank/ChooseRanks.h"
#include <limits>

using namespace lathe;

namespace {
struct Step {
  size_t layer = 0, option = 0;
};
} // namespace

/// The step down that loses least for each operation it saves; nullopt at the end of all ways.
static std::optional<Step> findStepDown(llvm::ArrayRef<std::vector<RankOption>> layers, llvm::ArrayRef<size_t> chosen) {
  std::optional<Step> best;
  double least = std::numeric_limits<double>::infinity();
  for (size_t layer = 0; layer < layers.size(); ++layer)
    for (size_t option = chosen[layer] + 1; option < layers[layer].size(); ++option) {
      const RankOption &from = layers[layer][chosen[layer]], &to = layers[layer][option];
      double price = (to.loss - from.loss) / (from.flops - to.flops);
      if (price < least)
        least = price, best = Step{layer, option};
    }
  return best;
}

/// The step up that wins most and takes no more than `left` operations; nullopt if none does.
static std::optional<Step> findStepUp(llvm::ArrayRef<std::vector<RankOption>> layers, llvm::ArrayRef<size_t> chosen,
                                      double left) {
  std::optional<Step> best;
  double most = 0;
  for (size_t layer = 0; layer < layers.size(); ++layer)
    for (size_t option = 0; option < chosen[layer]; ++option) {
      const RankOption &from = layers[layer][chosen[layer]], &to = layers[layer][option];
      if (to.flops - from.flops <= left && from.loss - to.loss > most)
        most = from.loss - to.loss, best = Step{layer, option};
    }
  return best;
}

std::optional<std::vector<size_t>> lathe::chooseRanks(llvm::ArrayRef<std::vector<RankOption>> layers, double flops) {
  std::vector<size_t> chosen(layers.size(), 0);
  double total = 0;
  for (const std::vector<RankOption> &options : layers)
    total += options.front().flops;
  auto take = [&](Step step) {
    const std::vector<RankOption> &options = layers[step.layer];
    total += options[step.option].flops - options[chosen[step.layer]].flops;
    chosen[step.layer] = step.option;
  };
  while (total > flops) {
    std::optional<Step> step = findStepDown(layers, chosen);
    if (!step)
      return std::nullopt;
    take(*step);
  }
  while (std::optional<Step> step = findStepUp(layers, chosen, flops - total))
    take(*step);
  return chosen;
}

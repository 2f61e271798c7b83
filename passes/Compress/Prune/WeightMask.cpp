//===- WeightMask.cpp - Which weights to remove ---------------------------===//
#include "passes/Compress/Prune/WeightMask.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include <algorithm>
#include <cmath>
#include <numeric>

using namespace llvm;
using namespace lathe;

WeightMask lathe::selectCheapest(ArrayRef<float> costs, int64_t count) {
  WeightMask mask(costs.size(), false);
  count = std::min(count, int64_t(costs.size()));
  if (count <= 0)
    return mask;
  std::vector<float> sorted = costs.vec();
  std::nth_element(sorted.begin(), sorted.begin() + (count - 1), sorted.end());
  float threshold = sorted[count - 1];
  int64_t equal = count - llvm::count_if(costs, [&](float cost) { return cost < threshold; });
  for (auto [index, cost] : enumerate(costs))
    mask[index] = cost < threshold || (cost == threshold && equal-- > 0);
  return mask;
}

/// Each cost divided by the sum of those that are not smaller: 1 for the largest.
static std::vector<float> getLampScores(ArrayRef<float> costs) {
  std::vector<int64_t> order(costs.size());
  std::iota(order.begin(), order.end(), 0);
  llvm::sort(order, [&](int64_t a, int64_t b) { return std::pair(costs[a], b) > std::pair(costs[b], a); });
  std::vector<float> scores(costs.size(), 0);
  double sum = 0;
  for (int64_t index : order) {
    sum += costs[index];
    if (sum > 0)
      scores[index] = float(costs[index] / sum);
  }
  return scores;
}

std::vector<int64_t> lathe::allocateRemovals(ArrayRef<WeightCosts> layers, double sparsity) {
  std::vector<float> scores;
  for (const WeightCosts &layer : layers)
    llvm::append_range(scores, getLampScores(layer.values));
  WeightMask removed = selectCheapest(scores, std::llround(sparsity * double(scores.size())));
  std::vector<int64_t> counts;
  auto first = removed.begin();
  for (const WeightCosts &layer : layers) {
    auto last = first + layer.values.size();
    counts.push_back(std::count(first, last, true));
    first = last;
  }
  return counts;
}

WeightMask lathe::selectPattern(const WeightCosts &costs, int64_t n, int64_t m) {
  WeightMask mask(costs.values.size(), false);
  SmallVector<int64_t> group;
  for (int64_t tap = 0; tap < costs.taps; ++tap)
    for (int64_t first = 0; first < costs.inputs; first += m)
      for (int64_t output = 0; output < costs.outputs; ++output) {
        group.clear();
        for (int64_t input = first; input < std::min(first + m, costs.inputs); ++input)
          group.push_back((tap * costs.inputs + input) * costs.outputs + output);
        llvm::sort(group, [&](int64_t a, int64_t b) {
          return std::pair(costs.values[a], a) < std::pair(costs.values[b], b);
        });
        for (int64_t index : ArrayRef(group).drop_back(std::min<size_t>(n, group.size())))
          mask[index] = true;
      }
  return mask;
}

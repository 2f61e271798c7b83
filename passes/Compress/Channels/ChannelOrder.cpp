//===- ChannelOrder.cpp - In which order units are missed least -----------===//
#include "passes/Compress/Channels/ChannelOrder.h"
#include "passes/Compress/Channels/Contractions.h"
#include "passes/Compress/Channels/Reconstruction.h"
#include <cmath>
#include <numeric>

using namespace mlir;
using namespace lathe;

/// Calls back with the slices of a unit that contractions of a role hold, and their numbers.
static void forEachSlice(const ChannelGroups &groups, const ChannelUnit &unit, ChannelAxis::Role role,
                         llvm::function_ref<void(size_t, Contraction, ArrayRef<int64_t>)> callback) {
  for (auto [number, slice] : llvm::enumerate(unit.slices))
    if (const ChannelAxis &axis = groups.getAxes()[slice.axis]; axis.role == role)
      callback(number, *Contraction::match(axis.reader), slice.indices);
}

/// Squares of the rows (inputs) or columns (outputs) of a weight, summed over everything else.
static std::vector<double> sumSquares(const Contraction &contraction, bool ofInputs) {
  std::vector<float> storage;
  int64_t inputs = contraction.getInputs(), outputs = contraction.getOutputs();
  std::vector<double> sums(ofInputs ? inputs : outputs, 0);
  for (auto [index, element] : llvm::enumerate(contraction.getWeight(storage)))
    sums[ofInputs ? int64_t(index) / outputs % inputs : int64_t(index) % outputs] += double(element) * element;
  return sums;
}

/// The norms of all weights that a unit owns, each relative to the group's mean.
static std::vector<double> scoreByMagnitude(const ChannelGroups &groups, const ChannelGroup &group) {
  std::vector<double> squares(group.units.size(), 0);
  for (auto role : {ChannelAxis::Role::Output, ChannelAxis::Role::Input})
    forEachSlice(groups, group.units.front(), role, [&](size_t number, Contraction contraction, ArrayRef<int64_t>) {
      std::vector<double> sums = sumSquares(contraction, role == ChannelAxis::Role::Input);
      for (auto [square, unit] : llvm::zip_equal(squares, group.units))
        for (int64_t index : unit.slices[number].indices)
          square += sums[index];
    });
  for (double &square : squares)
    square = std::sqrt(square);
  double mean = std::accumulate(squares.begin(), squares.end(), 0.0) / double(squares.size());
  for (double &square : squares)
    square /= std::max(mean, 1e-30);
  return squares;
}

/// FLAP (An et al., AAAI 2024): variance of what is read times the squared norm of the weights that read it, in
/// standard deviations above the mean of the layer. Summed over readers.
static std::vector<double> scoreByActivation(const ChannelGroups &groups, const ChannelGroup &group,
                                             const ActivationStatistics &statistics) {
  std::vector<double> scores(group.units.size(), 0);
  forEachSlice(groups, group.units.front(), ChannelAxis::Role::Input,
               [&](size_t number, Contraction contraction, ArrayRef<int64_t>) {
                 std::vector<double> norms = sumSquares(contraction, /*ofInputs=*/true);
                 const ChannelStatistics &channels = statistics.lookup(contraction.getInput())->channels;
                 std::vector<double> own(group.units.size(), 0);
                 for (auto [score, unit] : llvm::zip_equal(own, group.units))
                   for (int64_t index : unit.slices[number].indices)
                     score += channels.getVariance(index) * norms[index];
                 double mean = std::accumulate(own.begin(), own.end(), 0.0) / double(own.size()), variance = 0;
                 for (double score : own)
                   variance += (score - mean) * (score - mean) / double(own.size());
                 for (auto [score, one] : llvm::zip_equal(scores, own))
                   score += (one - mean) / std::max(std::sqrt(variance), 1e-30);
               });
  return scores;
}

/// Removes the unit with the least error again and again; large groups lose several at a time.
static ChannelOrder orderByReconstruction(const ChannelGroups &groups, const ChannelGroup &group,
                                          const ActivationStatistics &statistics) {
  std::map<size_t, InputEliminator> readers;
  forEachSlice(groups, group.units.front(), ChannelAxis::Role::Input,
               [&](size_t number, Contraction contraction, ArrayRef<int64_t>) {
                 ChannelMoments moments(statistics.lookup(contraction.getInput())->channels, !contraction.isPadded());
                 readers.emplace(number, InputEliminator(contraction, moments));
               });
  ChannelOrder order;
  SmallVector<const ChannelUnit *> left;
  for (const ChannelUnit &unit : group.units)
    left.push_back(&unit);
  const size_t batch = std::max<size_t>(1, left.size() / 128);
  while (!left.empty()) {
    SmallVector<std::pair<double, size_t>> errors;
    for (auto [place, unit] : llvm::enumerate(left)) {
      double error = 0;
      for (auto &[number, reader] : readers)
        error += reader.getError(unit->slices[number].indices);
      errors.push_back({error, place});
    }
    llvm::sort(errors);
    for (auto [error, place] : ArrayRef(errors).take_front(batch)) {
      order.units.push_back(left[place]);
      order.losses.push_back(error);
      for (auto &[number, reader] : readers)
        reader.eliminate(left[place]->slices[number].indices);
      left[place] = nullptr;
    }
    llvm::erase(left, nullptr);
  }
  return order;
}

ChannelOrder lathe::orderUnits(const ChannelGroups &groups, const ChannelGroup &group, ChannelScore score,
                               const ActivationStatistics &statistics) {
  if (score == ChannelScore::Reconstruction)
    return orderByReconstruction(groups, group, statistics);
  std::vector<double> scores = score == ChannelScore::Magnitude ? scoreByMagnitude(groups, group)
                                                                : scoreByActivation(groups, group, statistics);
  SmallVector<std::pair<double, size_t>> sorted;
  for (auto [number, one] : llvm::enumerate(scores))
    sorted.push_back({one, number});
  llvm::sort(sorted);
  ChannelOrder order;
  for (auto [one, number] : sorted) {
    order.units.push_back(&group.units[number]);
    order.losses.push_back(one);
  }
  return order;
}

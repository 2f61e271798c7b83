//===- PruneSpec.cpp - What pruning removes -------------------------------===//
#include "passes/Compress/Prune/PruneSpec.h"
#include "llvm/ADT/SmallVector.h"

using namespace llvm;
using namespace lathe;

StringRef lathe::nameOf(PruneScore score) {
  switch (score) {
  case PruneScore::Magnitude:
    return "magnitude";
  case PruneScore::Wanda:
    return "wanda";
  case PruneScore::SparseGPT:
    return "sparsegpt";
  }
  llvm_unreachable("unknown score");
}

static std::optional<PruneScore> parseScore(StringRef text) {
  for (PruneScore score : {PruneScore::Magnitude, PruneScore::Wanda, PruneScore::SparseGPT})
    if (text == nameOf(score))
      return score;
  return std::nullopt;
}

static Error malformed(StringRef item) {
  return createStringError("expected magnitude:S, wanda:S or sparsegpt:S with :uniform, N:M with :magnitude, :wanda or "
                           ":sparsegpt, or channels:F, but got '" +
                           item + "'");
}

static Error readFraction(StringRef text, StringRef what, double &fraction) {
  if (text.getAsDouble(fraction) || !(fraction > 0 && fraction < 1))
    return createStringError("expected " + what + " between 0 and 1, but got '" + text + "'");
  return Error::success();
}

/// Of more neighbours than most layers have inputs, a part would be another one than asked for.
static constexpr int64_t kMostNeighbours = 64;

/// `SCORE:S[:uniform]` or `N:M[:SCORE]`.
static Expected<WeightPruning> parseWeights(StringRef item, ArrayRef<StringRef> parts) {
  WeightPruning weights;
  if (parts.size() < 2 || parts.size() > 3)
    return malformed(item);
  if (std::optional<PruneScore> score = parseScore(parts[0])) {
    weights.score = *score;
    weights.uniform = parts.size() == 3;
    if (weights.uniform && parts[2] != "uniform")
      return malformed(item);
    if (Error error = readFraction(parts[1], "a sparsity", weights.sparsity))
      return error;
    return weights;
  }
  std::optional<PruneScore> score = parts.size() == 3 ? parseScore(parts[2]) : PruneScore::Magnitude;
  if (!score || parts[0].getAsInteger(10, weights.n) || parts[1].getAsInteger(10, weights.m))
    return malformed(item);
  if (weights.n < 1 || weights.n >= weights.m || weights.m > kMostNeighbours)
    return createStringError("expected N:M with N from 1 to M - 1 and M of at most " + Twine(kMostNeighbours) +
                             ", but got '" + parts[0] + ":" + parts[1] + "'");
  weights.score = *score;
  return weights;
}

Expected<PruneSpec> PruneSpec::parse(StringRef text) {
  PruneSpec spec;
  if (text == "none")
    return spec;
  SmallVector<StringRef> items;
  text.split(items, ',');
  for (StringRef item : items) {
    SmallVector<StringRef> parts;
    item.split(parts, ':');
    bool repeated = parts[0] == "channels" ? spec.channels.has_value() : spec.weights.has_value();
    if (parts[0] == "channels") {
      Expected<ChannelPruning> channels = ChannelPruning::parse(item);
      if (!channels)
        return channels.takeError();
      spec.channels = *channels;
    } else {
      Expected<WeightPruning> weights = parseWeights(item, parts);
      if (!weights)
        return weights.takeError();
      spec.weights = *weights;
    }
    if (repeated)
      return createStringError("expected one way to prune weights and one to prune channels, but got '" + text + "'");
  }
  return spec;
}

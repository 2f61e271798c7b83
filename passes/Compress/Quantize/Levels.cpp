//===- Levels.cpp - The scale and zero point of a group of weights --------===//
#include "passes/Compress/Quantize/Levels.h"
#include "llvm/ADT/SmallVector.h"
#include <algorithm>
#include <cmath>
#include <limits>

using namespace lathe;
using llvm::ArrayRef;

int64_t Levels::quantize(double value) const {
  double scaled = std::nearbyint(value / scale) + double(zero);
  return std::isnan(scaled) ? zero : int64_t(std::clamp<double>(scaled, double(low), double(high)));
}

static bool isUsable(double scale) {
  return scale > std::numeric_limits<float>::min() && scale <= std::numeric_limits<float>::max();
}

namespace {
/// Looks for the levels of least error among candidates.
class LevelSearch {
public:
  LevelSearch(ArrayRef<float> values, ArrayRef<float> importance) : values(values), importance(importance) {}

  void consider(Levels candidate) {
    double error = errorOf(candidate);
    if (error < leastError)
      leastError = error, best = candidate;
    // For what the values round to, another scale may fit better: a least-squares problem of one unknown.
    if (double scale = fitScale(candidate); isUsable(scale)) {
      candidate.scale = float(scale);
      if (error = errorOf(candidate); error < leastError)
        leastError = error, best = candidate;
    }
  }

  Levels best;

private:
  double weightOf(size_t i) const { return importance.empty() ? 1 : importance[i]; }

  double errorOf(const Levels &levels) const {
    double sum = 0;
    for (size_t i = 0; i < values.size(); ++i) {
      double error = values[i] - levels.express(levels.quantize(values[i]));
      sum += weightOf(i) * error * error;
    }
    return sum;
  }

  double fitScale(const Levels &levels) const {
    double product = 0, square = 0;
    for (size_t i = 0; i < values.size(); ++i) {
      double level = double(levels.quantize(values[i]) - levels.zero);
      product += weightOf(i) * level * values[i];
      square += weightOf(i) * level * level;
    }
    return square > 0 ? product / square : 0;
  }

  ArrayRef<float> values, importance;
  double leastError = std::numeric_limits<double>::infinity();
};
} // namespace

Levels lathe::chooseLevels(ArrayRef<float> values, ArrayRef<float> importance, const WeightFormat &format) {
  double least = 0, most = 0;
  for (float value : values) {
    least = value < least ? value : least;
    most = value > most ? value : most;
  }
  int64_t low = format.lowest(), high = format.highest();
  Levels levels{1, 0, low, high};
  // The levels that cover [part * least, part * most]; false where these are too close.
  auto cover = [&](double part) {
    double scale = part * (format.symmetric ? std::max(most, -least) / double(high) : (most - least) / double(high - low));
    if (!isUsable(scale))
      return false;
    levels.scale = float(scale);
    if (!format.symmetric)
      levels.zero = std::clamp<int64_t>(std::llround(double(low) - part * least / levels.scale), low, high);
    return true;
  };
  if (!cover(1) || format.bits == 8)
    return levels;
  LevelSearch search(values, importance);
  for (int percent = 100; percent >= 40; percent -= 4)
    if (cover(percent / 100.0))
      search.consider(levels);
  return search.best;
}

RoundedMatrix lathe::roundToNearest(ArrayRef<float> values, int64_t columns, const WeightFormat &format) {
  int64_t rows = columns ? int64_t(values.size()) / columns : 0, group = format.group ? format.group : rows;
  RoundedMatrix result;
  result.stored.resize(values.size());
  llvm::SmallVector<float> column(group);
  for (int64_t first = 0; first < rows; first += group)
    for (int64_t n = 0; n < columns; ++n) {
      for (int64_t k = 0; k < group; ++k)
        column[k] = values[(first + k) * columns + n];
      Levels levels = chooseLevels(column, {}, format);
      result.scales.push_back(levels.scale);
      result.zeroPoints.push_back(levels.zero);
      for (int64_t k = 0; k < group; ++k)
        result.stored[(first + k) * columns + n] = int8_t(levels.quantize(column[k]));
    }
  return result;
}

//===- ChannelStatistics.cpp - Moments of a value's channels on samples ---===//
#include "passes/Compress/Calibration/ChannelStatistics.h"
#include <Eigen/Core>
#include <algorithm>
#include <cmath>

using namespace lathe;
namespace json = llvm::json;

using RowMatrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

void ChannelStatistics::observe(llvm::ArrayRef<float> elements, int64_t channels, bool wantsGram) {
  if (channels <= 0 || (rows && channels != getChannels()))
    return;
  sums.resize(channels), squares.resize(channels);
  std::vector<float> finite;
  finite.reserve(elements.size());
  for (size_t begin = 0; begin + channels <= elements.size(); begin += channels) {
    llvm::ArrayRef<float> row = elements.slice(begin, channels);
    if (!llvm::all_of(row, [](float value) { return std::isfinite(value); }))
      continue;
    for (int64_t channel = 0; channel < channels; ++channel) {
      sums[channel] += row[channel];
      squares[channel] += double(row[channel]) * row[channel];
    }
    finite.insert(finite.end(), row.begin(), row.end());
    ++rows;
  }
  if (!wantsGram || finite.empty())
    return;
  gram.resize(size_t(channels) * channels);
  Eigen::Map<const RowMatrix> matrix(finite.data(), int64_t(finite.size()) / channels, channels);
  Eigen::Map<RowMatrix> sum(gram.data(), channels, channels);
  sum.selfadjointView<Eigen::Lower>().rankUpdate(matrix.transpose());
  sum.triangularView<Eigen::StrictlyUpper>() = sum.transpose();
}

double ChannelStatistics::getVariance(int64_t channel) const {
  if (rows < 2)
    return 0;
  double mean = getMean(channel);
  return std::max(0.0, squares[channel] - mean * sums[channel]) / double(rows - 1);
}

double ChannelStatistics::getNorm(int64_t channel) const { return std::sqrt(squares[channel]); }

json::Value ChannelStatistics::toJSON() const {
  json::Object object{{"rows", int64_t(rows)}, {"sums", sums}, {"squares", squares}};
  if (!gram.empty())
    object["gram"] = json::Array(gram);
  return object;
}

/// Reads an array of numbers; false if it is none.
template <typename T> static bool readNumbers(const json::Array *array, std::vector<T> &numbers) {
  if (!array)
    return false;
  for (const json::Value &value : *array) {
    std::optional<double> number = value.getAsNumber();
    if (!number)
      return false;
    numbers.push_back(T(*number));
  }
  return true;
}

bool ChannelStatistics::fromJSON(const json::Value &value, ChannelStatistics &result) {
  const json::Object *object = value.getAsObject();
  std::optional<int64_t> rows = object ? object->getInteger("rows") : std::nullopt;
  if (!rows || *rows < 0)
    return false;
  result = ChannelStatistics();
  result.rows = *rows;
  if (!readNumbers(object->getArray("sums"), result.sums) || !readNumbers(object->getArray("squares"), result.squares) ||
      result.sums.size() != result.squares.size())
    return false;
  const json::Array *gram = object->getArray("gram");
  return !gram || (readNumbers(gram, result.gram) && result.gram.size() == result.sums.size() * result.sums.size());
}

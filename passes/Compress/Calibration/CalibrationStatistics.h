//===- CalibrationStatistics.h - What values are like on samples ----------===//
#ifndef PASSES_COMPRESS_CALIBRATION_CALIBRATIONSTATISTICS_H
#define PASSES_COMPRESS_CALIBRATION_CALIBRATIONSTATISTICS_H

#include "passes/Compress/Calibration/ChannelStatistics.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"
#include <cstdint>
#include <vector>

namespace lathe {

/// A closed interval of real values.
struct ValueRange {
  float low = 0, high = 0;
};

/// What is known of the elements of one tensor: extremes and a histogram of fixed size. The histogram covers
/// [-limit, limit), limit a power of two; where an element lies outside, limit doubles and pairs of bins merge, so
/// that the memory does not depend on what is observed and no element is ever lost. NaN and infinities are counted
/// apart and change nothing else.
class RangeStatistics {
public:
  static constexpr unsigned kBins = 4096; ///< even, so that bins merge in pairs around 0

  void observe(llvm::ArrayRef<float> elements);

  uint64_t getCount() const { return count; }
  uint64_t getNonFiniteCount() const { return nonFinite; }
  /// Smallest and largest element; [0, 0] before the first.
  ValueRange getExtremes() const { return {minimum, maximum}; }
  /// The part of the range that is left when (100 - percent) % of the elements is cut off at either end, to the
  /// width of a bin. `percent` in (50, 100].
  ValueRange getPercentile(double percent) const;
  /// Mean squared error of rounding the elements to `levels` equidistant values over `range`, clipping what lies
  /// outside, estimated from the histogram.
  double estimateError(ValueRange range, unsigned levels) const;
  /// The range within the extremes that has the smallest `estimateError`, among scaled versions of the extremes.
  ValueRange getLeastErrorRange(unsigned levels) const;

  llvm::json::Value toJSON() const;
  /// False if the value is not what `toJSON` writes.
  static bool fromJSON(const llvm::json::Value &value, RangeStatistics &result);

private:
  double binWidth() const { return 2 * limit / kBins; }
  double binStart(unsigned bin) const { return -limit + bin * binWidth(); }
  void grow(float magnitude);

  uint64_t count = 0, nonFinite = 0;
  float minimum = 0, maximum = 0;
  double limit = 0; ///< 0 until an element other than 0 is seen
  std::vector<uint64_t> bins;
};

/// What is known of one value.
struct ValueStatistics {
  RangeStatistics range;
  ChannelStatistics channels; ///< of the last dimension; nothing where its size is not known
};

/// The statistics of a model's values by the key that `collectObservedValues` gives them.
class CalibrationStatistics {
public:
  ValueStatistics &operator[](llvm::StringRef key) { return values[key]; }
  /// Null where the value was not observed.
  const ValueStatistics *lookup(llvm::StringRef key) const;
  size_t size() const { return values.size(); }

  /// Keys in sorted order: equal statistics are equal files.
  llvm::json::Value toJSON() const;
  static llvm::Expected<CalibrationStatistics> fromJSON(const llvm::json::Value &value);
  llvm::Error save(llvm::StringRef path) const;
  static llvm::Expected<CalibrationStatistics> load(llvm::StringRef path);

private:
  llvm::StringMap<ValueStatistics> values;
};

} // namespace lathe

#endif // PASSES_COMPRESS_CALIBRATION_CALIBRATIONSTATISTICS_H

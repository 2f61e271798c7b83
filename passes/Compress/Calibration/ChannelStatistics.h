//===- ChannelStatistics.h - Moments of a value's channels on samples -----===//
#ifndef PASSES_COMPRESS_CALIBRATION_CHANNELSTATISTICS_H
#define PASSES_COMPRESS_CALIBRATION_CHANNELSTATISTICS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/JSON.h"
#include <cstdint>
#include <vector>

namespace lathe {

/// First and second moments of the channels of one tensor, its last dimension: the rows X of all samples, `[rows,
/// channels]`, are what a contraction reads. With `gram` also X^T X, whose multiple by 2 is the Hessian of a linear
/// layer's squared error (Frantar et al., "GPTQ", 2022). Rows with NaN or infinities count as if they were not there.
class ChannelStatistics {
public:
  /// `elements` are whole rows; the number of channels is that of the first call.
  void observe(llvm::ArrayRef<float> elements, int64_t channels, bool gram);

  int64_t getChannels() const { return int64_t(sums.size()); }
  uint64_t getRows() const { return rows; }
  double getMean(int64_t channel) const { return rows ? sums[channel] / double(rows) : 0; }
  /// Mean of the squares.
  double getPower(int64_t channel) const { return rows ? squares[channel] / double(rows) : 0; }
  /// Sample variance; 0 for fewer than two rows.
  double getVariance(int64_t channel) const;
  /// The Euclidean norm over all rows, as in Wanda (Sun et al. 2023).
  double getNorm(int64_t channel) const;
  bool hasGram() const { return !gram.empty(); }
  /// X^T X, `[channels, channels]`, symmetric; empty where it was not asked for.
  llvm::ArrayRef<float> getGram() const { return gram; }

  llvm::json::Value toJSON() const;
  /// False if the value is not what `toJSON` writes.
  static bool fromJSON(const llvm::json::Value &value, ChannelStatistics &result);

private:
  uint64_t rows = 0;
  std::vector<double> sums, squares;
  std::vector<float> gram;
};

} // namespace lathe

#endif // PASSES_COMPRESS_CALIBRATION_CHANNELSTATISTICS_H

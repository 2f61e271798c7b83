//===- FloatSums.cpp - Integer sums with the bits of a float --------------===//
#include "passes/Lower/FloatSums.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>

using namespace lathe;

static constexpr int64_t kFirst = 1 << 23; ///< the first float of those that are whole numbers, and how many there are
static constexpr int32_t kFirstBits = 0x4b000000;

namespace {
struct Channel {
  int64_t above; ///< what is added to the sum for it to be above kFirst
  float scale, offset;
};
} // namespace

static std::optional<Channel> findChannel(AccumulatorRange range, double exactScale, double bias, bool isRounded) {
  // A channel without weights may have any scale, and has one that is 0 at times.
  bool isEmpty = range.least == 0 && range.greatest == 0;
  float scale = isEmpty ? 0x1p-12f : float(exactScale);
  if (!(scale > 0x1p-22f) || !std::isfinite(bias))
    return std::nullopt;
  // An offset that is rounded to a whole number leaves a part of the bias to the sum.
  int64_t room = isRounded ? int64_t(std::ceil(0.5 / scale)) + 1 : 0, above = room - range.least;
  double target = bias + (isRounded ? double(kRounder) : 0), exact = target - double(kFirst + above) * scale;
  float offset = float(exact);
  if (isRounded)
    above += std::llround((exact - offset) / scale);
  if (above + range.least < 0 || above + range.greatest >= kFirst)
    return std::nullopt;
  constexpr double most = 1 << 22;
  if (isRounded && (!(double(range.least) * scale + bias > -most) || !(double(range.greatest) * scale + bias < most)))
    return std::nullopt;
  return Channel{above, scale, offset};
}

std::optional<FloatSums> FloatSums::find(llvm::ArrayRef<AccumulatorRange> ranges, llvm::ArrayRef<double> scales,
                                         llvm::ArrayRef<double> biases, bool isRounded) {
  FloatSums sums;
  for (auto [range, scale, bias] : llvm::zip_equal(ranges, scales, biases)) {
    std::optional<Channel> channel = findChannel(range, scale, bias, isRounded);
    if (!channel)
      return std::nullopt;
    sums.starts.push_back(int32_t(kFirstBits + channel->above));
    sums.scales.push_back(channel->scale);
    sums.offsets.push_back(channel->offset);
  }
  return sums;
}

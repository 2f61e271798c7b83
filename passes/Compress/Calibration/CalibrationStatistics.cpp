//===- CalibrationStatistics.cpp - What values are like on samples --------===//
#include "passes/Compress/Calibration/CalibrationStatistics.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>
#include <cmath>
#include <limits>

using namespace llvm;
using namespace lathe;

//===----------------------------------------------------------------------===//
// RangeStatistics
//===----------------------------------------------------------------------===//

void RangeStatistics::grow(float magnitude) {
  if (limit == 0) {
    bins.assign(kBins, 0);
    // The zeros seen so far lie in the bin that starts at 0, whatever the limit.
    bins[kBins / 2] = count;
    limit = std::exp2(std::floor(std::log2(double(magnitude))) + 1);
  }
  // [-limit, limit) excludes the limit itself.
  while (magnitude >= limit) {
    std::vector<uint64_t> merged(kBins, 0);
    for (unsigned bin = 0; bin < kBins; ++bin)
      merged[kBins / 4 + bin / 2] += bins[bin];
    bins = std::move(merged);
    limit *= 2;
  }
}

void RangeStatistics::observe(ArrayRef<float> elements) {
  for (float element : elements) {
    if (!std::isfinite(element)) {
      ++nonFinite;
      continue;
    }
    if (std::fabs(element) >= limit && element != 0)
      grow(std::fabs(element));
    minimum = count ? std::min(minimum, element) : element;
    maximum = count ? std::max(maximum, element) : element;
    ++count;
    if (limit != 0)
      ++bins[std::min<unsigned>(unsigned((element + limit) / binWidth()), kBins - 1)];
  }
}

lathe::ValueRange RangeStatistics::getPercentile(double percent) const {
  if (limit == 0 || percent >= 100)
    return getExtremes();
  double cut = double(count) * (1 - std::max(percent, 50.0) / 100);
  unsigned first = 0, last = kBins - 1;
  for (double below = double(bins[first]); below <= cut && first + 1 < kBins; below += double(bins[first]))
    ++first;
  for (double above = double(bins[last]); above <= cut && last > first; above += double(bins[last]))
    --last;
  return {std::max(minimum, float(binStart(first))), std::min(maximum, float(binStart(last + 1)))};
}

double RangeStatistics::estimateError(lathe::ValueRange range, unsigned levels) const {
  double step = (double(range.high) - range.low) / (levels - 1), error = 0;
  if (limit == 0 || count == 0)
    return 0;
  for (unsigned bin = 0; bin < kBins; ++bin) {
    if (!bins[bin])
      continue;
    double middle = binStart(bin) + binWidth() / 2;
    double clipped = std::clamp<double>(middle, range.low, range.high);
    // Rounding errors are uniform in [-step / 2, step / 2]; zeros are exact, because zero has a level.
    double rounding = bin == kBins / 2 ? 0 : step * step / 12;
    error += double(bins[bin]) * ((middle - clipped) * (middle - clipped) + rounding);
  }
  return error / double(count);
}

lathe::ValueRange RangeStatistics::getLeastErrorRange(unsigned levels) const {
  lathe::ValueRange best{std::min(minimum, 0.0f), std::max(maximum, 0.0f)};
  lathe::ValueRange whole = best;
  double least = estimateError(best, levels);
  // Both ends are cut in turn; 1/32 steps are finer than the error curve is around its minimum.
  for (bool cutHigh : {true, false})
    for (unsigned part = 31; part >= 4; --part) {
      lathe::ValueRange candidate = best;
      (cutHigh ? candidate.high : candidate.low) = (cutHigh ? whole.high : whole.low) * float(part) / 32;
      double error = estimateError(candidate, levels);
      if (error < least)
        least = error, best = candidate;
    }
  return best;
}

json::Value RangeStatistics::toJSON() const {
  json::Object object{{"count", int64_t(count)},      {"nonFinite", int64_t(nonFinite)}, {"min", double(minimum)},
                      {"max", double(maximum)}, {"limit", limit}};
  // Most bins of most tensors are empty: [bin, elements, bin, elements, ...].
  json::Array histogram;
  for (auto [bin, elements] : enumerate(bins))
    if (elements) {
      histogram.push_back(int64_t(bin));
      histogram.push_back(int64_t(elements));
    }
  object["histogram"] = std::move(histogram);
  return object;
}

bool RangeStatistics::fromJSON(const json::Value &value, RangeStatistics &result) {
  const json::Object *object = value.getAsObject();
  if (!object)
    return false;
  auto count = object->getInteger("count"), nonFinite = object->getInteger("nonFinite");
  auto minimum = object->getNumber("min"), maximum = object->getNumber("max"), limit = object->getNumber("limit");
  const json::Array *histogram = object->getArray("histogram");
  if (!count || !nonFinite || !minimum || !maximum || !limit || !histogram || histogram->size() % 2 || *count < 0 ||
      *limit < 0)
    return false;
  result = RangeStatistics();
  result.count = *count, result.nonFinite = *nonFinite;
  result.minimum = float(*minimum), result.maximum = float(*maximum), result.limit = *limit;
  if (*limit > 0)
    result.bins.assign(kBins, 0);
  for (size_t i = 0; i < histogram->size(); i += 2) {
    auto bin = (*histogram)[i].getAsInteger(), elements = (*histogram)[i + 1].getAsInteger();
    if (!bin || !elements || *bin < 0 || size_t(*bin) >= result.bins.size() || *elements < 0)
      return false;
    result.bins[*bin] = *elements;
  }
  return true;
}

//===----------------------------------------------------------------------===//
// CalibrationStatistics
//===----------------------------------------------------------------------===//

const ValueStatistics *CalibrationStatistics::lookup(StringRef key) const {
  auto it = values.find(key);
  return it == values.end() || it->second.range.getCount() == 0 ? nullptr : &it->second;
}

json::Value CalibrationStatistics::toJSON() const {
  json::Object entries; // llvm::json prints members in sorted order
  for (const auto &entry : values) {
    json::Value range = entry.second.range.toJSON();
    if (entry.second.channels.getRows())
      (*range.getAsObject())["channels"] = entry.second.channels.toJSON();
    entries[entry.getKey()] = std::move(range);
  }
  return json::Object{{"version", 1}, {"bins", int64_t(RangeStatistics::kBins)}, {"values", std::move(entries)}};
}

static Error malformed(const Twine &what) {
  return createStringError(inconvertibleErrorCode(), "expected calibration statistics, but got " + what);
}

Expected<CalibrationStatistics> CalibrationStatistics::fromJSON(const json::Value &value) {
  const json::Object *object = value.getAsObject();
  const json::Object *entries = object ? object->getObject("values") : nullptr;
  if (!entries)
    return malformed("no object 'values'");
  if (object->getInteger("version") != std::optional<int64_t>(1))
    return malformed("another version than 1");
  if (object->getInteger("bins") != std::optional<int64_t>(RangeStatistics::kBins))
    return malformed("histograms of another size than " + Twine(RangeStatistics::kBins));
  CalibrationStatistics result;
  for (const auto &entry : *entries) {
    ValueStatistics &value = result[entry.first];
    const json::Value *channels = entry.second.getAsObject() ? entry.second.getAsObject()->get("channels") : nullptr;
    if (!RangeStatistics::fromJSON(entry.second, value.range) ||
        (channels && !ChannelStatistics::fromJSON(*channels, value.channels)))
      return malformed("a malformed entry '" + Twine(StringRef(entry.first)) + "'");
  }
  return result;
}

Error CalibrationStatistics::save(StringRef path) const {
  std::error_code error;
  raw_fd_ostream stream(path, error, sys::fs::OF_Text);
  if (!error) {
    stream << toJSON() << '\n';
    stream.close();
    error = stream.error();
    stream.clear_error();
  }
  if (error)
    return createStringError(error, "cannot write '" + Twine(path) + "': " + error.message());
  return Error::success();
}

Expected<CalibrationStatistics> CalibrationStatistics::load(StringRef path) {
  auto buffer = MemoryBuffer::getFile(path, /*IsText=*/true);
  if (!buffer)
    return createStringError(buffer.getError(), "cannot read '" + Twine(path) + "': " + buffer.getError().message());
  Expected<json::Value> value = json::parse((*buffer)->getBuffer());
  if (!value)
    return createStringError(inconvertibleErrorCode(), "'" + Twine(path) + "': " + toString(value.takeError()));
  Expected<CalibrationStatistics> result = fromJSON(*value);
  if (!result)
    return createStringError(inconvertibleErrorCode(), "'" + Twine(path) + "': " + toString(result.takeError()));
  return result;
}

//===- CalibrationStatisticsTest.cpp - Ranges of values seen on samples ---===//
#include "passes/Compress/Calibration/CalibrationStatistics.h"
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

using lathe::CalibrationStatistics;
using lathe::ChannelStatistics;
using lathe::RangeStatistics;

static RangeStatistics observe(llvm::ArrayRef<float> elements) {
  RangeStatistics statistics;
  statistics.observe(elements);
  return statistics;
}

TEST_CASE("extremes are exact however the range grows") {
  RangeStatistics statistics = observe({0.0f, 0.25f, -0.5f});
  statistics.observe({1000.0f, -3.0f});
  CHECK(statistics.getCount() == 5);
  CHECK(statistics.getExtremes().low == -3.0f);
  CHECK(statistics.getExtremes().high == 1000.0f);
}

TEST_CASE("an observation of nothing but zeros has an empty range") {
  RangeStatistics statistics = observe({0.0f, -0.0f});
  CHECK(statistics.getExtremes().low == 0);
  CHECK(statistics.getExtremes().high == 0);
  CHECK(statistics.getPercentile(99.9).high == 0);
  // Zeros seen before the range was known stay in its middle.
  statistics.observe({1.0f});
  CHECK(statistics.getPercentile(60).high < 0.001f);
}

TEST_CASE("numbers that are not finite are counted apart") {
  RangeStatistics statistics =
      observe({1.0f, std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()});
  CHECK(statistics.getCount() == 1);
  CHECK(statistics.getNonFiniteCount() == 2);
  CHECK(statistics.getExtremes().high == 1.0f);
}

TEST_CASE("a percentile cuts outliers at either end") {
  RangeStatistics statistics;
  for (int i = 0; i < 10000; ++i)
    statistics.observe({std::sin(float(i))});
  statistics.observe({100.0f, -50.0f});
  lathe::ValueRange range = statistics.getPercentile(99.9);
  CHECK(range.high == Approx(1).margin(0.1));
  CHECK(range.low == Approx(-1).margin(0.1));
  CHECK(statistics.getPercentile(100).high == 100.0f);
}

TEST_CASE("the order of observations does not matter to the histogram") {
  RangeStatistics small = observe({0.1f, -0.3f}), large = observe({40.0f});
  small.observe({40.0f});
  large.observe({0.1f, -0.3f});
  CHECK(small.toJSON() == large.toJSON());
}

TEST_CASE("the least error range clips a lone outlier") {
  RangeStatistics statistics;
  for (int i = 0; i < 100000; ++i)
    statistics.observe({float(i % 1000) / 1000});
  statistics.observe({8.0f});
  lathe::ValueRange range = statistics.getLeastErrorRange(256);
  CHECK(range.high < 8.0f);
  CHECK(range.high >= 0.9f);
  CHECK(statistics.estimateError(range, 256) < statistics.estimateError({0, 8}, 256));
}

TEST_CASE("statistics survive a round trip through JSON") {
  CalibrationStatistics statistics;
  statistics["conv:0"].range.observe({0.1f, -7.25f, 3.0f});
  statistics["zero:0"].range.observe({0.0f});
  llvm::Expected<CalibrationStatistics> read = CalibrationStatistics::fromJSON(statistics.toJSON());
  REQUIRE(bool(read));
  CHECK(read->size() == 2);
  CHECK(read->toJSON() == statistics.toJSON());
  REQUIRE(read->lookup("conv:0") != nullptr);
  CHECK(read->lookup("conv:0")->range.getExtremes().low == -7.25f);
  CHECK(read->lookup("missing") == nullptr);
}

TEST_CASE("malformed statistics are refused with a reason") {
  for (const char *text : {"[]", "{}", R"({"version": 2, "bins": 4096, "values": {}})",
                           R"({"version": 1, "bins": 2, "values": {}})",
                           R"({"version": 1, "bins": 4096, "values": {"a": {}}})",
                           R"({"version": 1, "bins": 4096, "values": {"a": {"count": 1, "nonFinite": 0, "min": 0,
                               "max": 1, "limit": 2, "histogram": [4096, 1]}}})"}) {
    llvm::Expected<llvm::json::Value> value = llvm::json::parse(text);
    REQUIRE(bool(value));
    llvm::Expected<CalibrationStatistics> read = CalibrationStatistics::fromJSON(*value);
    REQUIRE(!read);
    CHECK(llvm::toString(read.takeError()).find("expected calibration statistics") == 0);
  }
}

TEST_CASE("channels have moments and a Gram matrix, and keep them through JSON") {
  ChannelStatistics channels;
  channels.observe({1, 2, 3, 4}, 2, /*gram=*/true);
  channels.observe({5, NAN, -1, 0}, 2, /*gram=*/true); // the row with NaN does not count
  CHECK(channels.getRows() == 3);
  llvm::json::Value json = channels.toJSON();
  ChannelStatistics read;
  REQUIRE(ChannelStatistics::fromJSON(json, read));
  for (const ChannelStatistics &known : {channels, read}) {
    CHECK(known.getMean(0) == Approx(1));
    CHECK(known.getVariance(0) == Approx(4));
    CHECK(known.getPower(1) == Approx(20.0 / 3));
    CHECK(known.getNorm(1) == Approx(std::sqrt(20)));
    CHECK(known.getGram() == llvm::ArrayRef<float>{11, 14, 14, 20});
  }
  CHECK_FALSE(ChannelStatistics::fromJSON(llvm::json::Object{{"rows", 1}}, read));
  CHECK_FALSE(ChannelStatistics::fromJSON(llvm::json::Object{{"rows", -1}}, read));
}

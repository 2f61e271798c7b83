//===- FloatSumsTest.cpp - Integer sums with the bits of a float ----------===//
#include "passes/Lower/FloatSums.h"
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>

using namespace lathe;

static float floatOf(int32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

static int32_t bitsOf(float value) {
  int32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

/// Channels of all kinds: sums of one sign and of both, few and many, and one without weights.
static const AccumulatorRange kRanges[] = {{-40000, 1200000}, {0, 291465}, {-3000000, -5}, {-255, 255}, {0, 0}};
static const double kScales[] = {0.0012345, 0.03, 1.7e-4, 0.0312, 0.0};
static const double kBiases[] = {-3.3, 117.49, 250.02, -0.5, 31.75};

TEST_CASE("sums that are rounded", "[float-sums]") {
  std::optional<FloatSums> sums = FloatSums::find(kRanges, kScales, kBiases, /*isRounded=*/true);
  REQUIRE(sums);
  for (size_t i = 0; i < std::size(kRanges); ++i) {
    int64_t step = (kRanges[i].greatest - kRanges[i].least) / 997 + 1;
    for (int64_t sum = kRanges[i].least; sum <= kRanges[i].greatest; sum += step) {
      float rounded = floatOf(int32_t(sum) + sums->starts[i]) * sums->scales[i] + sums->offsets[i];
      double exact = double(sum) * kScales[i] + kBiases[i];
      int32_t whole = bitsOf(rounded) - kRounderBits;
      // Half a step of rounding, and one and a half of the sum.
      REQUIRE(std::abs(whole - exact) <= 0.5 + 1.5 * std::max(kScales[i], 0x1p-12));
    }
  }
}

TEST_CASE("sums that are numbers", "[float-sums]") {
  std::optional<FloatSums> sums = FloatSums::find(kRanges, kScales, kBiases, /*isRounded=*/false);
  REQUIRE(sums);
  for (size_t i = 0; i < std::size(kRanges); ++i)
    for (int64_t sum : {kRanges[i].least, (kRanges[i].least + kRanges[i].greatest) / 2, kRanges[i].greatest}) {
      float value = floatOf(int32_t(sum) + sums->starts[i]) * sums->scales[i] + sums->offsets[i];
      REQUIRE(std::abs(value - (double(sum) * kScales[i] + kBiases[i])) <= 1.5 * std::max(kScales[i], 0x1p-12));
    }
}

TEST_CASE("sums that do not fit", "[float-sums]") {
  for (bool isRounded : {false, true}) {
    auto find = [&](AccumulatorRange range, double scale, double bias) {
      return FloatSums::find({range}, {scale}, {bias}, isRounded);
    };
    CHECK(find({-4000000, 4000000}, 0.001, 0));
    CHECK_FALSE(find({-4194304, 4194304}, 0.001, 0)); // more sums than floats
    CHECK_FALSE(find({-255, 255}, 1e-9, 0));          // an offset that sums cannot take up
    CHECK_FALSE(find({-255, 255}, 0.001, INFINITY));
  }
  // Where it is rounded, the result is to be small.
  CHECK_FALSE(FloatSums::find({{-255, 255}}, {0.001}, {5e6}, /*isRounded=*/true));
}

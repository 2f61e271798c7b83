//===- GptqTest.cpp - Rounding that makes up for its errors ---------------===//
#include "passes/Compress/Quantize/Gptq.h"
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <random>

using namespace lathe;

namespace {
/// A weight, and the Gram matrix of inputs whose channels have a few causes in common.
struct Layer {
  int64_t rows, columns;
  std::vector<float> weight, gram;

  Layer(int64_t rows, int64_t columns, unsigned seed, int64_t samples = 200) : rows(rows), columns(columns) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    for (int64_t i = 0; i < rows * columns; ++i)
      weight.push_back(normal(random));
    constexpr int64_t causes = 6;
    std::vector<float> mixing(rows * causes);
    for (float &value : mixing)
      value = normal(random);
    std::vector<double> sums(rows * rows);
    for (int64_t sample = 0; sample < samples; ++sample) {
      std::vector<float> input(rows), cause(causes);
      for (float &value : cause)
        value = normal(random);
      for (int64_t i = 0; i < rows; ++i) {
        input[i] = 0.3f * normal(random);
        for (int64_t c = 0; c < causes; ++c)
          input[i] += mixing[i * causes + c] * cause[c];
      }
      for (int64_t i = 0; i < rows; ++i)
        for (int64_t j = 0; j < rows; ++j)
          sums[i * rows + j] += double(input[i]) * input[j];
    }
    gram.assign(sums.begin(), sums.end());
  }
};

WeightFormat makeFormat(llvm::StringRef text) {
  llvm::Expected<WeightFormat> format = WeightFormat::parse(text);
  REQUIRE(bool(format));
  return *format;
}

/// The algorithm as the paper first states it, with the inverse of the Hessian in full and levels that are given.
std::vector<int8_t> roundByInverse(const Layer &layer, const RoundedMatrix &levels, const WeightFormat &format) {
  int64_t size = layer.rows;
  std::vector<double> hessian(layer.gram.begin(), layer.gram.end()), inverse(size * size);
  double mean = 0;
  for (int64_t i = 0; i < size; ++i)
    mean += hessian[i * size + i] / double(size);
  for (int64_t i = 0; i < size; ++i)
    hessian[i * size + i] += 0.01 * mean, inverse[i * size + i] = 1;
  for (int64_t i = 0; i < size; ++i) { // Gauss and Jordan, stable for a positive definite matrix
    double pivot = hessian[i * size + i];
    for (int64_t j = 0; j < size; ++j)
      hessian[i * size + j] /= pivot, inverse[i * size + j] /= pivot;
    for (int64_t k = 0; k < size; ++k)
      if (double factor = hessian[k * size + i]; k != i)
        for (int64_t j = 0; j < size; ++j) {
          hessian[k * size + j] -= factor * hessian[i * size + j];
          inverse[k * size + j] -= factor * inverse[i * size + j];
        }
  }
  std::vector<double> weight(layer.weight.begin(), layer.weight.end());
  std::vector<int8_t> stored(weight.size());
  int64_t group = format.group ? format.group : size;
  for (int64_t k = 0; k < size; ++k) {
    double pivot = inverse[k * size + k];
    for (int64_t n = 0; n < layer.columns; ++n) {
      int64_t of = k / group * layer.columns + n, at = k * layer.columns + n;
      Levels level{levels.scales[of], levels.zeroPoints[of], format.lowest(), format.highest()};
      stored[at] = int8_t(level.quantize(weight[at]));
      double error = (weight[at] - level.express(stored[at])) / pivot;
      for (int64_t j = k + 1; j < size; ++j)
        weight[j * layer.columns + n] -= error * inverse[k * size + j];
    }
    std::vector<double> row(inverse.begin() + k * size, inverse.begin() + (k + 1) * size);
    for (int64_t i = 0; i < size; ++i)
      for (int64_t j = 0; j < size; ++j)
        inverse[i * size + j] -= row[i] * row[j] / pivot;
  }
  return stored;
}
} // namespace

TEST_CASE("GPTQ is the paper's update, computed from a factorization") {
  for (llvm::StringRef text : {"w8", "w4", "w3:asymmetric", "w2:group=64"}) {
    Layer layer(64, 5, /*seed=*/7);
    WeightFormat format = makeFormat(text);
    std::optional<RoundedMatrix> rounded = roundByGptq(layer.weight, layer.columns, layer.gram, format);
    REQUIRE(rounded);
    std::vector<int8_t> expected = roundByInverse(layer, *rounded, format);
    int different = 0; // a value half-way between levels may go either way
    for (size_t i = 0; i < expected.size(); ++i)
      different += expected[i] != rounded->stored[i];
    CHECK(different <= 1);
  }
}

TEST_CASE("GPTQ has less error in the products than rounding to nearest") {
  for (unsigned seed = 0; seed < 5; ++seed)
    for (llvm::StringRef text : {"w8", "w4", "w4:asymmetric", "w4:act-order", "w3", "w2:group=64", "w2:act-order"}) {
      Layer layer(128, 16, seed);
      WeightFormat format = makeFormat(text);
      RoundedMatrix nearest = roundToNearest(layer.weight, layer.columns, format);
      std::optional<RoundedMatrix> rounded = roundByGptq(layer.weight, layer.columns, layer.gram, format);
      REQUIRE(rounded);
      double before = productError(layer.weight, nearest, layer.columns, layer.gram);
      double after = productError(layer.weight, *rounded, layer.columns, layer.gram);
      CAPTURE(seed, text.str(), before, after);
      CHECK(after < 0.8 * before);
    }
}

TEST_CASE("without correlations GPTQ is rounding to nearest") {
  Layer layer(64, 8, /*seed=*/3);
  std::fill(layer.gram.begin(), layer.gram.end(), 0.0f);
  for (int64_t i = 0; i < layer.rows; ++i)
    layer.gram[i * layer.rows + i] = 5;
  for (llvm::StringRef text : {"w8", "w4", "w4:act-order", "w3:asymmetric", "w2"}) {
    WeightFormat format = makeFormat(text);
    RoundedMatrix nearest = roundToNearest(layer.weight, layer.columns, format);
    std::optional<RoundedMatrix> rounded = roundByGptq(layer.weight, layer.columns, layer.gram, format);
    REQUIRE(rounded);
    CHECK(rounded->stored == nearest.stored);
    CHECK(rounded->scales == nearest.scales);
    CHECK(rounded->zeroPoints == nearest.zeroPoints);
  }
  // Unequal powers change the choice of levels, but nothing is fed back: 8 bits have one choice.
  for (int64_t i = 0; i < layer.rows; ++i)
    layer.gram[i * layer.rows + i] = float(1 + i);
  WeightFormat format = makeFormat("w8");
  CHECK(roundByGptq(layer.weight, layer.columns, layer.gram, format)->stored ==
        roundToNearest(layer.weight, layer.columns, format).stored);
}

TEST_CASE("fewer samples than channels are damped, and what is no Gram matrix is refused") {
  Layer layer(64, 4, /*seed=*/1, /*samples=*/3);
  WeightFormat format = makeFormat("w4");
  std::optional<RoundedMatrix> rounded = roundByGptq(layer.weight, layer.columns, layer.gram, format);
  REQUIRE(rounded);
  CHECK(productError(layer.weight, *rounded, layer.columns, layer.gram) <
        productError(layer.weight, roundToNearest(layer.weight, layer.columns, format), layer.columns, layer.gram));
  std::vector<float> zeros(layer.gram.size());
  CHECK(!roundByGptq(layer.weight, layer.columns, zeros, format));
  layer.gram[5] = std::numeric_limits<float>::quiet_NaN();
  CHECK(!roundByGptq(layer.weight, layer.columns, layer.gram, format));
}

TEST_CASE("GPTQ keeps what was pruned") {
  Layer layer(64, 4, /*seed=*/2);
  for (size_t i = 0; i < layer.weight.size(); i += 3)
    layer.weight[i] = 0;
  for (llvm::StringRef text : {"w4", "w4:asymmetric"}) {
    std::optional<RoundedMatrix> rounded = roundByGptq(layer.weight, layer.columns, layer.gram, makeFormat(text));
    REQUIRE(rounded);
    for (int64_t i = 0; i < int64_t(layer.weight.size()); i += 3) {
      int64_t group = i / layer.columns / 32 * layer.columns + i % layer.columns;
      CHECK(int64_t(rounded->stored[i]) == rounded->zeroPoints[group]);
    }
  }
}

TEST_CASE("levels have the least squared error") {
  // One outlier among many small values is clipped rather than taking the levels of all others.
  std::vector<float> values(32, 0.0f);
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = 0.1f * float(int(i % 7) - 3);
  values[0] = 0.45f;
  WeightFormat format = makeFormat("w3");
  auto errorOf = [&](const Levels &levels) {
    double sum = 0;
    for (float value : values)
      sum += std::pow(value - levels.express(levels.quantize(value)), 2);
    return sum;
  };
  Levels chosen = chooseLevels(values, {}, format), covering = chosen;
  covering.scale = 0.45f / 3;
  CHECK(errorOf(chosen) < 0.6 * errorOf(covering));
  // What is important keeps its value.
  std::vector<float> importance(values.size(), 1.0f);
  importance[0] = 1e6f;
  Levels weighted = chooseLevels(values, importance, format);
  CHECK(weighted.express(weighted.quantize(0.45)) == Approx(0.45).margin(1e-3));
  // Zeros, and values too small for a scale, have one.
  CHECK(chooseLevels(std::vector<float>(32, 0.0f), {}, format).scale == 1);
  CHECK(chooseLevels(std::vector<float>(32, 1e-40f), {}, makeFormat("w4:asymmetric")).scale == 1);
}

TEST_CASE("weight formats are read whole") {
  WeightFormat format = makeFormat("w3:group=64:asymmetric:act-order");
  CHECK(format.bits == 3);
  CHECK(format.group == 64);
  CHECK(!format.symmetric);
  CHECK(format.actOrder);
  CHECK(format.rounding == Rounding::Gptq);
  CHECK(makeFormat("w2").group == 32);
  CHECK(makeFormat("w8").group == 0);
  CHECK(makeFormat("w4:rtn").rounding == Rounding::Nearest);
  for (llvm::StringRef text : {"", "w", "w5", "4", "w4:", "w4:group=48", "w4:rtn:gptq", "w4:gptq:act-order", "w44"}) {
    llvm::Expected<WeightFormat> parsed = WeightFormat::parse(text);
    CHECK(!parsed);
    llvm::consumeError(parsed.takeError());
  }
}

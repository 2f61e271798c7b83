//===- LowRankTest.cpp - Factorization of weights -------------------------===//
#include "passes/Compress/LowRank/ChooseRanks.h"
#include "passes/Compress/LowRank/Factorization.h"
#include "passes/Compress/LowRank/LowRankSpec.h"
#include <catch2/catch.hpp>
#include <cmath>
#include <random>

using lathe::Factorization;
using lathe::LowRankSpec;
using lathe::RankOption;

static std::vector<float> drawMatrix(size_t elements, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<float> matrix(elements);
  for (float &element : matrix)
    element = float(random() % 2001) / 1000 - 1;
  return matrix;
}

/// Rows in which some inputs are a hundred times as strong as others, and neighbours alike.
static std::vector<float> drawInputs(size_t count, size_t channels, unsigned seed) {
  std::vector<float> rows = drawMatrix(count * channels, seed);
  for (size_t i = 0; i < rows.size(); ++i) {
    size_t channel = i % channels;
    rows[i] = channel % 4 == 3 ? rows[i - 1] * 0.9f : rows[i] * (channel % 2 ? 1.0f : 0.01f);
  }
  return rows;
}

static std::vector<double> gramOf(const std::vector<float> &rows, size_t channels) {
  std::vector<double> gram(channels * channels, 0);
  for (size_t row = 0; row < rows.size(); row += channels)
    for (size_t i = 0; i < channels; ++i)
      for (size_t j = 0; j < channels; ++j)
        gram[i * channels + j] += double(rows[row + i]) * rows[row + j];
  return gram;
}

static std::vector<float> multiply(const std::vector<float> &a, const std::vector<float> &b, size_t inner) {
  size_t rows = a.size() / inner, columns = b.size() / inner;
  std::vector<float> product(rows * columns);
  for (size_t row = 0; row < rows; ++row)
    for (size_t column = 0; column < columns; ++column) {
      double sum = 0;
      for (size_t i = 0; i < inner; ++i)
        sum += double(a[row * inner + i]) * b[i * columns + column];
      product[row * columns + column] = float(sum);
    }
  return product;
}

/// ||a - b|| / ||a||
static double relativeError(const std::vector<float> &a, const std::vector<float> &b) {
  double error = 0, norm = 0;
  for (size_t i = 0; i < a.size(); ++i)
    error += std::pow(double(a[i]) - b[i], 2), norm += double(a[i]) * a[i];
  return std::sqrt(error / norm);
}

static std::vector<float> approximate(const Factorization &factorization, int64_t rank) {
  Factorization::Factors factors = factorization.getFactors(rank);
  return multiply(factors.left, factors.right, rank);
}

TEST_CASE("the full rank gives the weight back") {
  for (auto [rows, columns] : {std::pair<size_t, size_t>{24, 10}, {10, 24}, {40, 40}}) {
    std::vector<float> weight = drawMatrix(rows * columns, 1);
    std::vector<double> gram = gramOf(drawInputs(3 * rows, rows, 2), rows);
    for (llvm::ArrayRef<double> known : {llvm::ArrayRef<double>(), llvm::ArrayRef<double>(gram)}) {
      auto factorization = Factorization::compute(weight, columns, known);
      REQUIRE(factorization);
      CHECK(factorization->getFullRank() == int64_t(std::min(rows, columns)));
      CHECK(relativeError(weight, approximate(*factorization, factorization->getFullRank())) < 1e-5);
      CHECK(factorization->getError(factorization->getFullRank()) == 0);
      CHECK(factorization->getError(0) == Approx(1));
    }
  }
}

TEST_CASE("without inputs the promised error is the weight's, and falls with the rank") {
  std::vector<float> weight = drawMatrix(32 * 20, 3);
  auto factorization = Factorization::compute(weight, 20, {});
  REQUIRE(factorization);
  for (int64_t rank : {1, 5, 12, 19}) {
    CHECK(relativeError(weight, approximate(*factorization, rank)) == Approx(factorization->getError(rank)).epsilon(1e-4));
    CHECK(factorization->getError(rank) > factorization->getError(rank + 1));
  }
}

TEST_CASE("inputs make the error of the outputs smaller than that of the plain decomposition") {
  std::vector<float> weight = drawMatrix(32 * 20, 4), inputs = drawInputs(200, 32, 5);
  auto plain = Factorization::compute(weight, 20, {});
  auto aware = Factorization::compute(weight, 20, gramOf(inputs, 32));
  REQUIRE((plain && aware));
  std::vector<float> outputs = multiply(inputs, weight, 32);
  for (int64_t rank : {2, 6, 12}) {
    double plainError = relativeError(outputs, multiply(inputs, approximate(*plain, rank), 32));
    double awareError = relativeError(outputs, multiply(inputs, approximate(*aware, rank), 32));
    CHECK(awareError < 0.9 * plainError);
    // What is promised includes the damping: inputs of a hundredth of the mean's norm in all directions.
    CHECK(awareError <= 1.001 * aware->getError(rank));
    CHECK(aware->getError(rank) <= awareError + 0.01);
  }
}

TEST_CASE("inputs of fewer rows than channels, and of zeros, are no obstacle") {
  std::vector<float> weight = drawMatrix(32 * 20, 6), inputs = drawInputs(3, 32, 7);
  auto few = Factorization::compute(weight, 20, gramOf(inputs, 32));
  REQUIRE(few);
  std::vector<float> outputs = multiply(inputs, weight, 32);
  CHECK(relativeError(outputs, multiply(inputs, approximate(*few, 3), 32)) < 0.02);
  auto zeros = Factorization::compute(weight, 20, std::vector<double>(32 * 32, 0));
  REQUIRE(zeros);
  CHECK(zeros->getError(7) == Factorization::compute(weight, 20, {})->getError(7));
}

TEST_CASE("the rows of a window's weight share the inputs' Gram matrix") {
  std::vector<float> weight = drawMatrix(4 * 8 * 20, 8);
  std::vector<double> gram = gramOf(drawInputs(100, 8, 9), 8), whole(32 * 32, 0);
  for (size_t tap = 0; tap < 4; ++tap)
    for (size_t i = 0; i < 8; ++i)
      for (size_t j = 0; j < 8; ++j)
        whole[(tap * 8 + i) * 32 + tap * 8 + j] = gram[i * 8 + j];
  auto shared = Factorization::compute(weight, 20, gram), spelledOut = Factorization::compute(weight, 20, whole);
  REQUIRE((shared && spelledOut));
  CHECK(relativeError(approximate(*spelledOut, 6), approximate(*shared, 6)) < 1e-4);
}

TEST_CASE("a planted rank is found, whatever the energy asked beyond it") {
  std::vector<float> weight = multiply(drawMatrix(48 * 5, 10), drawMatrix(5 * 36, 11), 5);
  auto factorization = Factorization::compute(weight, 36, {});
  REQUIRE(factorization);
  CHECK(factorization->getRankOfEnergy(0.999999) == 5);
  CHECK(factorization->getRankOfEnergy(0.01) == 1);
  CHECK(relativeError(weight, approximate(*factorization, 5)) < 1e-5);
}

TEST_CASE("weights of zeros and with infinities are refused") {
  CHECK(!Factorization::compute(std::vector<float>(12, 0), 4, {}));
  CHECK(!Factorization::compute({1, INFINITY, 2, 3}, 2, {}));
  CHECK(!Factorization::compute({1, NAN, 2, 3}, 2, {}));
}

TEST_CASE("ranks are taken where operations cost least") {
  std::vector<std::vector<RankOption>> layers = {{{0, 100, 0}, {2, 50, 0.5}, {1, 25, 0.6}},
                                                 {{0, 100, 0}, {2, 50, 0.01}, {1, 25, 0.9}}};
  CHECK(lathe::chooseRanks(layers, 200) == std::vector<size_t>{0, 0});
  CHECK(lathe::chooseRanks(layers, 150) == std::vector<size_t>{0, 1});
  // Steps skip options that are dear for what they save.
  CHECK(lathe::chooseRanks(layers, 75) == std::vector<size_t>{2, 1});
  // What is left of the budget is spent.
  CHECK(lathe::chooseRanks(layers, 101) == std::vector<size_t>{1, 1});
  CHECK(lathe::chooseRanks(layers, 50) == std::vector<size_t>{2, 2});
  CHECK(!lathe::chooseRanks(layers, 49));
}

TEST_CASE("texts of what to keep") {
  auto parses = [](llvm::StringRef text) {
    llvm::Expected<LowRankSpec> spec = LowRankSpec::parse(text);
    if (!spec)
      llvm::consumeError(spec.takeError());
    return bool(spec);
  };
  llvm::Expected<LowRankSpec> flops = LowRankSpec::parse("flops:0.7");
  REQUIRE(bool(flops));
  CHECK(flops->kept == LowRankSpec::Kept::Flops);
  CHECK(flops->part == 0.7);
  CHECK(parses("energy:0.95"));
  for (llvm::StringRef text : {"energy", "energy:", "energy:0", "energy:1", "energy:-0.5", "energy:nan", "energy:0.5x",
                               "flops:1.2", "rank:16", ":0.5", "energy:0.5:1"})
    CHECK(!parses(text));
}

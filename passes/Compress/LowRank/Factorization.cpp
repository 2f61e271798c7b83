//===- Factorization.cpp - A matrix as a product of two thin ones ---------===//
#include "passes/Compress/LowRank/Factorization.h"
#include <Eigen/Cholesky>
#include <Eigen/SVD>
#include <cmath>
#include <numeric>

using namespace lathe;

using Matrix = Eigen::MatrixXd;
template <typename T> using RowMajor = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// R with R^T R = `gram`; nullopt where there is no information in it. Directions that samples do not show, and the
/// errors of summing in f32, get a little of the mean's weight: among them the plain singular vectors decide.
static std::optional<Matrix> takeRoot(llvm::ArrayRef<double> gram, int64_t size) {
  constexpr double kDamping = 1e-4, kMost = 1;
  Matrix sum = Eigen::Map<const RowMajor<double>>(gram.data(), size, size);
  double mean = sum.trace() / double(size);
  if (!sum.allFinite() || !(mean > 0))
    return std::nullopt;
  for (double damping = kDamping; damping <= kMost; damping *= 10) {
    Matrix damped = sum;
    damped.diagonal().array() += damping * mean;
    if (Eigen::LLT<Matrix> cholesky(damped); cholesky.info() == Eigen::Success)
      return Matrix(cholesky.matrixU());
  }
  return std::nullopt;
}

std::optional<Factorization> Factorization::compute(llvm::ArrayRef<float> weight, int64_t columns,
                                                    llvm::ArrayRef<double> gram) {
  Factorization result;
  result.columns = columns;
  result.rows = int64_t(weight.size()) / columns;
  result.weight = weight.vec();
  Matrix scaled = Eigen::Map<const RowMajor<float>>(weight.data(), result.rows, columns).cast<double>();
  if (!scaled.allFinite() || scaled.isZero(0))
    return std::nullopt;
  int64_t inputs = std::llround(std::sqrt(double(gram.size())));
  if (std::optional<Matrix> root = inputs ? takeRoot(gram, inputs) : std::nullopt)
    for (int64_t row = 0; row < result.rows; row += inputs)
      scaled.middleRows(row, inputs) = *root * scaled.middleRows(row, inputs);

  Eigen::BDCSVD<Matrix> svd(scaled, Eigen::ComputeThinV);
  if (svd.info() != Eigen::Success)
    return std::nullopt;
  for (double value : svd.singularValues())
    result.energies.push_back(value * value);
  RowMajor<float> vectors = svd.matrixV().transpose().cast<float>();
  result.vectors.assign(vectors.data(), vectors.data() + vectors.size());
  return result;
}

double Factorization::getError(int64_t rank) const {
  double total = std::accumulate(energies.begin(), energies.end(), 0.0);
  return std::sqrt(std::accumulate(energies.begin() + rank, energies.end(), 0.0) / total);
}

int64_t Factorization::getRankOfEnergy(double part) const {
  double wanted = part * std::accumulate(energies.begin(), energies.end(), 0.0), sum = 0;
  int64_t rank = 0;
  while (rank < getFullRank() && sum < wanted)
    sum += energies[rank++];
  return rank;
}

Factorization::Factors Factorization::getFactors(int64_t rank) const {
  Factors factors;
  factors.right.assign(vectors.begin(), vectors.begin() + rank * columns);
  factors.left.resize(rows * rank);
  Eigen::Map<const RowMajor<float>> whole(weight.data(), rows, columns), right(factors.right.data(), rank, columns);
  Eigen::Map<RowMajor<float>>(factors.left.data(), rows, rank) =
      (whole.cast<double>() * right.transpose().cast<double>()).cast<float>();
  return factors;
}

//===- InputImportance.cpp - How much the inputs of a layer matter --------===//
#include "passes/Compress/Prune/InputImportance.h"
#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <cmath>

using namespace lathe;
using Eigen::MatrixXd;

using RowMatrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

std::vector<double> lathe::getDampedNorms(const ChannelStatistics &inputs) {
  std::vector<double> norms;
  for (int64_t channel = 0; channel < inputs.getChannels(); ++channel)
    norms.push_back(std::sqrt(inputs.getPower(channel)));
  return norms;
}

std::vector<double> lathe::getVariances(const ChannelStatistics &inputs) {
  std::vector<double> variances;
  for (int64_t channel = 0; channel < inputs.getChannels(); ++channel)
    variances.push_back(inputs.getVariance(channel));
  return variances;
}

/// The covariance with 1 % of its mean diagonal added, as in SparseGPT: samples say little of rare directions.
static MatrixXd getCovariance(const ChannelStatistics &inputs) {
  int64_t size = inputs.getChannels();
  Eigen::Map<const RowMatrix> gram(inputs.getGram().data(), size, size);
  Eigen::VectorXd mean(size);
  for (int64_t channel = 0; channel < size; ++channel)
    mean[channel] = inputs.getMean(channel);
  MatrixXd covariance = gram.cast<double>() / double(inputs.getRows()) - mean * mean.transpose();
  covariance.diagonal().array() += std::max(0.01 * covariance.diagonal().mean(), 1e-12);
  return covariance;
}

std::vector<double> lathe::getConditionalVariances(const ChannelStatistics &inputs) {
  MatrixXd covariance = getCovariance(inputs);
  int64_t size = covariance.rows();
  Eigen::LLT<MatrixXd> factor(covariance);
  if (factor.info() != Eigen::Success)
    return getVariances(inputs);
  MatrixXd inverse = factor.solve(MatrixXd::Identity(size, size));
  std::vector<double> variances;
  for (int64_t channel = 0; channel < size; ++channel)
    variances.push_back(1 / inverse(channel, channel));
  return variances;
}

OutputChange lathe::compensate(const ChannelStatistics &inputs, llvm::ArrayRef<float> original,
                               const std::vector<bool> &removed, llvm::MutableArrayRef<float> weights) {
  // Conjugate gradients with a diagonal preconditioner, all columns at once, on the entries that are left (Meng et al.,
  // "ALPS", 2024). The error only falls, so that it may stop at any step.
  constexpr int kSteps = 30;
  MatrixXd covariance = getCovariance(inputs);
  int64_t rows = covariance.rows(), columns = int64_t(weights.size()) / rows;
  Eigen::Map<const RowMatrix> before(original.data(), rows, columns);
  Eigen::Map<RowMatrix> after(weights.data(), rows, columns);
  MatrixXd kept(rows, columns);
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t column = 0; column < columns; ++column)
      kept(row, column) = removed[row * columns + column] ? 0 : 1;
  Eigen::VectorXd scale = covariance.diagonal().cwiseInverse();

  MatrixXd solution = after.cast<double>();
  MatrixXd residual = (covariance * (before.cast<double>() - solution)).cwiseProduct(kept);
  MatrixXd conditioned = scale.asDiagonal() * residual, direction = conditioned;
  Eigen::RowVectorXd energy = residual.cwiseProduct(conditioned).colwise().sum();
  double first = energy.sum();
  for (int step = 0; step < kSteps && energy.sum() > 1e-6 * first; ++step) {
    MatrixXd image = (covariance * direction).cwiseProduct(kept);
    Eigen::RowVectorXd curvature = direction.cwiseProduct(image).colwise().sum();
    Eigen::RowVectorXd length = (curvature.array() > 0).select(energy.array() / curvature.array(), 0);
    solution += direction * length.asDiagonal();
    residual -= image * length.asDiagonal();
    conditioned = scale.asDiagonal() * residual;
    Eigen::RowVectorXd next = residual.cwiseProduct(conditioned).colwise().sum();
    Eigen::RowVectorXd ratio = (energy.array() > 0).select(next.array() / energy.array(), 0);
    direction = conditioned + direction * ratio.asDiagonal();
    energy = next;
  }
  after = solution.cast<float>();
  auto getVariance = [&](const MatrixXd &matrix) { return matrix.cwiseProduct(covariance * matrix).sum(); };
  return {getVariance(before.cast<double>()), getVariance(before.cast<double>() - solution)};
}

//===- Reconstruction.cpp - Channels told by other channels ---------------===//
#include "passes/Compress/Channels/Reconstruction.h"
#include "llvm/ADT/BitVector.h"
#include <Eigen/Cholesky>

using namespace lathe;
using llvm::ArrayRef;

using RowMatrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Added to the diagonal, relative to its mean: directions that samples hardly have are not relied upon.
static constexpr double kDamping = 1e-3;

static void damp(Eigen::MatrixXd &covariance) {
  double mean = covariance.diagonal().mean();
  covariance.diagonal().array() += kDamping * mean + 1e-12;
}

ChannelMoments::ChannelMoments(const ChannelStatistics &statistics, bool centered) : centered(centered) {
  int64_t channels = statistics.getChannels();
  double rows = double(std::max<uint64_t>(statistics.getRows(), 1));
  mean.resize(channels);
  for (int64_t channel = 0; channel < channels; ++channel)
    mean[channel] = statistics.getMean(channel);
  if (statistics.hasGram()) {
    covariance = Eigen::Map<const RowMatrix>(statistics.getGram().data(), channels, channels).cast<double>() / rows;
    if (centered)
      covariance -= mean * mean.transpose();
  } else {
    covariance = Eigen::MatrixXd::Zero(channels, channels);
    for (int64_t channel = 0; channel < channels; ++channel)
      covariance(channel, channel) = centered ? statistics.getVariance(channel) : statistics.getPower(channel);
  }
}

/// The weight `[taps, K, N]` as `[K, taps * N]`.
static Eigen::MatrixXd readWeight(const Contraction &contraction) {
  std::vector<float> storage;
  ArrayRef<float> elements = contraction.getWeight(storage);
  int64_t taps = contraction.getTaps(), inputs = contraction.getInputs(), outputs = contraction.getOutputs();
  Eigen::MatrixXd weight(inputs, taps * outputs);
  for (int64_t tap = 0; tap < taps; ++tap)
    weight.middleCols(tap * outputs, outputs) =
        Eigen::Map<const RowMatrix>(elements.data() + tap * inputs * outputs, inputs, outputs).cast<double>();
  return weight;
}

/// Rows and columns of a matrix, or rows of all columns.
static Eigen::MatrixXd select(const Eigen::MatrixXd &matrix, ArrayRef<int64_t> rows, ArrayRef<int64_t> columns) {
  Eigen::MatrixXd result(rows.size(), columns.size());
  for (size_t i = 0; i < rows.size(); ++i)
    for (size_t j = 0; j < columns.size(); ++j)
      result(i, j) = matrix(rows[i], columns[j]);
  return result;
}

static Eigen::MatrixXd selectRows(const Eigen::MatrixXd &matrix, ArrayRef<int64_t> rows) {
  Eigen::MatrixXd result(rows.size(), matrix.cols());
  for (size_t i = 0; i < rows.size(); ++i)
    result.row(i) = matrix.row(rows[i]);
  return result;
}

//===----------------------------------------------------------------------===//
// InputEliminator
//===----------------------------------------------------------------------===//

InputEliminator::InputEliminator(const Contraction &contraction, const ChannelMoments &moments) {
  weight = readWeight(contraction);
  signal = std::max((moments.covariance * weight).cwiseProduct(weight).sum(), 1e-30);
  Eigen::MatrixXd covariance = moments.covariance;
  damp(covariance);
  precision = covariance.llt().solve(Eigen::MatrixXd::Identity(covariance.rows(), covariance.cols()));
}

double InputEliminator::getError(ArrayRef<int64_t> rows) const {
  if (rows.size() == 1)
    return weight.row(rows[0]).squaredNorm() / precision(rows[0], rows[0]) / signal;
  Eigen::MatrixXd some = selectRows(weight, rows);
  return select(precision, rows, rows).llt().solve(some).cwiseProduct(some).sum() / signal;
}

void InputEliminator::eliminate(ArrayRef<int64_t> rows) {
  llvm::SmallVector<int64_t> all;
  for (int64_t row = 0; row < precision.rows(); ++row)
    all.push_back(row);
  Eigen::MatrixXd block = select(precision, rows, rows), columns = select(precision, all, rows);
  Eigen::MatrixXd factor = block.llt().solve(columns.transpose()).transpose(); // P[:, S] P[S, S]^-1
  weight -= factor * selectRows(weight, rows);
  precision -= factor * columns.transpose();
  for (int64_t row : rows) {
    weight.row(row).setZero();
    precision.row(row).setZero();
    precision.col(row).setZero();
    precision(row, row) = 1;
  }
}

//===----------------------------------------------------------------------===//
// Compensation
//===----------------------------------------------------------------------===//

void lathe::compensate(const Contraction &contraction, ArrayRef<int64_t> removed, const ChannelMoments &moments,
                       ChannelCompensation compensation) {
  if (compensation == ChannelCompensation::None)
    return;
  int64_t taps = contraction.getTaps(), inputs = contraction.getInputs(), outputs = contraction.getOutputs();
  llvm::BitVector gone(inputs);
  for (int64_t row : removed)
    gone.set(row);
  llvm::SmallVector<int64_t> kept;
  for (int64_t row = 0; row < inputs; ++row)
    if (!gone.test(row))
      kept.push_back(row);
  Eigen::MatrixXd weight = readWeight(contraction), lost = selectRows(weight, removed);

  // What is left of the means when the kept channels have told what they can.
  Eigen::VectorXd rest = selectRows(moments.mean, removed);
  if (compensation == ChannelCompensation::LeastSquares) {
    Eigen::MatrixXd covariance = select(moments.covariance, kept, kept);
    damp(covariance);
    Eigen::MatrixXd combination = covariance.llt().solve(select(moments.covariance, kept, removed));
    Eigen::MatrixXd added = combination * lost;
    for (size_t i = 0; i < kept.size(); ++i)
      weight.row(kept[i]) += added.row(i);
    std::vector<float> elements(taps * inputs * outputs);
    for (int64_t tap = 0; tap < taps; ++tap)
      Eigen::Map<RowMatrix>(elements.data() + tap * inputs * outputs, inputs, outputs) =
          weight.middleCols(tap * outputs, outputs).cast<float>();
    contraction.setWeight(elements);
    rest -= combination.transpose() * selectRows(moments.mean, kept);
    if (!moments.centered)
      return;
  }
  std::vector<float> bias(outputs, 0);
  Eigen::VectorXd sums = lost.transpose() * rest;
  for (int64_t tap = 0; tap < taps; ++tap)
    for (int64_t output = 0; output < outputs; ++output)
      bias[output] += float(sums[tap * outputs + output]);
  contraction.addToAccumulator(bias);
}

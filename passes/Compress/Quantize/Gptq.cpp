//===- Gptq.cpp - Rounding that makes up for its errors -------------------===//
#include "passes/Compress/Quantize/Gptq.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"
#include "llvm/ADT/SmallVector.h"
#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <cmath>

using namespace lathe;
using llvm::ArrayRef;

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using FloatMatrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// H = M diag(d) M^T with a unit upper triangular M, of a symmetric H: the error of all rows is then that of each row k
/// after feedback, squared and times d[k] (Chee et al., "QuIP", NeurIPS 2023, where GPTQ is shown to be this).
namespace {
struct Factors {
  FloatMatrix feedback; ///< M
  Eigen::VectorXf importance; ///< d
};
} // namespace

static std::optional<Factors> factor(Matrix hessian) {
  int64_t size = hessian.rows();
  double mean = hessian.diagonal().mean();
  if (!hessian.allFinite() || !(mean > 0))
    return std::nullopt;
  // Cholesky of the reversed matrix is upper triangular once it is reversed again.
  Matrix reversed = hessian.reverse();
  for (double damping = 0.01; damping <= 1e4; damping *= 10) {
    Matrix damped = reversed;
    damped.diagonal().array() += damping * mean;
    Eigen::LLT<Matrix> cholesky(damped);
    if (cholesky.info() != Eigen::Success)
      continue;
    Matrix upper = Matrix(cholesky.matrixL()).reverse();
    Eigen::VectorXd diagonal = upper.diagonal();
    for (int64_t k = 0; k < size; ++k)
      upper.col(k) /= diagonal[k];
    return Factors{upper.cast<float>(), diagonal.cwiseAbs2().cast<float>()};
  }
  return std::nullopt;
}

namespace {
/// Rounds rows in the order that `order` gives, in blocks of as many rows as a group has.
class Rounder {
public:
  Rounder(ArrayRef<float> weight, int64_t columns, ArrayRef<float> gram, const WeightFormat &format);
  std::optional<RoundedMatrix> run();

private:
  void chooseGroupLevels(int64_t group);
  void roundRow(int64_t position);

  const WeightFormat &format;
  int64_t rows, columns, group;
  Eigen::Map<const FloatMatrix> gram;
  llvm::SmallVector<int64_t> order; ///< of the rows; positions are within it
  FloatMatrix targets;        ///< the weight in that order, with what is fed back
  FloatMatrix errors;         ///< of the rows that are rounded, against the weight
  FloatMatrix weight;         ///< in that order
  std::optional<Factors> factors;
  std::vector<Levels> levels; ///< `[rows / group, columns]`
  RoundedMatrix result;
};
} // namespace

Rounder::Rounder(ArrayRef<float> values, int64_t columns, ArrayRef<float> gramValues, const WeightFormat &format)
    : format(format), rows(int64_t(values.size()) / columns), columns(columns),
      group(format.group ? format.group : rows), gram(gramValues.data(), rows, rows),
      order(llvm::to_vector(llvm::seq<int64_t>(0, rows))) {
  if (format.actOrder)
    llvm::sort(order, [&](int64_t a, int64_t b) { return std::pair(-gram(a, a), a) < std::pair(-gram(b, b), b); });
  Eigen::Map<const FloatMatrix> original(values.data(), rows, columns);
  Matrix hessian(rows, rows);
  weight.resize(rows, columns);
  for (int64_t i = 0; i < rows; ++i) {
    weight.row(i) = original.row(order[i]);
    for (int64_t j = 0; j < rows; ++j)
      hessian(i, j) = gram(order[i], order[j]);
  }
  targets = weight;
  errors = FloatMatrix::Zero(rows, columns);
  levels.resize(rows / group * columns);
  result.stored.resize(values.size());
  factors = factor(std::move(hessian));
}

/// Chooses levels for what the rows of a group are now. Those at positions that are rounded already are not among them.
void Rounder::chooseGroupLevels(int64_t index) {
  std::vector<int64_t> positions;
  for (int64_t position = 0; position < rows; ++position)
    if (order[position] / group == index)
      positions.push_back(position);
  std::vector<float> importance, values(group);
  for (int64_t position : positions)
    importance.push_back(format.actOrder ? gram(order[position], order[position]) : factors->importance[position]);
  for (int64_t n = 0; n < columns; ++n) {
    for (auto [i, position] : llvm::enumerate(positions))
      values[i] = targets(position, n);
    levels[index * columns + n] = chooseLevels(values, importance, format);
  }
}

void Rounder::roundRow(int64_t position) {
  int64_t row = order[position];
  for (int64_t n = 0; n < columns; ++n) {
    const Levels &of = levels[row / group * columns + n];
    // What was pruned takes no part in feedback.
    int64_t stored = weight(position, n) == 0 ? of.zero : of.quantize(targets(position, n));
    result.stored[row * columns + n] = int8_t(stored);
    errors(position, n) = weight(position, n) - float(of.express(stored));
  }
}

std::optional<RoundedMatrix> Rounder::run() {
  if (!factors)
    return std::nullopt;
  if (format.actOrder)
    for (int64_t index = 0; index < rows / group; ++index)
      chooseGroupLevels(index);
  for (int64_t begin = 0; begin < rows; begin += group) {
    if (!format.actOrder)
      chooseGroupLevels(begin / group);
    for (int64_t k = begin; k < begin + group; ++k) {
      roundRow(k);
      for (int64_t later = k + 1; later < begin + group; ++later)
        targets.row(later) += factors->feedback(k, later) * errors.row(k);
    }
    // What later groups need of this one, at once: a matrix product.
    int64_t rest = rows - begin - group;
    targets.bottomRows(rest).noalias() +=
        factors->feedback.block(begin, begin + group, group, rest).transpose() * errors.middleRows(begin, group);
  }
  for (const Levels &of : levels) {
    result.scales.push_back(of.scale);
    result.zeroPoints.push_back(of.zero);
  }
  return std::move(result);
}

std::optional<RoundedMatrix> lathe::roundByGptq(ArrayRef<float> weight, int64_t columns, ArrayRef<float> gram,
                                                const WeightFormat &format) {
  return Rounder(weight, columns, gram, format).run();
}

double lathe::productError(ArrayRef<float> weight, const RoundedMatrix &rounded, int64_t columns,
                           ArrayRef<float> gram) {
  int64_t rows = int64_t(weight.size()) / columns, group = rows * columns / int64_t(rounded.scales.size());
  Matrix errors(rows, columns);
  for (int64_t k = 0; k < rows; ++k)
    for (int64_t n = 0; n < columns; ++n) {
      int64_t parameter = k / group * columns + n;
      double value = double(rounded.stored[k * columns + n] - rounded.zeroPoints[parameter]) * rounded.scales[parameter];
      errors(k, n) = weight[k * columns + n] - value;
    }
  Matrix hessian = Eigen::Map<const FloatMatrix>(gram.data(), rows, rows).cast<double>();
  return errors.cwiseProduct(hessian * errors).sum();
}

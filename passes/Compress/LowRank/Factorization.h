//===- Factorization.h - A matrix as a product of two thin ones -----------===//
#ifndef PASSES_COMPRESS_LOWRANK_FACTORIZATION_H
#define PASSES_COMPRESS_LOWRANK_FACTORIZATION_H

#include "llvm/ADT/ArrayRef.h"
#include <cstdint>
#include <optional>
#include <vector>

namespace lathe {

/// All best approximations of a weight W, `[rows, columns]`, by products W_r of `[rows, r]` and `[r, columns]`: those of
/// least ||X (W - W_r)||_F for the rows X that W is to meet, of which only the Gram matrix X^T X is known.
///
/// With R^T R = X^T X that is ||R W - R W_r||_F, and by Eckart and Young R W_r = R W V_r V_r^T, where V_r are the first r
/// right singular vectors of R W. So W_r = (W V_r) (V_r^T), which is what SVD-LLM (Wang et al., ICLR 2025) computes as
/// R^-1 (U_r S_r) (V_r^T), without an inverse. Without X the vectors are those of W itself.
class Factorization {
public:
  /// Elements of `weight` in order, row by row. `gram` is `[n, n]`, where n divides the rows: each n rows of the weight
  /// meet inputs of that Gram matrix, as if they were independent of the other rows' (the taps of a window). It may be
  /// empty. Nullopt where the weight is not finite or zero.
  static std::optional<Factorization> compute(llvm::ArrayRef<float> weight, int64_t columns,
                                              llvm::ArrayRef<double> gram);

  /// min(rows, columns)
  int64_t getFullRank() const { return int64_t(energies.size()); }
  /// ||X (W - W_r)||_F / ||X W||_F, r from 0 to the full rank.
  double getError(int64_t rank) const;
  /// The smallest rank r with ||X W_r||_F^2 >= part * ||X W||_F^2.
  int64_t getRankOfEnergy(double part) const;

  struct Factors {
    std::vector<float> left;  ///< [rows, r]
    std::vector<float> right; ///< [r, columns]
  };
  Factors getFactors(int64_t rank) const;

private:
  int64_t rows = 0, columns = 0;
  std::vector<float> weight;
  std::vector<double> energies; ///< squared singular values, the largest first
  std::vector<float> vectors;   ///< right singular vectors, `[full rank, columns]`
};

} // namespace lathe

#endif // PASSES_COMPRESS_LOWRANK_FACTORIZATION_H

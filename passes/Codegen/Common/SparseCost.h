//===- SparseCost.h - What a product costs with dense and sparse weights --===//
#ifndef PASSES_CODEGEN_COMMON_SPARSECOST_H
#define PASSES_CODEGEN_COMMON_SPARSECOST_H

#include "dialects/NN/IR/NNDialect.h"

namespace lathe::codegen {

/// out[rows, columns] = input[rows, channels] * weight[channels, columns], of which `nonzeros` elements are not zero.
struct SparseProduct {
  int64_t rows, channels, columns, nonzeros;
};

/// Estimated cycles of one core for nn.linear and nn.sparse_linear of f32, to be compared with each other.
struct ProductCycles {
  double dense, sparse;
};

ProductCycles estimateCycles(const SparseProduct &product, nn::TargetAttr target);

/// Rows of the tiles that nn.sparse_linear transposes, a power of two of vectors; 0 if not even one vector of rows of
/// so many channels fits.
int64_t getSparseTileRows(int64_t channels, nn::TargetAttr target);

} // namespace lathe::codegen

#endif // PASSES_CODEGEN_COMMON_SPARSECOST_H

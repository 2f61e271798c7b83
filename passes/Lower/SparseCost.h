//===- SparseCost.h - What a product costs with dense and sparse weights --===//
#ifndef PASSES_LOWER_SPARSECOST_H
#define PASSES_LOWER_SPARSECOST_H

#include "dialects/NN/IR/NNDialect.h"

namespace lathe {

/// out[rows, columns] = input[rows, channels] * weight[channels, columns], of which `nonzeros` elements are not zero.
struct SparseProduct {
  int64_t rows, channels, columns, nonzeros;
};

/// Estimated cycles of one core for nn.linear (f32) and for nn.sparse_linear. Only their ratio is meant to be used: it
/// was measured on one machine, and depends little on it.
struct ProductCycles {
  double dense, sparse;
};

ProductCycles estimateCycles(const SparseProduct &product, nn::TargetAttr target);

/// Most input channels that nn.sparse_linear has a tile for, which is on the stack.
int64_t maxSparseChannels(nn::TargetAttr target);

} // namespace lathe

#endif // PASSES_LOWER_SPARSECOST_H

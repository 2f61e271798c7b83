//===- Bias.h - Constants added to what a contraction sums up -------------===//
#ifndef PASSES_COMPRESS_PRUNE_BIAS_H
#define PASSES_COMPRESS_PRUNE_BIAS_H

#include "dialects/NN/IR/NNDialect.h"

namespace lathe {

/// Adds a constant for each output channel to the sums of an `nn.conv` or `nn.linear`, before the rest of its epilogue:
/// to its constant bias where it has one.
void addToSums(nn::ConvOp op, llvm::ArrayRef<float> constants);
void addToSums(nn::LinearOp op, llvm::ArrayRef<float> constants);

} // namespace lathe

#endif // PASSES_COMPRESS_PRUNE_BIAS_H

//===- LowerQuantWeights.h - Quantized weights of f32 ops to storage ------===//
#ifndef PASSES_LOWER_LOWERQUANTWEIGHTS_H
#define PASSES_LOWER_LOWERQUANTWEIGHTS_H

#include "dialects/NN/IR/NNDialect.h"

namespace lathe {

/// True where only the weight is quantized.
bool isWeightOnly(nn::LinearOp op);

/// Fails, with a reason, where storage cannot express the weight of a weight-only op.
mlir::LogicalResult checkWeightOnly(nn::LinearOp op);

/// Replaces the weight of a weight-only op by its bytes, with scales and offsets beside it. A symmetric weight with
/// one scale for each output has the scales in the epilogue instead, after the sum.
mlir::LogicalResult lowerWeightOnly(nn::LinearOp op);

} // namespace lathe

#endif // PASSES_LOWER_LOWERQUANTWEIGHTS_H

//===- Kernels.h - One emitter for each nn op -----------------------------===//
#ifndef PASSES_CODEGEN_GPU_KERNELS_H
#define PASSES_CODEGEN_GPU_KERNELS_H

#include "dialects/NN/IR/NNDialect.h"

namespace lathe::simt {

// Each emits loops over threads (`scf.parallel`) or launches of blocks before its op, which is in memref form, and
// leaves the op in place. What one kernel leaves for the next is in a `memref.alloc` (ThreadBuilder::scratch). Failures
// have been reported.
mlir::LogicalResult emitLinear(nn::LinearOp op);
mlir::LogicalResult emitMatMul(nn::MatMulOp op);
mlir::LogicalResult emitConv(nn::ConvOp op);
mlir::LogicalResult emitPool(nn::PoolOp op);
mlir::LogicalResult emitAttention(nn::AttentionOp op);
mlir::LogicalResult emitNorm(nn::NormOp op);
mlir::LogicalResult emitSoftmax(nn::SoftmaxOp op);
mlir::LogicalResult emitTokenMerge(nn::TokenMergeOp op);
mlir::LogicalResult emitTokenPrune(nn::TokenPruneOp op);

} // namespace lathe::simt

#endif // PASSES_CODEGEN_GPU_KERNELS_H

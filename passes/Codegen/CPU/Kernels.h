//===- Kernels.h - One emitter for each nn op -----------------------------===//
#ifndef PASSES_CODEGEN_CPU_KERNELS_H
#define PASSES_CODEGEN_CPU_KERNELS_H

#include "dialects/NN/IR/NNDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace lathe::cpu {

// Each emits loops before its op, which is in memref form, and leaves the op in place. Failures have been reported.
mlir::LogicalResult emitLinear(nn::LinearOp op);
mlir::LogicalResult emitSparseLinear(nn::SparseLinearOp op);
mlir::LogicalResult emitMatMul(nn::MatMulOp op);
mlir::LogicalResult emitConv(nn::ConvOp op);
mlir::LogicalResult emitDepthwise(nn::ConvOp op);
mlir::LogicalResult emitGroupedConv(nn::ConvOp op);
mlir::LogicalResult emitExpandDepthwise(nn::ExpandDepthwiseOp op);
mlir::LogicalResult emitPool(nn::PoolOp op);
mlir::LogicalResult emitAttention(nn::AttentionOp op);
mlir::LogicalResult emitNorm(nn::NormOp op);
mlir::LogicalResult emitSoftmax(nn::SoftmaxOp op);
mlir::LogicalResult emitTokenMerge(nn::TokenMergeOp op);
mlir::LogicalResult emitTokenPrune(nn::TokenPruneOp op);
mlir::LogicalResult emitWinogradInput(nn::WinogradInputOp op);
mlir::LogicalResult emitWinogradConv(nn::WinogradConvOp op);

/// Whether partial sums wait in the destination, so that it must not be an operand of the epilogue.
bool addsUpInDestination(nn::LinearOp op);
bool addsUpInDestination(nn::ConvOp op);

/// Whether blocks in registers serve this transpose: its last dimension is another one before than after, and both are
/// long. For all others, loops are as good.
bool hasTransposeKernel(mlir::linalg::TransposeOp op);
mlir::LogicalResult emitTranspose(mlir::linalg::TransposeOp op);

} // namespace lathe::cpu

#endif // PASSES_CODEGEN_CPU_KERNELS_H

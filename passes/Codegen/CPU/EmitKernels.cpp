//===- EmitKernels.cpp - nn ops on memrefs become loops over vectors ------===//
#include "passes/Codegen/CPU/Epilogue.h"
#include "passes/Codegen/CPU/Kernels.h"
#include "passes/Codegen/Passes.h"
#include "llvm/ADT/TypeSwitch.h"

namespace lathe {
#define GEN_PASS_DEF_EMITKERNELS
#include "passes/Codegen/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

namespace {

/// Epilogues must be elementwise, whatever the kernel.
template <typename OpT>
LogicalResult withEpilogue(OpT op, LogicalResult (*emit)(OpT)) {
  if (failed(cpu::Epilogue::check(op, op.getEpilogue())))
    return failure();
  return emit(op);
}

LogicalResult emitKernel(Operation *op) {
  if (op->getNumResults() != 0)
    return op->emitOpError("expected its memref form");
  return TypeSwitch<Operation *, LogicalResult>(op)
      .Case([](nn::LinearOp linear) { return withEpilogue(linear, cpu::emitLinear); })
      .Case([](nn::SparseLinearOp linear) { return withEpilogue(linear, cpu::emitSparseLinear); })
      .Case([](nn::MatMulOp matmul) { return withEpilogue(matmul, cpu::emitMatMul); })
      .Case([](nn::ConvOp conv) { return withEpilogue(conv, cpu::emitConv); })
      .Case([](nn::WinogradInputOp input) { return cpu::emitWinogradInput(input); })
      .Case([](nn::WinogradConvOp conv) { return withEpilogue(conv, cpu::emitWinogradConv); })
      .Case([](nn::ExpandDepthwiseOp conv) -> LogicalResult {
        if (failed(cpu::Epilogue::check(conv, conv.getExpandEpilogue())))
          return failure();
        return withEpilogue(conv, cpu::emitExpandDepthwise);
      })
      .Case([](nn::PoolOp pool) { return cpu::emitPool(pool); })
      .Case([](nn::AttentionOp attention) { return cpu::emitAttention(attention); })
      .Case([](nn::NormOp norm) { return cpu::emitNorm(norm); })
      .Case([](nn::SoftmaxOp softmax) { return cpu::emitSoftmax(softmax); })
      .Case([](nn::TokenMergeOp merge) { return cpu::emitTokenMerge(merge); })
      .Case([](nn::TokenPruneOp prune) { return cpu::emitTokenPrune(prune); })
      .Case([](linalg::TransposeOp transpose) { return cpu::emitTranspose(transpose); })
      .Default([](Operation *other) { return other->emitOpError("has no kernel for this target"); });
}

struct EmitKernels : lathe::impl::EmitKernelsBase<EmitKernels> {
  void runOnOperation() override {
    SmallVector<Operation *> kernels;
    getOperation().walk([&](Operation *op) {
      auto transpose = dyn_cast<linalg::TransposeOp>(op);
      if (isa<nn::KernelOpInterface>(op) || (transpose && cpu::hasTransposeKernel(transpose)))
        kernels.push_back(op);
    });
    for (Operation *op : kernels) {
      if (failed(emitKernel(op)))
        return signalPassFailure();
      op->erase();
    }
  }
};

} // namespace

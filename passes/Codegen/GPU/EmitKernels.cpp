//===- EmitKernels.cpp - nn ops on memrefs become loops over threads ------===//
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "passes/Codegen/GPU/Kernels.h"
#include "passes/Codegen/Passes.h"
#include "llvm/ADT/TypeSwitch.h"

namespace lathe {
#define GEN_PASS_DEF_GPUEMITKERNELS
#include "passes/Codegen/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

static LogicalResult emitKernel(Operation *op) {
  if (op->getNumResults() != 0)
    return op->emitOpError("expected its memref form");
  return TypeSwitch<Operation *, LogicalResult>(op)
      .Case([](nn::LinearOp linear) { return simt::emitLinear(linear); })
      .Case([](nn::MatMulOp matmul) { return simt::emitMatMul(matmul); })
      .Case([](nn::ConvOp conv) { return simt::emitConv(conv); })
      .Case([](nn::PoolOp pool) { return simt::emitPool(pool); })
      .Case([](nn::AttentionOp attention) { return simt::emitAttention(attention); })
      .Case([](nn::NormOp norm) { return simt::emitNorm(norm); })
      .Case([](nn::SoftmaxOp softmax) { return simt::emitSoftmax(softmax); })
      .Case([](nn::TokenMergeOp merge) { return simt::emitTokenMerge(merge); })
      .Case([](nn::TokenPruneOp prune) { return simt::emitTokenPrune(prune); })
      .Default([](Operation *other) { return other->emitOpError("has no kernel for this target"); });
}

namespace {

struct GpuEmitKernels : lathe::impl::GpuEmitKernelsBase<GpuEmitKernels> {
  void runOnOperation() override {
    SmallVector<Operation *> kernels;
    getOperation().walk([&](nn::KernelOpInterface op) { kernels.push_back(op); });
    for (Operation *op : kernels) {
      if (failed(emitKernel(op)))
        return signalPassFailure();
      op->erase();
    }
  }
};

} // namespace

//===- EmitKernels.cpp - nn ops on memrefs become loops over vectors ------===//
#include "passes/Codegen/CPU/Contraction.h"
#include "passes/Codegen/Passes.h"
#include "llvm/ADT/TypeSwitch.h"

namespace lathe {
#define GEN_PASS_DEF_EMITKERNELS
#include "passes/Codegen/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

namespace {

LogicalResult emitKernel(Operation *op) {
  if (op->getNumResults() != 0)
    return op->emitOpError("expected its memref form");
  return TypeSwitch<Operation *, LogicalResult>(op)
      .Case([](nn::LinearOp linear) {
        if (failed(cpu::Epilogue::check(linear, linear.getEpilogue())))
          return failure();
        return cpu::emitLinear(linear);
      })
      .Case([](nn::ConvOp conv) {
        if (failed(cpu::Epilogue::check(conv, conv.getEpilogue())))
          return failure();
        return cpu::emitConv(conv);
      })
      .Default([](Operation *other) { return other->emitOpError("has no kernel for this target"); });
}

struct EmitKernels : lathe::impl::EmitKernelsBase<EmitKernels> {
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

//===- DynamicShared.cpp - Memory of a block that its launch asks for -----===//
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "passes/Codegen/Passes.h"

namespace lathe {
#define GEN_PASS_DEF_GPUDYNAMICSHARED
#include "passes/Codegen/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

/// What a kernel may declare (PTX ISA and CUDA C++ Programming Guide, "Compute Capabilities").
static constexpr int64_t kDeclaredBytes = 48 << 10;

/// The bytes of a kernel's memory of a block, which is its one attribution; 0 where it may declare what it has.
static FailureOr<int64_t> findBytes(gpu::GPUFuncOp kernel) {
  int64_t bytes = 0;
  for (Value memory : kernel.getWorkgroupAttributions()) {
    auto type = cast<MemRefType>(memory.getType());
    bytes += type.getNumElements() * type.getElementTypeBitWidth() / 8;
  }
  if (bytes <= kDeclaredBytes)
    return 0;
  auto type = cast<MemRefType>(kernel.getWorkgroupAttributions().front().getType());
  if (kernel.getNumWorkgroupAttributions() != 1 || !type.getElementType().isInteger(8) ||
      !type.getLayout().isIdentity())
    return kernel.emitError("expected one array of bytes as memory of a block of more than ")
           << kDeclaredBytes << " bytes";
  return bytes;
}

/// The kernel takes the memory from its launch.
static void rewrite(gpu::GPUFuncOp kernel) {
  BlockArgument declared = kernel.getWorkgroupAttributions().front();
  auto type = cast<MemRefType>(declared.getType());
  OpBuilder builder = OpBuilder::atBlockBegin(&kernel.getBody().front());
  auto given = gpu::DynamicSharedMemoryOp::create(builder, kernel.getLoc(),
                                                  MemRefType::get({ShapedType::kDynamic}, type.getElementType(),
                                                                  MemRefLayoutAttrInterface(), type.getMemorySpace()));
  Value first = arith::ConstantIndexOp::create(builder, kernel.getLoc(), 0);
  declared.replaceAllUsesWith(
      memref::ViewOp::create(builder, kernel.getLoc(), type, given, first, ValueRange()).getResult());
  kernel.getBody().front().eraseArgument(declared.getArgNumber());
  kernel->removeAttr(gpu::GPUFuncOp::getNumWorkgroupAttributionsAttrName());
  kernel.removeWorkgroupAttribAttrsAttr();
}

namespace {

struct GpuDynamicShared : lathe::impl::GpuDynamicSharedBase<GpuDynamicShared> {
  void runOnOperation() override {
    llvm::DenseMap<Operation *, int64_t> large;
    WalkResult walk = getOperation().walk([&](gpu::GPUFuncOp kernel) -> WalkResult {
      FailureOr<int64_t> bytes = findBytes(kernel);
      if (failed(bytes))
        return failure();
      if (*bytes)
        large[kernel] = *bytes;
      return success();
    });
    if (walk.wasInterrupted())
      return signalPassFailure();
    SymbolTableCollection symbols;
    getOperation().walk([&](gpu::LaunchFuncOp launch) {
      auto found = large.find(symbols.lookupNearestSymbolFrom(launch, launch.getKernel()));
      if (found == large.end())
        return;
      OpBuilder builder(launch);
      launch.getDynamicSharedMemorySizeMutable().assign(
          arith::ConstantIntOp::create(builder, launch.getLoc(), builder.getI32Type(), found->second));
    });
    for (auto &[kernel, bytes] : large)
      rewrite(cast<gpu::GPUFuncOp>(kernel));
  }
};

} // namespace

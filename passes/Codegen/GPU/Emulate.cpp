//===- Emulate.cpp - Launches of a grid become loops on the host ----------===//
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "passes/Codegen/Common/TargetKind.h"
#include "passes/Codegen/GPU/BlockFunction.h"
#include "passes/Codegen/GPU/Device.h"
#include "passes/Codegen/Passes.h"

namespace lathe {
#define GEN_PASS_DEF_GPUEMULATE
#include "passes/Codegen/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

namespace {

struct GpuEmulate : lathe::impl::GpuEmulateBase<GpuEmulate> {
  using GpuEmulateBase::GpuEmulateBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    module.walk(emulateFunction);
    SmallVector<gpu::LaunchFuncOp> launches;
    module.walk([&](gpu::LaunchFuncOp launch) { launches.push_back(launch); });
    llvm::DenseMap<gpu::GPUFuncOp, func::FuncOp> functions;
    for (gpu::LaunchFuncOp launch : launches) {
      auto kernel = SymbolTable::lookupNearestSymbolFrom<gpu::GPUFuncOp>(launch, launch.getKernelAttr());
      func::FuncOp &function = functions[kernel];
      if (!function)
        function = simt::BlockFunction(kernel, module).emit();
      if (!function)
        return signalPassFailure();
      if (exportBlocks)
        function->setAttr(simt::kBlockFunctionAttr, UnitAttr::get(&getContext()));
      runBlocks(launch, function);
    }
    for (auto device : llvm::make_early_inc_range(module.getOps<gpu::GPUModuleOp>()))
      device.erase();
    module->removeAttr(gpu::GPUDialect::getContainerModuleAttrName());
    if (Attribute host = module->removeAttr(codegen::kHostTargetAttr))
      module->setAttr(nn::kTargetAttr, host);
  }

private:
  /// Of the device's functions, there is 2^x of weights, which are at most one.
  static void emulateFunction(LLVM::CallIntrinsicOp call) {
    if (call.getIntrin() != simt::kExp2Intrinsic)
      return;
    codegen::LoopBuilder k(call);
    call->replaceAllUsesWith(ValueRange{k.exp2NonPositive(call.getArgs()[0])});
    call.erase();
  }

  /// Blocks run in any order, or at once.
  static void runBlocks(gpu::LaunchFuncOp launch, func::FuncOp function) {
    codegen::LoopBuilder k(launch);
    gpu::KernelDim3 grid = launch.getGridSizeOperandValues();
    Value count = k.mul(k.mul(grid.x, grid.y), grid.z);
    auto loop =
        scf::ParallelOp::create(k.builder, k.loc, ValueRange{k.index(0)}, ValueRange{count}, ValueRange{k.index(1)});
    k.builder.setInsertionPoint(loop.getBody()->getTerminator());
    SmallVector<Value> zyx = k.delinearize(loop.getInductionVars()[0], {grid.z, grid.y, grid.x});
    SmallVector<Value> operands(launch.getKernelOperands());
    operands.append({zyx[2], zyx[1], zyx[0], grid.x, grid.y, grid.z});
    func::CallOp::create(k.builder, k.loc, function, operands);
    launch.erase();
  }
};

} // namespace

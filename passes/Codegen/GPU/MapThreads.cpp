//===- MapThreads.cpp - Parallel loops become launches of a grid ----------===//
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/RegionUtils.h"
#include "passes/Codegen/Common/LoopBuilder.h"
#include "passes/Codegen/Common/Signature.h"
#include "passes/Codegen/GPU/Device.h"
#include "passes/Codegen/Passes.h"

namespace lathe {
#define GEN_PASS_DEF_GPUMAPTHREADS
#include "passes/Codegen/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

/// Threads of a block: eight warps, enough to hide latencies and few enough for 255 registers each.
static constexpr int64_t kBlockThreads = 256;

/// What is an instruction, or a few, of the device. Functions of f32 have become polynomials before.
static bool isInstruction(Operation *op) {
  return isa<math::AbsFOp, math::AbsIOp, math::CeilOp, math::CopySignOp, math::CountLeadingZerosOp,
             math::CountTrailingZerosOp, math::CtPopOp, math::FloorOp, math::FmaOp, math::IsFiniteOp, math::IsInfOp,
             math::IsNaNOp, math::IsNormalOp, math::RoundOp, math::RoundEvenOp, math::SqrtOp, math::TruncOp>(op);
}

/// The device has no libm, and no library is linked to its code.
static LogicalResult checkOnDevice(Operation *op) {
  bool isMath = isa_and_nonnull<math::MathDialect>(op->getDialect());
  if (isa<func::CallOp, memref::AllocOp>(op) || (isMath && !isInstruction(op)))
    return op->emitError("'") << op->getName() << "' cannot be run by a GPU's thread";
  return success();
}

namespace {

struct GpuMapThreads : lathe::impl::GpuMapThreadsBase<GpuMapThreads> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
    module->setAttr(gpu::GPUDialect::getContainerModuleAttrName(), builder.getUnitAttr());
    device = gpu::GPUModuleOp::create(builder, module.getLoc(), simt::kDeviceModuleName);
    for (auto function : module.getOps<func::FuncOp>()) {
      if (!function.getName().starts_with(codegen::kKernelPrefix))
        continue;
      SmallVector<Operation *> grids;
      function.walk<WalkOrder::PreOrder>([&](Operation *op) {
        if (!isa<scf::ParallelOp, gpu::LaunchOp>(op))
          return WalkResult::advance();
        grids.push_back(op);
        return WalkResult::skip();
      });
      for (auto [number, op] : llvm::enumerate(grids)) {
        std::string name = (function.getName() + "_" + Twine(number)).str();
        auto launch = dyn_cast<gpu::LaunchOp>(op);
        if (failed(launch ? outline(launch, name) : map(cast<scf::ParallelOp>(op), name)))
          return signalPassFailure();
      }
    }
    if (failed(checkHost(module)))
      return signalPassFailure();
  }

private:
  /// A kernel, empty but for its terminator, and what it takes of the host.
  struct Kernel {
    gpu::GPUFuncOp function;
    gpu::ReturnOp end;
    SmallVector<Value> operands;
    IRMapping mapping;
  };

  /// A kernel that takes what `op` uses; constants are cloned into it.
  FailureOr<Kernel> makeKernel(Operation *op, StringRef name, ValueRange needed, ArrayRef<int32_t> blockSize,
                               TypeRange shared = {}) {
    WalkResult walk = op->walk([&](Operation *inner) {
      if (inner != op && isa<scf::ParallelOp, gpu::LaunchOp>(inner))
        return WalkResult(inner->emitError("expected no parallel loop in another one"));
      return WalkResult(checkOnDevice(inner));
    });
    if (walk.wasInterrupted())
      return failure();
    llvm::SetVector<Value> used(needed.begin(), needed.end());
    getUsedValuesDefinedAbove(op->getRegions(), used);
    Kernel kernel;
    SmallVector<Value> constants;
    for (Value value : used)
      (matchPattern(value, m_Constant()) ? constants : kernel.operands).push_back(value);
    SmallVector<Type> types = llvm::map_to_vector(kernel.operands, [](Value value) { return value.getType(); });
    OpBuilder builder = OpBuilder::atBlockEnd(device.getBody());
    kernel.function = gpu::GPUFuncOp::create(builder, op->getLoc(), name, builder.getFunctionType(types, {}), shared);
    kernel.function->setAttr(gpu::GPUDialect::getKernelFuncAttrName(), builder.getUnitAttr());
    kernel.function.setKnownBlockSizeAttr(builder.getDenseI32ArrayAttr(blockSize));
    // Rows of matrices and parts of copies begin at multiples of 16 bytes.
    for (unsigned i = 0; i < shared.size(); ++i)
      kernel.function.setWorkgroupAttributionAttr(i, LLVM::LLVMDialect::getAlignAttrName(),
                                                  builder.getI64IntegerAttr(16));
    builder.setInsertionPointToStart(&kernel.function.getBody().front());
    for (auto [operand, argument] : llvm::zip(kernel.operands, kernel.function.getArguments()))
      kernel.mapping.map(operand, argument);
    for (Value constant : constants)
      builder.clone(*constant.getDefiningOp(), kernel.mapping);
    kernel.end = gpu::ReturnOp::create(builder, op->getLoc());
    return kernel;
  }

  /// Puts the loop's body into a kernel of one thread for each iteration.
  LogicalResult map(scf::ParallelOp loop, StringRef name) {
    if (loop.getNumReductions())
      return loop.emitError("expected a parallel loop without reductions");
    FailureOr<Kernel> kernel = makeKernel(loop, name, loop->getOperands(), {int32_t(kBlockThreads), 1, 1});
    if (failed(kernel))
      return failure();
    emitThread(kernel->end, loop, kernel->mapping);
    launch(loop, kernel->function, kernel->operands);
    loop.erase();
    return success();
  }

  /// Puts the body of a launch into a kernel, as it is.
  LogicalResult outline(gpu::LaunchOp launch, StringRef name) {
    gpu::KernelDim3 block = launch.getBlockSizeOperandValues();
    SmallVector<int32_t> size;
    for (Value axis : {block.x, block.y, block.z}) {
      size.push_back(codegen::constantOr(axis));
      if (size.back() <= 0)
        return launch.emitError("expected blocks of a constant size");
    }
    SmallVector<Type> shared(ValueRange(launch.getWorkgroupAttributions()).getTypes());
    FailureOr<Kernel> kernel = makeKernel(launch, name, {}, size, shared);
    if (failed(kernel))
      return failure();
    if (Attribute resident = launch->getAttr(simt::kResidentBlocksAttr))
      kernel->function->setAttr(NVVM::NVVMDialect::getMinctasmAttrName(), resident);
    OpBuilder b(kernel->end);
    auto axes = [&](gpu::KernelDim3 values, auto make) {
      for (auto [axis, value] :
           {std::pair(gpu::Dimension::x, values.x), {gpu::Dimension::y, values.y}, {gpu::Dimension::z, values.z}})
        kernel->mapping.map(value, make(axis));
    };
    axes(launch.getBlockIds(),
         [&](gpu::Dimension axis) { return gpu::BlockIdOp::create(b, launch.getLoc(), axis).getResult(); });
    axes(launch.getThreadIds(),
         [&](gpu::Dimension axis) { return gpu::ThreadIdOp::create(b, launch.getLoc(), axis).getResult(); });
    axes(launch.getGridSize(),
         [&](gpu::Dimension axis) { return gpu::GridDimOp::create(b, launch.getLoc(), axis).getResult(); });
    axes(launch.getBlockSize(),
         [&](gpu::Dimension axis) { return gpu::BlockDimOp::create(b, launch.getLoc(), axis).getResult(); });
    kernel->mapping.map(launch.getWorkgroupAttributions(), kernel->function.getWorkgroupAttributions());
    for (Operation &op : launch.getBody().front().without_terminator())
      b.clone(op, kernel->mapping);
    b.setInsertionPoint(launch);
    gpu::LaunchFuncOp::create(b, launch.getLoc(), kernel->function, launch.getGridSizeOperandValues(), block, Value(),
                              kernel->operands);
    launch.erase();
    return success();
  }

  /// Number of iterations of each dimension, at the place of `k`.
  static SmallVector<Value> countIterations(codegen::LoopBuilder &k, scf::ParallelOp loop,
                                            function_ref<Value(Value)> lookup) {
    SmallVector<Value> counts;
    for (auto [lower, upper, step] : llvm::zip(loop.getLowerBound(), loop.getUpperBound(), loop.getStep()))
      counts.push_back(
          k.div(k.add(k.sub(lookup(upper), lookup(lower)), k.sub(lookup(step), k.index(1))), lookup(step)));
    return counts;
  }

  void emitThread(gpu::ReturnOp end, scf::ParallelOp loop, IRMapping &mapping) {
    codegen::LoopBuilder k(end);
    OpBuilder &b = k.builder;
    SmallVector<Value> counts = countIterations(k, loop, [&](Value value) { return mapping.lookup(value); });
    Value total = k.index(1);
    for (Value count : counts)
      total = k.mul(total, count);
    Value block = gpu::BlockIdOp::create(b, k.loc, gpu::Dimension::x);
    Value thread = k.add(k.mul(block, kBlockThreads), gpu::ThreadIdOp::create(b, k.loc, gpu::Dimension::x));
    Value inside = arith::CmpIOp::create(b, k.loc, arith::CmpIPredicate::ult, thread, total);
    auto branch = scf::IfOp::create(b, k.loc, inside, /*withElseRegion=*/false);
    b.setInsertionPoint(branch.thenBlock()->getTerminator());
    SmallVector<Value> indices = k.delinearize(thread, counts);
    for (auto [iv, index, lower, step] :
         llvm::zip(loop.getInductionVars(), indices, loop.getLowerBound(), loop.getStep())) {
      Value scaled = matchPattern(step, m_One()) ? index : k.mul(index, mapping.lookup(step));
      mapping.map(iv, matchPattern(lower, m_Zero()) ? scaled : k.add(scaled, mapping.lookup(lower)));
    }
    for (Operation &op : loop.getBody()->without_terminator())
      b.clone(op, mapping);
  }

  static void launch(scf::ParallelOp loop, gpu::GPUFuncOp kernel, ArrayRef<Value> operands) {
    codegen::LoopBuilder k(loop);
    Value total = k.index(1);
    for (Value count : countIterations(k, loop, [](Value value) { return value; }))
      total = k.mul(total, count);
    Value one = k.index(1);
    // A grid must not be empty; threads past the last iteration do nothing.
    Value blocks = k.max(k.ceilDiv(total, kBlockThreads), one);
    gpu::LaunchFuncOp::create(k.builder, k.loc, kernel, gpu::KernelDim3{blocks, one, one},
                              gpu::KernelDim3{k.index(kBlockThreads), one, one}, /*dynamicSharedMemorySize=*/Value(),
                              operands);
  }

  /// What is left on the host must not touch the device's memory.
  static LogicalResult checkHost(ModuleOp module) {
    for (auto function : module.getOps<func::FuncOp>()) {
      WalkResult walk = function.walk([](Operation *op) {
        if (isa<memref::LoadOp, memref::StoreOp>(op))
          return WalkResult(op->emitError("reads or writes data of the GPU outside of a kernel"));
        return WalkResult::advance();
      });
      if (walk.wasInterrupted())
        return failure();
    }
    return success();
  }

  gpu::GPUModuleOp device;
};

} // namespace

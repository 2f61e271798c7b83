//===- Emulate.cpp - Launches of a grid become loops on the host ----------===//
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/IRMapping.h"
#include "passes/Codegen/Common/LoopBuilder.h"
#include "passes/Codegen/Common/TargetKind.h"
#include "passes/Codegen/Passes.h"

namespace lathe {
#define GEN_PASS_DEF_GPUEMULATE
#include "passes/Codegen/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

namespace {

/// Values of a kernel's three-dimensional indices.
using Dims = std::array<Value, 3>;

/// Turns a kernel into a function that runs one block: its threads are iterations of a loop.
class BlockFunction {
public:
  BlockFunction(gpu::GPUFuncOp kernel, ModuleOp module) : kernel(kernel), module(module) {}

  /// `@kernel(operands..., block x, y, z, grid x, y, z)`, or null after an error.
  func::FuncOp emit() {
    std::optional<ArrayRef<int32_t>> sizes = kernel.getKnownBlockSize();
    if (!sizes) {
      kernel.emitError("expected a known block size");
      return nullptr;
    }
    if (!llvm::hasSingleElement(kernel.getBody())) {
      kernel.emitError("expected structured control flow");
      return nullptr;
    }
    OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
    SmallVector<Type> types(kernel.getArgumentTypes());
    types.append(6, builder.getIndexType());
    auto function = func::FuncOp::create(builder, kernel.getLoc(), kernel.getName(), builder.getFunctionType(types, {}));
    function.setPrivate();
    Block *body = function.addEntryBlock();
    builder.setInsertionPointToStart(body);
    codegen::LoopBuilder k(func::ReturnOp::create(builder, kernel.getLoc()));
    unsigned operands = kernel.getNumArguments();
    IRMapping mapping;
    for (auto [from, to] : llvm::zip(kernel.getArguments(), body->getArguments()))
      mapping.map(from, to);
    SmallVector<Value> counts;
    for (int axis = 0; axis < 3; ++axis) {
      blockIds[axis] = body->getArgument(operands + axis);
      gridSizes[axis] = body->getArgument(operands + 3 + axis);
      blockSizes[axis] = k.index((*sizes)[axis]);
    }
    bool succeeds = true;
    k.loop(k.index(0), k.index(int64_t((*sizes)[0]) * (*sizes)[1] * (*sizes)[2]), 1, [&](Value thread) {
      SmallVector<Value> zyx = k.delinearize(thread, {blockSizes[2], blockSizes[1], blockSizes[0]});
      threadIds = {zyx[2], zyx[1], zyx[0]};
      for (Operation &op : kernel.getBody().front().without_terminator())
        succeeds &= succeeded(cloneForThread(k.builder, op, mapping));
    });
    return succeeds ? function : nullptr;
  }

private:
  /// Clones an op; what it asks of the grid is known here.
  LogicalResult cloneForThread(OpBuilder &builder, Operation &op, IRMapping &mapping) {
    if (Value known = lookUp(&op)) {
      mapping.map(op.getResult(0), known);
      return success();
    }
    Operation *clone = builder.clone(op, mapping);
    WalkResult walk = clone->walk([&](Operation *inner) -> WalkResult {
      if (Value known = lookUp(inner)) {
        inner->getResult(0).replaceAllUsesWith(known);
        inner->erase();
        return WalkResult::skip();
      }
      if (isa_and_nonnull<gpu::GPUDialect>(inner->getDialect()))
        return inner->emitError("'") << inner->getName() << "' is not emulated";
      return WalkResult::advance();
    });
    return failure(walk.wasInterrupted());
  }

  Value lookUp(Operation *op) {
    if (auto id = dyn_cast<gpu::ThreadIdOp>(op))
      return threadIds[unsigned(id.getDimension())];
    if (auto id = dyn_cast<gpu::BlockIdOp>(op))
      return blockIds[unsigned(id.getDimension())];
    if (auto size = dyn_cast<gpu::BlockDimOp>(op))
      return blockSizes[unsigned(size.getDimension())];
    if (auto size = dyn_cast<gpu::GridDimOp>(op))
      return gridSizes[unsigned(size.getDimension())];
    return {};
  }

  gpu::GPUFuncOp kernel;
  ModuleOp module;
  Dims threadIds, blockIds, blockSizes, gridSizes;
};

struct GpuEmulate : lathe::impl::GpuEmulateBase<GpuEmulate> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    SmallVector<gpu::LaunchFuncOp> launches;
    module.walk([&](gpu::LaunchFuncOp launch) { launches.push_back(launch); });
    llvm::DenseMap<gpu::GPUFuncOp, func::FuncOp> functions;
    for (gpu::LaunchFuncOp launch : launches) {
      auto kernel = SymbolTable::lookupNearestSymbolFrom<gpu::GPUFuncOp>(launch, launch.getKernelAttr());
      func::FuncOp &function = functions[kernel];
      if (!function)
        function = BlockFunction(kernel, module).emit();
      if (!function)
        return signalPassFailure();
      runBlocks(launch, function);
    }
    for (auto device : llvm::make_early_inc_range(module.getOps<gpu::GPUModuleOp>()))
      device.erase();
    module->removeAttr(gpu::GPUDialect::getContainerModuleAttrName());
    if (Attribute host = module->removeAttr(codegen::kHostTargetAttr))
      module->setAttr(nn::kTargetAttr, host);
  }

private:
  /// Blocks run in any order, or at once.
  static void runBlocks(gpu::LaunchFuncOp launch, func::FuncOp function) {
    codegen::LoopBuilder k(launch);
    gpu::KernelDim3 grid = launch.getGridSizeOperandValues();
    Value count = k.mul(k.mul(grid.x, grid.y), grid.z);
    auto loop = scf::ParallelOp::create(k.builder, k.loc, ValueRange{k.index(0)}, ValueRange{count}, ValueRange{k.index(1)});
    k.builder.setInsertionPoint(loop.getBody()->getTerminator());
    SmallVector<Value> zyx = k.delinearize(loop.getInductionVars()[0], {grid.z, grid.y, grid.x});
    SmallVector<Value> operands(launch.getKernelOperands());
    operands.append({zyx[2], zyx[1], zyx[0], grid.x, grid.y, grid.z});
    func::CallOp::create(k.builder, k.loc, function, operands);
    launch.erase();
  }
};

} // namespace

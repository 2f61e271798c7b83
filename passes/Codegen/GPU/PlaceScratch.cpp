//===- PlaceScratch.cpp - Room for what kernels leave for each other ------===//
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Remarks.h"
#include "passes/Codegen/Common/SizeBounds.h"
#include "passes/Codegen/Passes.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/MathExtras.h"

namespace lathe {
#define GEN_PASS_DEF_GPUPLACESCRATCH
#include "passes/Codegen/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;
using namespace lathe::codegen;

/// Alignment of buffers in the arena: LATHE_ALIGNMENT of rt_abi.h.
static constexpr int64_t kAlignment = 64;

/// Most bytes of an arena: see PlanArena.cpp.
static constexpr int64_t kMostBytes = int64_t(1) << 40;

/// A value of a kernel function, computed from its arguments, where the function is called.
static Value computeAtCall(OpBuilder &builder, Value value, IRMapping &mapping) {
  if (Value known = mapping.lookupOrNull(value))
    return known;
  Operation *op = value.getDefiningOp();
  for (Value operand : op->getOperands())
    mapping.map(operand, computeAtCall(builder, operand, mapping));
  return builder.clone(*op, mapping)->getResult(cast<OpResult>(value).getResultNumber());
}

namespace {

struct GpuPlaceScratch : lathe::impl::GpuPlaceScratchBase<GpuPlaceScratch> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    llvm::MapVector<func::FuncOp, SmallVector<memref::AllocOp>> scratch;
    for (auto function : module.getOps<func::FuncOp>())
      if (function.getName().starts_with(kKernelPrefix))
        function.walk([&](memref::AllocOp alloc) { scratch[function].push_back(alloc); });
    if (scratch.empty())
      return;
    func::FuncOp main = getMain(module);
    if (!main)
      return signalPassFailure();
    unsigned count = main.getNumArguments();
    auto arenaType = count < 2 ? MemRefType() : dyn_cast<MemRefType>(main.getArgumentTypes()[count - 2]);
    if (!arenaType || !arenaType.hasStaticShape() || !arenaType.getElementType().isInteger(8) ||
        !isa<LLVM::LLVMPointerType>(main.getArgumentTypes()[count - 1])) {
      main.emitError("expected an arena and an executor as the last arguments, but got ") << main.getFunctionType();
      return signalPassFailure();
    }
    arena = main.getArgument(count - 2);
    first = llvm::alignTo(arenaType.getNumElements(), kAlignment);
    end = first;
    Signature signature = readSignature(module);
    SizeBounds bounds(main, signature);
    WalkResult walk = main.walk([&](func::CallOp call) -> WalkResult {
      auto found = scratch.find(module.lookupSymbol<func::FuncOp>(call.getCallee()));
      return found == scratch.end() ? success() : addOperands(call, found->first, found->second, bounds);
    });
    if (walk.wasInterrupted())
      return signalPassFailure();
    for (auto &[function, allocs] : scratch)
      if (failed(addArguments(function, allocs)))
        return signalPassFailure();
    Builder builder(&getContext());
    arena.setType(MemRefType::get({end}, builder.getI8Type()));
    main.setType(builder.getFunctionType(main.getBody().getArgumentTypes(), main.getResultTypes()));
    module->setAttr(kWorkspaceAttr, builder.getI64IntegerAttr(end));
    remark::passed(main.getLoc(), remark::RemarkOpts::name("Scratch").category("codegen").function(main.getName()))
        << remark::metric("Bytes", end - first);
  }

private:
  /// Gives a call a view of the scratch bytes for each of the function's buffers, before the executor.
  LogicalResult addOperands(func::CallOp call, func::FuncOp function, ArrayRef<memref::AllocOp> allocs,
                            SizeBounds &bounds) {
    OpBuilder builder(call);
    IRMapping mapping;
    mapping.map(function.getArguments(), call.getOperands());
    int64_t offset = first;
    SmallVector<Value> views;
    for (memref::AllocOp alloc : allocs) {
      SmallVector<Value> sizes;
      for (Value size : alloc.getDynamicSizes())
        sizes.push_back(computeAtCall(builder, size, mapping));
      std::optional<int64_t> bytes = bounds.getBytes(alloc.getType(), sizes);
      if (!bytes || *bytes > kMostBytes)
        return call.emitError("expected scratch memory of bounded size, but got ") << alloc.getType();
      Value place = arith::ConstantIndexOp::create(builder, call.getLoc(), offset);
      auto view = memref::ViewOp::create(builder, call.getLoc(), alloc.getType(), arena, place, sizes);
      view->setAttr(kBytesAttr, builder.getI64IntegerAttr(*bytes));
      views.push_back(view);
      offset += llvm::alignTo(std::max<int64_t>(*bytes, 1), kAlignment);
    }
    SmallVector<Value> operands(call.getOperands());
    operands.insert(operands.end() - 1, views.begin(), views.end());
    call.getOperandsMutable().assign(operands);
    end = std::max(end, offset);
    return success();
  }

  static LogicalResult addArguments(func::FuncOp function, ArrayRef<memref::AllocOp> allocs) {
    for (memref::AllocOp alloc : allocs) {
      unsigned position = function.getNumArguments() - 1;
      if (failed(function.insertArgument(position, alloc.getType(), DictionaryAttr::get(function.getContext()),
                                         alloc.getLoc())))
        return failure();
      alloc.replaceAllUsesWith(function.getArgument(position));
      alloc->erase();
    }
    return success();
  }

  Value arena;
  int64_t first = 0, end = 0; ///< of the scratch bytes in the arena
};

} // namespace

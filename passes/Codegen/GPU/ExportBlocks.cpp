//===- ExportBlocks.cpp - Emulated kernels as a driver calls them ---------===//
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "passes/Codegen/GPU/Device.h"
#include "passes/Codegen/Passes.h"

namespace lathe {
#define GEN_PASS_DEF_GPUEXPORTBLOCKS
#include "passes/Codegen/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

/// Of a block function's arguments: where the block is, and the sizes of the grid.
static constexpr unsigned kNumIds = 6;

/// Adds `<kernel>_block(parameters, ids)`.
static void exportBlock(LLVM::LLVMFuncOp function) {
  ImplicitLocOpBuilder builder(function.getLoc(), function.getContext());
  builder.setInsertionPointAfter(function);
  auto pointer = LLVM::LLVMPointerType::get(function.getContext());
  auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(function.getContext()), {pointer, pointer});
  auto visible = LLVM::LLVMFuncOp::create(builder, (function.getName() + "_block").str(), type);
  Block *body = visible.addEntryBlock(builder);
  builder.setInsertionPointToStart(body);
  auto load = [&](Type type, Value array, unsigned index) {
    Value address = LLVM::GEPOp::create(builder, pointer, type, array, ArrayRef<LLVM::GEPArg>{int32_t(index)});
    return LLVM::LoadOp::create(builder, type, address).getResult();
  };
  ArrayRef<Type> types = function.getArgumentTypes();
  SmallVector<Value> operands;
  for (auto [index, parameter] : llvm::enumerate(types.drop_back(kNumIds)))
    operands.push_back(LLVM::LoadOp::create(builder, parameter, load(pointer, body->getArgument(0), index)));
  for (auto [index, id] : llvm::enumerate(types.take_back(kNumIds)))
    operands.push_back(load(id, body->getArgument(1), index));
  LLVM::CallOp::create(builder, function, operands);
  LLVM::ReturnOp::create(builder, ValueRange());
}

namespace {

struct GpuExportBlocks : lathe::impl::GpuExportBlocksBase<GpuExportBlocks> {
  void runOnOperation() override {
    for (auto function : llvm::make_early_inc_range(getOperation().getOps<LLVM::LLVMFuncOp>()))
      if (function->hasAttr(simt::kBlockFunctionAttr))
        exportBlock(function);
  }
};

} // namespace

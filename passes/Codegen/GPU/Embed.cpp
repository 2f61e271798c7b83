//===- Embed.cpp - Kernels as a constant, launches as calls ---------------===//
#include "lib/Target/Target.h"
#include "lib/Target/TargetFamily.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "passes/Codegen/Common/Signature.h"
#include "passes/Codegen/Common/TargetKind.h"
#include "passes/Codegen/GPU/Device.h"
#include "passes/Codegen/Passes.h"
#include "runtime/include/lathe/cuda_abi.h"

namespace lathe {
#define GEN_PASS_DEF_GPUEMBED
#include "passes/Codegen/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

namespace {

struct GpuEmbed : lathe::impl::GpuEmbedBase<GpuEmbed> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto device = module.lookupSymbol<gpu::GPUModuleOp>(simt::kDeviceModuleName);
    auto host = module->getAttrOfType<nn::TargetAttr>(codegen::kHostTargetAttr);
    if (!device || !host) {
      module.emitError("expected kernels in @") << simt::kDeviceModuleName << " and a target of the host";
      return signalPassFailure();
    }
    codegen::Signature signature = codegen::readSignature(module);
    if (llvm::any_of(signature.outputs, [](const codegen::TensorInfo &output) { return output.dependsOnData(); })) {
      module.emitError("expected results whose size does not depend on data: objects for a GPU do not tell it");
      return signalPassFailure();
    }
    if (failed(embed(module, device)))
      return signalPassFailure();
    SmallVector<gpu::LaunchFuncOp> launches;
    module.walk([&](gpu::LaunchFuncOp launch) { launches.push_back(launch); });
    for (gpu::LaunchFuncOp launch : launches)
      if (failed(callRuntime(launch)))
        return signalPassFailure();
    device.erase();
    module->removeAttr(gpu::GPUDialect::getContainerModuleAttrName());
    module->removeAttr(codegen::kHostTargetAttr);
    module->setAttr(nn::kTargetAttr, host);
  }

private:
  /// Generates the code of the kernels and numbers them.
  LogicalResult embed(ModuleOp module, gpu::GPUModuleOp device) {
    nn::TargetAttr target = nn::getTarget(module);
    FailureOr<Bytes> code = generateCode(device, target, CodeKind::Assembly);
    if (failed(code))
      return failure();
    code->push_back('\0');
    ImplicitLocOpBuilder builder = ImplicitLocOpBuilder::atBlockBegin(module.getLoc(), module.getBody());
    LLVM::GlobalOp::create(builder, LLVM::LLVMArrayType::get(builder.getI8Type(), code->size()), /*isConstant=*/true,
                           LLVM::Linkage::Internal, simt::kDeviceCodeName,
                           builder.getStringAttr(StringRef(code->data(), code->size())));
    SmallVector<Attribute> names;
    numbers.clear();
    for (auto kernel : device.getOps<LLVM::LLVMFuncOp>())
      if (kernel->hasAttr(gpu::GPUDialect::getKernelFuncAttrName())) {
        numbers[kernel.getName()] = names.size();
        names.push_back(kernel.getNameAttr());
      }
    DeviceNeeds needs = findTargetFamily(target)->getDeviceNeeds(target);
    // The arena is on the device; a caller gives no workspace.
    auto arena = module->getAttrOfType<IntegerAttr>(codegen::kWorkspaceAttr);
    module->setAttr(codegen::kWorkspaceAttr, builder.getI64IntegerAttr(0));
    module->setAttr(simt::kDeviceAttr,
                    builder.getDictionaryAttr(
                        {builder.getNamedAttr("kernels", builder.getArrayAttr(names)),
                         builder.getNamedAttr("arena_bytes", builder.getI64IntegerAttr(arena ? arena.getInt() : 0)),
                         builder.getNamedAttr("capability", builder.getI32IntegerAttr(int32_t(needs.capability))),
                         builder.getNamedAttr("exact", builder.getBoolAttr(needs.exact))}));
    auto pointer = LLVM::LLVMPointerType::get(&getContext());
    Type i64 = builder.getI64Type();
    runtime = LLVM::LLVMFuncOp::create(
        builder, "lathe_cuda_launch",
        LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(&getContext()), {pointer, i64, pointer, i64}));
    return success();
  }

  /// The fields that a kernel's parameter has: of a memref those of its descriptor.
  static void appendFields(ImplicitLocOpBuilder &builder, Value operand, SmallVectorImpl<Value> &fields) {
    if (!isa<MemRefType>(operand.getType()))
      return void(fields.push_back(operand));
    Value address = memref::ExtractAlignedPointerAsIndexOp::create(builder, operand);
    auto metadata = memref::ExtractStridedMetadataOp::create(builder, operand);
    fields.append({address, address, metadata.getOffset()});
    llvm::append_range(fields, metadata.getSizes());
    llvm::append_range(fields, metadata.getStrides());
  }

  LogicalResult callRuntime(gpu::LaunchFuncOp launch) {
    auto caller = launch->getParentOfType<func::FuncOp>();
    ImplicitLocOpBuilder builder(launch.getLoc(), launch);
    auto pointer = LLVM::LLVMPointerType::get(&getContext());
    if (!caller || caller.getNumArguments() == 0 || caller.getArgumentTypes().back() != pointer)
      return launch.emitError("expected to be in a function whose last argument is the run");
    gpu::KernelDim3 grid = launch.getGridSizeOperandValues(), block = launch.getBlockSizeOperandValues();
    Value shared = launch.getDynamicSharedMemorySize();
    if (shared)
      shared = arith::ExtUIOp::create(builder, builder.getI64Type(), shared);
    else
      shared = arith::ConstantIntOp::create(builder, builder.getI64Type(), 0);
    SmallVector<Value> words{grid.x, grid.y, grid.z, block.x, block.y, block.z, shared};
    static_assert(LATHE_CUDA_GRID == 0 && LATHE_CUDA_BLOCK == 3 && LATHE_CUDA_SHARED == 6 &&
                  LATHE_CUDA_PARAMETERS == 7);
    for (Value operand : launch.getKernelOperands())
      appendFields(builder, operand, words);
    Type i64 = builder.getI64Type();
    auto number = [&](int64_t value) { return LLVM::ConstantOp::create(builder, i64, value).getResult(); };
    Value array;
    {
      // At the beginning, so that loops around launches do not grow the stack.
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPointToStart(&caller.getBody().front());
      array = LLVM::AllocaOp::create(builder, pointer, i64, number(words.size()));
    }
    for (auto [index, word] : llvm::enumerate(words)) {
      if (word.getType().isIndex())
        word = arith::IndexCastOp::create(builder, i64, word);
      Value address = LLVM::GEPOp::create(builder, pointer, i64, array, ArrayRef<LLVM::GEPArg>{int32_t(index)});
      LLVM::StoreOp::create(builder, word, address);
    }
    LLVM::CallOp::create(builder, runtime,
                         ValueRange{caller.getArguments().back(),
                                    number(numbers.lookup(launch.getKernelName().getValue())), array,
                                    number(words.size() - LATHE_CUDA_PARAMETERS)});
    launch.erase();
    return success();
  }

  llvm::StringMap<int64_t> numbers; ///< of kernels
  LLVM::LLVMFuncOp runtime;
};

} // namespace

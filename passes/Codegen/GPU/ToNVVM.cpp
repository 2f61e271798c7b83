//===- ToNVVM.cpp - Kernels of the device to the NVVM dialect -------------===//
#include "mlir/Conversion/GPUCommon/GPUCommonPass.h"
#include "mlir/Conversion/GPUToNVVM/GPUToNVVMPass.h"
#include "mlir/Conversion/NVGPUToNVVM/NVGPUToNVVM.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Transforms/DialectConversion.h"
#include "passes/Codegen/Common/LLVMLowering.h"
#include "passes/Codegen/Passes.h"

namespace lathe {
#define GEN_PASS_DEF_GPUTONVVM
#include "passes/Codegen/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

static LogicalResult convert(gpu::GPUModuleOp device) {
  MLIRContext *context = device.getContext();
  LowerToLLVMOptions options(context);
  options.overrideIndexBitwidth(64);
  LLVMTypeConverter converter(context, options);
  configureGpuToNVVMTypeConverter(converter);
  // A token has no value: groups of copies are counted.
  converter.addConversion([&](nvgpu::DeviceAsyncTokenType) { return IntegerType::get(context, 32); });
  RewritePatternSet patterns(context);
  // Before upstream's patterns, which call libdevice for what is an instruction.
  codegen::populateLLVMPatterns(converter, patterns);
  populateGpuToNVVMConversionPatterns(converter, patterns, /*benefit=*/0);
  populateNVGPUToNVVMConversionPatterns(converter, patterns);
  ConversionTarget target(*context);
  target.addLegalDialect<LLVM::LLVMDialect, NVVM::NVVMDialect>();
  target.addLegalOp<gpu::GPUModuleOp>();
  target.addIllegalDialect<affine::AffineDialect, arith::ArithDialect, cf::ControlFlowDialect, func::FuncDialect,
                           gpu::GPUDialect, math::MathDialect, memref::MemRefDialect, nvgpu::NVGPUDialect,
                           scf::SCFDialect, vector::VectorDialect>();
  return applyPartialConversion(device, target, std::move(patterns));
}

namespace {

struct GpuToNVVM : lathe::impl::GpuToNVVMBase<GpuToNVVM> {
  void runOnOperation() override {
    if (failed(codegen::prepareForLLVM(getOperation(), /*roundsToBF16=*/true)))
      return signalPassFailure();
    for (auto device : getOperation().getOps<gpu::GPUModuleOp>())
      if (failed(convert(device)))
        return signalPassFailure();
  }
};

} // namespace

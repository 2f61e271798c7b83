//===- Pipeline.cpp - The codegen phase ------------------------===//
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Transforms/Passes.h"
#include "passes/Codegen/Passes.h"

using namespace mlir;
using namespace lathe;

static void addCleanup(OpPassManager &passes) {
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
}

void lathe::buildBufferizePipeline(OpPassManager &passes, const CodegenOptions &options) {
  addCleanup(passes);
  passes.addPass(createSignaturePass());
  passes.addNestedPass<func::FuncOp>(createPadInPlacePass());
  passes.addNestedPass<func::FuncOp>(createCopyConcatsPass());
  passes.addPass(createBufferizePass());
  addCleanup(passes);
  // A second time: what the first one leaves behind are copies of a buffer onto itself.
  passes.addPass(createCanonicalizerPass());
  if (!options.gpu)
    passes.addNestedPass<func::FuncOp>(createWriteInPlacePass());
  passes.addPass(createPlanArenaPass());
  addCleanup(passes);
  passes.addPass(createOutlineKernelsPass());
  if (options.instrument)
    passes.addPass(createInstrumentPass());
  addCleanup(passes);
}

void lathe::buildKernelPipeline(OpPassManager &passes, const CodegenOptions &options) {
  passes.addNestedPass<func::FuncOp>(options.gpu ? createGpuEmitKernels() : createEmitKernels());
  if (options.gpu)
    passes.addPass(createGpuPlaceScratch());
  passes.addNestedPass<func::FuncOp>(createLinalgToLoopsPass());
  passes.addNestedPass<func::FuncOp>(createExpandMathPass());
  if (options.gpu) {
    passes.addPass(createGpuMapThreads());
    addCleanup(passes);
    if (!options.emulate)
      return;
    passes.addPass(createGpuEmulate({options.exportBlocks}));
  }
  passes.addPass(createOutlineParallelPass());
  addCleanup(passes);
  passes.addPass(createLoopInvariantCodeMotionPass());
}

void lathe::buildDevicePipeline(OpPassManager &passes) {
  passes.addPass(createLoopInvariantCodeMotionPass());
  passes.addPass(createGpuDynamicShared());
  passes.addPass(createGpuToNVVM());
  addCleanup(passes);
}

void lathe::buildLLVMPipeline(OpPassManager &passes, const CodegenOptions &options) {
  if (options.gpu && !options.emulate) {
    buildDevicePipeline(passes);
    passes.addPass(createGpuEmbed());
  }
  passes.addPass(createJoinVariantsPass());
  ToLLVMPassOptions llvmOptions;
  llvmOptions.name = options.name;
  passes.addPass(createToLLVMPass(llvmOptions));
  if (options.exportBlocks)
    passes.addPass(createGpuExportBlocks());
  passes.addPass(createFoldArgumentsPass());
}

namespace {

/// Options of the pipelines on the command line of lathe-opt.
struct PipelineOptions : PassPipelineOptions<PipelineOptions> {
  Option<std::string> name{*this, "name", llvm::cl::desc("Prefix of the visible symbols"), llvm::cl::init("model")};
  Option<bool> instrument{*this, "instrument", llvm::cl::desc("Time the kernels of @main"), llvm::cl::init(false)};
  Option<bool> gpu{*this, "gpu", llvm::cl::desc("Kernels become grids of threads"), llvm::cl::init(false)};
  Option<bool> emulate{*this, "emulate", llvm::cl::desc("Grids of threads become loops on the host"),
                       llvm::cl::init(false)};
};

} // namespace

void lathe::registerCodegenPipelines() {
  using Build = void (*)(OpPassManager &, const CodegenOptions &);
  auto add = [](StringRef argument, StringRef text, Build build) {
    PassPipelineRegistration<PipelineOptions>(argument, text,
                                              [build](OpPassManager &passes, const PipelineOptions &given) {
                                                CodegenOptions options;
                                                options.name = given.name;
                                                options.instrument = given.instrument;
                                                options.gpu = given.gpu;
                                                options.emulate = given.emulate;
                                                build(passes, options);
                                              });
  };
  add("codegen-phase-bufferize", "From tensors to memrefs and calls of kernels", buildBufferizePipeline);
  add("codegen-phase-kernels", "From kernels on memrefs to loops and tasks", buildKernelPipeline);
  PassPipelineRegistration<>("codegen-device", "From kernels in a gpu.module to the NVVM dialect", buildDevicePipeline);
  add("codegen-phase-llvm", "To the LLVM dialect with the artifact's entry point", buildLLVMPipeline);
  add("codegen-pipeline", "From tensors to the LLVM dialect", buildCodegenPipeline);
}

void lathe::buildCodegenPipeline(OpPassManager &passes, const CodegenOptions &options) {
  buildBufferizePipeline(passes, options);
  buildKernelPipeline(passes, options);
  buildLLVMPipeline(passes, options);
}

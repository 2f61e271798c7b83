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
  passes.addPass(createBufferizePass());
  addCleanup(passes);
  // A second time: what the first one leaves behind are copies of a buffer onto itself.
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createPlanArenaPass());
  addCleanup(passes);
  passes.addPass(createOutlineKernelsPass());
  addCleanup(passes);
}

void lathe::buildKernelPipeline(OpPassManager &passes, const CodegenOptions &options) {
  passes.addNestedPass<func::FuncOp>(createLinalgToLoopsPass());
  passes.addNestedPass<func::FuncOp>(createExpandMathPass());
  passes.addPass(createOutlineParallelPass());
  addCleanup(passes);
  passes.addPass(createLoopInvariantCodeMotionPass());
}

void lathe::buildLLVMPipeline(OpPassManager &passes, const CodegenOptions &options) {
  ToLLVMPassOptions llvmOptions;
  llvmOptions.name = options.name;
  passes.addPass(createToLLVMPass(llvmOptions));
}

void lathe::buildCodegenPipeline(OpPassManager &passes, const CodegenOptions &options) {
  buildBufferizePipeline(passes, options);
  buildKernelPipeline(passes, options);
  buildLLVMPipeline(passes, options);
}

//===- Pipeline.cpp - The fuse phase ------------------------===//
#include "mlir/Transforms/Passes.h"
#include "passes/Fuse/Passes.h"

using namespace mlir;

void lathe::buildFusePipeline(OpPassManager &passes, const FuseOptions &options) {
  OpPassManager &functions = passes.nest<func::FuncOp>();
  auto clean = [&] {
    functions.addPass(createCanonicalizerPass());
    functions.addPass(createCSEPass());
  };
  functions.addPass(createCSEPass());
  functions.addPass(createFuseConvBatchNorm());
  functions.addPass(createFuseNorm());
  functions.addPass(createFuseActivation());
  functions.addPass(createFuseAttention());
  clean();
  functions.addPass(createFuseConvertToNN());
  clean();
  functions.addPass(createFusePropagateLayout());
  clean();
  functions.addPass(createFuseEpilogue());
  clean();
}

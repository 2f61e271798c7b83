//===- Pipeline.cpp - The lower phase ------------------------===//
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Transforms/Passes.h"
#include "passes/Lower/Passes.h"

using namespace mlir;

void lathe::buildLowerPipeline(OpPassManager &passes, const LowerOptions &options) {
  OpPassManager &functions = passes.nest<func::FuncOp>();
  functions.addPass(createLowerONNXToLinalg());
  functions.addPass(createCanonicalizerPass());
  functions.addPass(createCSEPass());
  functions.addPass(createLowerQuant());
  functions.addPass(createLowerFuseElementwise());
  functions.addPass(createCanonicalizerPass());
  functions.addPass(createCSEPass());
  functions.addPass(createPrepareKernels());
  functions.addPass(createCanonicalizerPass());
  functions.addPass(createCSEPass());
}

//===- Pipeline.cpp - The lower phase ------------------------===//
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Transforms/Passes.h"
#include "passes/Lower/Passes.h"

using namespace mlir;

void lathe::buildLowerPipeline(OpPassManager &passes, const LowerOptions &options) {
  OpPassManager &functions = passes.nest<func::FuncOp>();
  functions.addPass(createLowerSelectEarly());
  if (!options.gpu) {
    functions.addPass(createLowerSplitBatch());
    functions.addPass(createLowerSplitPools());
    functions.addPass(createLowerSplitLines());
    functions.addPass(createLowerExtendConcats());
  }
  functions.addPass(createLowerONNXToLinalg());
  functions.addPass(createCanonicalizerPass());
  functions.addPass(createCSEPass());
  functions.addPass(createLowerQuant());
  functions.addPass(createLowerFuseElementwise());
  functions.addPass(createCanonicalizerPass());
  functions.addPass(createCSEPass());
  // On a GPU a kernel for each tap is more than what the padding costs.
  functions.addPass(createLowerSplitTaps({/*split=*/!options.gpu}));
  if (!options.gpu) {
    functions.addPass(createLowerSplitReductions());
    // Before weights are packed, when it is known which are left in f32.
    functions.addPass(createLowerSparseWeights());
    if (options.tuning.file || options.tuning.observe)
      functions.addPass(createApplyTuningPass(options.tuning));
    if (options.winograd)
      functions.addPass(createLowerWinograd());
    functions.addPass(createLowerFuseDepthwise());
  }
  functions.addPass(createPrepareKernels());
  functions.addPass(createLowerScaleWeights());
  // Weights that are packed where they are used, in a loop over time, are packed once.
  functions.addPass(createLoopInvariantCodeMotionPass());
  functions.addPass(createCanonicalizerPass());
  functions.addPass(createCSEPass());
}

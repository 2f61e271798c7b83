//===- Pipeline.cpp - The compress phase ------------------------===//
#include "passes/Compress/Passes.h"
#include "mlir/Transforms/Passes.h"

void lathe::buildCompressPipeline(mlir::OpPassManager &passes, const CompressOptions &options) {
  if (!options.quantize.empty()) {
    CompressQuantizeOptions quantize;
    quantize.mode = options.quantize;
    quantize.calibration = options.calibration;
    quantize.percentile = options.percentile;
    quantize.skip.assign(options.skip.begin(), options.skip.end());
    passes.addNestedPass<mlir::func::FuncOp>(createCompressQuantize(quantize, options.statistics));
    // Equal casts become one, and casts nobody reads go.
    passes.addPass(mlir::createCSEPass());
  }
  if (options.weightBits) {
    CompressQuantizeWeightsOptions weights;
    weights.bits = options.weightBits;
    weights.group = options.weightGroup;
    weights.symmetric = options.symmetricWeights;
    weights.skip.assign(options.skip.begin(), options.skip.end());
    passes.addNestedPass<mlir::func::FuncOp>(createCompressQuantizeWeights(weights));
  }
}

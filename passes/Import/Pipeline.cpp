//===- Pipeline.cpp - The import phase ------------------------------------===//
#include "passes/Import/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Transforms/Passes.h"

using namespace lathe;

void lathe::buildImportPipeline(mlir::OpPassManager &passes, const ImportOptions &options) {
  auto &functions = passes.nest<mlir::func::FuncOp>();
  ImportSpecializeDimsOptions specialize;
  specialize.dims.assign(options.dims.begin(), options.dims.end());
  functions.addPass(createImportSpecializeDims(specialize));
  functions.addPass(createImportInferShapes());
  functions.addPass(createImportDecompose());
  functions.addPass(mlir::createCanonicalizerPass());
  functions.addPass(mlir::createCSEPass());
}

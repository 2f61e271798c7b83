//===- Pipeline.cpp - The import phase ------------------------------------===//
#include "passes/Import/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Transforms/Passes.h"

using namespace lathe;

void lathe::buildImportPipeline(mlir::OpPassManager &passes, const ImportOptions &options) {
  ImportSpecializeDimsOptions specialize;
  specialize.dims.assign(options.dims.begin(), options.dims.end());
  passes.addNestedPass<mlir::func::FuncOp>(createImportSpecializeDims(specialize));
  passes.addNestedPass<mlir::func::FuncOp>(createImportUnrollControl({options.computeBoth}));
  passes.addNestedPass<mlir::func::FuncOp>(createImportInferShapes());
  passes.addNestedPass<mlir::func::FuncOp>(createImportResolveOperands());
  passes.addNestedPass<mlir::func::FuncOp>(createImportDecompose());
  passes.addNestedPass<mlir::func::FuncOp>(createImportSimplify());
  passes.addPass(createFoldConstantsPass(options.evaluator, options.release));
  passes.addNestedPass<mlir::func::FuncOp>(mlir::createCanonicalizerPass());
  passes.addNestedPass<mlir::func::FuncOp>(mlir::createCSEPass());
}

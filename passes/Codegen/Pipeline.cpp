//===- Pipeline.cpp - The codegen phase ------------------------===//
#include "passes/Codegen/Passes.h"

void lathe::buildCodegenPipeline(mlir::OpPassManager &passes, const CodegenOptions &options) {}

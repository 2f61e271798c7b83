//===- Pipeline.cpp - The lower phase ------------------------===//
#include "passes/Lower/Passes.h"

void lathe::buildLowerPipeline(mlir::OpPassManager &passes, const LowerOptions &options) {}

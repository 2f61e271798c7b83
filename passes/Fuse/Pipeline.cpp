//===- Pipeline.cpp - The fuse phase ------------------------===//
#include "passes/Fuse/Passes.h"

void lathe::buildFusePipeline(mlir::OpPassManager &passes, const FuseOptions &options) {}

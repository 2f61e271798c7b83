//===- Pipeline.cpp - The compress phase ------------------------===//
#include "passes/Compress/Passes.h"

void lathe::buildCompressPipeline(mlir::OpPassManager &passes, const CompressOptions &options) {}

//===- Pipeline.cpp - The import phase ------------------------===//
#include "passes/Import/Passes.h"

void lathe::buildImportPipeline(mlir::OpPassManager &passes, const ImportOptions &options) {}

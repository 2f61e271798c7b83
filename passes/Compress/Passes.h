//===- Passes.h - Passes of the compress phase -----------------===//
#ifndef PASSES_COMPRESS_PASSES_H
#define PASSES_COMPRESS_PASSES_H

#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"

namespace lathe {

#define GEN_PASS_DECL
#include "passes/Compress/Passes.h.inc"

/// What the compress phase needs to know.
struct CompressOptions {};

/// The passes of the compress phase in order.
void buildCompressPipeline(mlir::OpPassManager &passes, const CompressOptions &options);

#define GEN_PASS_REGISTRATION
#include "passes/Compress/Passes.h.inc"

} // namespace lathe

#endif // PASSES_COMPRESS_PASSES_H

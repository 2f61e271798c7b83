//===- NNBufferization.h - How nn ops become ops on memrefs ---------------===//
#ifndef PASSES_CODEGEN_COMMON_NNBUFFERIZATION_H
#define PASSES_CODEGEN_COMMON_NNBUFFERIZATION_H

#include "mlir/IR/DialectRegistry.h"

namespace lathe::codegen {

/// Lets one-shot bufferisation handle nn ops: they read their inputs and write their destination in
/// place.
void registerNNBufferization(mlir::DialectRegistry &registry);

} // namespace lathe::codegen

#endif // PASSES_CODEGEN_COMMON_NNBUFFERIZATION_H

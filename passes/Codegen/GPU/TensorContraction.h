//===- TensorContraction.h - Contractions on tensor cores -----------------===//
#ifndef PASSES_CODEGEN_GPU_TENSORCONTRACTION_H
#define PASSES_CODEGEN_GPU_TENSORCONTRACTION_H

#include "dialects/NN/IR/NNDialect.h"

namespace lathe::simt {

// Each emits the op before it where tensor cores multiply its elements; false, with nothing emitted, where not.
bool emitOnTensorCores(nn::LinearOp op);
bool emitOnTensorCores(nn::MatMulOp op);
bool emitOnTensorCores(nn::ConvOp op);
bool emitOnTensorCores(nn::AttentionOp op);

} // namespace lathe::simt

#endif // PASSES_CODEGEN_GPU_TENSORCONTRACTION_H

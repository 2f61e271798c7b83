//===- QuantizedGather.h - Rows of a quantized table ----------------------===//
#ifndef PASSES_LOWER_ONNXTOLINALG_QUANTIZEDGATHER_H
#define PASSES_LOWER_ONNXTOLINALG_QUANTIZEDGATHER_H

#include "passes/Lower/ONNXToLinalg/Lowering.h"

namespace lathe {

/// Gathers rows of a constant table whose elements are quantized, as f32. 4-bit elements are packed two in a byte.
llvm::LogicalResult lowerQuantizedGather(Lowering &lowering, onnx::GatherOp op);

} // namespace lathe

#endif // PASSES_LOWER_ONNXTOLINALG_QUANTIZEDGATHER_H

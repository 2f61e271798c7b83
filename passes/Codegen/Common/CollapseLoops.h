//===- CollapseLoops.h - Loops of linalg ops that can be one ----*- C++ -*-===//
#ifndef PASSES_CODEGEN_COMMON_COLLAPSELOOPS_H
#define PASSES_CODEGEN_COMMON_COLLAPSELOOPS_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace lathe::codegen {

/// Makes neighbouring loops of an op on memrefs one loop wherever each operand has both dimensions side by side and
/// contiguous, or none of them. Returns the op that takes the place of `op`, or `op` where no loops can be one.
mlir::linalg::GenericOp collapseLoops(mlir::RewriterBase &rewriter, mlir::linalg::GenericOp op);

} // namespace lathe::codegen

#endif // PASSES_CODEGEN_COMMON_COLLAPSELOOPS_H

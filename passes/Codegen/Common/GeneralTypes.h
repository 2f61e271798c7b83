//===- GeneralTypes.h - Types that kernels of several sizes share -*- C++ -*-===//
#ifndef PASSES_CODEGEN_COMMON_GENERALTYPES_H
#define PASSES_CODEGEN_COMMON_GENERALTYPES_H

#include "mlir/IR/Operation.h"
#include <optional>

namespace lathe::codegen {

/// The types of `operands`, values that `op` uses, with dynamic rows: the dimensions of tokens, samples or positions that
/// its kernel loops over, and the strides that follow from them. Nullopt where a kernel for all sizes would be slower than
/// one for each, or would need scratch of a dynamic size.
std::optional<llvm::SmallVector<mlir::Type>> getGeneralTypes(mlir::Operation *op, llvm::ArrayRef<mlir::Value> operands);

} // namespace lathe::codegen

#endif // PASSES_CODEGEN_COMMON_GENERALTYPES_H

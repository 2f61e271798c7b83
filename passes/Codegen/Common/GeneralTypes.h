//===- GeneralTypes.h - Types that kernels of several sizes share -*- C++ -*-===//
#ifndef PASSES_CODEGEN_COMMON_GENERALTYPES_H
#define PASSES_CODEGEN_COMMON_GENERALTYPES_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Operation.h"
#include <optional>

namespace lathe::codegen {

/// The types of `operands`, values that `op` uses, with dynamic rows: the dimensions of tokens, samples or positions that
/// its kernel loops over, and the strides that follow from them. Nullopt where a kernel for all sizes would be slower than
/// one for each, or would need scratch of a dynamic size.
std::optional<llvm::SmallVector<mlir::Type>> getGeneralTypes(mlir::Operation *op, llvm::ArrayRef<mlir::Value> operands);

/// Attribute of an op whose rows are dynamic and yet of about this number: what is chosen by rows is chosen for it.
inline constexpr llvm::StringLiteral kRowsAttr = "nn.rows";

/// The least number, a multiple of the rows of tiles, that is not below the rows of the op: kernels of a GPU are made for it, so
/// that ops with the same number can share one. Nullopt where no choice depends on rows, or they are dynamic.
std::optional<int64_t> roundRows(mlir::Operation *op);

/// The number in kRowsAttr, or -1.
inline int64_t getLikelyRows(mlir::Operation *op) {
  auto rows = op->getAttrOfType<mlir::IntegerAttr>(kRowsAttr);
  return rows ? rows.getInt() : -1;
}

} // namespace lathe::codegen

#endif // PASSES_CODEGEN_COMMON_GENERALTYPES_H

//===- Tuning.h - Measured choices in the place of estimated ones ---------===//
#ifndef PASSES_CODEGEN_COMMON_TUNING_H
#define PASSES_CODEGEN_COMMON_TUNING_H

#include "dialects/NN/IR/NNDialect.h"
#include <optional>

namespace lathe::codegen {

/// A parameter of the `nn.tuning` of `op`. Nullopt where it is left out, -1, or where `obstacle`, if not empty, says
/// why it cannot be had; a remark then tells that.
std::optional<int64_t> takeTuned(mlir::Operation *op, llvm::StringRef parameter, int64_t value,
                                 llvm::StringRef obstacle);

/// Most vectors of columns of a panel that a measurement may choose.
inline constexpr int64_t kMostPanelVectors = 4;

/// Columns of a panel of the weight of `op`, which has `columns`: two vectors, or one where the second would mostly
/// hold zeros; or as many as its tuning says, up to `mostVectors`.
int64_t choosePanelWidth(mlir::Operation *op, int64_t columns, int64_t mostVectors = kMostPanelVectors);

} // namespace lathe::codegen

#endif // PASSES_CODEGEN_COMMON_TUNING_H

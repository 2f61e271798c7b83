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
/// hold zeros; or as many as its tuning says, up to `mostVectors`. Where `areWhole`, panels divide the columns, which
/// are whole vectors.
int64_t choosePanelWidth(mlir::Operation *op, int64_t columns, int64_t mostVectors = kMostPanelVectors,
                         bool areWhole = false);

/// The same for a kernel that takes vectors of half a register (codegen::fitPanels) where the target splits whole
/// ones and panels of three or five halves hold fewer zeros.
int64_t chooseSplitPanelWidth(mlir::Operation *op, int64_t columns, int64_t mostVectors = kMostPanelVectors);

/// Columns of a panel of the weight of a convolution by Winograd's algorithm, or of one that may become so.
template <typename ConvOpT>
int64_t chooseWinogradPanelWidth(ConvOpT op) {
  int64_t group = op.getGroup();
  return choosePanelWidth(op, op.getResultShapedType().getDimSize(3) / group, group > 1 ? 2 : kMostPanelVectors,
                          /*areWhole=*/group > 1);
}

} // namespace lathe::codegen

#endif // PASSES_CODEGEN_COMMON_TUNING_H

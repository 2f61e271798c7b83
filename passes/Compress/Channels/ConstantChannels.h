//===- ConstantChannels.h - Channels that hold one number -------*- C++ -*-===//
#ifndef PASSES_COMPRESS_CHANNELS_CONSTANTCHANNELS_H
#define PASSES_COMPRESS_CHANNELS_CONSTANTCHANNELS_H

#include "dialects/Interfaces/DimFlow.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"
#include <map>
#include <optional>

namespace lathe {

/// Slices of activations that hold one number whatever the input is: the outputs of contractions whose weights are
/// zero, or meet such slices only, and what elementwise ops and data movement make of them. Sums and products with
/// other values are not followed, but zero times anything is zero.
class ConstantChannels {
public:
  explicit ConstantChannels(mlir::func::FuncOp function);

  /// What element `index` of dimension `dim` holds at every place; nullopt if that is not known.
  std::optional<float> get(mlir::Value value, unsigned dim, int64_t index) const;

private:
  using Numbers = std::map<int64_t, float>; // by index along a dimension

  void visit(mlir::Operation *op);
  void visitContraction(mlir::Operation *op);
  void visitMovement(DimFlowOpInterface op);
  void visitElementwise(mlir::Operation *op);
  std::optional<float> getElement(mlir::Value value, unsigned resultRank, unsigned dim, int64_t index) const;

  llvm::DenseMap<std::pair<mlir::Value, unsigned>, Numbers> known;
};

} // namespace lathe

#endif // PASSES_COMPRESS_CHANNELS_CONSTANTCHANNELS_H

//===- DimSplitter.h - Loops over parts of a dimension --------------------===//
#ifndef PASSES_LOWER_DIMSPLITTER_H
#define PASSES_LOWER_DIMSPLITTER_H

#include "dialects/Interfaces/DimFlow.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/IRMapping.h"

namespace lathe {

/// Where a dimension of an operand goes in the first result.
DimFlow getDimFlow(mlir::Operation *op, unsigned operand, unsigned dim);

/// Ops next to each other that compute a part of a dimension, then the next one.
struct SplitGroup {
  mlir::SmallVector<mlir::Operation *> ops;
  int64_t count = 0; ///< indices of the dimension at a time, of which its size is a multiple
  /// Where not null, an operand of the first op, of which each index of the dimension takes a window: `window` indices
  /// from `stride` times its own on.
  mlir::Value windowed = {};
  int64_t window = 1, stride = 1;
};

/// What one op reads and writes.
struct SplitTraffic {
  int64_t partBytes = 0;   ///< of each index of the dimension, all together
  int64_t sharedBytes = 0; ///< weights and whatever else does not depend on it
};

/// Bytes of a tensor of static shape as it is stored.
int64_t getTensorBytes(mlir::RankedTensorType type);
inline int64_t getTensorBytes(mlir::Value value) {
  return getTensorBytes(mlir::cast<mlir::RankedTensorType>(value.getType()));
}

/// How many indices of a dimension of `size` a step may take: its divisors up to `most`, without itself. Each index
/// takes a byte at least, so that no more than the cache has bytes are worth a try, however large the dimension is.
mlir::SmallVector<int64_t> getStepCounts(int64_t size, int64_t most);

/// Whether an operand of a convolution's epilogue is not the same for all pixels.
bool variesByPixel(mlir::Value extra);

/// Makes loops of ops that treat the indices of dimension `dim`, of `size`, alike, each by itself. The ops are those of
/// one block, of the onnx and nn dialects before they are lowered. The size may be dynamic, the only one of its tensors
/// that is; the parts then have a static shape.
class DimSplitter {
public:
  DimSplitter(unsigned dim, int64_t size) : dim(dim), size(size) {}
  /// Of the size that `whole`, a value before all of the ops, has.
  DimSplitter(unsigned dim, mlir::Value whole)
      : dim(dim), size(mlir::cast<mlir::RankedTensorType>(whole.getType()).getDimSize(dim)), whole(whole) {}

  /// Whether a value of this type can be sliced.
  bool hasDim(mlir::Type type) const;

  /// Lets the dimension of these values be the one that is split; others of its size may hold something else, such as
  /// weights, and others of a dynamic size have another one.
  void add(mlir::ValueRange values) { parts.insert(values.begin(), values.end()); }
  bool isPart(mlir::Value value) const { return parts.contains(value); }

  /// Whether the op computes each index of the dimension as it would without the others.
  bool keepsApart(mlir::Operation *op) const;

  SplitTraffic getTraffic(mlir::Operation *op) const;

  /// Null, with nothing changed, where the loop would carry what the lowering gives another type.
  mlir::scf::ForOp split(const SplitGroup &group);

private:
  mlir::RankedTensorType getPart(mlir::Type type, int64_t count) const;
  void clone(mlir::OpBuilder &body, mlir::Operation *op, mlir::IRMapping &mapping, int64_t count) const;

  unsigned dim;
  int64_t size;
  mlir::Value whole;
  llvm::DenseSet<mlir::Value> parts;
};

} // namespace lathe

#endif // PASSES_LOWER_DIMSPLITTER_H

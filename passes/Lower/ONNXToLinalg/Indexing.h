//===- Indexing.h - Indices that come from data ---------------------------===//
#ifndef PASSES_LOWER_ONNXTOLINALG_INDEXING_H
#define PASSES_LOWER_ONNXTOLINALG_INDEXING_H

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace lathe {

/// An index of ONNX, negative ones counted from the end, as `index`. Held inside 0..size-1, so that
/// no input of a model makes it read or write outside of a tensor.
mlir::Value createBoundedIndex(mlir::ImplicitLocOpBuilder &b, mlir::Value index, mlir::Value size);

/// Such indices of dimensions of these sizes, which lie along the last dimension of `indices` at `place`.
mlir::SmallVector<mlir::Value> createBoundedTuple(mlir::ImplicitLocOpBuilder &b, mlir::Value indices,
                                                  mlir::ArrayRef<mlir::Value> place,
                                                  mlir::ArrayRef<mlir::Value> sizes);

} // namespace lathe

#endif // PASSES_LOWER_ONNXTOLINALG_INDEXING_H

//===- Constants.h - Slices of constants ------------------------*- C++ -*-===//
#ifndef PASSES_COMPRESS_CHANNELS_CONSTANTS_H
#define PASSES_COMPRESS_CHANNELS_CONSTANTS_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Value.h"
#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/DenseMap.h"

namespace lathe {

/// Whether `value` is a constant whose bytes are there, of elements of whole bytes.
bool canSlice(mlir::Value value);

/// The elements of a constant that stay when the indices in `removed[dim]` go, for each dimension named there.
mlir::ElementsAttr sliceConstant(mlir::ElementsAttr constant, const llvm::DenseMap<unsigned, llvm::BitVector> &removed);

/// An f32 constant with the type of `like` and stored as that is.
mlir::ElementsAttr createFloats(mlir::ElementsAttr like, llvm::ArrayRef<float> values);

} // namespace lathe

#endif // PASSES_COMPRESS_CHANNELS_CONSTANTS_H

//===- Windows.h - Sliding windows as nn ops want them --------------------===//
#ifndef PASSES_FUSE_WINDOWS_H
#define PASSES_FUSE_WINDOWS_H

#include "passes/Fuse/Utils.h"

namespace lathe {

/// Windows with all padding written out: in two dimensions pads are top, left, bottom, right, in three front, top, left,
/// back, bottom, right.
struct Windows {
  llvm::SmallVector<int64_t, 3> kernel, strides, dilations;
  llvm::SmallVector<int64_t, 6> pads;
  bool extended = false; ///< windows reach further than ONNX's own padding, which ceil_mode allows
};

/// Resolves the attributes that ONNX's convolutions and pools share, for 1 to 3 spatial dimensions; one becomes the
/// second of two. `input` and `output` are channels first. Returns why that is impossible, or nothing.
llvm::StringRef resolveWindows(Windows &windows, mlir::Operation *op, mlir::Value input, mlir::Value output,
                               llvm::ArrayRef<int64_t> kernel, std::optional<llvm::ArrayRef<int64_t>> strides,
                               std::optional<llvm::ArrayRef<int64_t>> dilations,
                               std::optional<llvm::ArrayRef<int64_t>> pads, llvm::StringRef autoPad, bool ceil);

} // namespace lathe

#endif // PASSES_FUSE_WINDOWS_H

//===- Volumes.h - Windows over volumes as windows over images ------------===//
#ifndef PASSES_FUSE_VOLUMES_H
#define PASSES_FUSE_VOLUMES_H

#include "passes/Fuse/Windows.h"

namespace lathe::fuse {

/// Why windows over a volume `[N, C, D, H, W]` cannot be written as those over images; empty if they can.
llvm::StringRef getVolumeRefusal(mlir::Value input, mlir::Value output);

/// The result of an onnx.Conv in three dimensions, which has windows `windows`, by nn.conv.
mlir::Value createVolumeConv(mlir::OpBuilder &builder, onnx::ConvOp op, const Windows &windows);

/// A pool of `input` with a result of type `result`, both `[N, C, D, H, W]`, by nn.pool.
mlir::Value createVolumePool(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value input,
                             mlir::RankedTensorType result, nn::PoolKind kind, const Windows &windows, bool countPad);

} // namespace lathe::fuse

#endif // PASSES_FUSE_VOLUMES_H

//===- Window.h - Where the taps of a convolution lie ---------------------===//
#ifndef PASSES_CODEGEN_GPU_WINDOW_H
#define PASSES_CODEGEN_GPU_WINDOW_H

#include "passes/Codegen/GPU/ThreadBuilder.h"

namespace lathe::simt {

/// Whether the convolution's window reaches beyond its input, where all is zero.
bool hasBorders(nn::ConvOp op);

/// The place in the input, along height (axis 0) or width (1), of a tap at an output's position: beyond a border, it is
/// negative or too large.
mlir::Value placeTap(ThreadBuilder &k, nn::ConvOp op, unsigned axis, mlir::Value position, mlir::Value tap);

/// Whether a place is in the input.
mlir::Value isInside(ThreadBuilder &k, nn::ConvOp op, mlir::Value y, mlir::Value x);

} // namespace lathe::simt

#endif // PASSES_CODEGEN_GPU_WINDOW_H

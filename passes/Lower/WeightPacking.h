//===- WeightPacking.h - The layouts of weights that kernels read ---------===//
#ifndef PASSES_LOWER_WEIGHTPACKING_H
#define PASSES_LOWER_WEIGHTPACKING_H

#include "dialects/NN/IR/NNDialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace lathe {

/// Most vectors of columns of a panel: two for tile registers, which hold as many sums.
int64_t mostPanelVectors(mlir::Value input, mlir::Value weight, nn::TargetAttr target);

/// Reduction steps that are neighbours in a packed weight, because one product of single rows takes them at once.
int64_t stepsPerProduct(mlir::Value input, mlir::Value weight);
/// The same of the best product for `op`, a contraction on tensors with `size` neighbouring steps in `groups` that no
/// product may reach over.
int64_t stepsPerProduct(mlir::Operation *op, mlir::Value input, mlir::Value weight, int64_t size, int64_t groups);

/// linalg.pack with zeros, lowered to padding, reshaping and a transposition that any evaluator knows.
mlir::Value packTiles(mlir::ImplicitLocOpBuilder &builder, mlir::Value value, llvm::ArrayRef<int64_t> outerPermutation,
                      llvm::ArrayRef<int64_t> positions, llvm::ArrayRef<int64_t> tiles);

/// The weight [KH, KW, C, group * O] of a convolution, in panels of `width` outputs that end with their group, [panels,
/// KH, KW, C, width]; with `steps` above 1, as many channels are neighbours: [panels, KH, KW, C / steps, width, steps].
mlir::Value packFilters(mlir::ImplicitLocOpBuilder &builder, mlir::Value weight, int64_t group, int64_t width,
                        int64_t steps);

/// The elements of lines 2 i and 2 i + 1 of a depthwise weight side by side, and of a last line that is alone those of
/// columns 2 i and 2 i + 1; a last column of it stays. The shape is the same.
mlir::Value interleaveLines(mlir::ImplicitLocOpBuilder &builder, mlir::Value weight);

/// Where bf16 meets bf16 in tile registers: the reduction, dimension `dimension` of the weight, in whole chunks, by
/// zeros before the rows of a last, shorter one (see ChunkedReduction). Elsewhere the weight as it is.
mlir::Value shiftLastChunk(mlir::ImplicitLocOpBuilder &builder, mlir::Value input, mlir::Value weight,
                           int64_t dimension, nn::TargetAttr target);

} // namespace lathe

#endif // PASSES_LOWER_WEIGHTPACKING_H

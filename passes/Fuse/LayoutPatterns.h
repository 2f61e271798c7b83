//===- LayoutPatterns.h - How transposes pass ops -------------------------===//
#ifndef PASSES_FUSE_LAYOUTPATTERNS_H
#define PASSES_FUSE_LAYOUTPATTERNS_H

#include "mlir/Rewrite/FrozenRewritePatternSet.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/Fuse/Utils.h"

namespace lathe {

/// Asks an op to let a transpose pass at the price of another one: an elementwise op or concatenation transposes its
/// other operands, a reshape what it merges, by the first or by the last of the dimensions that are merged.
inline constexpr llvm::StringLiteral kSinkAttr = "lathe.sink", kByFirst = "first", kByLast = "last";
/// An op that the price was paid for, and one where it is too high.
inline constexpr llvm::StringLiteral kSettled = "settled", kKept = "kept";
/// How the op was asked; empty if it was not.
llvm::StringRef getAskedWay(mlir::Operation *op);

/// Replaces each result of `op` by a transpose, by `permutation`, of the same result of `replacement`.
void replaceTransposed(mlir::PatternRewriter &rewriter, mlir::Operation *op, mlir::Operation *replacement,
                       llvm::ArrayRef<int64_t> permutation);

/// The transpose of a value that is computed at run time; null if `value` is none.
onnx::TransposeOp getRunTimeTranspose(mlir::Value value);
/// Axes of an operand or attribute, made positive; nullopt if they are not known.
std::optional<llvm::SmallVector<int64_t>> normalizeAxes(std::optional<llvm::SmallVector<int64_t>> axes, int64_t rank);
/// What is left of a permutation when result dimensions in `removed` are gone.
llvm::SmallVector<int64_t> removeDims(llvm::ArrayRef<int64_t> permutation, llvm::ArrayRef<int64_t> removed);

/// How to apply the patterns below: they end after a few steps for each op, and a bound says so where one should not.
mlir::GreedyRewriteConfig getSinkingConfig(mlir::func::FuncOp function);
/// Patterns that sink transposes through elementwise ops, concatenations and nn ops.
void addSinkThroughComputation(mlir::RewritePatternSet &patterns);
/// Patterns that sink transposes through reductions, slices, splits, gathers, pads and resizes.
void addSinkThroughMovement(mlir::RewritePatternSet &patterns);
/// Patterns that sink transposes through reshapes, or merge those before and after one.
void addSinkThroughReshape(mlir::RewritePatternSet &patterns);

/// Bytes that the transposes of a function move at run time; a size that is not known counts as 16.
int64_t countTransposedBytes(mlir::func::FuncOp function);
/// Where no pattern lets a transpose pass, because it would take another one, tries whether that leaves fewer bytes in
/// the end. `sinking` are the patterns above, which have been applied before.
void searchLayout(mlir::func::FuncOp function, const mlir::FrozenRewritePatternSet &sinking);

} // namespace lathe

#endif // PASSES_FUSE_LAYOUTPATTERNS_H

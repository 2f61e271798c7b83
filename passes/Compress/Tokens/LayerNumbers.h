//===- LayerNumbers.h - How many tokens each layer leaves -------*- C++ -*-===//
#ifndef PASSES_COMPRESS_TOKENS_LAYERNUMBERS_H
#define PASSES_COMPRESS_TOKENS_LAYERNUMBERS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "passes/Compress/Tokens/EncoderLayer.h"

namespace lathe {

/// Sets how many tokens each layer merges or keeps, from the model's texts (see TokenMergeSpec and TokenPruneSpec; "none"
/// and "" ask for nothing) and the settings of its attention: a number or `none` for token-merge, `keep:S` or `none` for
/// token-prune. Fails after an error.
llvm::LogicalResult chooseNumbers(mlir::func::FuncOp function, llvm::StringRef merge, llvm::StringRef prune,
                                  llvm::MutableArrayRef<EncoderLayer> layers);

} // namespace lathe

#endif // PASSES_COMPRESS_TOKENS_LAYERNUMBERS_H

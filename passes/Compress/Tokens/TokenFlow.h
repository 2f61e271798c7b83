//===- TokenFlow.h - Where the tokens of an encoder go ----------*- C++ -*-===//
#ifndef PASSES_COMPRESS_TOKENS_TOKENFLOW_H
#define PASSES_COMPRESS_TOKENS_TOKENFLOW_H

#include "dialects/NN/IR/NNDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"
#include <string>

namespace lathe {

/// A block of a transformer's encoder in the form after `fuse`: attention of a sequence to itself, and the sum of its
/// projection and of what came in, `[batch, tokens, channels]`.
struct EncoderLayer {
  nn::AttentionOp attention;
  mlir::Value stream;
  int64_t tokens = 0; ///< before any is merged
  int64_t merged = 0; ///< tokens to merge in `stream`
};

/// Reads the block around an attention. Returns why it is none, or nothing.
std::string matchEncoderLayer(nn::AttentionOp attention, EncoderLayer &layer);

/// A dimension of tokens, as the readers of a value will see it.
struct TokenDim {
  unsigned dim = 0;
  int64_t count = 0;
};

/// Follows the tokens from the first layer that merges some to where only the first token, the class, is read.
class TokenFlow {
public:
  using Value = mlir::Value;

  /// Fails after an error on an op that the tokens must not reach, because what becomes of them is not known.
  llvm::LogicalResult trace(mlir::func::FuncOp function, llvm::ArrayRef<EncoderLayer> layers);

  /// Attentions to merged tokens.
  llvm::ArrayRef<nn::AttentionOp> getAttentions() const { return attentions; }
  /// Gives reshapes the numbers of tokens that are left.
  void rewriteReshapes();

private:
  struct Reshape {
    mlir::Operation *op;
    unsigned dim;
    int64_t count;
  };

  /// Records where the tokens of the op's operands are in its results. Returns why that is not known, or nothing.
  std::string visit(mlir::Operation *op);
  /// Operands broadcast to the result as in NumPy.
  std::string visitBroadcast(mlir::ValueRange operands, Value result);
  std::string visitAttention(nn::AttentionOp op);
  std::string visitReshape(mlir::Operation *op);
  std::string visitGather(mlir::Operation *op);
  std::string visitSlice(mlir::Operation *op);

  llvm::DenseMap<Value, TokenDim> dims;
  llvm::SmallVector<nn::AttentionOp> attentions;
  llvm::SmallVector<Reshape> reshapes;
  bool readsClass = false;
};

} // namespace lathe

#endif // PASSES_COMPRESS_TOKENS_TOKENFLOW_H

//===- TokenFlow.h - Where the tokens of an encoder go ----------*- C++ -*-===//
#ifndef PASSES_COMPRESS_TOKENS_TOKENFLOW_H
#define PASSES_COMPRESS_TOKENS_TOKENFLOW_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "passes/Compress/Tokens/EncoderLayer.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"

namespace lathe {

/// A dimension of tokens, as the readers of a value will see it.
struct TokenDim {
  unsigned dim = 0;
  int64_t count = 0;
  unsigned layer = 0;   ///< the last layer that left fewer of them
  bool noClass = false; ///< the first token was sliced away
};

/// An op on fewer tokens, whose layer tells what they stand for.
struct TokenUse {
  mlir::Operation *op;
  TokenDim tokens;
};

/// Follows the tokens from the first layer that leaves fewer of them to where they are read: the first one as the class,
/// or the mean of all.
class TokenFlow {
public:
  using Value = mlir::Value;

  /// Fails after an error on an op that the tokens must not reach, because what becomes of them is not known.
  llvm::LogicalResult trace(mlir::func::FuncOp function, llvm::ArrayRef<EncoderLayer> layers);

  /// The first token is the class: it is read alone, or left out of what else is read.
  bool hasClass() const { return readsClass || dropsClass; }
  /// The class is read alone.
  bool isClassRead() const { return readsClass; }
  llvm::ArrayRef<TokenUse> getAttentions() const { return attentions; }
  /// onnx.ReduceMean over tokens.
  llvm::ArrayRef<TokenUse> getMeans() const { return means; }
  /// Gives reshapes the numbers of tokens that are left.
  void rewriteReshapes();

private:
  /// Records where the tokens of the op's operands are in its results. Returns why that is not known, or nothing.
  std::string visit(mlir::Operation *op);
  /// Operands broadcast to the result as in NumPy.
  std::string visitBroadcast(mlir::ValueRange operands, Value result);
  std::string visitAttention(nn::AttentionOp op);
  std::string visitReshape(mlir::Operation *op);
  std::string visitGather(mlir::Operation *op);
  std::string visitSlice(mlir::Operation *op);
  std::string visitMean(mlir::Operation *op);
  void record(Value value, TokenDim tokens, unsigned dim) {
    tokens.dim = dim;
    dims[value] = tokens;
  }

  llvm::DenseMap<Value, TokenDim> dims;
  llvm::SmallVector<TokenUse> attentions, means, reshapes;
  bool readsClass = false, dropsClass = false;
};

} // namespace lathe

#endif // PASSES_COMPRESS_TOKENS_TOKENFLOW_H

//===- EncoderLayer.h - The blocks of a transformer's encoder ---*- C++ -*-===//
#ifndef PASSES_COMPRESS_TOKENS_ENCODERLAYER_H
#define PASSES_COMPRESS_TOKENS_ENCODERLAYER_H

#include "dialects/NN/IR/NNDialect.h"
#include <string>

namespace lathe {

/// A block of a transformer's encoder in the form after `fuse`: attention of a sequence to itself, and the sum of its
/// projection and of what came in, `[batch, tokens, channels]`.
struct EncoderLayer {
  nn::AttentionOp attention;
  mlir::Value stream;
  int64_t tokens = 0; ///< of the model as it is

  // What is done to `stream`. Pruning leaves the class, `kept` tokens, and one for the others.
  int64_t before = 0, left = 0; ///< tokens
  int64_t merged = 0, kept = 0; ///< one of them where `left` is less than `before`
};

/// Reads the block around an attention. Returns why it is none, or nothing.
std::string matchEncoderLayer(nn::AttentionOp attention, EncoderLayer &layer);

} // namespace lathe

#endif // PASSES_COMPRESS_TOKENS_ENCODERLAYER_H

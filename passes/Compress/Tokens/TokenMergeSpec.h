//===- TokenMergeSpec.h - How many tokens each layer merges ---------------===//
#ifndef PASSES_COMPRESS_TOKENS_TOKENMERGESPEC_H
#define PASSES_COMPRESS_TOKENS_TOKENMERGESPEC_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <vector>

namespace lathe {

/// Each layer of a transformer merges `r` tokens, or its number in `list` where that is not empty.
struct TokenMergeSpec {
  int64_t r = 0;
  std::vector<int64_t> list;

  /// Reads `r:N` or `N,N,...`.
  static llvm::Expected<TokenMergeSpec> parse(llvm::StringRef text);
};

} // namespace lathe

#endif // PASSES_COMPRESS_TOKENS_TOKENMERGESPEC_H

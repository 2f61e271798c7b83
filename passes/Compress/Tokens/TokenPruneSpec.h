//===- TokenPruneSpec.h - How many tokens are kept, and where -------------===//
#ifndef PASSES_COMPRESS_TOKENS_TOKENPRUNESPEC_H
#define PASSES_COMPRESS_TOKENS_TOKENPRUNESPEC_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <vector>

namespace lathe {

/// Some layers of a transformer keep a part of their tokens.
struct TokenPruneSpec {
  double keep = 1;             ///< of the tokens but the class; above 0 and below 1
  std::vector<int64_t> layers; ///< counted from 0, ascending; empty: after 1/4, 1/2 and 3/4 of the depth

  /// Reads `keep:0.7` or `keep:0.7:layers=3,6,9`.
  static llvm::Expected<TokenPruneSpec> parse(llvm::StringRef text);
};

} // namespace lathe

#endif // PASSES_COMPRESS_TOKENS_TOKENPRUNESPEC_H

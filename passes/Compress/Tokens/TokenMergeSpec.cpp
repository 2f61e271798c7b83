//===- TokenMergeSpec.cpp - How many tokens each layer merges -------------===//
#include "passes/Compress/Tokens/TokenMergeSpec.h"
#include "llvm/ADT/SmallVector.h"

using namespace lathe;

llvm::Expected<TokenMergeSpec> TokenMergeSpec::parse(llvm::StringRef text) {
  constexpr int64_t kMost = 1 << 20;
  auto malformed = [&] {
    return llvm::createStringError("expected r:N or a number for each layer, but got '" + text + "'");
  };
  TokenMergeSpec spec;
  llvm::StringRef rest = text;
  if (rest.consume_front("r:")) {
    if (rest.getAsInteger(10, spec.r) || spec.r < 1 || spec.r > kMost)
      return malformed();
    return spec;
  }
  llvm::SmallVector<llvm::StringRef> parts;
  rest.split(parts, ',');
  for (llvm::StringRef part : parts)
    if (part.getAsInteger(10, spec.list.emplace_back()) || spec.list.back() < 0 || spec.list.back() > kMost)
      return malformed();
  return spec;
}

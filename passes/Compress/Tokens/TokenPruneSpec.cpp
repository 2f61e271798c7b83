//===- TokenPruneSpec.cpp - How many tokens are kept, and where -----------===//
#include "passes/Compress/Tokens/TokenPruneSpec.h"
#include "llvm/ADT/SmallVector.h"

using namespace lathe;

llvm::Expected<TokenPruneSpec> TokenPruneSpec::parse(llvm::StringRef text) {
  auto malformed = [&] {
    return llvm::createStringError("expected keep:SHARE between 0 and 1, and maybe :layers=N,N,... in ascending order, but "
                                   "got '" + text + "'");
  };
  TokenPruneSpec spec;
  llvm::StringRef rest = text;
  if (!rest.consume_front("keep:"))
    return malformed();
  auto [share, layers] = rest.split(':');
  // The comparison is false for what is no number.
  if (share.getAsDouble(spec.keep) || !(spec.keep > 0 && spec.keep < 1))
    return malformed();
  if (share.size() == rest.size())
    return spec;
  if (!layers.consume_front("layers="))
    return malformed();
  llvm::SmallVector<llvm::StringRef> parts;
  layers.split(parts, ',');
  for (llvm::StringRef part : parts) {
    int64_t layer;
    if (part.getAsInteger(10, layer) || layer < 0 || (!spec.layers.empty() && layer <= spec.layers.back()))
      return malformed();
    spec.layers.push_back(layer);
  }
  return spec;
}

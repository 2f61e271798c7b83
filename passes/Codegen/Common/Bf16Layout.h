//===- Bf16Layout.h - How tile registers read packed weights --------------===//
#ifndef PASSES_CODEGEN_COMMON_BF16LAYOUT_H
#define PASSES_CODEGEN_COMMON_BF16LAYOUT_H

#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <cstdint>

namespace lathe::codegen {

/// A reduction over `size` neighbours in memory, an even number, cut in chunks that tile registers take at once. A last
/// chunk that is shorter reads its left operand from where a whole one ends with the reduction: the elements that it
/// reads again meet zeros, which lie in the packed weight before the chunk's own elements.
struct ChunkedReduction {
  int64_t size, chunk;

  static constexpr int64_t kMostChunk = 32;

  explicit ChunkedReduction(int64_t size) : ChunkedReduction(size, std::min(size, kMostChunk)) {}
  ChunkedReduction(int64_t size, int64_t chunk) : size(size), chunk(chunk) {}

  int64_t wholeChunks() const { return size / chunk; }
  int64_t chunks() const { return llvm::divideCeil(size, chunk); }
  /// Elements of the last chunk if it is shorter, else 0.
  int64_t rest() const { return size % chunk; }
  /// Elements that a packed weight has for it.
  int64_t stored() const { return chunks() * chunk; }
};

} // namespace lathe::codegen

#endif // PASSES_CODEGEN_COMMON_BF16LAYOUT_H

//===- LowRankSpec.h - How far weights are factorized ---------------------===//
#ifndef PASSES_COMPRESS_LOWRANK_LOWRANKSPEC_H
#define PASSES_COMPRESS_LOWRANK_LOWRANKSPEC_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace lathe {

/// What a low-rank approximation keeps, between 0 and 1.
struct LowRankSpec {
  enum class Kept {
    Energy, ///< of each layer: the part of its squared singular values
    Flops   ///< of all layers together: the part of their floating-point operations
  };
  Kept kept = Kept::Energy;
  double part = 1;

  /// Reads `energy:E` or `flops:F`.
  static llvm::Expected<LowRankSpec> parse(llvm::StringRef text);
};

} // namespace lathe

#endif // PASSES_COMPRESS_LOWRANK_LOWRANKSPEC_H

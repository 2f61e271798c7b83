//===- TuningChoices.h - What is worth measuring for a kernel -------------===//
#ifndef PASSES_LOWER_TUNINGCHOICES_H
#define PASSES_LOWER_TUNINGCHOICES_H

#include "passes/Lower/TuningFile.h"

namespace lathe {

/// Choices that depend on each other only from an earlier stage to a later one, in which the earlier ones are made.
enum class TuningStage {
  Algorithm, ///< Winograd's or the direct one; depthwise convolutions fused or not
  Tile,      ///< columns of a panel and rows of a tile
  Sharing,   ///< the order and number of tasks, passes over the image
};
inline constexpr TuningStage kTuningStages[] = {TuningStage::Algorithm, TuningStage::Tile, TuningStage::Sharing};

/// "algorithm", "tile" or "sharing".
llvm::StringRef nameOf(TuningStage stage);

/// What may be faster for an op with a key, in the form that `lower-apply-tuning` leaves, than what it will get; in the
/// order in which it should be tried. `winograd` tells whether that algorithm may be chosen.
std::vector<TuningChoice> findAlternatives(mlir::Operation *op, TuningStage stage, bool winograd);

} // namespace lathe

#endif // PASSES_LOWER_TUNINGCHOICES_H

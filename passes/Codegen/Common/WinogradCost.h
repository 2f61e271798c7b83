//===- WinogradCost.h - Where Winograd's algorithm pays -------------------===//
#ifndef PASSES_CODEGEN_COMMON_WINOGRADCOST_H
#define PASSES_CODEGEN_COMMON_WINOGRADCOST_H

#include "dialects/NN/IR/NNDialect.h"
#include <optional>

namespace lathe::codegen {

/// A 3x3 convolution of stride 1: `batch` images of `height` x `width` output pixels, `channels` to `outputs` in so
/// many groups. The first three are negative where only a run knows them.
struct WinogradConvShape {
  int64_t batch, height, width, channels, outputs, group = 1;
  bool integers = false;   ///< of quantized numbers in 16 bits, not of f32
  int64_t largestTile = 4; ///< 2 where the sums of F(4x4) may be too large
};

/// How such a convolution is computed, and the estimates that say so, in the work of TaskWork.h.
struct WinogradPlan {
  /// Output pixels of a side of a tile, 2 or 4; 0 for the direct convolution.
  int64_t m = 0;
  /// Tiles of a block, the rows of a register tile.
  int64_t tilesPerBlock = 0;
  /// Each task transforms the tiles that it multiplies: all of them together would leave the cache, and it holds the
  /// weight, which each task reads. Or the channels of a group, which no other task reads.
  bool transformInTasks = false;
  double direct = 0, winograd = 0;
};

/// Numbers of tiles, negative where only a run knows them.
struct TileCounts {
  int64_t all, ofSample;
};

/// Tiles of a block, if there are so many, for panels of so many vectors. If only a run knows how many tiles there are,
/// several blocks are one register tile where there are as many, so that few tiles leave few rows of it empty.
int64_t chooseTilesPerBlock(TileCounts tiles, nn::TargetAttr target, int64_t panelVectors = 2);

/// Tiles of a block of so many bytes each, where a task has the block on its stack (WinogradPlan::transformInTasks):
/// the channels of one group, if there are several.
int64_t chooseTilesPerTask(TileCounts tiles, int64_t tileBytes, int64_t group, nn::TargetAttr target);

/// What is given, where it was measured, and not estimated.
struct WinogradChoice {
  std::optional<int64_t> m; ///< 0 for the direct convolution
  std::optional<int64_t> tilesPerBlock;
  int64_t panelVectors = 2; ///< of columns of the weight
};

/// How to compute a convolution. What pays for one image pays for more, of which the transforms and the weight are a
/// smaller part; so a batch that only a run knows counts as one image and as eight, and a height or width as
/// `kUsualSize` pixels.
inline constexpr int64_t kUsualBatch = 8, kUsualSize = 16;
WinogradPlan planWinograd(const WinogradConvShape &shape, nn::TargetAttr target, const WinogradChoice &given = {});

} // namespace lathe::codegen

#endif // PASSES_CODEGEN_COMMON_WINOGRADCOST_H

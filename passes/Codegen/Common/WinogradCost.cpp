//===- WinogradCost.cpp - Where Winograd's algorithm pays -----------------===//
#include "passes/Codegen/Common/WinogradCost.h"
#include "passes/Codegen/Common/Instructions.h"
#include "passes/Codegen/Common/TaskWork.h"

using namespace lathe;
using namespace lathe::codegen;

namespace {

/// What an element of a transformed tile costs beside its multiply-adds: to be computed and stored, and to be loaded,
/// summed up and transformed back.
constexpr double kWorkPerInput = 6, kWorkPerSum = 5;
/// A byte of a weight that does not stay in the second cache comes from memory, in every run.
constexpr double kWorkPerDistantByte = 5;
/// A vector of 16 bits has twice as many elements, and the products of a pair are one instruction.
constexpr double kWorkPerInteger = 0.5;
/// How much faster it must be estimated to be: what an estimate may be wrong by.
constexpr double kMargin = 1.1;
/// What a task may take of the stack for the tiles that it transforms (with their sums, less than docs/guides/Embed.md
/// says), and how many tasks there should be.
constexpr int64_t kMostTaskBytes = 160 << 10, kLeastTasks = 8;
/// With fewer rows, two vectors wide, a register tile waits for its multiply-adds.
constexpr int64_t kLeastTaskTiles = 6;

/// Multiply-adds of a product with so many rows to a tile, as if the loads of few rows were multiply-adds, too.
double workOfProduct(int64_t rows, int64_t tileRows, int64_t channels, int64_t columns) {
  constexpr double loadsOfTile = 2;
  return double(rows) * channels * columns * (1 + loadsOfTile / tileRows);
}

double workOfWeight(int64_t bytes, nn::TargetAttr target) {
  return bytes > target.getL2Bytes() / 2 ? double(bytes) * kWorkPerDistantByte : 0;
}

/// See WinogradPlan::transformInTasks.
bool shouldTransformInTasks(int64_t tiles, int64_t tileBytes, int64_t weightBytes, nn::TargetAttr target) {
  int64_t perTask = chooseTilesPerTask(tiles, tileBytes, target);
  return perTask >= std::min(tiles, kLeastTaskTiles) && tiles >= kLeastTasks * perTask &&
         tiles * tileBytes > target.getL2Bytes() / 4 &&
         perTask * tileBytes + weightBytes <= target.getL2Bytes() * 3 / 4;
}

} // namespace

int64_t codegen::chooseTilesPerBlock(int64_t tiles, nn::TargetAttr target, int64_t panelVectors) {
  return llvm::divideCeil(tiles, llvm::divideCeil(tiles, maxTileRows(target, panelVectors)));
}

int64_t codegen::chooseTilesPerTask(int64_t tiles, int64_t tileBytes, nn::TargetAttr target) {
  int64_t most = std::min(maxTileRows(target, /*vectors=*/2), std::max<int64_t>(kMostTaskBytes / tileBytes, 1));
  return llvm::divideCeil(tiles, llvm::divideCeil(tiles, most));
}

WinogradPlan codegen::planWinograd(const WinogradConvShape &shape, nn::TargetAttr target, const WinogradChoice &given) {
  int64_t lanes = target.getVectorBits() / 32;
  int64_t channels = llvm::alignTo(shape.channels, lanes), outputs = llvm::alignTo(shape.outputs, lanes);

  WinogradPlan plan;
  int64_t pixels = shape.batch * shape.height * shape.width;
  double perElement = shape.integers ? kWorkPerInteger : 1;
  int64_t directBytes = shape.integers ? 1 : 4, transformedBytes = shape.integers ? 2 : 4;
  plan.direct =
      workOfProduct(pixels, chooseTilesPerBlock(shape.width, target, given.panelVectors), 9 * shape.channels, outputs) *
          perElement +
      workOfWeight(9 * shape.channels * outputs * directBytes, target);
  plan.winograd = plan.direct;
  for (int64_t m = 2; m <= shape.largestTile; m += 2) {
    int64_t positions = (m + 2) * (m + 2);
    int64_t tiles = shape.batch * llvm::divideCeil(shape.height, m) * llvm::divideCeil(shape.width, m);
    int64_t perBlock = given.tilesPerBlock ? std::min(*given.tilesPerBlock, tiles)
                                           : chooseTilesPerBlock(tiles, target, given.panelVectors),
            rows = llvm::alignTo(tiles, perBlock);
    double work = workOfProduct(rows * positions, perBlock, channels, outputs) * perElement +
                  double(rows * positions) * (channels * kWorkPerInput * perElement + outputs * kWorkPerSum) +
                  workOfWeight(positions * channels * outputs * transformedBytes, target);
    if (given.m ? m == *given.m : work < plan.winograd) {
      plan.winograd = work;
      plan.m = m;
      plan.tilesPerBlock = perBlock;
      int64_t tileBytes = positions * channels * transformedBytes;
      plan.transformInTasks = !given.tilesPerBlock && given.panelVectors <= 2 &&
                              shouldTransformInTasks(tiles, tileBytes, tileBytes * outputs, target);
    }
  }
  if (!given.m && plan.winograd * kMargin > plan.direct)
    plan.m = 0;
  return plan;
}

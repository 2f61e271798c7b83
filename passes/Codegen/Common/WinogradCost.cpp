//===- WinogradCost.cpp - Where Winograd's algorithm pays -----------------===//
#include "passes/Codegen/Common/WinogradCost.h"
#include "passes/Codegen/Common/Instructions.h"
#include "passes/Codegen/Common/TaskWork.h"
#include "llvm/ADT/bit.h"

using namespace mlir;
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
/// Rows that a register tile might have beside its own in the time that its loads take.
constexpr double kLoadsOfTile = 2;
/// How much faster it must be estimated to be: what an estimate may be wrong by.
constexpr double kMargin = 1.1;
/// What a task may take of the stack for the tiles that it transforms (with their sums, less than docs/guides/Embed.md
/// says), and how many tasks there should be.
constexpr int64_t kMostTaskBytes = 160 << 10, kLeastTasks = 8;
/// With fewer rows, two vectors wide, a register tile waits for its multiply-adds.
constexpr int64_t kLeastTaskTiles = 6;
/// Tiles of a group of one vector, and their sums, that the first cache holds.
constexpr int64_t kGroupTaskTiles = 7;

/// Multiply-adds of a product with so many rows to a tile, as if the loads of few rows were multiply-adds, too.
double workOfProduct(int64_t rows, int64_t tileRows, int64_t channels, int64_t columns) {
  return double(rows) * channels * columns * (1 + kLoadsOfTile / tileRows);
}

double workOfWeight(int64_t bytes, nn::TargetAttr target) {
  return bytes > target.getL2Bytes() / 2 ? double(bytes) * kWorkPerDistantByte : 0;
}

/// Register tiles for so many blocks: of `most`, and of powers of two for the rest.
int64_t countRegisterTiles(int64_t blocks, int64_t most) {
  return blocks / most + llvm::popcount(uint64_t(blocks % most));
}

/// Rows of a register tile of so many blocks of such a size, if the number of blocks is only known to a run.
int64_t mostRows(int64_t tilesPerBlock, nn::TargetAttr target, int64_t panelVectors) {
  int64_t most = maxTileRows(target, panelVectors);
  return std::max<int64_t>(most / tilesPerBlock, 1) * tilesPerBlock;
}

/// A convolution of known size, and what its work counts.
struct WeightedShape {
  WinogradConvShape shape;
  double weight;
};

SmallVector<WeightedShape> usualShapes(WinogradConvShape shape) {
  for (int64_t *size : {&shape.height, &shape.width})
    if (*size < 0)
      *size = kUsualSize;
  if (shape.batch >= 0)
    return {{shape, 1}};
  WinogradConvShape one = shape, many = shape;
  one.batch = 1;
  many.batch = kUsualBatch;
  return {{one, 1}, {many, 1.0 / kUsualBatch}};
}

int64_t countTiles(const WinogradConvShape &shape, int64_t m) {
  return shape.batch * llvm::divideCeil(shape.height, m) * llvm::divideCeil(shape.width, m);
}

/// `count` in equal blocks, each as large as a register tile at most: the size of one.
int64_t evenRows(int64_t count, int64_t most) { return llvm::divideCeil(count, llvm::divideCeil(count, most)); }

double workOfDirect(const WinogradConvShape &shape, nn::TargetAttr target, int64_t panelVectors) {
  int64_t outputs = llvm::alignTo(shape.outputs, target.getVectorBits() / 32),
          pixels = shape.batch * shape.height * shape.width;
  int64_t rows = evenRows(shape.width, maxTileRows(target, panelVectors));
  int64_t steps = 9 * shape.channels / shape.group;
  return workOfProduct(pixels, rows, steps, outputs) * (shape.integers ? kWorkPerInteger : 1) +
         workOfWeight(steps * outputs * (shape.integers ? 1 : 4), target);
}

double workOfWinograd(const WinogradConvShape &shape, int64_t m, int64_t perBlock, int64_t tileRows,
                      nn::TargetAttr target) {
  int64_t lanes = target.getVectorBits() / 32, positions = (m + 2) * (m + 2);
  int64_t channels = llvm::alignTo(shape.channels, lanes), outputs = llvm::alignTo(shape.outputs, lanes);
  double perElement = shape.integers ? kWorkPerInteger : 1;
  int64_t rows = llvm::alignTo(countTiles(shape, m), perBlock);
  int64_t steps = channels / shape.group;
  return workOfProduct(rows * positions, std::min(tileRows, rows), steps, outputs) * perElement +
         double(rows * positions) * (channels * kWorkPerInput * perElement + outputs * kWorkPerSum) +
         workOfWeight(positions * steps * outputs * (shape.integers ? 2 : 4), target);
}

/// See WinogradPlan::transformInTasks; of `known` tiles, where that many are known.
bool shouldTransformInTasks(TileCounts counts, int64_t known, int64_t tileBytes, int64_t weightBytes,
                            nn::TargetAttr target) {
  int64_t perTask = chooseTilesPerTask(counts, tileBytes, /*group=*/1, target);
  return perTask >= std::min(known, kLeastTaskTiles) && known >= kLeastTasks * perTask &&
         known * tileBytes > target.getL2Bytes() / 4 &&
         perTask * tileBytes + weightBytes <= target.getL2Bytes() * 3 / 4;
}

} // namespace

int64_t codegen::chooseTilesPerBlock(TileCounts tiles, nn::TargetAttr target, int64_t panelVectors) {
  int64_t most = maxTileRows(target, panelVectors);
  if (tiles.all >= 0)
    return evenRows(tiles.all, most);
  if (tiles.ofSample < 0)
    return std::max<int64_t>(most / 3, 1);
  // Rows to multiply, and to load for each register tile, of one sample and of each of many.
  int64_t best = 1;
  double leastWork = std::numeric_limits<double>::max();
  for (int64_t perBlock = most; perBlock >= std::max<int64_t>(most / 4, 1); --perBlock) {
    int64_t blocks = llvm::divideCeil(tiles.ofSample, perBlock), blocksPerTile = most / perBlock;
    double work = blocks * perBlock + kLoadsOfTile * countRegisterTiles(blocks, blocksPerTile) +
                  tiles.ofSample * (1 + kLoadsOfTile / (blocksPerTile * perBlock));
    if (work < leastWork) {
      leastWork = work;
      best = perBlock;
    }
  }
  return best;
}

int64_t codegen::chooseTilesPerTask(TileCounts tiles, int64_t tileBytes, int64_t group, nn::TargetAttr target) {
  int64_t most = std::min(maxTileRows(target, /*vectors=*/2), std::max<int64_t>(kMostTaskBytes / tileBytes, 1));
  if (group > 1)
    most = std::min(most, kGroupTaskTiles);
  int64_t known = tiles.all >= 0 ? tiles.all : tiles.ofSample;
  return known < 0 ? most : evenRows(known, most);
}

WinogradPlan codegen::planWinograd(const WinogradConvShape &shape, nn::TargetAttr target, const WinogradChoice &given) {
  SmallVector<WeightedShape> usual = usualShapes(shape);
  const WinogradConvShape &least = usual.front().shape;
  bool isStatic = shape.batch >= 0 && shape.height >= 0 && shape.width >= 0;
  WinogradPlan plan;
  for (const auto &[known, weight] : usual)
    plan.direct += weight * workOfDirect(known, target, given.panelVectors);
  plan.winograd = plan.direct;
  for (int64_t m = 2; m <= shape.largestTile; m += 2) {
    int64_t ofSample = shape.height < 0 || shape.width < 0 ? -1 : countTiles(least, m) / least.batch;
    int64_t all = isStatic ? countTiles(shape, m) : -1;
    int64_t perBlock = chooseTilesPerBlock({all, ofSample}, target, given.panelVectors);
    if (given.tilesPerBlock)
      perBlock = isStatic ? std::min(*given.tilesPerBlock, all) : *given.tilesPerBlock;
    int64_t tileRows = isStatic ? perBlock : mostRows(perBlock, target, given.panelVectors);
    double work = 0;
    for (const auto &[known, weight] : usual)
      work += weight * workOfWinograd(known, m, perBlock, tileRows, target);
    if (given.m ? m == *given.m : work < plan.winograd) {
      plan.winograd = work;
      plan.m = m;
      plan.tilesPerBlock = perBlock;
      int64_t lanes = target.getVectorBits() / 32, positions = (m + 2) * (m + 2);
      int64_t tileBytes = positions * llvm::alignTo(shape.channels, lanes) * (shape.integers ? 2 : 4);
      plan.transformInTasks =
          shape.group > 1 || (!given.tilesPerBlock && given.panelVectors <= 2 &&
                              shouldTransformInTasks({all, ofSample}, countTiles(least, m), tileBytes,
                                                     tileBytes * llvm::alignTo(shape.outputs, lanes), target));
    }
  }
  if (!given.m && plan.winograd * kMargin > plan.direct)
    plan.m = 0;
  return plan;
}

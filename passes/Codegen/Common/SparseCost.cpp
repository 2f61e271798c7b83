//===- SparseCost.cpp - What a product costs with dense and sparse weights ===//
#include "passes/Codegen/Common/SparseCost.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>

using namespace lathe;
using namespace lathe::codegen;

namespace {

/// Cycles for one vector of multiply-adds in the reduction: of a dense tile of registers, and of a sparse one, whose
/// input comes from a transposed tile in the first or second cache.
struct VectorCycles {
  double dense, sparseFirstCache, sparseSecondCache;
};

// All numbers are from one core of a Zen 4 machine, nn.linear of 256 x 256 up to 4096 x 1024, 1 to 64 rows and 5 to
// 40 % of nonzeros, compiled for x86-64-v4, -v3 and -v2: docs/guides/Compress.md has the command.
VectorCycles getVectorCycles(nn::TargetAttr target) {
  switch (target.getVectorBits()) {
  case 512:
    return {1.02, 1.6, 2.05};
  case 256:
    return {0.52, 1.0, 1.25};
  default: // a multiplication and an addition
    return {0.78, 1.0, 1.05};
  }
}

constexpr double kCyclesPerNonzero = 1.5;  ///< at least: its weight, its coordinate and the loop
constexpr double kCyclesPerScalar = 1.15;  ///< of a single row
constexpr double kCyclesPerColumn = 12;    ///< of a tile: a loop whose end is not foreseen
constexpr double kCyclesPerTranspose = 5;  ///< of a vector that is read or stored
constexpr double kBytesPerCycleNear = 32;  ///< weights from the second cache
constexpr double kBytesPerCycleFar = 22;   ///< weights from the third

/// Weights are read once for each tile of rows.
double weightCycles(double bytes, nn::TargetAttr target) {
  return bytes / (bytes <= double(target.getL2Bytes()) ? kBytesPerCycleNear : kBytesPerCycleFar);
}

double denseCycles(const SparseProduct &product, nn::TargetAttr target) {
  double weights = double(product.channels) * double(product.columns);
  double vectors = double(product.rows) * weights / (target.getVectorBits() / 32.0);
  return std::max(vectors * getVectorCycles(target).dense, weightCycles(4 * weights, target));
}

/// One tile of `vectors`, or a single row if that is 0.
double tileCycles(const SparseProduct &product, int64_t vectors, nn::TargetAttr target) {
  double nonzeros = double(product.nonzeros), cycles = kCyclesPerColumn * double(product.columns);
  if (vectors == 0)
    return cycles + kCyclesPerScalar * nonzeros;
  VectorCycles each = getVectorCycles(target);
  int64_t tileBytes = product.channels * vectors * target.getVectorBits() / 8;
  double perVector = tileBytes <= target.getL1Bytes() ? each.sparseFirstCache : each.sparseSecondCache;
  cycles += nonzeros * std::max(perVector * double(vectors), kCyclesPerNonzero);
  cycles += kCyclesPerTranspose * double(vectors * (product.channels + product.columns));
  double bytes = nonzeros * (product.channels <= 256 ? 5 : 6);
  return bytes <= double(target.getL2Bytes()) ? cycles : cycles + bytes / kBytesPerCycleFar;
}

} // namespace

int64_t codegen::getSparseTileRows(int64_t channels, nn::TargetAttr target) {
  // 128 bytes of each channel are twice what makes up for reading a weight and its coordinate; half of the second cache
  // keeps the tile near, and a quarter of a megabyte is on any stack.
  int64_t vectorBytes = target.getVectorBits() / 8, lanes = vectorBytes / 4, most = 256 << 10;
  int64_t bytes = 128, near = std::min(most, target.getL2Bytes() / 2);
  while (bytes > vectorBytes && channels * bytes > near)
    bytes /= 2;
  return channels * bytes <= most ? bytes / vectorBytes * lanes : 0;
}

ProductCycles codegen::estimateCycles(const SparseProduct &product, nn::TargetAttr target) {
  int64_t lanes = target.getVectorBits() / 32, tileRows = getSparseTileRows(product.channels, target);
  double dense = denseCycles(product, target);
  if (tileRows == 0)
    return {dense, std::numeric_limits<double>::infinity()};
  double sparse = double(product.rows / tileRows) * tileCycles(product, tileRows / lanes, target);
  if (int64_t rest = product.rows % tileRows)
    sparse += tileCycles(product, rest == 1 ? 0 : llvm::PowerOf2Ceil(llvm::divideCeil(rest, lanes)), target);
  return {dense, sparse};
}

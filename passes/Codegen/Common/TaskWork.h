//===- TaskWork.h - How loops are cut into tasks --------------------------===//
#ifndef PASSES_CODEGEN_COMMON_TASKWORK_H
#define PASSES_CODEGEN_COMMON_TASKWORK_H

#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <cstdint>

namespace lathe::codegen {

// Work is counted in multiply-adds of f32 in a register tile, of which a core does about 50 in a nanosecond.

/// An element that a vector brings from the second cache, or puts there; and one of a weight, which comes from farther.
inline constexpr int64_t kWorkPerElement = 3, kWorkPerWeight = 6;
/// An element that comes or goes alone, because its neighbours in the loop are not its neighbours in memory.
inline constexpr int64_t kWorkPerScatteredElement = 30;

/// Handing a loop out costs about 1.5 microseconds, and the other thread's inputs leave their cache; with less work than
/// this, two threads gain little.
inline constexpr int64_t kLeastSharedWork = 400'000;
inline constexpr int64_t kLeastTaskWork = 150'000, kMostTaskWork = 2'500'000;
/// Of one task where that of the loop is not known.
inline constexpr int64_t kUsualTaskWork = 500'000;

/// Work of each task of a loop with `total` work, which is negative where it is not known. A loop worth sharing has
/// 16 tasks, for even loads on as many as 8 threads, or fewer if they became too short, or more if too long.
inline int64_t workPerTask(int64_t total) {
  if (total < 0)
    return kUsualTaskWork;
  if (total < kLeastSharedWork)
    return kLeastSharedWork;
  return std::clamp(total / 16, kLeastTaskWork, kMostTaskWork);
}

/// Cuts `count` iterations into blocks of `most` at most: the size of one. Where there are few blocks, their number is
/// even or a multiple of four, so that two or four threads end together.
inline int64_t taskBlock(int64_t count, int64_t most) {
  int64_t blocks = llvm::divideCeil(count, std::max<int64_t>(most, 1));
  if (blocks > 1)
    blocks = llvm::alignTo(blocks, blocks == 2 ? 2 : 4);
  return llvm::divideCeil(count, std::clamp<int64_t>(blocks, 1, std::max<int64_t>(count, 1)));
}

} // namespace lathe::codegen

#endif // PASSES_CODEGEN_COMMON_TASKWORK_H

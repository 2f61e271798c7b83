//===- LoopNest.h - In which order loops run, and which in parallel -------===//
#ifndef PASSES_CODEGEN_COMMON_LOOPNEST_H
#define PASSES_CODEGEN_COMMON_LOOPNEST_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include <optional>

namespace lathe::codegen {

/// A parallel innermost loop below sequential ones is cut into blocks of this many iterations, one task each.
inline constexpr int64_t kLoopBlock = 256;
/// What a dynamic dimension is taken for where its size matters at compile time.
inline constexpr int64_t kTypicalLoopSize = 64;

/// Order of the loops, outermost first, and how the outermost is run.
struct LoopNest {
  llvm::SmallVector<unsigned> order;
  bool isParallel = false;                        ///< the outermost loop is
  bool isBlocked = false;                         ///< the innermost loop is, in blocks
  int64_t work = 1;                               ///< of one iteration
  std::optional<unsigned> threads = std::nullopt; ///< so many outermost loops are one loop over threads of a GPU
};

/// For a CPU: the loop innermost whose accesses are contiguous most often, and one outermost in parallel if the op has
/// at least `parallelThreshold` work (see TaskWork.h), or sizes that are not known.
LoopNest chooseNest(mlir::linalg::GenericOp op, int64_t parallelThreshold);

/// For a GPU: every loop that nothing is summed over is spread over threads, whose neighbours are neighbours in memory;
/// a thread runs the others.
LoopNest chooseThreads(mlir::linalg::GenericOp op);

} // namespace lathe::codegen

#endif // PASSES_CODEGEN_COMMON_LOOPNEST_H

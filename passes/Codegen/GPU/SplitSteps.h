//===- SplitSteps.h - Long sums of few elements, by more threads ----------===//
#ifndef PASSES_CODEGEN_GPU_SPLITSTEPS_H
#define PASSES_CODEGEN_GPU_SPLITSTEPS_H

#include "lib/Target/TargetFamily.h"
#include "passes/Codegen/GPU/ThreadBuilder.h"

namespace lathe::simt {

/// Those of the target that is compiled for.
Multiprocessors getMultiprocessors(ThreadBuilder &k);

/// What a block takes of its multiprocessor, in cycles for each tile of the steps: `work` is when another block's tile
/// can follow, `latency` when its own next one can. `registers` are those of a thread.
struct BlockCost {
  int64_t work, latency, threads, sharedBytes, registers;
};

/// Into how many slices the steps of a product are cut, and what is expected of that.
struct StepSlices {
  int64_t count = 1;
  int64_t cycles = 0;      ///< from the first block's begin to the last sum's store
  int64_t blocks = 0;      ///< of all slices
  int64_t busyPercent = 0; ///< of the multiprocessors, in the turn with the most blocks
  int64_t warpPercent = 0; ///< of the warps that a multiprocessor can hold: its occupancy
};

/// The slices of least cost for a product of `blocks` blocks and `tiles` tiles of steps, whose result has `elements`
/// elements. Estimates for the target's multiprocessors: all memory is taken to be near.
StepSlices chooseSlices(ThreadBuilder &k, const BlockCost &cost, int64_t blocks, int64_t tiles, int64_t elements);

/// Says what was chosen, and the occupancy that is expected of it.
void remarkSlices(ThreadBuilder &k, const StepSlices &slices);

/// The sums of each slice in memory of the device, until another kernel adds them up in the order of slices: equal
/// inputs give equal bits. Of one slice there is no such memory.
class PartialSums {
public:
  /// For a result with indices below `sizes`.
  PartialSums(ThreadBuilder &k, const StepSlices &slices, mlir::Type type, mlir::ArrayRef<mlir::Value> sizes);

  bool areSplit() const { return count > 1; }
  mlir::Value getSlices() { return k.index(count); }
  /// The first tile of a slice, and the one behind its last, of `tiles`.
  std::pair<mlir::Value, mlir::Value> getTiles(mlir::Value slice, mlir::Value tiles);
  void store(mlir::Value sum, mlir::Value slice, mlir::ValueRange indices);
  /// slices x sizes
  mlir::Value getMemory() const { return memory; }
  /// Emits the kernel that adds up. Nothing if they are not split.
  void addUp(llvm::function_ref<void(mlir::Value sum, mlir::ValueRange indices)> store);

private:
  ThreadBuilder &k;
  int64_t count;
  mlir::SmallVector<mlir::Value> sizes;
  mlir::Value memory;
};

/// A thread for each element of `out` and each slice of the steps, which `sum` adds up from `first` to `end`; `store`
/// gets the whole sum. A step is `weight` products. Slices are so many that threads fill the target.
void emitSums(ThreadBuilder &k, mlir::Value out, mlir::Type type, mlir::Value steps, mlir::Value weight,
              llvm::function_ref<mlir::Value(mlir::ValueRange indices, mlir::Value first, mlir::Value end)> sum,
              llvm::function_ref<void(mlir::Value sum, mlir::ValueRange indices)> store);

} // namespace lathe::simt

#endif // PASSES_CODEGEN_GPU_SPLITSTEPS_H

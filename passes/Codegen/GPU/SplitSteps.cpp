//===- SplitSteps.cpp - Long sums of few elements, by more threads --------===//
#include "passes/Codegen/GPU/SplitSteps.h"
#include "mlir/IR/Remarks.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::simt;

using Carried = codegen::LoopBuilder::Carried;

/// Tiles of steps that a block waits for before its first one, and for its sums to leave.
static constexpr int64_t kTilesAround = 5;
/// Cycles from the end of one kernel to the first results of the next, about two microseconds, and bytes of partial
/// sums that are written, or read, in a cycle.
static constexpr int64_t kKernelCycles = 3000, kBytesPerCycle = 1000;
/// Slices beyond that are short, and their sums many. Fewer cycles by less than a fifth are not to be relied on.
static constexpr int64_t kMostSlices = 64;
/// A thread that adds up alone has at least so many products; so many threads of a multiprocessor keep memory busy.
static constexpr int64_t kLeastProducts = 32, kBusyThreads = 512;

Multiprocessors simt::getMultiprocessors(ThreadBuilder &k) {
  const TargetFamily *family = findTargetFamily(k.target);
  return family ? family->getMultiprocessors(k.target) : Multiprocessors();
}

StepSlices simt::chooseSlices(ThreadBuilder &k, const BlockCost &cost, int64_t blocks, int64_t tiles,
                              int64_t elements) {
  Multiprocessors processors = getMultiprocessors(k);
  StepSlices best;
  int64_t whole = 0, most = processors.count ? std::min(kMostSlices, tiles) : 1;
  processors.count = std::max<int64_t>(processors.count, 1);
  for (int64_t count = 1; count <= most; ++count) {
    int64_t perSlice = llvm::divideCeil(tiles, count);
    if ((count - 1) * perSlice >= tiles) // the last one would be empty
      continue;
    StepSlices next{count};
    next.blocks = blocks * count;
    int64_t each = llvm::divideCeil(next.blocks, processors.count);
    next.cycles = std::max(cost.latency, each * cost.work) * (perSlice + kTilesAround);
    if (count > 1)
      next.cycles += kKernelCycles + 2 * 4 * count * elements / kBytesPerCycle;
    next.busyPercent = 100 * std::min(next.blocks, processors.count) / processors.count;
    if (processors.threads) {
      int64_t resident = std::min({processors.threads / cost.threads, processors.sharedBytes / cost.sharedBytes,
                                   processors.registers / (cost.threads * cost.registers)});
      next.warpPercent = 100 * std::min(each, resident) * cost.threads / processors.threads;
    }
    if (count == 1)
      whole = next.cycles;
    if (count == 1 || (next.cycles < best.cycles && 5 * next.cycles < 4 * whole))
      best = next;
  }
  return best;
}

void simt::remarkSlices(ThreadBuilder &k, const StepSlices &slices) {
  remark::passed(k.loc, remark::RemarkOpts::name("Blocks").category("codegen"))
      << remark::metric("Blocks", slices.blocks) << remark::metric("Slices", slices.count)
      << remark::metric("BusyPercent", slices.busyPercent) << remark::metric("OccupancyPercent", slices.warpPercent);
}

PartialSums::PartialSums(ThreadBuilder &k, const StepSlices &slices, Type type, ArrayRef<Value> sizes)
    : k(k), count(slices.count), sizes(sizes) {
  if (!areSplit())
    return;
  SmallVector<Value> all = {k.index(count)};
  llvm::append_range(all, sizes);
  memory = k.scratch(all, type);
}

std::pair<Value, Value> PartialSums::getTiles(Value slice, Value tiles) {
  if (!areSplit())
    return {k.index(0), tiles};
  Value perSlice = k.ceilDiv(tiles, count), first = k.mul(slice, perSlice);
  return {first, k.min(k.add(first, perSlice), tiles)};
}

void PartialSums::store(Value sum, Value slice, ValueRange indices) {
  SmallVector<Value> at = {slice};
  llvm::append_range(at, indices);
  k.store(sum, memory, at);
}

void PartialSums::addUp(function_ref<void(Value sum, ValueRange indices)> store) {
  if (!areSplit())
    return;
  k.threads(sizes, [&](ValueRange indices) {
    SmallVector<Value> at = {k.index(0)};
    llvm::append_range(at, indices);
    Carried total = k.loop(k.index(1), k.index(count), 1, k.loadScalar(memory, at), [&](Value slice, ValueRange sum) {
      at[0] = slice;
      Value part = k.loadScalar(memory, at);
      if (isa<FloatType>(part.getType()))
        return Carried{k.addFloats(sum[0], part)};
      return Carried{arith::AddIOp::create(k.builder, k.loc, sum[0], part)};
    });
    store(total[0], indices);
  });
}

void simt::emitSums(ThreadBuilder &k, Value out, Type type, Value steps, Value weight,
                    function_ref<Value(ValueRange indices, Value first, Value end)> sum,
                    function_ref<void(Value sum, ValueRange indices)> store) {
  auto outType = cast<MemRefType>(out.getType());
  int64_t count = codegen::constantOr(steps), products = codegen::constantOr(k.mul(steps, weight));
  StepSlices slices;
  if (outType.hasStaticShape() && outType.getNumElements() > 0 && count > 0) {
    int64_t wanted = getMultiprocessors(k).count * kBusyThreads / outType.getNumElements();
    slices.count = std::clamp<int64_t>(std::min({wanted, products / kLeastProducts, count, kMostSlices}), 1, count);
    slices.count = llvm::divideCeil(count, llvm::divideCeil(count, slices.count)); // none is empty
  }
  SmallVector<Value> sizes;
  for (int64_t dim = 0; dim < outType.getRank(); ++dim)
    sizes.push_back(k.dim(out, dim));
  PartialSums sums(k, slices, type, sizes);
  if (!sums.areSplit())
    return k.elements(out, [&](ValueRange indices) { store(sum(indices, k.index(0), steps), indices); });
  SmallVector<Value> grid = {sums.getSlices()};
  llvm::append_range(grid, sizes);
  k.threads(grid, [&](ValueRange indices) {
    auto [first, end] = sums.getTiles(indices[0], steps);
    sums.store(sum(indices.drop_front(), first, end), indices[0], indices.drop_front());
  });
  sums.addUp(store);
}

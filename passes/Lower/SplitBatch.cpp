//===- SplitBatch.cpp - Part of a batch at a time, while it is in the cache ===//
#include "dialects/Interfaces/SymbolicShapes.h"
#include "dialects/NN/IR/NNDialect.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "passes/Lower/DimSplitter.h"
#include "passes/Lower/Passes.h"

namespace lathe {
#define GEN_PASS_DEF_LOWERSPLITBATCH
#include "passes/Lower/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

namespace {

class BatchSplitter {
public:
  explicit BatchSplitter(func::FuncOp function)
      : function(function), cacheBytes(nn::getTarget(function).getL2Bytes()),
        splitter(/*dim=*/0, function.getArgument(0)) {
    // Arguments of the same symbolic size, not of any dynamic one. What pays for the largest batch costs a small one
    // nothing: of one sample, all weights are read once, and code for a static shape is faster.
    SymbolicShapes shapes(function);
    AffineExpr size = shapes.getDims(function.getArgument(0)).front();
    batch = shapes.getUpperBound(size);
    isDynamic = !isa<AffineConstantExpr>(size);
    for (BlockArgument argument : function.getArguments())
      if (splitter.hasDim(argument.getType()) && shapes.getDims(argument).front() == size)
        splitter.add(argument);
  }

  void run() {
    SmallVector<Operation *> ops; // null stands for those that cannot be split
    for (Operation &op : function.getBody().front()) {
      bool reads = llvm::any_of(op.getOperands(), [&](Value operand) { return splitter.isPart(operand); });
      if (!reads && isMemoryEffectFree(&op))
        continue; // constants and what is computed of them
      bool fits = reads && splitter.keepsApart(&op);
      ops.push_back(fits ? &op : nullptr);
      if (fits)
        splitter.add(op.getResults());
    }
    for (const SplitGroup &group : chooseGroups(ops)) {
      Location loc = group.ops.front()->getLoc();
      if (splitter.split(group))
        remark::passed(loc, remark::RemarkOpts::name("SplitBatch").category("lower").function(function.getName()))
            << remark::metric("Ops", group.ops.size()) << remark::metric("Samples", group.count);
    }
  }

private:
  /// Bytes that need not come from beyond the cache for each sample, if the op works on `count` samples at a time: what
  /// the whole batch would have pushed out of it, less the weights, which are read again for each `count` samples.
  int64_t getGain(Operation *op, int64_t count) const {
    auto [sampleBytes, sharedBytes] = splitter.getTraffic(op);
    bool leavesCache = batch * sampleBytes > cacheBytes, stays = count == 1 || count * sampleBytes <= cacheBytes;
    return (leavesCache && stays ? sampleBytes : 0) - sharedBytes / count;
  }

  /// Runs of ops with the largest gain in all. Each run pays for the buffers at its ends, which are written whole.
  std::vector<SplitGroup> chooseGroups(ArrayRef<Operation *> ops) const {
    std::vector<SplitGroup> best;
    int64_t bestGain = 0;
    for (int64_t count : isDynamic ? SmallVector<int64_t>{1} : getStepCounts(batch, cacheBytes)) {
      // Outside of a group or within one, after each op; and whether the best way came from within.
      int64_t outside = 0, within = std::numeric_limits<int64_t>::min() / 2;
      SmallVector<std::pair<bool, bool>> cameFromWithin;
      for (Operation *op : ops) {
        bool leave = within > outside, stay = within >= outside - cacheBytes;
        int64_t entered = stay ? within : outside - cacheBytes;
        outside = std::max(outside, within);
        within = op ? entered + getGain(op, count) : std::numeric_limits<int64_t>::min() / 2;
        cameFromWithin.emplace_back(leave, stay);
      }
      if (int64_t gain = std::max(outside, within); gain > bestGain) {
        bestGain = gain;
        best = collectGroups(ops, cameFromWithin, within > outside, count);
      }
    }
    return best;
  }

  static std::vector<SplitGroup>
  collectGroups(ArrayRef<Operation *> ops, ArrayRef<std::pair<bool, bool>> cameFromWithin, bool inside, int64_t count) {
    std::vector<SplitGroup> groups;
    bool open = false;
    for (size_t i = ops.size(); i-- > 0;) {
      if (inside) {
        if (!open)
          groups.push_back({{}, count});
        groups.back().ops.push_back(ops[i]);
      }
      open = inside;
      inside = inside ? cameFromWithin[i].second : cameFromWithin[i].first;
      open = open && inside;
    }
    for (SplitGroup &group : groups)
      std::reverse(group.ops.begin(), group.ops.end());
    return groups;
  }

  func::FuncOp function;
  int64_t batch = 0, cacheBytes; ///< the largest batch
  bool isDynamic = false;
  DimSplitter splitter;
};

struct LowerSplitBatch : lathe::impl::LowerSplitBatchBase<LowerSplitBatch> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.getNumArguments() == 0 || !function.getBody().hasOneBlock())
      return;
    auto type = dyn_cast<RankedTensorType>(function.getArgument(0).getType());
    if (type && type.getRank() > 0 && type.getDimSize(0) != 1)
      BatchSplitter(function).run();
  }
};

} // namespace

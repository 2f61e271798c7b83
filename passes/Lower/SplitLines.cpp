//===- SplitLines.cpp - Some lines of an image through several layers -----===//
#include "dialects/NN/IR/NNDialect.h"
#include "dialects/ONNX/IR/Elementwise.h"
#include "mlir/IR/Remarks.h"
#include "passes/Fuse/Utils.h"
#include "passes/Lower/DimSplitter.h"
#include "passes/Lower/PadImage.h"
#include "passes/Lower/Passes.h"

namespace lathe {
#define GEN_PASS_DEF_LOWERSPLITLINES
#include "passes/Lower/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

namespace {

class LineSplitter {
public:
  explicit LineSplitter(func::FuncOp function) : function(function), cacheBytes(nn::getTarget(function).getL2Bytes()) {
    values.insert(function.getArguments().begin(), function.getArguments().end());
  }

  /// The function's block, or then that of a loop over a batch.
  void run(Block &block) {
    SmallVector<SmallVector<Operation *>> runs(1);
    for (Operation &op : block) {
      if (llvm::none_of(op.getOperands(), [&](Value operand) { return values.contains(operand); }))
        continue; // constants and what is computed of them
      values.insert(op.result_begin(), op.result_end());
      if (!keepsLinesApart(&op)) {
        runs.emplace_back();
        if (readsWindows(&op))
          runs.back().push_back(&op);
        continue;
      }
      if (!runs.back().empty() && countLines(runs.back().back()) != countLines(&op))
        runs.emplace_back();
      runs.back().push_back(&op);
    }
    for (ArrayRef<Operation *> ops : runs)
      if (SplitGroup group = chooseGroup(ops); group.count)
        split(group);
  }

private:
  /// Pixels of an image, or tokens, in dimension 1 and those after it but the last.
  static constexpr unsigned kLineDim = 1;

  static int64_t countLines(Operation *op) {
    return cast<RankedTensorType>(op->getResult(0).getType()).getDimSize(kLineDim);
  }

  DimSplitter makeSplitter(Operation *op) const {
    DimSplitter splitter(kLineDim, countLines(op));
    for (Value value : values)
      if (splitter.hasDim(value.getType()))
        splitter.add(value);
    if (readsWindows(op))
      splitter.add(op->getOperand(0));
    return splitter;
  }

  static bool isKernel(Operation *op) { return isa<nn::ConvOp, nn::LinearOp, nn::NormOp>(op); }

  /// Whether a depthwise convolution reads the result, which lower-fuse-depthwise makes of it line by line.
  static bool feedsDepthwise(Operation *op) {
    return llvm::any_of(op->getUsers(), [](Operation *user) {
      auto conv = dyn_cast<nn::ConvOp>(user);
      return conv && conv.getGroup() > 1;
    });
  }

  /// Whether the op is a depthwise convolution, each line of whose result takes a window of lines, and which no
  /// expansion comes before: lower-fuse-depthwise computes it together with that.
  static bool readsWindows(Operation *op) {
    auto conv = dyn_cast<nn::ConvOp>(op);
    if (!conv || conv->getNumResults() != 1 || conv.getGroup() == 1 || feedsDepthwise(op))
      return false;
    auto input = cast<RankedTensorType>(conv.getInput().getType()),
         weight = cast<RankedTensorType>(conv.getWeight().getType()),
         result = cast<RankedTensorType>(conv.getResult().getType());
    if (!input.hasStaticShape() || !result.hasStaticShape() || !weight.hasStaticShape() || weight.getRank() != 4 ||
        weight.getDimSize(2) != 1 || weight.getDimSize(3) != int64_t(conv.getGroup()) ||
        !input.getElementType().isF32() || result.getDimSize(kLineDim) < 2)
      return false;
    auto isOne = [](int64_t value) { return value == 1; };
    auto expansion = conv.getInput().getDefiningOp<nn::ConvOp>();
    bool isExpanded = expansion && expansion->hasOneUse() && expansion.getGroup() == 1 &&
                      llvm::all_of(cast<ShapedType>(expansion.getWeight().getType()).getShape().take_front(2), isOne);
    return llvm::all_of(conv.getDilations(), isOne) && !isExpanded && llvm::none_of(conv.getExtras(), variesByPixel);
  }

  bool keepsLinesApart(Operation *op) const {
    if (feedsDepthwise(op))
      return false;
    if (!isKernel(op) && !onnx::isElementwise(op))
      return false;
    auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
    if (!type || !type.hasStaticShape() || type.getRank() != 4 || type.getDimSize(kLineDim) < 2)
      return false;
    DimSplitter splitter(kLineDim, countLines(op));
    for (Value operand : op->getOperands())
      if (values.contains(operand) && splitter.hasDim(operand.getType()))
        splitter.add(operand);
    return splitter.keepsApart(op);
  }

  /// Whether a value is so large that it leaves the cache before it is read.
  bool leavesCache(Value value) const { return getTensorBytes(value) > cacheBytes / 2; }

  /// The part of a run between the first and the last op that pass on what would leave the cache, and how many lines at
  /// a time gain the most.
  SplitGroup chooseGroup(ArrayRef<Operation *> ops) const {
    llvm::SmallPtrSet<Operation *, 16> members(ops.begin(), ops.end());
    // Elementwise ops are fused with each other later, and would be with what is not in the group.
    auto passesOn = [&](Value value, Operation *reader) {
      Operation *writer = value.getDefiningOp();
      return writer && members.contains(writer) && isKernel(writer) && isKernel(reader) && leavesCache(value);
    };
    auto readsDistant = [&](Operation *op) {
      return llvm::any_of(op->getOperands(), [&](Value operand) { return passesOn(operand, op); });
    };
    auto writesDistant = [&](Operation *op) {
      return llvm::any_of(op->getUsers(),
                          [&](Operation *user) { return members.contains(user) && passesOn(op->getResult(0), user); });
    };
    while (!ops.empty() && !writesDistant(ops.front()))
      ops = ops.drop_front();
    while (!ops.empty() && !readsDistant(ops.back()))
      ops = ops.drop_back();
    SplitGroup best;
    if (ops.size() < 2)
      return best;

    DimSplitter splitter = makeSplitter(ops.front());
    int64_t savedBytes = 0, weightBytes = 0, lineBytes = 0, lines = countLines(ops.front());
    for (Operation *op : ops) {
      for (Value operand : llvm::SmallSetVector<Value, 4>(op->operand_begin(), op->operand_end()))
        if (passesOn(operand, op))
          savedBytes += getTensorBytes(operand);
      auto [partBytes, sharedBytes] = splitter.getTraffic(op);
      weightBytes += sharedBytes;
      lineBytes = std::max(lineBytes, partBytes);
    }
    // Half a cache at least, or what the estimate leaves out may cost more: of windows, whose parts overlap, all of it.
    int64_t mostGain = readsWindows(ops.front()) ? cacheBytes : cacheBytes / 2;
    for (int64_t count : getStepCounts(lines, cacheBytes)) {
      int64_t gain = savedBytes - (lines / count - 1) * weightBytes;
      if (count * lineBytes + weightBytes <= cacheBytes && gain > mostGain) {
        mostGain = gain;
        best = {SmallVector<Operation *>(ops), count};
      }
    }
    return best;
  }

  void split(SplitGroup group) {
    Location loc = group.ops.front()->getLoc();
    if (readsWindows(group.ops.front())) {
      auto conv = cast<nn::ConvOp>(group.ops.front());
      padImage(conv);
      group.windowed = conv.getInput();
      group.window = cast<ShapedType>(conv.getWeight().getType()).getDimSize(0);
      group.stride = conv.getStrides()[0];
    }
    size_t count = group.ops.size();
    DimSplitter splitter = makeSplitter(group.ops.front());
    SmallVector<Value> replaced;
    for (Operation *op : group.ops)
      llvm::append_range(replaced, op->getResults());
    scf::ForOp loop = splitter.split(group);
    if (!loop)
      return;
    for (Value value : replaced)
      values.erase(value);
    values.insert(loop.result_begin(), loop.result_end());
    remark::passed(loc, remark::RemarkOpts::name("SplitLines").category("lower").function(function.getName()))
        << remark::metric("Ops", count) << remark::metric("Lines", group.count);
  }

  func::FuncOp function;
  int64_t cacheBytes;
  llvm::DenseSet<Value> values; ///< that depend on the inputs
};

struct LowerSplitLines : lathe::impl::LowerSplitLinesBase<LowerSplitLines> {
  void runOnOperation() override {
    if (!getOperation().getBody().hasOneBlock())
      return;
    SmallVector<Block *> blocks = {&getOperation().getBody().front()};
    for (scf::ForOp loop : getOperation().getBody().getOps<scf::ForOp>())
      blocks.push_back(loop.getBody());
    LineSplitter splitter(getOperation());
    for (Block *block : blocks)
      splitter.run(*block);
  }
};

} // namespace

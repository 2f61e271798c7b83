//===- SplitBatch.cpp - Part of a batch at a time, while it is in the cache ===//
#include "dialects/Interfaces/DimFlow.h"
#include "dialects/ONNX/IR/DataTypes.h"
#include "dialects/ONNX/IR/ONNXDialect.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "passes/Fuse/Utils.h"
#include "passes/Lower/Passes.h"

namespace lathe {
#define GEN_PASS_DEF_LOWERSPLITBATCH
#include "passes/Lower/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

namespace {

/// Ops next to each other that compute a few samples of the batch, then the next ones.
struct Group {
  SmallVector<Operation *> ops;
  int64_t samples = 0; ///< at a time
};

/// What one op reads and writes.
struct Traffic {
  int64_t sampleBytes = 0; ///< of each sample, all together
  int64_t sharedBytes = 0; ///< weights and whatever else does not depend on the sample
};

} // namespace

static int64_t getBytes(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  Type element = type.getElementType();
  if (auto quantized = dyn_cast<quant::QuantizedType>(element))
    element = quantized.getStorageType();
  int64_t bits = element.isIntOrFloat() ? element.getIntOrFloatBitWidth() : 64;
  return llvm::divideCeil(type.getNumElements() * bits, 8);
}

/// Ops that treat each sample of a batch as they would without the others. DimFlow tells of which dimension that is true;
/// it does not tell of operands that hold sizes, so that ops which have such are not here.
static bool mayBeSplit(Operation *op) {
  return fuse::isElementwise(op) ||
         isa<nn::ConvOp, nn::PoolOp, nn::LinearOp, nn::MatMulOp, nn::AttentionOp, nn::NormOp, nn::SoftmaxOp, onnx::ConcatOp,
             onnx::DequantizeLinearOp, onnx::FlattenOp, onnx::GlobalAveragePoolOp, onnx::GlobalMaxPoolOp, onnx::PadOp,
             onnx::QuantizeLinearOp, onnx::ReduceMaxOp, onnx::ReduceMeanOp, onnx::ReduceMinOp, onnx::ReduceSumOp,
             onnx::ReshapeOp, onnx::SliceOp, onnx::SplitOp, onnx::SqueezeOp, onnx::TransposeOp, onnx::UnsqueezeOp,
             quant::DequantizeCastOp, quant::QuantizeCastOp, quant::StorageCastOp>(op);
}

namespace {

class BatchSplitter {
public:
  BatchSplitter(func::FuncOp function, int64_t batch)
      : function(function), batch(batch), cacheBytes(nn::getTarget(function).getL2Bytes()) {}

  void run() {
    for (BlockArgument argument : function.getArguments())
      if (isBatch(argument.getType()))
        samples.insert(argument);
    SmallVector<Operation *> ops; // null stands for those that cannot be split
    for (Operation &op : function.getBody().front()) {
      bool reads = llvm::any_of(op.getOperands(), [&](Value operand) { return samples.contains(operand); });
      if (!reads && isMemoryEffectFree(&op))
        continue; // constants and what is computed of them
      bool fits = reads && keepsSamplesApart(&op);
      ops.push_back(fits ? &op : nullptr);
      if (fits)
        samples.insert(op.result_begin(), op.result_end());
    }
    for (const Group &group : chooseGroups(ops))
      split(group);
  }

private:
  bool isBatch(Type type) const {
    auto tensor = dyn_cast<RankedTensorType>(type);
    return tensor && tensor.hasStaticShape() && tensor.getRank() > 0 && tensor.getDimSize(0) == batch;
  }

  /// Where a dimension of an operand goes in the first result.
  static DimFlow getFlow(Operation *op, unsigned operand, unsigned dim) {
    if (auto flow = dyn_cast<DimFlowOpInterface>(op))
      return flow.getDimFlow(operand, dim, 0);
    return DimFlow::same(dim); // casts of the quant dialect
  }

  bool keepsSamplesApart(Operation *op) const {
    if (!mayBeSplit(op) || !isMemoryEffectFree(op) || !llvm::all_of(op->getResultTypes(), [&](Type type) { return isBatch(type); }))
      return false;
    if (auto reshape = dyn_cast<onnx::ReshapeOp>(op)) {
      std::optional<SmallVector<int64_t>> shape = fuse::getInts(reshape.getShape());
      return shape && !reshape.getAllowzero() && samples.contains(reshape.getData()) && getFlow(op, 0, 0).kind == DimFlow::Kind::Same;
    }
    for (OpOperand &operand : op->getOpOperands()) {
      auto type = dyn_cast<RankedTensorType>(operand.get().getType());
      if (!type)
        continue;
      if (!type.hasStaticShape())
        return false;
      for (int64_t dim = 0; dim < type.getRank(); ++dim) {
        DimFlow flow = getFlow(op, operand.getOperandNumber(), dim);
        bool reachesSamples = flow.kind != DimFlow::Kind::None && flow.kind != DimFlow::Kind::Reduced && flow.dim == 0;
        bool isSamples = dim == 0 && samples.contains(operand.get());
        if (isSamples ? !reachesSamples || flow.kind != DimFlow::Kind::Same
                      : reachesSamples && flow.kind != DimFlow::Kind::Broadcast && type.getDimSize(dim) != 1)
          return false;
      }
    }
    return true;
  }

  Traffic getTraffic(Operation *op) const {
    Traffic traffic;
    for (Value operand : llvm::SetVector<Value>(op->operand_begin(), op->operand_end()))
      if (isa<RankedTensorType>(operand.getType()))
        (samples.contains(operand) ? traffic.sampleBytes : traffic.sharedBytes) += getBytes(operand);
    for (Value result : op->getResults())
      traffic.sampleBytes += getBytes(result);
    traffic.sampleBytes /= batch;
    return traffic;
  }

  /// Bytes that need not come from beyond the cache for each sample, if the op works on `count` samples at a time: what
  /// the whole batch would have pushed out of it, less the weights, which are read again for each `count` samples.
  int64_t getGain(Operation *op, int64_t count) const {
    auto [sampleBytes, sharedBytes] = getTraffic(op);
    bool leavesCache = batch * sampleBytes > cacheBytes, stays = count == 1 || count * sampleBytes <= cacheBytes;
    return (leavesCache && stays ? sampleBytes : 0) - sharedBytes / count;
  }

  /// Runs of ops with the largest gain in all. Each run pays for the buffers at its ends, which are written whole.
  std::vector<Group> chooseGroups(ArrayRef<Operation *> ops) const {
    std::vector<Group> best;
    int64_t bestGain = 0;
    for (int64_t count = 1; count < batch; ++count) {
      if (batch % count != 0)
        continue;
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

  static std::vector<Group> collectGroups(ArrayRef<Operation *> ops, ArrayRef<std::pair<bool, bool>> cameFromWithin, bool inside,
                                          int64_t count) {
    std::vector<Group> groups;
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
    for (Group &group : groups)
      std::reverse(group.ops.begin(), group.ops.end());
    return groups;
  }

  RankedTensorType getPart(Type type, int64_t count) const {
    SmallVector<int64_t> shape(cast<RankedTensorType>(type).getShape());
    shape[0] = count;
    return RankedTensorType::get(shape, cast<RankedTensorType>(type).getElementType());
  }

  void split(const Group &group) {
    llvm::SmallPtrSet<Operation *, 16> members(group.ops.begin(), group.ops.end());
    llvm::SetVector<Value> inputs, outputs;
    for (Operation *op : group.ops) {
      for (Value operand : op->getOperands())
        if (samples.contains(operand) && !members.contains(operand.getDefiningOp()))
          inputs.insert(operand);
      for (Value result : op->getResults())
        if (llvm::any_of(result.getUsers(), [&](Operation *user) { return !members.contains(user); }))
          outputs.insert(result);
    }
    // A loop carries what the lowering gives another type, and it is not worth the trouble.
    auto changesType = [](Value value) {
      Type element = getElementTypeOrSelf(value.getType());
      return element.isUnsignedInteger() || onnx::isNarrow(element);
    };
    if (llvm::any_of(inputs, changesType) || llvm::any_of(outputs, changesType))
      return;
    // After the last: constants between the ops come before it, and what reads the results comes after.
    OpBuilder builder(group.ops.back());
    Location loc = group.ops.front()->getLoc();
    SmallVector<Value> whole;
    for (Value output : outputs) {
      auto type = cast<RankedTensorType>(output.getType());
      whole.push_back(tensor::EmptyOp::create(builder, output.getLoc(), type.getShape(), type.getElementType()));
    }
    auto index = [&](int64_t value) -> Value { return arith::ConstantIndexOp::create(builder, loc, value); };
    auto loop = scf::ForOp::create(
        builder, loc, index(0), index(batch), index(group.samples), whole,
        [&](OpBuilder &body, Location, Value first, ValueRange results) {
          IRMapping mapping;
          auto slice = [&](RankedTensorType part) {
            SmallVector<OpFoldResult> offsets(part.getRank(), body.getIndexAttr(0)), strides(part.getRank(), body.getIndexAttr(1));
            offsets[0] = first;
            return std::tuple(offsets, getAsIndexOpFoldResult(body.getContext(), part.getShape()), strides);
          };
          for (Value input : inputs) {
            RankedTensorType part = getPart(input.getType(), group.samples);
            auto [offsets, sizes, strides] = slice(part);
            mapping.map(input, tensor::ExtractSliceOp::create(body, input.getLoc(), part, input, offsets, sizes, strides));
          }
          for (Operation *op : group.ops)
            clone(body, op, mapping, group.samples);
          SmallVector<Value> updated;
          for (auto [output, result] : llvm::zip(outputs, results)) {
            auto [offsets, sizes, strides] = slice(getPart(output.getType(), group.samples));
            updated.push_back(tensor::InsertSliceOp::create(body, output.getLoc(), mapping.lookup(output), result, offsets, sizes,
                                                            strides));
          }
          scf::YieldOp::create(body, loc, updated);
        });
    for (auto [i, output] : llvm::enumerate(outputs.takeVector()))
      output.replaceUsesWithIf(loop.getResult(i), [&](OpOperand &use) { return !members.contains(use.getOwner()); });
    remark::passed(loc, remark::RemarkOpts::name("SplitBatch").category("lower").function(function.getName()))
        << remark::metric("Ops", group.ops.size()) << remark::metric("Samples", group.samples);
    samples.insert(loop.result_begin(), loop.result_end());
    for (Operation *op : llvm::reverse(group.ops)) {
      for (Value result : op->getResults())
        samples.erase(result);
      op->erase();
    }
  }

  void clone(OpBuilder &body, Operation *op, IRMapping &mapping, int64_t count) {
    if (auto reshape = dyn_cast<onnx::ReshapeOp>(op)) {
      SmallVector<int64_t> shape = *fuse::getInts(reshape.getShape());
      shape[0] = count;
      mapping.map(reshape.getShape(), fuse::createInts(body, op->getLoc(), shape));
    }
    Operation *part = body.clone(*op, mapping);
    for (Value result : part->getResults())
      result.setType(getPart(result.getType(), count));
    for (auto [from, to] : llvm::zip(op->getResults(), part->getResults()))
      mapping.map(from, to);
  }

  func::FuncOp function;
  int64_t batch, cacheBytes;
  llvm::DenseSet<Value> samples; ///< values whose first dimension is the batch
};

struct LowerSplitBatch : lathe::impl::LowerSplitBatchBase<LowerSplitBatch> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.getNumArguments() == 0 || !function.getBody().hasOneBlock())
      return;
    auto type = dyn_cast<RankedTensorType>(function.getArgument(0).getType());
    if (type && type.hasStaticShape() && type.getRank() > 0 && type.getDimSize(0) > 1)
      BatchSplitter(function, type.getDimSize(0)).run();
  }
};

} // namespace

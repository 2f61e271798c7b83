//===- FuseDepthwise.cpp - Depthwise convolutions with what expands -------===//
#include "mlir/IR/Remarks.h"
#include "passes/Codegen/Common/Tuning.h"
#include "passes/Lower/Decisions.h"
#include "passes/Lower/Passes.h"

namespace lathe {
#define GEN_PASS_DEF_LOWERFUSEDEPTHWISE
#include "passes/Lower/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

/// What the ring of lines of one panel may take of the stack.
static constexpr int64_t kMostRingBytes = 128 << 10;

static bool isStaticF32(Value value) {
  auto type = cast<ShapedType>(value.getType());
  return type.hasStaticShape() && type.getElementType().isF32();
}

/// The 1x1 convolution whose result only `op` reads; null if there is none.
static nn::ConvOp findExpansion(nn::ConvOp op) {
  auto expand = op.getInput().getDefiningOp<nn::ConvOp>();
  if (!expand || !expand->hasOneUse() || expand.getGroup() != 1)
    return nullptr;
  auto weight = cast<ShapedType>(expand.getWeight().getType());
  auto isOne = [](int64_t stride) { return stride == 1; };
  auto isZero = [](int64_t pad) { return pad == 0; };
  return weight.getRank() == 4 && weight.getDimSize(0) == 1 && weight.getDimSize(1) == 1 &&
                 llvm::all_of(expand.getStrides(), isOne) && llvm::all_of(expand.getPads(), isZero)
             ? expand
             : nullptr;
}

/// Why they cannot be one op; empty if they can.
static StringRef findObstacle(nn::ConvOp expand, nn::ConvOp op) {
  for (Value value : std::initializer_list<Value>{expand.getInput(), expand.getWeight(), op.getInput(), op.getWeight(),
                                                  op.getResult()})
    if (!isStaticF32(value))
      return "they are not in f32 and of static shape";
  if (llvm::any_of(op.getDilations(), [](int64_t dilation) { return dilation != 1; }))
    return "the depthwise convolution is dilated";
  ArrayRef<int64_t> image = cast<ShapedType>(op.getInput().getType()).getShape();
  ArrayRef<int64_t> window = cast<ShapedType>(op.getWeight().getType()).getShape();
  if (op.getStrides()[0] > window[0] || op.getStrides()[1] > window[1])
    return "its stride is larger than its window";
  for (Value extra : expand.getExtras()) {
    auto type = cast<ShapedType>(extra.getType());
    if (type.getRank() > 1 || (type.getRank() == 1 && type.getDimSize(0) != 1 && type.getDimSize(0) != image[3]))
      return "an operand of the expansion varies from pixel to pixel";
  }
  nn::TargetAttr target = nn::getTarget(op);
  int64_t line = image[2] + op.getPads()[1] + op.getPads()[3];
  if (window[0] * line * 2 * (target.getVectorBits() / 8) > kMostRingBytes)
    return "its lines are too long for the cache";
  return "";
}

/// Why they should not be one op, as was measured or is estimated; empty if they should.
static StringRef findDrawback(nn::ConvOp op) {
  if (nn::TuningAttr tuning = nn::getTuning(op))
    if (std::optional<int64_t> tuned = codegen::takeTuned(op, "fuse", tuning.getFuse(), ""))
      return *tuned ? "" : "it was measured to be slower";
  int64_t imageElements = cast<ShapedType>(op.getInput().getType()).getNumElements() /
                          cast<ShapedType>(op.getInput().getType()).getDimSize(0);
  return imageElements * 4 <= nn::getTarget(op).getL2Bytes() / 4 ? "the expanded image stays in the cache" : "";
}

FusionDecision lathe::decideFusion(nn::ConvOp op) {
  FusionDecision decision;
  if (op.getNumResults() != 1 || !isDepthwise(op))
    return decision;
  decision.expand = findExpansion(op);
  if (!decision.expand)
    return decision;
  decision.obstacle = findObstacle(decision.expand, op);
  if (decision.obstacle.empty())
    decision.drawback = findDrawback(op);
  return decision;
}

static void fuse(nn::ConvOp expand, nn::ConvOp op) {
  OpBuilder builder(op);
  Location loc = builder.getFusedLoc({expand.getLoc(), op.getLoc()});
  Value expandWeight =
      tensor::CollapseShapeOp::create(builder, loc, expand.getWeight(), ArrayRef<ReassociationIndices>{{0, 1, 2}, {3}});
  auto fused = nn::ExpandDepthwiseOp::create(builder, op.getLoc(), op->getResultTypes(), expand.getInput(),
                                             expandWeight, op.getWeight(), expand.getExtras(), op.getExtras(),
                                             /*init=*/Value(), op.getStrides(), op.getPads());
  if (nn::TuningAttr tuning = nn::getTuning(op))
    fused->setAttr(nn::kTuningAttr, tuning);
  fused.getExpandEpilogue().takeBody(expand.getEpilogue());
  fused.getEpilogue().takeBody(op.getEpilogue());
  op->replaceAllUsesWith(fused);
  op->erase();
  expand->erase();
}

namespace {

struct LowerFuseDepthwise : lathe::impl::LowerFuseDepthwiseBase<LowerFuseDepthwise> {
  void runOnOperation() override {
    SmallVector<nn::ConvOp> ops;
    getOperation().walk([&](nn::ConvOp op) {
      if (op.getNumResults() == 1 && isDepthwise(op))
        ops.push_back(op);
    });
    for (nn::ConvOp op : ops)
      consider(op);
  }

private:
  void consider(nn::ConvOp op) {
    FusionDecision decision = decideFusion(op);
    StringRef obstacle = decision.expand ? decision.obstacle : "no 1x1 convolution expands its input for it alone";
    if (nn::TuningAttr tuning = nn::getTuning(op); tuning && tuning.getFuse() == 1 && !obstacle.empty())
      (void)codegen::takeTuned(op, "fuse", 1, obstacle);
    if (!decision.expand)
      return;
    auto options = remark::RemarkOpts::name("FuseDepthwise").category("lower").function(getOperation().getName());
    if (StringRef reason = obstacle.empty() ? decision.drawback : obstacle; !reason.empty()) {
      remark::missed(op.getLoc(), options) << remark::reason("{0}", reason);
      return;
    }
    remark::passed(op.getLoc(), options) << remark::metric(
        "SavedBytes", cast<ShapedType>(op.getInput().getType()).getNumElements() * 8);
    fuse(decision.expand, op);
  }
};

} // namespace

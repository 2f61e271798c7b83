//===- ScaleWeights.cpp - Channels that are scaled in the weight ----------===//
#include "mlir/IR/Remarks.h"
#include "passes/Lower/Passes.h"

namespace lathe {
#define GEN_PASS_DEF_LOWERSCALEWEIGHTS
#include "passes/Lower/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

namespace {

/// An image and a factor for each of its channels.
struct ScaledImage {
  Value image, factors;
};

} // namespace

/// The operands of a `linalg.generic` that multiplies [1, H, W, C] by [1, 1, 1, C] and does nothing else.
static std::optional<ScaledImage> matchScaledImage(Value value) {
  auto op = value.getDefiningOp<linalg::GenericOp>();
  if (!op || !op->hasOneUse() || op.getNumDpsInputs() != 2 || op.getNumParallelLoops() != 4 || op.getNumLoops() != 4)
    return std::nullopt;
  Block &body = *op.getBody();
  if (body.getOperations().size() != 2 || !isa<arith::MulFOp>(body.front()) ||
      cast<linalg::YieldOp>(body.back()).getOperand(0) != body.front().getResult(0))
    return std::nullopt;
  auto isArgument = [&](Value operand, unsigned number) { return operand == body.getArgument(number); };
  Value left = body.front().getOperand(0), right = body.front().getOperand(1);
  if (!(isArgument(left, 0) && isArgument(right, 1)) && !(isArgument(left, 1) && isArgument(right, 0)))
    return std::nullopt;
  for (unsigned image : {0u, 1u}) {
    Value whole = op.getDpsInputs()[image], factors = op.getDpsInputs()[1 - image];
    auto type = dyn_cast<RankedTensorType>(factors.getType());
    if (whole.getType() == value.getType() && op.getIndexingMapsArray()[image].isIdentity() && type &&
        type.getRank() == 4 && type.getNumElements() == type.getDimSize(3))
      return ScaledImage{whole, factors};
  }
  return std::nullopt;
}

namespace {

struct LowerScaleWeights : lathe::impl::LowerScaleWeightsBase<LowerScaleWeights> {
  void runOnOperation() override {
    getOperation().walk([&](nn::ConvOp op) {
      auto weight = cast<ShapedType>(op.getWeight().getType());
      auto input = cast<ShapedType>(op.getInput().getType());
      auto isOne = [](int64_t value) { return value == 1; };
      if (op.getNumResults() != 1 || weight.getRank() != 5 || weight.getDimSize(1) != 1 || weight.getDimSize(2) != 1 ||
          op.getGroup() != 1 || !llvm::all_of(op.getStrides(), isOne) || !input.hasStaticShape() ||
          !input.getElementType().isF32() || !isa<FloatType>(weight.getElementType()))
        return;
      if (std::optional<ScaledImage> scaled = matchScaledImage(op.getInput()))
        consider(op, *scaled);
    });
  }

private:
  void consider(nn::ConvOp op, const ScaledImage &scaled) {
    auto options = remark::RemarkOpts::name("ScaleWeights").category("lower").function(getOperation().getName());
    auto weight = cast<RankedTensorType>(op.getWeight().getType());
    int64_t image = cast<ShapedType>(op.getInput().getType()).getNumElements(), elements = weight.getNumElements();
    // Each element of either is loaded and stored once; the image is the one that leaves the cache.
    if (image < 2 * elements) {
      remark::missed(op.getLoc(), options)
          << remark::reason("the image has {0} elements, the weight {1}", image, elements);
      return;
    }
    remark::passed(op.getLoc(), options) << remark::metric("ImageElements", image)
                                         << remark::metric("WeightElements", elements);
    OpBuilder builder(op);
    Location loc = op.getLoc();
    Operation *scale = op.getInput().getDefiningOp();
    AffineMap identity = builder.getMultiDimIdentityMap(5);
    AffineExpr zero = builder.getAffineConstantExpr(0), channel = builder.getAffineDimExpr(3);
    AffineMap byChannel = AffineMap::get(5, 0, {zero, zero, zero, channel}, builder.getContext());
    // A weight of bf16 becomes one of f32: rounding the products would cost what storing it in bf16 did once more.
    Type f32 = builder.getF32Type();
    Value empty = tensor::EmptyOp::create(builder, loc, weight.getShape(), f32);
    auto scaledWeight = linalg::GenericOp::create(
        builder, loc, TypeRange{weight.clone(f32)}, ValueRange{op.getWeight(), scaled.factors}, ValueRange{empty},
        ArrayRef<AffineMap>{identity, byChannel, identity},
        SmallVector<utils::IteratorType>(5, utils::IteratorType::parallel),
        [&](OpBuilder &b, Location l, ValueRange arguments) {
          Value element = arguments[0];
          if (!element.getType().isF32())
            element = arith::ExtFOp::create(b, l, f32, element);
          linalg::YieldOp::create(b, l, arith::MulFOp::create(b, l, element, arguments[1]).getResult());
        });
    op.getWeightMutable().assign(scaledWeight.getResult(0));
    op.getInputMutable().assign(scaled.image);
    scale->erase();
  }
};

} // namespace

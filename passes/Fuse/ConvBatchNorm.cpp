//===- ConvBatchNorm.cpp - Folds batch normalization ----------------------===//
#include "passes/Fuse/Passes.h"
#include "passes/Fuse/Utils.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace lathe {
#define GEN_PASS_DEF_FUSECONVBATCHNORM
#include "passes/Fuse/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

/// Why the normalization stays as it is; empty if it can be rewritten.
static StringRef getRefusal(onnx::BatchNormalizationOp op) {
  if (op.getTrainingMode() || (op.getRunningMean() && !op.getRunningMean().use_empty()) ||
      (op.getRunningVar() && !op.getRunningVar().use_empty()))
    return "training mode";
  if (!fuse::isF32(op.getX()) || fuse::getRank(op.getX()) < 2)
    return "expected an f32 tensor of rank 2 or more";
  if (!fuse::isF32(op.getScale()) || !fuse::getType(op.getScale()).hasStaticShape() || fuse::getRank(op.getScale()) != 1)
    return "number of channels is not known";
  for (Value parameter : {op.getB(), op.getInputMean(), op.getInputVar()})
    if (parameter.getType() != op.getScale().getType())
      return "parameters differ in type";
  return {};
}

/// Why the normalization is not folded into what produces its input; empty if it can be.
static StringRef getFoldRefusal(onnx::BatchNormalizationOp op) {
  auto conv = op.getX().getDefiningOp<onnx::ConvOp>();
  if (!conv)
    return "its input is not a convolution";
  if (!conv->hasOneUse())
    return "the convolution has other uses";
  if (!fuse::isF32(conv.getW()) || !fuse::getType(conv.getW()).hasStaticShape())
    return "the weight's shape is not known";
  for (Value constant : {conv.getW(), conv.getB(), op.getScale(), op.getB(), op.getInputMean(), op.getInputVar()})
    if (constant && !fuse::isConstantExpression(constant))
      return "weight or parameters are not constant";
  if (fuse::getType(conv.getW()).getDimSize(0) != fuse::getType(op.getScale()).getDimSize(0))
    return "numbers of channels differ";
  return {};
}

static LogicalResult foldBatchNorm(onnx::BatchNormalizationOp op, PatternRewriter &rewriter) {
  if (StringRef why = getRefusal(op); !why.empty())
    return rewriter.notifyMatchFailure(op, why);
  Location loc = op.getLoc();
  Type type = op.getScale().getType();
  int64_t channels = fuse::getType(op.getScale()).getDimSize(0);
  Value epsilon = fuse::createScalar(rewriter, loc, op.getEpsilon().convertToFloat());
  Value variance = onnx::AddOp::create(rewriter, loc, type, op.getInputVar(), epsilon);
  Value deviation = onnx::SqrtOp::create(rewriter, loc, type, variance);
  Value factor = onnx::DivOp::create(rewriter, loc, type, op.getScale(), deviation);
  /// The vector over channels so that it broadcasts to a tensor that has channels outermost of `rank` dimensions.
  auto overChannels = [&](Value vector, int64_t rank) -> Value {
    if (rank == 1)
      return vector;
    SmallVector<int64_t> shape(rank, 1);
    shape[0] = channels;
    return fuse::createReshape(rewriter, loc, vector, RankedTensorType::get(shape, rewriter.getF32Type()));
  };

  if (StringRef why = getFoldRefusal(op); !why.empty()) {
    int64_t rank = fuse::getRank(op.getX()) - 1;
    Value meanPart = onnx::MulOp::create(rewriter, loc, type, op.getInputMean(), factor);
    Value shift = onnx::SubOp::create(rewriter, loc, type, op.getB(), meanPart);
    Type result = op.getY().getType();
    Value scaled = onnx::MulOp::create(rewriter, loc, result, op.getX(), overChannels(factor, rank));
    Value shifted = onnx::AddOp::create(rewriter, loc, result, scaled, overChannels(shift, rank));
    fuse::missed(op, "BatchNormIntoConv") << remark::reason("{0}; became a product and a sum", why);
    rewriter.replaceAllUsesWith(op.getY(), shifted);
    rewriter.eraseOp(op);
    return success();
  }

  auto conv = op.getX().getDefiningOp<onnx::ConvOp>();
  Value weight = onnx::MulOp::create(rewriter, loc, conv.getW().getType(), conv.getW(),
                                     overChannels(factor, fuse::getRank(conv.getW())));
  Value centred;
  if (conv.getB())
    centred = onnx::SubOp::create(rewriter, loc, type, conv.getB(), op.getInputMean());
  else
    centred = onnx::NegOp::create(rewriter, loc, type, op.getInputMean());
  Value scaled = onnx::MulOp::create(rewriter, loc, type, centred, factor);
  Value bias = onnx::AddOp::create(rewriter, loc, type, scaled, op.getB());
  auto folded = onnx::ConvOp::create(rewriter, loc, TypeRange{op.getY().getType()}, ValueRange{conv.getX(), weight, bias},
                                     conv->getAttrs());
  fuse::passed(conv, "BatchNormIntoConv") << remark::metric("Channels", channels);
  rewriter.replaceAllUsesWith(op.getY(), folded.getY());
  rewriter.eraseOp(op);
  rewriter.eraseOp(conv);
  return success();
}

namespace {
struct FuseConvBatchNorm : lathe::impl::FuseConvBatchNormBase<FuseConvBatchNorm> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add(foldBatchNorm);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      return signalPassFailure();
    getOperation().walk([](onnx::BatchNormalizationOp op) {
      fuse::missed(op, "BatchNormIntoConv") << remark::reason("{0}", getRefusal(op));
    });
  }
};
} // namespace

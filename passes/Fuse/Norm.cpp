//===- Norm.cpp - Recognises LayerNorm and RMSNorm ------------------------===//
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/Fuse/NormPatterns.h"
#include "passes/Fuse/Passes.h"
#include "passes/Fuse/Utils.h"

namespace lathe {
#define GEN_PASS_DEF_FUSENORM
#include "passes/Fuse/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

/// What a reduction over the last dimension, keeping it, averages; null if `value` is none.
static Value getMeanOperand(Value value) {
  auto mean = value.getDefiningOp<onnx::ReduceMeanOp>();
  if (!mean || mean.getKeepdims() != 1)
    return {};
  std::optional<SmallVector<int64_t>> axes = fuse::getInts(mean.getAxes());
  int64_t rank = fuse::getRank(mean.getData());
  if (!axes || axes->size() != 1 || ((*axes)[0] != -1 && (*axes)[0] != rank - 1))
    return {};
  return mean.getData();
}

/// What `value` is the square of; null if it is no square.
static Value getSquared(Value value) {
  if (auto power = value.getDefiningOp<onnx::PowOp>())
    return fuse::isScalarNear(power.getY(), 2.0) ? power.getX() : Value();
  if (auto product = value.getDefiningOp<onnx::MulOp>())
    return product.getA() == product.getB() ? product.getA() : Value();
  return {};
}

namespace {
/// x times, or divided by, the root of something.
struct RootQuotient {
  Value x, radicand;
};
} // namespace

/// Reads sqrt(v), or v to the power of one half; null if `value` is neither.
static Value getRadicand(Value value, double exponent = 0.5) {
  if (auto root = value.getDefiningOp<onnx::SqrtOp>(); root && exponent == 0.5)
    return root.getX();
  if (auto power = value.getDefiningOp<onnx::PowOp>(); power && fuse::isScalarNear(power.getY(), exponent))
    return power.getX();
  return {};
}

/// Reads 1 / sqrt(v) in any of its spellings.
static Value getInverseRadicand(Value value) {
  if (auto reciprocal = value.getDefiningOp<onnx::ReciprocalOp>())
    return getRadicand(reciprocal.getX());
  if (auto quotient = value.getDefiningOp<onnx::DivOp>())
    return fuse::isScalarNear(quotient.getA(), 1.0) ? getRadicand(quotient.getB()) : Value();
  return getRadicand(value, -0.5);
}

static std::optional<RootQuotient> matchRootQuotient(Operation *op) {
  if (auto quotient = dyn_cast<onnx::DivOp>(op)) {
    if (Value radicand = getRadicand(quotient.getB()))
      return RootQuotient{quotient.getA(), radicand};
    return std::nullopt;
  }
  for (unsigned i = 0; i < 2; ++i)
    if (Value radicand = getInverseRadicand(op->getOperand(i)))
      return RootQuotient{op->getOperand(1 - i), radicand};
  return std::nullopt;
}

namespace {
/// x / sqrt(mean(squared^2) + epsilon).
struct MeanQuotient {
  Value x, mean, squared;
  float epsilon;
};
} // namespace

static std::optional<MeanQuotient> matchMeanQuotient(Operation *op) {
  std::optional<RootQuotient> quotient = matchRootQuotient(op);
  auto sum = quotient ? quotient->radicand.getDefiningOp<onnx::AddOp>() : nullptr;
  if (!sum || !fuse::isF32(sum.getC()))
    return std::nullopt;
  for (unsigned i = 0; i < 2; ++i) {
    std::optional<float> epsilon = fuse::getScalar(sum->getOperand(1 - i));
    auto mean = sum->getOperand(i).getDefiningOp<onnx::ReduceMeanOp>();
    Value squared = epsilon && mean ? getSquared(mean.getData()) : Value();
    if (squared)
      return MeanQuotient{quotient->x, mean, squared, *epsilon};
  }
  return std::nullopt;
}

/// What `value` is less its mean; null if it is no such difference.
static Value getUncentred(Value value) {
  auto centred = value.getDefiningOp<onnx::SubOp>();
  return centred && getMeanOperand(centred.getB()) == centred.getA() ? centred.getA() : Value();
}

/// Why the quotient is no norm; empty if it is one.
static StringRef getRefusal(Operation *op, const MeanQuotient &quotient) {
  if (!fuse::haveSameShape(op->getResult(0), quotient.x))
    return "the root enlarges what is divided";
  if (!getMeanOperand(quotient.mean))
    return "not over the last dimension alone";
  // Exporters may compute x - mean twice.
  Value uncentred = getUncentred(quotient.x);
  if (quotient.squared != quotient.x && !(uncentred && getUncentred(quotient.squared) == uncentred))
    return "the mean square is of another value";
  return {};
}

/// x / sqrt(mean(x^2) + epsilon), where x may be a centred value, becomes a norm without scale and bias.
template <typename OpT>
static LogicalResult matchNorm(OpT op, PatternRewriter &rewriter) {
  std::optional<MeanQuotient> quotient = matchMeanQuotient(op);
  if (!quotient)
    return rewriter.notifyMatchFailure(op, "does not divide by the root of a mean square");
  if (StringRef why = getRefusal(op, *quotient); !why.empty())
    return rewriter.notifyMatchFailure(op, why);
  Value uncentred = getUncentred(quotient->x);
  nn::NormKind kind = uncentred ? nn::NormKind::Layer : nn::NormKind::RMS;
  fuse::passed(op, "Norm") << remark::metric("Kind", nn::stringifyNormKind(kind));
  rewriter.replaceOpWithNewOp<nn::NormOp>(op, op.getResult().getType(), uncentred ? uncentred : quotient->x, Value(),
                                          Value(), Value(), kind, APFloat(quotient->epsilon));
  return success();
}

/// The operand as a vector over the last dimension of `type`; null if it is none.
static Value getVector(PatternRewriter &rewriter, Location loc, Value value, RankedTensorType type) {
  RankedTensorType own = fuse::getType(value);
  int64_t size = type.getShape().back();
  if (!own || own.getRank() < 1 || own.getRank() > type.getRank() || ShapedType::isDynamic(size) ||
      own.getShape().back() != size || !own.getElementType().isF32() || !own.hasStaticShape() || own.getNumElements() != size)
    return {};
  if (own.getRank() == 1)
    return value;
  return fuse::createReshape(rewriter, loc, value, RankedTensorType::get({size}, own.getElementType()));
}

/// A product or sum after a norm becomes its scale or bias.
template <typename OpT>
static LogicalResult takeParameter(OpT op, PatternRewriter &rewriter) {
  constexpr bool isScale = std::is_same_v<OpT, onnx::MulOp>;
  for (unsigned i = 0; i < 2; ++i) {
    auto norm = op->getOperand(i).template getDefiningOp<nn::NormOp>();
    if (!norm || !norm->hasOneUse() || norm.getBias() || norm.getInit() || norm.getResult().getType() != op.getResult().getType())
      continue;
    if (isScale ? bool(norm.getScale()) : norm.getKind() != nn::NormKind::Layer)
      continue;
    Value vector = getVector(rewriter, op.getLoc(), op->getOperand(1 - i), fuse::getType(op.getResult()));
    if (!vector)
      continue;
    rewriter.replaceOpWithNewOp<nn::NormOp>(op, op.getResult().getType(), norm.getInput(),
                                            isScale ? vector : norm.getScale(), isScale ? Value() : vector, Value(),
                                            norm.getKind(), norm.getEpsilon());
    rewriter.eraseOp(norm);
    return success();
  }
  return rewriter.notifyMatchFailure(op, "no operand is a norm that lacks the other one as its scale or bias");
}

static StringRef getRefusal(onnx::LayerNormalizationOp op) {
  int64_t rank = fuse::getRank(op.getX());
  if (rank < 1 || !fuse::isF32(op.getX()) || !fuse::isF32(op.getScale()) || (op.getB() && !fuse::isF32(op.getB())))
    return "expected f32 tensors of rank 1 or more";
  if ((op.getMean() && !op.getMean().use_empty()) || (op.getInvStdDev() && !op.getInvStdDev().use_empty()))
    return "mean or deviation are used";
  if (int64_t axis = op.getAxis(); axis != -1 && axis != rank - 1)
    return "not over the last dimension alone";
  for (Value parameter : {op.getScale(), op.getB()})
    if (parameter && (fuse::getRank(parameter) != 1 ||
                      fuse::getType(parameter).getShape().back() != fuse::getType(op.getX()).getShape().back()))
      return "scale or bias are no vectors over the last dimension";
  return {};
}

static LogicalResult convertLayerNorm(onnx::LayerNormalizationOp op, PatternRewriter &rewriter) {
  if (StringRef why = getRefusal(op); !why.empty())
    return rewriter.notifyMatchFailure(op, why);
  Value norm = nn::NormOp::create(rewriter, op.getLoc(), op.getY().getType(), op.getX(), op.getScale(), op.getB(), Value(),
                                  nn::NormKind::Layer, op.getEpsilon())
                   .getResult();
  fuse::passed(op, "Norm") << remark::metric("Kind", nn::stringifyNormKind(nn::NormKind::Layer));
  rewriter.replaceAllUsesWith(op.getY(), norm);
  rewriter.eraseOp(op);
  return success();
}

/// Why an op that is left computes a norm without being one of nn; empty for any other op.
static StringRef getObstacle(Operation *op) {
  if (auto norm = dyn_cast<onnx::LayerNormalizationOp>(op))
    return getRefusal(norm);
  if (!isa<onnx::DivOp, onnx::MulOp>(op))
    return getChannelNormRefusal(op);
  std::optional<MeanQuotient> quotient = matchMeanQuotient(op);
  return quotient ? getRefusal(op, *quotient) : StringRef();
}

namespace {
struct FuseNorm : lathe::impl::FuseNormBase<FuseNorm> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add(convertLayerNorm);
    patterns.add(matchNorm<onnx::DivOp>);
    patterns.add(matchNorm<onnx::MulOp>);
    patterns.add(takeParameter<onnx::MulOp>);
    patterns.add(takeParameter<onnx::AddOp>);
    addChannelNorms(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      return signalPassFailure();
    getOperation().walk([](Operation *op) {
      if (StringRef why = getObstacle(op); !why.empty())
        fuse::missed(op, "Norm") << remark::reason("{0}", why);
    });
  }
};
} // namespace

//===- ExpandMath.cpp - Transcendental functions as polynomials -----------===//
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/Codegen/Common/Functions/Functions.h"
#include "passes/Codegen/Passes.h"

namespace lathe {
#define GEN_PASS_DEF_EXPANDMATHPASS
#include "passes/Codegen/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

/// ONNX does not say which of two zeros is the larger one, and some machines take three instructions to tell.
static void ignoreSignOfZero(Operation *op) {
  if (!isa<arith::MaximumFOp, arith::MinimumFOp>(op))
    return;
  auto interface = cast<arith::ArithFastMathInterface>(op);
  arith::FastMathFlags flags = interface.getFastMathFlagsAttr().getValue();
  op->setAttr(interface.getFastMathAttrName(),
              arith::FastMathFlagsAttr::get(op->getContext(), flags | arith::FastMathFlags::nsz));
}

namespace {

/// Functions on f16 and bf16 are computed on f32: the polynomials are for f32.
struct WidenToF32 : RewritePattern {
  explicit WidenToF32(MLIRContext *context) : RewritePattern(MatchAnyOpTypeTag(), 1, context) {}

  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    if (!isa_and_nonnull<math::MathDialect>(op->getDialect()) || op->getNumResults() != 1)
      return failure();
    Type type = op->getResult(0).getType();
    Type element = getElementTypeOrSelf(type);
    if (!element.isF16() && !element.isBF16())
      return failure();
    auto widen = [&](Type narrow) -> Type {
      if (auto shaped = dyn_cast<VectorType>(narrow))
        return shaped.clone(rewriter.getF32Type());
      return rewriter.getF32Type();
    };
    SmallVector<Value> operands;
    for (Value operand : op->getOperands()) {
      Type inner = getElementTypeOrSelf(operand.getType());
      operands.push_back(
          isa<FloatType>(inner)
              ? arith::ExtFOp::create(rewriter, op->getLoc(), widen(operand.getType()), operand).getResult()
              : operand);
    }
    OperationState state(op->getLoc(), op->getName(), operands, {widen(type)}, op->getAttrs());
    Operation *wide = rewriter.create(state);
    rewriter.replaceOpWithNewOp<arith::TruncFOp>(op, type, wide->getResult(0));
    return success();
  }
};

/// A function of f32 becomes what `emit` emits.
template <typename OpT, Value (*emit)(codegen::FloatBuilder &, Value)>
struct ExpandFunction : OpRewritePattern<OpT> {
  ExpandFunction(MLIRContext *context, const codegen::FloatTarget &target)
      : OpRewritePattern<OpT>(context, /*benefit=*/2), target(target) {}

  LogicalResult matchAndRewrite(OpT op, PatternRewriter &rewriter) const override {
    if (!getElementTypeOrSelf(op.getType()).isF32())
      return rewriter.notifyMatchFailure(op, "is not on f32");
    codegen::FloatBuilder builder(rewriter, op.getLoc(), target);
    rewriter.replaceOp(op, emit(builder, op.getOperand()));
    return success();
  }

  codegen::FloatTarget target;
};

/// erf, and a rough one where the op allows approximations.
struct ExpandErf : OpRewritePattern<math::ErfOp> {
  ExpandErf(MLIRContext *context, const codegen::FloatTarget &target)
      : OpRewritePattern(context, /*benefit=*/2), target(target) {}

  LogicalResult matchAndRewrite(math::ErfOp op, PatternRewriter &rewriter) const override {
    if (!getElementTypeOrSelf(op.getType()).isF32())
      return rewriter.notifyMatchFailure(op, "is not on f32");
    codegen::FloatBuilder builder(rewriter, op.getLoc(), target);
    bool isRough = bitEnumContainsAll(op.getFastmath(), arith::FastMathFlags::afn);
    rewriter.replaceOp(op, (isRough ? codegen::emitRoughErf : codegen::emitErf)(builder, op.getOperand()));
    return success();
  }

  codegen::FloatTarget target;
};

struct ExpandPow : OpRewritePattern<math::PowFOp> {
  ExpandPow(MLIRContext *context, const codegen::FloatTarget &target)
      : OpRewritePattern(context, /*benefit=*/2), target(target) {}

  LogicalResult matchAndRewrite(math::PowFOp op, PatternRewriter &rewriter) const override {
    if (!getElementTypeOrSelf(op.getType()).isF32())
      return rewriter.notifyMatchFailure(op, "is not on f32");
    codegen::FloatBuilder builder(rewriter, op.getLoc(), target);
    rewriter.replaceOp(op, codegen::emitPow(builder, op.getLhs(), op.getRhs()));
    return success();
  }

  codegen::FloatTarget target;
};

/// A conversion between f16 and f32 becomes what `emit` emits; LLVM would call a function for it.
template <typename OpT, Value (*emit)(codegen::FloatBuilder &, Value)>
struct ExpandHalf : OpRewritePattern<OpT> {
  ExpandHalf(MLIRContext *context, const codegen::FloatTarget &target)
      : OpRewritePattern<OpT>(context), target(target) {}

  LogicalResult matchAndRewrite(OpT op, PatternRewriter &rewriter) const override {
    Type from = getElementTypeOrSelf(op.getIn().getType()), to = getElementTypeOrSelf(op.getType());
    if (!(from.isF16() && to.isF32()) && !(from.isF32() && to.isF16()))
      return rewriter.notifyMatchFailure(op, "is not between f16 and f32");
    codegen::FloatBuilder builder(rewriter, op.getLoc(), target);
    rewriter.replaceOp(op, emit(builder, op.getIn()));
    return success();
  }

  codegen::FloatTarget target;
};

/// e^x - 1 keeps its digits for small x, and takes no longer than e^x.
struct FoldExpMinusOne : OpRewritePattern<arith::SubFOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(arith::SubFOp op, PatternRewriter &rewriter) const override {
    auto exp = op.getLhs().getDefiningOp<math::ExpOp>();
    if (!exp || !exp->hasOneUse() || !matchPattern(op.getRhs(), m_OneFloat()))
      return rewriter.notifyMatchFailure(op, "is not exp(x) - 1");
    rewriter.replaceOpWithNewOp<math::ExpM1Op>(op, exp.getOperand());
    rewriter.eraseOp(exp);
    return success();
  }
};

/// x / (1 + e^y), x * (1 / (1 + e^y)) among them, takes fewer operations where the target has instructions for it.
struct ExpandLogistic : OpRewritePattern<arith::DivFOp> {
  ExpandLogistic(MLIRContext *context, const codegen::FloatTarget &target)
      : OpRewritePattern(context), target(target) {}

  LogicalResult matchAndRewrite(arith::DivFOp op, PatternRewriter &rewriter) const override {
    codegen::FloatBuilder builder(rewriter, op.getLoc(), target);
    auto sum = op.getRhs().getDefiningOp<arith::AddFOp>();
    if (!builder.hasInstructions(op) || !sum)
      return rewriter.notifyMatchFailure(op, "is not x / (a + b), or no vector that the target has instructions for");
    bool isOneFirst = matchPattern(sum.getLhs(), m_OneFloat());
    auto exp = (isOneFirst ? sum.getRhs() : sum.getLhs()).getDefiningOp<math::ExpOp>();
    if (!exp || !(isOneFirst || matchPattern(sum.getRhs(), m_OneFloat())))
      return rewriter.notifyMatchFailure(op, "is not x / (1 + exp(y))");
    Operation *root = op;
    Value numerator = op.getLhs();
    if (auto product = op->hasOneUse() ? dyn_cast<arith::MulFOp>(*op->user_begin()) : nullptr;
        product && matchPattern(numerator, m_OneFloat())) {
      root = product;
      numerator = product.getLhs() == op ? product.getRhs() : product.getLhs();
      rewriter.setInsertionPoint(product);
    }
    rewriter.replaceOp(root, codegen::emitLogistic(builder, numerator, exp.getOperand()));
    return success();
  }

  codegen::FloatTarget target;
};

struct ExpandMathPass : lathe::impl::ExpandMathPassBase<ExpandMathPass> {
  void runOnOperation() override {
    MLIRContext *context = &getContext();
    nn::TargetAttr target = nn::getTarget(getOperation());
    codegen::FloatTarget floats = codegen::getFloatTarget(target);
    {
      RewritePatternSet patterns(context);
      patterns.add<WidenToF32, FoldExpMinusOne>(context);
      patterns.add<ExpandLogistic>(context, floats);
      if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
        return signalPassFailure();
    }
    RewritePatternSet patterns(context);
    if (!codegen::hasHalfConversions(target))
      patterns.add<ExpandHalf<arith::ExtFOp, codegen::emitHalfToFloat>,
                   ExpandHalf<arith::TruncFOp, codegen::emitFloatToHalf>>(context, floats);
    patterns.add<ExpandFunction<math::ExpOp, codegen::emitExp>, ExpandFunction<math::ExpM1Op, codegen::emitExpM1>,
                 ExpandFunction<math::SinhOp, codegen::emitSinh>, ExpandFunction<math::CoshOp, codegen::emitCosh>,
                 ExpandFunction<math::TanhOp, codegen::emitTanh>, ExpandFunction<math::LogOp, codegen::emitLog>,
                 ExpandFunction<math::Log1pOp, codegen::emitLog1p>, ExpandErf,
                 ExpandFunction<math::SinOp, codegen::emitSin>, ExpandFunction<math::CosOp, codegen::emitCos>,
                 ExpandFunction<math::TanOp, codegen::emitTan>, ExpandFunction<math::AsinOp, codegen::emitAsin>,
                 ExpandFunction<math::AcosOp, codegen::emitAcos>, ExpandFunction<math::AtanOp, codegen::emitAtan>,
                 ExpandFunction<math::AsinhOp, codegen::emitAsinh>, ExpandFunction<math::AcoshOp, codegen::emitAcosh>,
                 ExpandFunction<math::AtanhOp, codegen::emitAtanh>, ExpandPow>(context, floats);
    // What is made of other functions; floor, ceil and the like are single instructions and stay, and functions of f64
    // that libm has are more exact there.
    math::populateExpansionPatterns(patterns, {"exp2", "fpowi", "ipowi", "rsqrt", "clampf"});
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      return signalPassFailure();
    getOperation().walk([](Operation *op) { ignoreSignOfZero(op); });
  }
};

} // namespace

//===- ExpandMath.cpp - Transcendental functions as polynomials -----------===//
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Approximation.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/Codegen/Common/SinCos.h"
#include "passes/Codegen/Passes.h"

namespace lathe {
#define GEN_PASS_DEF_EXPANDMATHPASS
#include "passes/Codegen/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

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
              ? arith::ExtFOp::create(rewriter, op->getLoc(), widen(operand.getType()), operand)
                    .getResult()
              : operand);
    }
    OperationState state(op->getLoc(), op->getName(), operands, {widen(type)}, op->getAttrs());
    Operation *wide = rewriter.create(state);
    rewriter.replaceOpWithNewOp<arith::TruncFOp>(op, type, wide->getResult(0));
    return success();
  }
};

struct ExpandMathPass : lathe::impl::ExpandMathPassBase<ExpandMathPass> {
  void runOnOperation() override {
    MLIRContext *context = &getContext();
    {
      RewritePatternSet patterns(context);
      patterns.add<WidenToF32>(context);
      if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
        return signalPassFailure();
    }
    RewritePatternSet patterns(context);
    // Functions that are made of others first; floor, ceil and the like are single instructions and
    // stay.
    math::populateExpansionPatterns(patterns, {"sinh", "cosh", "tan", "asinh", "acosh", "atanh",
                                               "exp2", "powf", "fpowi", "ipowi", "rsqrt", "clampf",
                                               "log1p", "expm1"});
    codegen::populateSinCosPatterns(patterns);
    populateMathPolynomialApproximationPatterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace

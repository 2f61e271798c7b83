//===- Activation.cpp - Recognises activations spelled out ----------------===//
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/Fuse/Passes.h"
#include "passes/Fuse/Utils.h"

namespace lathe {
#define GEN_PASS_DEF_FUSEACTIVATION
#include "passes/Fuse/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

namespace {
/// A product taken apart: its factors that are no constants, and the product of those that are.
struct Product {
  SmallVector<Value> factors;
  double scale = 1.0;
};
} // namespace

/// Takes products and quotients by constants apart, into at most four factors.
static void collect(Value value, Product &product, unsigned depth = 4) {
  if (std::optional<float> scalar = fuse::getScalar(value)) {
    product.scale *= *scalar;
    return;
  }
  if (depth > 0) {
    if (auto mul = value.getDefiningOp<onnx::MulOp>()) {
      collect(mul.getA(), product, depth - 1);
      collect(mul.getB(), product, depth - 1);
      return;
    }
    if (auto div = value.getDefiningOp<onnx::DivOp>())
      if (std::optional<float> divisor = fuse::getScalar(div.getB()); divisor && *divisor != 0.0f) {
        product.scale /= *divisor;
        collect(div.getA(), product, depth - 1);
        return;
      }
  }
  product.factors.push_back(value);
}

static bool isNear(double a, double b) { return std::abs(a - b) <= 1e-3 * std::abs(b); }

/// Reads value = other + constant.
static Value getAddend(Value value, double constant) {
  auto add = value.getDefiningOp<onnx::AddOp>();
  if (!add)
    return {};
  if (fuse::isScalarNear(add.getB(), constant))
    return add.getA();
  return fuse::isScalarNear(add.getA(), constant) ? add.getB() : Value();
}

/// Whether `value` is x times `scale`.
static bool isMultiple(Value value, Value x, double scale) {
  Product product;
  collect(value, product);
  return product.factors.size() == 1 && product.factors[0] == x && isNear(product.scale, scale);
}

/// Whether `value` is x^3 times `scale`.
static bool isCube(Value value, Value x, double scale) {
  Product product;
  collect(value, product);
  if (!isNear(product.scale, scale))
    return false;
  if (product.factors.size() == 1) {
    auto power = product.factors[0].getDefiningOp<onnx::PowOp>();
    return power && power.getX() == x && fuse::isScalarNear(power.getY(), 3.0);
  }
  if (product.factors.size() == 2)
    for (unsigned i = 0; i < 2; ++i)
      if (auto power = product.factors[i].getDefiningOp<onnx::PowOp>())
        return power.getX() == x && fuse::isScalarNear(power.getY(), 2.0) && product.factors[1 - i] == x;
  return product.factors.size() == 3 && llvm::all_of(product.factors, [&](Value v) { return v == x; });
}

/// Whether `value` is sqrt(2 / pi) * (x + 0.044715 * x^3), or the same with x factored out.
static bool isTanhArgument(Value value, Value x) {
  constexpr double root = 0.7978845608028654, cubic = 0.044715;
  Product product;
  collect(value, product);
  if (!isNear(product.scale, root))
    return false;
  if (product.factors.size() == 1) {
    auto sum = product.factors[0].getDefiningOp<onnx::AddOp>();
    return sum && ((sum.getA() == x && isCube(sum.getB(), x, cubic)) || (sum.getB() == x && isCube(sum.getA(), x, cubic)));
  }
  if (product.factors.size() != 2)
    return false;
  for (unsigned i = 0; i < 2; ++i) {
    Value addend = product.factors[i] == x ? getAddend(product.factors[1 - i], 1.0) : Value();
    if (!addend)
      continue;
    Product square;
    collect(addend, square);
    if (!isNear(square.scale, cubic))
      return false;
    if (square.factors.size() == 2)
      return square.factors[0] == x && square.factors[1] == x;
    auto power = square.factors.size() == 1 ? square.factors[0].getDefiningOp<onnx::PowOp>() : nullptr;
    return power && power.getX() == x && fuse::isScalarNear(power.getY(), 2.0);
  }
  return false;
}

/// 0.5 * x * (1 + erf(x / sqrt(2))), or with tanh, in any order of factors.
template <typename OpT>
static LogicalResult matchGelu(OpT op, PatternRewriter &rewriter) {
  if (!fuse::isF32(op.getResult()))
    return rewriter.notifyMatchFailure(op, "is not on f32");
  Product product;
  collect(op.getResult(), product);
  if (product.factors.size() != 2 || !isNear(product.scale, 0.5))
    return rewriter.notifyMatchFailure(op, "is not half the product of two values");
  for (unsigned i = 0; i < 2; ++i) {
    Value x = product.factors[i], inner = getAddend(product.factors[1 - i], 1.0);
    if (!inner || !fuse::haveSameShape(x, op.getResult()))
      continue;
    StringRef approximate;
    if (auto erf = inner.getDefiningOp<onnx::ErfOp>(); erf && isMultiple(erf->getOperand(0), x, 0.7071067811865476))
      approximate = "none";
    else if (auto tanh = inner.getDefiningOp<onnx::TanhOp>(); tanh && isTanhArgument(tanh->getOperand(0), x))
      approximate = "tanh";
    else
      continue;
    fuse::passed(op, "Activation") << remark::metric("Kind", "Gelu") << remark::metric("Approximate", approximate);
    rewriter.replaceOpWithNewOp<onnx::GeluOp>(op, op.getResult().getType(), x, approximate);
    return success();
  }
  return rewriter.notifyMatchFailure(op, "no factor is 1 plus erf or tanh of the other one, scaled as in a GELU");
}

/// Whether `value` is clip(x + 3, 0, 6) times a scale, which is returned.
static bool isShiftedClip(Value value, Value x) {
  auto clip = value.getDefiningOp<onnx::ClipOp>();
  return clip && fuse::isScalarNear(clip.getMax(), 6.0) && clip.getMin() && fuse::getScalar(clip.getMin()) == 0.0f &&
         getAddend(clip.getInput(), 3.0) == x;
}

/// x * hardsigmoid(x) with a slope of 1/6, or x * clip(x + 3, 0, 6) / 6.
template <typename OpT>
static LogicalResult matchHardSwish(OpT op, PatternRewriter &rewriter) {
  if (!fuse::isF32(op.getResult()))
    return rewriter.notifyMatchFailure(op, "is not on f32");
  Product product;
  collect(op.getResult(), product);
  if (product.factors.size() != 2)
    return rewriter.notifyMatchFailure(op, "is not the product of two values");
  for (unsigned i = 0; i < 2; ++i) {
    Value x = product.factors[i], gate = product.factors[1 - i];
    auto sigmoid = gate.getDefiningOp<onnx::HardSigmoidOp>();
    bool isSigmoid = sigmoid && sigmoid.getX() == x && isNear(sigmoid.getAlpha().convertToFloat(), 1.0 / 6) &&
                     isNear(sigmoid.getBeta().convertToFloat(), 0.5) && product.scale == 1.0;
    if (!isSigmoid && !(isShiftedClip(gate, x) && isNear(product.scale, 1.0 / 6)))
      continue;
    fuse::passed(op, "Activation") << remark::metric("Kind", "HardSwish");
    rewriter.replaceOpWithNewOp<onnx::HardSwishOp>(op, op.getResult().getType(), x);
    return success();
  }
  return rewriter.notifyMatchFailure(op, "no factor is a hard sigmoid of the other one with a slope of 1/6");
}

namespace {
struct FuseActivation : lathe::impl::FuseActivationBase<FuseActivation> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add(matchGelu<onnx::MulOp>);
    patterns.add(matchGelu<onnx::DivOp>);
    patterns.add(matchHardSwish<onnx::MulOp>);
    patterns.add(matchHardSwish<onnx::DivOp>);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      return signalPassFailure();
    getOperation().walk([](onnx::ErfOp op) {
      StringRef why = fuse::isF32(op->getResult(0)) ? "erf is not part of a GELU" : "erf is not on f32";
      fuse::missed(op, "Activation") << remark::reason("{0}", why);
    });
  }
};
} // namespace

//===- SinCos.cpp - Sine and cosine of f32 as polynomials -----------------===//
#include "passes/Codegen/Common/SinCos.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

using namespace mlir;
using namespace lathe;

// pi / 2 as a number of 33 bits, which times a quotient below 2^20 is exact in f64, and the rest.
static constexpr double kHalfPiHigh = 1.57079632673412561417,
                        kHalfPiLow = 6.07710050650619224932e-11;
static constexpr double kTwoOverPi = 0.63661977236758134308;
/// Quotients are clamped to this: larger ones have no exact multiple of pi / 2 and must not leave
/// i32.
static constexpr double kLargestQuotient = 1073741824.0;

namespace {

/// x = n * pi/2 + r: the octant decides which of the two polynomials in r is taken, and its sign.
template <typename OpT, int32_t octantShift>
struct ExpandSinCos : OpRewritePattern<OpT> {
  using OpRewritePattern<OpT>::OpRewritePattern;

  LogicalResult matchAndRewrite(OpT op, PatternRewriter &rewriter) const override {
    Type type = op.getType();
    if (!getElementTypeOrSelf(type).isF32())
      return failure();
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    auto like = [&](Type element) -> Type {
      auto vector = dyn_cast<VectorType>(type);
      return vector ? vector.clone(element) : element;
    };
    auto constant = [&](Type element, auto value) -> Value {
      TypedAttr attr;
      if (isa<FloatType>(element))
        attr = b.getFloatAttr(element, double(value));
      else
        attr = b.getIntegerAttr(element, int64_t(value));
      if (auto vector = dyn_cast<VectorType>(like(element)))
        attr = DenseElementsAttr::get(vector, Attribute(attr));
      return arith::ConstantOp::create(b, attr);
    };
    Type f32 = b.getF32Type(), f64 = b.getF64Type(), i32 = b.getI32Type();
    auto mul = [&](Value x, Value y) -> Value { return arith::MulFOp::create(b, x, y); };
    auto fma = [&](Value x, Value y, Value z) -> Value { return math::FmaOp::create(b, x, y, z); };

    Value x = op.getOperand();
    Value wide = arith::ExtFOp::create(b, like(f64), x);
    Value quotient = math::RoundEvenOp::create(b, mul(wide, constant(f64, kTwoOverPi)));
    quotient = arith::MaxNumFOp::create(b, quotient, constant(f64, -kLargestQuotient));
    quotient = arith::MinNumFOp::create(b, quotient, constant(f64, kLargestQuotient));
    Value rest = fma(quotient, constant(f64, -kHalfPiHigh), wide);
    rest = fma(quotient, constant(f64, -kHalfPiLow), rest);
    Value r = arith::TruncFOp::create(b, like(f32), rest);
    Value octant = arith::FPToSIOp::create(b, like(i32), quotient);
    if (octantShift)
      octant = arith::AddIOp::create(b, octant, constant(i32, octantShift));

    // Least-squares fits on |r| <= pi/4, weighted to an even error.
    Value square = mul(r, r);
    Value sine = fma(square, constant(f32, -1.9517298e-4), constant(f32, 8.3321608e-3));
    sine = fma(square, sine, constant(f32, -1.6666655e-1));
    sine = fma(mul(square, r), sine, r);
    Value cosine = fma(square, constant(f32, 2.4437730e-5), constant(f32, -1.3887361e-3));
    cosine = fma(square, cosine, constant(f32, 4.1666647e-2));
    cosine = fma(square, cosine, constant(f32, -0.5));
    cosine = fma(square, cosine, constant(f32, 1.0));

    Value zero = constant(i32, 0);
    auto hasBit = [&](int32_t bit) -> Value {
      return arith::CmpIOp::create(b, arith::CmpIPredicate::ne,
                                   arith::AndIOp::create(b, octant, constant(i32, bit)), zero);
    };
    Value result = arith::SelectOp::create(b, hasBit(1), cosine, sine);
    result = arith::SelectOp::create(b, hasBit(2), arith::NegFOp::create(b, result), result);
    // Infinities give NaN here, all other numbers themselves: x - x is 0.
    result = arith::MinimumFOp::create(b, result, constant(f32, 1.0));
    result = arith::MaximumFOp::create(b, result, constant(f32, -1.0));
    rewriter.replaceOp(op, arith::AddFOp::create(b, result, arith::SubFOp::create(b, x, x)));
    return success();
  }
};

} // namespace

void codegen::populateSinCosPatterns(RewritePatternSet &patterns) {
  patterns.add<ExpandSinCos<math::SinOp, 0>, ExpandSinCos<math::CosOp, 1>>(patterns.getContext(),
                                                                           /*benefit=*/5);
}

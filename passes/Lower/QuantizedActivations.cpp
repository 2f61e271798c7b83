//===- QuantizedActivations.cpp - Activations of which 8 bits are kept ----===//
#include "passes/Lower/QuantizedActivations.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "passes/Lower/QuantizedScalars.h"
#include <cmath>

using namespace mlir;
using namespace lathe;

Value lathe::skipImpliedBounds(Value value, quant::UniformQuantizedType type) {
  FloatAttr bound;
  while (Operation *op = value.getDefiningOp()) {
    if (op->getNumOperands() != 2 || !matchPattern(op->getOperand(1), m_Constant(&bound)))
      break;
    float scaled = std::nearbyint(float(bound.getValueAsDouble()) * float(1 / type.getScale()));
    bool low = isa<arith::MaximumFOp>(op) && scaled <= float(type.getStorageTypeMin() - type.getZeroPoint());
    bool high = isa<arith::MinimumFOp>(op) && scaled >= float(type.getStorageTypeMax() - type.getZeroPoint());
    if (!low && !high)
      break;
    value = op->getOperand(0);
  }
  return value;
}

void lathe::roundGelu(Value value) {
  auto product = value.getDefiningOp<arith::MulFOp>();
  if (!product)
    return;
  for (auto [half, sum] :
       {std::pair(product.getLhs(), product.getRhs()), std::pair(product.getRhs(), product.getLhs())}) {
    auto add = sum.getDefiningOp<arith::AddFOp>();
    auto scaled = half.getDefiningOp<arith::MulFOp>();
    if (!add || !scaled || !matchPattern(add.getRhs(), m_OneFloat()))
      continue;
    auto erf = add.getLhs().getDefiningOp<math::ErfOp>();
    auto inner = erf ? erf.getOperand().getDefiningOp<arith::MulFOp>() : arith::MulFOp();
    if (inner && inner.getLhs() == scaled.getLhs())
      erf.setFastmath(erf.getFastmath() | arith::FastMathFlags::afn);
  }
}

/// The constant of `x op constant`, of which x is returned; null where `value` is nothing of the kind.
template <typename OpT>
static Value matchWithConstant(Value value, double &constant) {
  auto op = value.getDefiningOp<OpT>();
  FloatAttr attribute;
  if (!op || !op->hasOneUse() || !matchPattern(op.getRhs(), m_Constant(&attribute)))
    return nullptr;
  constant = attribute.getValueAsDouble();
  return op.getLhs();
}

/// The argument of max(min(t, limit), 0), or of the two the other way round.
static Value matchClamp(Value value, double &limit) {
  double low = 1;
  Value inner = matchWithConstant<arith::MaximumFOp>(value, low);
  Value t = inner ? matchWithConstant<arith::MinimumFOp>(inner, limit) : Value();
  if (!inner && (inner = matchWithConstant<arith::MinimumFOp>(value, limit)))
    t = matchWithConstant<arith::MaximumFOp>(inner, low);
  return low == 0 ? t : Value();
}

std::optional<RampProduct> RampProduct::find(Value value, Value x) {
  auto product = value.getDefiningOp<arith::MulFOp>();
  if (!product || (product.getLhs() == x) == (product.getRhs() == x) || !x.hasNUses(2))
    return std::nullopt;
  RampProduct found = {};
  Value sum = matchClamp(product.getLhs() == x ? product.getRhs() : product.getLhs(), found.limit);
  Value scaled = sum ? matchWithConstant<arith::AddFOp>(sum, found.offset) : Value();
  if (!scaled || matchWithConstant<arith::MulFOp>(scaled, found.slope) != x || !(found.slope > 0) ||
      !(found.offset > 0) || !(found.limit > 0))
    return std::nullopt;
  return found;
}

double RampProduct::getFactor(double scale) const { return std::sqrt(slope / scale); }

Value RampProduct::create(OpBuilder &builder, Location loc, Value scaled, Value scaledOffset, Value scaledLimit,
                          bool isNonNegative) {
  Value zero = arith::ConstantOp::create(builder, loc, builder.getF32FloatAttr(0));
  if (isNonNegative)
    scaled = createAtLeast(builder, loc, scaled, zero);
  Value ramp = createAtMost(builder, loc, arith::AddFOp::create(builder, loc, scaled, scaledOffset), scaledLimit);
  if (!isNonNegative)
    ramp = createAtLeast(builder, loc, ramp, zero);
  return arith::MulFOp::create(builder, loc, scaled, ramp);
}

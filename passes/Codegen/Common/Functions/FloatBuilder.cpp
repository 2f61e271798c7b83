//===- FloatBuilder.cpp - Arithmetic that functions are made of -----------===//
#include "passes/Codegen/Common/Functions/FloatBuilder.h"
#include "lib/Target/TargetFamily.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "passes/Codegen/Common/Functions/Functions.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::codegen;

FloatTarget codegen::getFloatTarget(nn::TargetAttr target) {
  const TargetFamily *family = findTargetFamily(target);
  return family ? FloatTarget{family->hasFma(target), family->getFloatInstructions(target)} : FloatTarget();
}

/// The type of `like` with other elements.
static Type withElement(Type like, Type element) {
  auto vector = dyn_cast<VectorType>(like);
  return vector ? vector.clone(element) : element;
}

Value FloatBuilder::get(Operand operand, Type type) {
  if (operand.value)
    return operand.value;
  Type element = getElementTypeOrSelf(type);
  TypedAttr attr;
  if (isa<FloatType>(element))
    attr = builder.getFloatAttr(element, operand.constant);
  else
    attr = builder.getIntegerAttr(element, int64_t(operand.constant));
  if (auto vector = dyn_cast<VectorType>(type))
    attr = DenseElementsAttr::get(vector, Attribute(attr));
  return arith::ConstantOp::create(builder, loc, attr);
}

/// Creates one of two ops on two operands, by the type of their elements.
template <typename FloatOpT, typename IntOpT>
static Value createBinary(OpBuilder &builder, Location loc, Value a, Value b) {
  if (isa<FloatType>(getElementTypeOrSelf(a.getType())))
    return FloatOpT::create(builder, loc, a, b);
  return IntOpT::create(builder, loc, a, b);
}

Value FloatBuilder::add(Operand a, Operand b) {
  Type type = (a.value ? a : b).value.getType();
  return createBinary<arith::AddFOp, arith::AddIOp>(builder, loc, get(a, type), get(b, type));
}

Value FloatBuilder::sub(Operand a, Operand b) {
  Type type = (a.value ? a : b).value.getType();
  return createBinary<arith::SubFOp, arith::SubIOp>(builder, loc, get(a, type), get(b, type));
}

Value FloatBuilder::mul(Operand a, Operand b) {
  Type type = (a.value ? a : b).value.getType();
  return createBinary<arith::MulFOp, arith::MulIOp>(builder, loc, get(a, type), get(b, type));
}

Value FloatBuilder::div(Operand a, Operand b) {
  Type type = (a.value ? a : b).value.getType();
  return arith::DivFOp::create(builder, loc, get(a, type), get(b, type));
}

Value FloatBuilder::fma(Operand a, Operand b, Operand c) {
  Type type = (a.value ? a : b.value ? b : c).value.getType();
  return math::FmaOp::create(builder, loc, get(a, type), get(b, type), get(c, type));
}

Value FloatBuilder::polynomial(Value x, ArrayRef<double> coefficients) {
  Operand result = coefficients.back();
  for (double coefficient : llvm::reverse(coefficients.drop_back()))
    result = fma(x, result, coefficient);
  return result.value;
}

Value FloatBuilder::abs(Value x) { return math::AbsFOp::create(builder, loc, x); }
Value FloatBuilder::copySign(Value x, Value sign) { return math::CopySignOp::create(builder, loc, x, sign); }

Value FloatBuilder::atLeast(Value x, double limit) { return select(compare(FloatPredicate::OLT, x, limit), limit, x); }
Value FloatBuilder::atMost(Value x, double limit) { return select(compare(FloatPredicate::OGT, x, limit), limit, x); }

Value FloatBuilder::scale(Value x, Value n) {
  ImplicitLocOpBuilder b(loc, builder);
  return instructions->scale(b, x, n);
}

Value FloatBuilder::fraction(Value x) {
  ImplicitLocOpBuilder b(loc, builder);
  return instructions->fraction(b, x);
}

Value FloatBuilder::quotient(Value x, Value y) {
  if (instructions->dividesFast())
    return div(x, y);
  ImplicitLocOpBuilder b(loc, builder);
  Value guess = instructions->approximateReciprocal(b, y);
  // One step of Newton's. The error is no number for infinity: any other leaves the 0.
  Value error = fma(arith::NegFOp::create(b, y).getResult(), guess, 1.0);
  error = select(compare(FloatPredicate::OGT, error, -1.0), error, -1.0);
  Value reciprocal = fma(guess, error, guess);
  return matchPattern(x, m_OneFloat()) ? reciprocal : mul(x, reciprocal);
}

Value FloatBuilder::lookUp(ArrayRef<float> table, Value index) {
  ImplicitLocOpBuilder b(loc, builder);
  return instructions->lookUp(b, table, index);
}

Value FloatBuilder::compare(FloatPredicate predicate, Value a, Operand b) {
  return arith::CmpFOp::create(builder, loc, predicate, a, get(b, a.getType()));
}

Value FloatBuilder::compare(IntPredicate predicate, Value a, Operand b) {
  return arith::CmpIOp::create(builder, loc, predicate, a, get(b, a.getType()));
}

Value FloatBuilder::select(Value condition, Operand a, Operand b) {
  Type type = a.value ? a.value.getType() : b.value ? b.value.getType() : withElement(condition.getType(), f32());
  return arith::SelectOp::create(builder, loc, condition, get(a, type), get(b, type));
}

Value FloatBuilder::bitAnd(Value a, int64_t b) {
  return arith::AndIOp::create(builder, loc, a, get(double(b), a.getType()));
}
Value FloatBuilder::shiftLeft(Value a, int64_t count) {
  return arith::ShLIOp::create(builder, loc, a, get(double(count), a.getType()));
}
Value FloatBuilder::shiftRight(Value a, int64_t count) {
  return arith::ShRSIOp::create(builder, loc, a, get(double(count), a.getType()));
}

Value FloatBuilder::convert(Value x, Type element) {
  Type from = getElementTypeOrSelf(x.getType()), to = withElement(x.getType(), element);
  unsigned fromWidth = from.getIntOrFloatBitWidth(), toWidth = element.getIntOrFloatBitWidth();
  if (isa<IntegerType>(from) && isa<FloatType>(element))
    return arith::SIToFPOp::create(builder, loc, to, x);
  if (isa<IntegerType>(from) && fromWidth < toWidth)
    return arith::ExtSIOp::create(builder, loc, to, x);
  if (isa<IntegerType>(from))
    return arith::TruncIOp::create(builder, loc, to, x);
  if (fromWidth < toWidth)
    return arith::ExtFOp::create(builder, loc, to, x);
  return arith::TruncFOp::create(builder, loc, to, x);
}

Value FloatBuilder::bitcast(Value x, Type element) {
  return arith::BitcastOp::create(builder, loc, withElement(x.getType(), element), x);
}

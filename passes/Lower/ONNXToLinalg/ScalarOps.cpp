//===- ScalarOps.cpp - The scalar meaning of elementwise onnx ops ---------===//
#include "passes/Lower/ONNXToLinalg/ScalarOps.h"
#include "dialects/ONNX/IR/DataTypes.h"
#include "dialects/ONNX/IR/ONNXDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "passes/Lower/ONNXToLinalg/ScalarBuilder.h"
#include "llvm/ADT/StringMap.h"
#include <cmath>

using namespace mlir;
using namespace lathe;

namespace {
/// Emits the body; `x` holds an element of each operand, half-precision ones widened to f32.
using Emitter = Value (*)(ScalarBuilder &s, Operation *op, ValueRange x);
} // namespace

static Value splat(ScalarBuilder &s, Value like, double value) {
  return s.constant(like.getType(), value);
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

template <Value (ScalarBuilder::*method)(Value, Value)>
static Value emitChain(ScalarBuilder &s, Operation *, ValueRange x) {
  Value result = x[0];
  for (Value next : x.drop_front())
    result = (s.*method)(result, next);
  return result;
}

template <typename OpT>
static Value emitUnary(ScalarBuilder &s, Operation *, ValueRange x) {
  return s.make<OpT>({x[0]});
}

template <typename OpT>
static Value emitBinary(ScalarBuilder &s, Operation *, ValueRange x) {
  return s.make<OpT>({x[0], x[1]});
}

static Value emitNot(ScalarBuilder &s, Operation *, ValueRange x) {
  return s.make<arith::XOrIOp>({x[0], splat(s, x[0], -1)});
}

/// Square and multiply over the six bits that matter: with more, any base but 0 and +-1 has overflowed. Parity is kept
/// for -1. What lies between 0 and 1, of a negative exponent, is 0, as a conversion to an integer makes it.
static Value emitIntegerPow(ScalarBuilder &s, Value base, Value exponent) {
  Value zero = splat(s, base, 0), one = splat(s, base, 1), whole = base;
  Value isInverse = s.isUnsigned ? Value() : s.less(exponent, zero);
  if (isInverse)
    exponent = s.select(isInverse, s.sub(zero, exponent), exponent);
  Value parity = s.make<arith::AndIOp>({exponent, one});
  Value large = s.add(splat(s, base, 62), parity);
  exponent = s.max(s.select(s.less(splat(s, base, 63), exponent), large, exponent), zero);
  Value result = one;
  for (int bit = 0; bit < 6; ++bit) {
    Value isSet =
        s.make<arith::AndIOp>({s.make<arith::ShRUIOp>({exponent, splat(s, base, bit)}), one});
    result = s.select(s.equal(isSet, one), s.mul(result, base), result);
    base = s.mul(base, base);
  }
  if (!isInverse)
    return result;
  Value isUnit = s.make<arith::OrIOp>({s.equal(whole, one), s.equal(whole, splat(s, whole, -1))});
  return s.select(isInverse, s.select(isUnit, result, zero), result);
}

static Value emitPow(ScalarBuilder &s, Operation *op, ValueRange x) {
  Value base = x[0], exponent = x[1];
  FloatAttr constant;
  if (s.isFloat(base) && matchPattern(exponent, m_Constant(&constant))) {
    double value = constant.getValueAsDouble();
    if (value == 2.0)
      return s.mul(base, base);
    if (value == 3.0)
      return s.mul(s.mul(base, base), base);
    if (value == 0.5)
      return s.make<math::SqrtOp>({base});
  }
  if (!s.isFloat(base) && matchPattern(exponent, m_Constant(&constant))) {
    // Without rounding on the way, and without a function of f64.
    double value = constant.getValueAsDouble();
    if (value == std::trunc(value) && value >= 0 && value < 64)
      return emitIntegerPow(s, base, splat(s, base, int64_t(value)));
  }
  bool exponentUnsigned = getElementTypeOrSelf(op->getOperand(1)).isUnsignedInteger();
  if (!s.isFloat(base) && !s.isFloat(exponent)) {
    exponent =
        createScalarCast(s.builder, s.loc, exponent, exponentUnsigned, base.getType(), false);
    return emitIntegerPow(s, base, exponent);
  }
  // An integer to a fraction is computed in f64, which holds every 32-bit integer.
  Type type = s.isFloat(base) ? base.getType() : Type(s.builder.getF64Type());
  base = createScalarCast(s.builder, s.loc, base, /*fromUnsigned=*/false, type, false);
  exponent = createScalarCast(s.builder, s.loc, exponent, exponentUnsigned, type, false);
  Value power = s.make<math::PowFOp>({base, exponent});
  return createScalarCast(s.builder, s.loc, power, false, x[0].getType(), false);
}

static Value emitMod(ScalarBuilder &s, Operation *op, ValueRange x) {
  Value remainder = s.rem(x[0], x[1]);
  if (s.isUnsigned || cast<onnx::ModOp>(op).getFmod())
    return remainder;
  // The sign of the divisor, as in Python.
  Value zero = splat(s, x[0], 0);
  Value differs = s.make<arith::XOrIOp>({s.less(remainder, zero), s.less(x[1], zero)});
  Value isZero = s.equal(remainder, zero);
  return s.select(isZero, remainder, s.select(differs, s.add(remainder, x[1]), remainder));
}

static Value emitBitShift(ScalarBuilder &s, Operation *op, ValueRange x) {
  bool left = cast<onnx::BitShiftOp>(op).getDirection() == "LEFT";
  Value shifted = left ? s.make<arith::ShLIOp>(x) : s.make<arith::ShRUIOp>(x);
  Value width = splat(s, x[0], x[0].getType().getIntOrFloatBitWidth());
  return s.select(s.compare(arith::CmpIPredicate::ult, x[1], width), shifted, splat(s, x[0], 0));
}

static Value emitAbs(ScalarBuilder &s, Operation *, ValueRange x) {
  if (s.isUnsigned)
    return x[0];
  return s.isFloat(x[0]) ? s.make<math::AbsFOp>(x) : s.make<math::AbsIOp>(x);
}

static Value emitNeg(ScalarBuilder &s, Operation *, ValueRange x) {
  return s.isFloat(x[0]) ? s.make<arith::NegFOp>(x) : s.sub(splat(s, x[0], 0), x[0]);
}

static Value emitSign(ScalarBuilder &s, Operation *, ValueRange x) {
  Value zero = splat(s, x[0], 0), one = splat(s, x[0], 1);
  if (s.isUnsigned)
    return s.select(s.equal(x[0], zero), zero, one);
  Value negative = s.select(s.less(x[0], zero), splat(s, x[0], -1), x[0]); // 0 and NaN stay
  return s.select(s.less(zero, x[0]), one, negative);
}

static Value emitMean(ScalarBuilder &s, Operation *op, ValueRange x) {
  return s.div(emitChain<&ScalarBuilder::add>(s, op, x), splat(s, x[0], double(x.size())));
}

static Value emitClip(ScalarBuilder &s, Operation *op, ValueRange x) {
  auto clip = cast<onnx::ClipOp>(op);
  Value result = x[0];
  unsigned next = 1;
  if (clip.getMin())
    result = s.max(result, x[next++]);
  if (clip.getMax())
    result = s.min(result, x[next]);
  return result;
}

//===----------------------------------------------------------------------===//
// Comparisons
//===----------------------------------------------------------------------===//

static Value emitGreater(ScalarBuilder &s, Operation *, ValueRange x) { return s.less(x[1], x[0]); }
static Value emitGreaterOrEqual(ScalarBuilder &s, Operation *, ValueRange x) {
  return s.lessOrEqual(x[1], x[0]);
}
static Value emitWhere(ScalarBuilder &s, Operation *, ValueRange x) {
  return s.select(x[0], x[1], x[2]);
}
static Value emitIsNaN(ScalarBuilder &s, Operation *, ValueRange x) {
  return s.compare(arith::CmpFPredicate::UNO, x[0], x[0]);
}

static Value emitIsInf(ScalarBuilder &s, Operation *op, ValueRange x) {
  auto isInf = cast<onnx::IsInfOp>(op);
  bool positive = isInf.getDetectPositive(), negative = isInf.getDetectNegative();
  if (!positive && !negative)
    return s.constant(s.builder.getI1Type(), 0);
  Value value = positive && negative ? s.make<math::AbsFOp>({x[0]}) : x[0];
  return s.equal(value, splat(s, x[0], positive ? HUGE_VAL : -HUGE_VAL));
}

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

static Value positivePart(ScalarBuilder &s, Value x) { return s.max(x, splat(s, x, 0)); }

/// max(0, min(1, alpha * x + beta))
static Value hardSigmoid(ScalarBuilder &s, Value x, double alpha, double beta) {
  Value line = s.add(s.mul(x, splat(s, x, alpha)), splat(s, x, beta));
  return s.max(s.min(line, splat(s, x, 1)), splat(s, x, 0));
}

/// log(1 + exp(x)) without overflow: max(x, 0) + log1p(exp(-|x|))
static Value softplus(ScalarBuilder &s, Value x) {
  Value decay = s.make<math::ExpOp>({s.make<arith::NegFOp>({s.make<math::AbsFOp>({x})})});
  return s.add(positivePart(s, x), s.make<math::Log1pOp>({decay}));
}

static Value emitRelu(ScalarBuilder &s, Operation *, ValueRange x) { return positivePart(s, x[0]); }

static Value emitLeakyRelu(ScalarBuilder &s, Operation *op, ValueRange x) {
  Value scaled =
      s.mul(x[0], splat(s, x[0], cast<onnx::LeakyReluOp>(op).getAlpha().convertToDouble()));
  return s.select(s.less(x[0], splat(s, x[0], 0)), scaled, x[0]);
}

static Value emitPRelu(ScalarBuilder &s, Operation *, ValueRange x) {
  return s.select(s.less(x[0], splat(s, x[0], 0)), s.mul(x[0], x[1]), x[0]);
}

static Value emitElu(ScalarBuilder &s, Operation *op, ValueRange x) {
  Value exp = s.make<math::ExpOp>({x[0]});
  Value decay = s.mul(s.sub(exp, splat(s, exp, 1)),
                      splat(s, exp, cast<onnx::EluOp>(op).getAlpha().convertToDouble()));
  return s.select(s.less(x[0], splat(s, x[0], 0)), decay, x[0]);
}

static Value emitSelu(ScalarBuilder &s, Operation *op, ValueRange x) {
  auto selu = cast<onnx::SeluOp>(op);
  Value alpha = splat(s, x[0], selu.getAlpha().convertToDouble());
  Value decay = s.sub(s.mul(alpha, s.make<math::ExpOp>({x[0]})), alpha);
  Value unit = s.select(s.less(splat(s, x[0], 0), x[0]), x[0], decay);
  return s.mul(splat(s, x[0], selu.getGamma().convertToDouble()), unit);
}

static Value emitCelu(ScalarBuilder &s, Operation *op, ValueRange x) {
  Value alpha = splat(s, x[0], cast<onnx::CeluOp>(op).getAlpha().convertToDouble());
  Value exp = s.make<math::ExpOp>({s.div(x[0], alpha)});
  Value decay = s.mul(alpha, s.sub(exp, splat(s, x[0], 1)));
  return s.add(positivePart(s, x[0]), s.min(decay, splat(s, x[0], 0)));
}

static Value emitSigmoid(ScalarBuilder &s, Operation *, ValueRange x) {
  Value one = splat(s, x[0], 1);
  return s.div(one, s.add(one, s.make<math::ExpOp>({s.make<arith::NegFOp>({x[0]})})));
}

static Value emitHardSigmoid(ScalarBuilder &s, Operation *op, ValueRange x) {
  auto sigmoid = cast<onnx::HardSigmoidOp>(op);
  return hardSigmoid(s, x[0], sigmoid.getAlpha().convertToDouble(),
                     sigmoid.getBeta().convertToDouble());
}

static Value emitHardSwish(ScalarBuilder &s, Operation *, ValueRange x) {
  return s.mul(x[0], hardSigmoid(s, x[0], 1.0 / 6.0, 0.5));
}

static Value emitGelu(ScalarBuilder &s, Operation *op, ValueRange x) {
  Value inner;
  if (cast<onnx::GeluOp>(op).getApproximate() == "tanh") {
    Value cube = s.mul(s.mul(x[0], x[0]), x[0]);
    Value sum = s.add(x[0], s.mul(cube, splat(s, cube, 0.044715)));
    inner = s.make<math::TanhOp>({s.mul(sum, splat(s, sum, std::sqrt(2.0 / M_PI)))});
  } else {
    inner = s.make<math::ErfOp>({s.mul(x[0], splat(s, x[0], std::sqrt(0.5)))});
  }
  return s.mul(s.mul(splat(s, x[0], 0.5), x[0]), s.add(inner, splat(s, x[0], 1)));
}

static Value emitSoftplus(ScalarBuilder &s, Operation *, ValueRange x) { return softplus(s, x[0]); }

static Value emitSoftsign(ScalarBuilder &s, Operation *, ValueRange x) {
  return s.div(x[0], s.add(s.make<math::AbsFOp>({x[0]}), splat(s, x[0], 1)));
}

static Value emitMish(ScalarBuilder &s, Operation *, ValueRange x) {
  return s.mul(x[0], s.make<math::TanhOp>({softplus(s, x[0])}));
}

static Value emitReciprocal(ScalarBuilder &s, Operation *, ValueRange x) {
  return s.div(splat(s, x[0], 1), x[0]);
}

static Value emitShrink(ScalarBuilder &s, Operation *op, ValueRange x) {
  auto shrink = cast<onnx::ShrinkOp>(op);
  // The threshold may be a fraction where the elements are integers.
  Type type = s.isFloat(x[0]) ? x[0].getType() : Type(s.builder.getF64Type());
  Value value = createScalarCast(s.builder, s.loc, x[0], s.isUnsigned, type, false);
  double threshold = shrink.getLambd().convertToDouble();
  Value bias = splat(s, value, shrink.getBias().convertToDouble());
  Value positive =
      s.select(s.less(splat(s, value, threshold), value), s.sub(value, bias), splat(s, value, 0));
  Value result = s.select(s.less(value, splat(s, value, -threshold)), s.add(value, bias), positive);
  return createScalarCast(s.builder, s.loc, result, false, x[0].getType(), s.isUnsigned);
}

static Value emitThresholdedRelu(ScalarBuilder &s, Operation *op, ValueRange x) {
  Value alpha = splat(s, x[0], cast<onnx::ThresholdedReluOp>(op).getAlpha().convertToDouble());
  return s.select(s.less(alpha, x[0]), x[0], splat(s, x[0], 0));
}

//===----------------------------------------------------------------------===//
// Table
//===----------------------------------------------------------------------===//

static const llvm::StringMap<Emitter> &getEmitters() {
  using S = ScalarBuilder;
  static const llvm::StringMap<Emitter> emitters = {{"Add", emitChain<&S::add>},
                                                    {"Sum", emitChain<&S::add>},
                                                    {"Sub", emitChain<&S::sub>},
                                                    {"Mul", emitChain<&S::mul>},
                                                    {"Div", emitChain<&S::div>},
                                                    {"Mean", emitMean},
                                                    {"Pow", emitPow},
                                                    {"Max", emitChain<&S::max>},
                                                    {"Min", emitChain<&S::min>},
                                                    {"Mod", emitMod},
                                                    {"Clip", emitClip},
                                                    {"Abs", emitAbs},
                                                    {"Neg", emitNeg},
                                                    {"Sign", emitSign},
                                                    {"Reciprocal", emitReciprocal},
                                                    {"And", emitBinary<arith::AndIOp>},
                                                    {"Or", emitBinary<arith::OrIOp>},
                                                    {"Xor", emitBinary<arith::XOrIOp>},
                                                    {"Not", emitNot},
                                                    {"BitwiseAnd", emitBinary<arith::AndIOp>},
                                                    {"BitwiseOr", emitBinary<arith::OrIOp>},
                                                    {"BitwiseXor", emitBinary<arith::XOrIOp>},
                                                    {"BitwiseNot", emitNot},
                                                    {"BitShift", emitBitShift},
                                                    {"Equal", emitChain<&S::equal>},
                                                    {"Less", emitChain<&S::less>},
                                                    {"LessOrEqual", emitChain<&S::lessOrEqual>},
                                                    {"Greater", emitGreater},
                                                    {"GreaterOrEqual", emitGreaterOrEqual},
                                                    {"Where", emitWhere},
                                                    {"IsNaN", emitIsNaN},
                                                    {"IsInf", emitIsInf},
                                                    {"Exp", emitUnary<math::ExpOp>},
                                                    {"Log", emitUnary<math::LogOp>},
                                                    {"Sqrt", emitUnary<math::SqrtOp>},
                                                    {"Floor", emitUnary<math::FloorOp>},
                                                    {"Ceil", emitUnary<math::CeilOp>},
                                                    {"Round", emitUnary<math::RoundEvenOp>},
                                                    {"Sin", emitUnary<math::SinOp>},
                                                    {"Cos", emitUnary<math::CosOp>},
                                                    {"Tan", emitUnary<math::TanOp>},
                                                    {"Sinh", emitUnary<math::SinhOp>},
                                                    {"Cosh", emitUnary<math::CoshOp>},
                                                    {"Tanh", emitUnary<math::TanhOp>},
                                                    {"Asin", emitUnary<math::AsinOp>},
                                                    {"Acos", emitUnary<math::AcosOp>},
                                                    {"Atan", emitUnary<math::AtanOp>},
                                                    {"Asinh", emitUnary<math::AsinhOp>},
                                                    {"Acosh", emitUnary<math::AcoshOp>},
                                                    {"Atanh", emitUnary<math::AtanhOp>},
                                                    {"Erf", emitUnary<math::ErfOp>},
                                                    {"Relu", emitRelu},
                                                    {"LeakyRelu", emitLeakyRelu},
                                                    {"PRelu", emitPRelu},
                                                    {"Elu", emitElu},
                                                    {"Selu", emitSelu},
                                                    {"Celu", emitCelu},
                                                    {"Sigmoid", emitSigmoid},
                                                    {"HardSigmoid", emitHardSigmoid},
                                                    {"HardSwish", emitHardSwish},
                                                    {"Gelu", emitGelu},
                                                    {"Softplus", emitSoftplus},
                                                    {"Softsign", emitSoftsign},
                                                    {"Mish", emitMish},
                                                    {"Shrink", emitShrink},
                                                    {"ThresholdedRelu", emitThresholdedRelu}};
  return emitters;
}

static bool isNumber(Type type) {
  return isa<Float16Type, BFloat16Type, Float32Type, Float64Type, IntegerType>(type) && !onnx::isNarrow(type);
}

static bool isHalf(Type type) { return isa<Float16Type, BFloat16Type>(type); }

bool lathe::isScalarOp(Operation *onnxOp) {
  if (!isa_and_present<onnx::ONNXDialect>(onnxOp->getDialect()))
    return false;
  return isScalarOp(onnxOp->getName().stripDialect());
}

bool lathe::isScalarOp(StringRef onnxName) {
  return onnxName == "BitCast" || onnxName == "Cast" || onnxName == "CastLike" ||
         getEmitters().contains(onnxName);
}

Value lathe::createScalarCast(OpBuilder &builder, Location loc, Value value, bool fromUnsigned,
                              Type to, bool toUnsigned) {
  Type from = value.getType();
  ScalarBuilder s{builder, loc, fromUnsigned};
  if (from == to)
    return value;
  auto fromFloat = dyn_cast<FloatType>(from), toFloat = dyn_cast<FloatType>(to);
  if (to.isInteger(1)) {
    Value zero = s.constant(from, 0);
    return fromFloat ? s.compare(arith::CmpFPredicate::UNE, value, zero)
                     : s.compare(arith::CmpIPredicate::ne, value, zero);
  }
  if (fromFloat && toFloat) {
    if (fromFloat.getWidth() == toFloat.getWidth()) { // f16 and bf16
      value = arith::ExtFOp::create(builder, loc, builder.getF32Type(), value);
      return arith::TruncFOp::create(builder, loc, to, value);
    }
    if (fromFloat.getWidth() < toFloat.getWidth())
      return arith::ExtFOp::create(builder, loc, to, value);
    return arith::TruncFOp::create(builder, loc, to, value);
  }
  if (toFloat) {
    if (fromUnsigned || from.isInteger(1))
      return arith::UIToFPOp::create(builder, loc, to, value);
    return arith::SIToFPOp::create(builder, loc, to, value);
  }
  unsigned toWidth = to.getIntOrFloatBitWidth();
  if (fromFloat) {
    if (toUnsigned && toWidth == 64)
      return arith::FPToUIOp::create(builder, loc, to, value);
    // Through a wider signed integer, so that negative numbers wrap around instead of being
    // undefined.
    unsigned width = toWidth < 32 ? 32 : toUnsigned ? 64 : toWidth;
    value = arith::FPToSIOp::create(builder, loc, builder.getIntegerType(width), value);
    return width == toWidth ? value : arith::TruncIOp::create(builder, loc, to, value);
  }
  unsigned fromWidth = from.getIntOrFloatBitWidth();
  if (fromWidth == toWidth)
    return value;
  if (fromWidth > toWidth)
    return arith::TruncIOp::create(builder, loc, to, value);
  if (fromUnsigned || fromWidth == 1)
    return arith::ExtUIOp::create(builder, loc, to, value);
  return arith::ExtSIOp::create(builder, loc, to, value);
}

/// The bits of a number as one of another type of the same width; bool is a byte of 0 or 1.
static Value createBitCast(ScalarBuilder &s, Value value, Type to) {
  Type from = value.getType();
  if (from == to)
    return value;
  if (from.isInteger(1))
    return s.builder.createOrFold<arith::ExtUIOp>(s.loc, to, value);
  if (to.isInteger(1))
    return s.compare(arith::CmpIPredicate::ne, value, s.constant(from, 0));
  return arith::BitcastOp::create(s.builder, s.loc, to, value);
}

Value lathe::createScalarOp(OpBuilder &builder, Location loc, Operation *onnxOp,
                            ValueRange scalars) {
  if (!isScalarOp(onnxOp) || onnxOp->getNumResults() != 1 || scalars.empty())
    return {};
  Type element = getElementTypeOrSelf(onnxOp->getResult(0));
  if (!isNumber(element) || !llvm::all_of(scalars.getTypes(), isNumber))
    return {};
  bool resultUnsigned = element.isUnsignedInteger();
  Type resultType =
      isa<IntegerType>(element) ? builder.getIntegerType(element.getIntOrFloatBitWidth()) : element;
  bool isUnsigned = getElementTypeOrSelf(onnxOp->getOperand(0)).isUnsignedInteger();
  if (isa<onnx::CastOp, onnx::CastLikeOp>(onnxOp))
    return createScalarCast(builder, loc, scalars[0], isUnsigned, resultType, resultUnsigned);
  ScalarBuilder s{builder, loc, isUnsigned};
  if (isa<onnx::BitCastOp>(onnxOp))
    return createBitCast(s, scalars[0], resultType);

  SmallVector<Value> widened;
  for (Value scalar : scalars)
    widened.push_back(isHalf(scalar.getType()) ? createScalarCast(builder, loc, scalar, false,
                                                                  builder.getF32Type(), false)
                                               : scalar);
  Value result = getEmitters().lookup(onnxOp->getName().stripDialect())(s, onnxOp, widened);
  return createScalarCast(builder, loc, result, resultUnsigned, resultType, resultUnsigned);
}

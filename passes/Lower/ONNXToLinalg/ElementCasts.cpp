//===- ElementCasts.cpp - Conversion between element types ----------------===//
#include "passes/Lower/ONNXToLinalg/ElementCasts.h"
#include "dialects/ONNX/IR/DataTypes.h"
#include "passes/Lower/ONNXToLinalg/Lowering.h"
#include "passes/Lower/ONNXToLinalg/Signless.h"

using namespace mlir;
using namespace lathe;

/// The byte with the low bits of one, extended as the type of 2 or 4 bits says.
static Value extendLowBits(OpBuilder &builder, Location loc, Value byte, IntegerType type) {
  unsigned width = type.getWidth();
  if (type.isUnsigned()) {
    Value mask = arith::ConstantOp::create(builder, loc, builder.getI8IntegerAttr((1 << width) - 1));
    return arith::AndIOp::create(builder, loc, byte, mask);
  }
  Value above = arith::ConstantOp::create(builder, loc, builder.getI8IntegerAttr(8 - width));
  return arith::ShRSIOp::create(builder, loc, arith::ShLIOp::create(builder, loc, byte, above), above);
}

Value lathe::createElementCast(OpBuilder &builder, Location loc, Value value, Type from, Type to,
                               const NarrowRounding &rounding) {
  if (from == to)
    return value;
  bool fromUnsigned = from.isUnsignedInteger(), toUnsigned = to.isUnsignedInteger();
  if (onnx::isNarrow(from)) {
    auto format = dyn_cast<FloatType>(from);
    value = format ? createNarrowDecode(builder, loc, value, format)
                   : extendLowBits(builder, loc, value, cast<IntegerType>(from));
  }
  if (!onnx::isNarrow(to))
    return createScalarCast(builder, loc, value, fromUnsigned, getSignless(to), toUnsigned);
  if (auto format = dyn_cast<FloatType>(to)) {
    if (!value.getType().isF64())
      value = createScalarCast(builder, loc, value, fromUnsigned, builder.getF32Type(), false);
    return createNarrowEncode(builder, loc, value, format, rounding);
  }
  value = createScalarCast(builder, loc, value, fromUnsigned, builder.getI8Type(), toUnsigned);
  return extendLowBits(builder, loc, value, cast<IntegerType>(to));
}

static FailureOr<PowerRounding> parsePowerRounding(Operation *op, StringRef mode) {
  if (mode == "up")
    return PowerRounding::Up;
  if (mode == "down")
    return PowerRounding::Down;
  if (mode == "nearest")
    return PowerRounding::Nearest;
  return op->emitOpError("expected a round_mode of up, down or nearest, but got '") << mode << "'";
}

/// Types that C has convert as scalars of any elementwise op do.
template <typename OpT>
static LogicalResult lowerCast(Lowering &lowering, OpT op) {
  Type from = lowering.shapes.getElementType(op.getInput()), to = lowering.shapes.getElementType(op.getOutput());
  if (!onnx::isNarrow(from) && !onnx::isNarrow(to))
    return lowerElementwise(lowering, op);
  FailureOr<PowerRounding> power = parsePowerRounding(op, op.getRoundMode());
  if (failed(power))
    return failure();
  NarrowRounding rounding{op.getSaturate() != 0, *power};
  lowering.set(op.getOutput(), lowering.map(lowering.shapes.getDims(op.getOutput()), getSignless(to),
                                            lowering.get(op.getInput()), [&](ImplicitLocOpBuilder &b, ValueRange x) {
                                              return createElementCast(b, b.getLoc(), x[0], from, to, rounding);
                                            }));
  return success();
}

void lathe::addCastLowerings(LoweringTable &table) {
  table.add<onnx::CastOp, lowerCast<onnx::CastOp>>();
  table.add<onnx::CastLikeOp, lowerCast<onnx::CastLikeOp>>();
}

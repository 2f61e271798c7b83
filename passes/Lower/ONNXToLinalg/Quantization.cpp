//===- Quantization.cpp - Quantization with scales known at run time ------===//
#include "dialects/ONNX/IR/DataTypes.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "passes/Lower/ONNXToLinalg/ElementCasts.h"
#include "passes/Lower/ONNXToLinalg/Lowering.h"

using namespace mlir;
using namespace lathe;

/// Reads the scale or zero point of an element: one for the tensor, for each slice along the axis, or for blocks of
/// slices.
static AffineMap getParameterMap(Lowering &lowering, Value parameter, ArrayRef<AffineExpr> dims, int64_t axis,
                                 int64_t blockSize) {
  ArrayRef<AffineExpr> parameterDims = lowering.shapes.getDims(parameter);
  unsigned rank = dims.size();
  MLIRContext *context = lowering.builder.getContext();
  axis = normalizeAxis(axis, rank);
  if (parameterDims.empty())
    return AffineMap::get(rank, 0, context);
  if (parameterDims.size() == 1 && blockSize == 0) {
    bool isOne = parameterDims[0] == lowering.constantExpr(1);
    return AffineMap::get(rank, 0, isOne ? lowering.constantExpr(0) : lowering.dim(axis), context);
  }
  SmallVector<AffineExpr> exprs;
  for (unsigned dim = 0; dim < rank; ++dim)
    exprs.push_back(int64_t(dim) == axis && blockSize > 0 ? lowering.dim(dim).floorDiv(blockSize) : lowering.dim(dim));
  return AffineMap::get(rank, 0, exprs, context);
}

/// Scales, or zero points, are one number, one for each slice along the axis, or one for each block of slices.
template <typename OpT>
static LogicalResult verifyParameter(Lowering &lowering, OpT op, Value data, Value parameter, StringRef what) {
  ArrayRef<AffineExpr> sizes = lowering.shapes.getDims(data), own = lowering.shapes.getDims(parameter);
  int64_t rank = sizes.size(), axis = normalizeAxis(op.getAxis(), rank), blockSize = op.getBlockSize();
  if (blockSize < 0)
    return op.emitOpError("expected a block size of 0 or more, but got ") << blockSize;
  if (own.empty() || (blockSize == 0 && own.size() == 1 && own[0] == lowering.constantExpr(1)))
    return success();
  if (int64_t(own.size()) != (blockSize == 0 ? 1 : rank))
    return op.emitOpError("expected one for the tensor, one for each slice, or blocks, but got ")
           << what << " of rank " << own.size();
  if (axis < 0 || axis >= rank)
    return op.emitOpError("expected an axis in [") << -rank << ", " << rank << "), but got " << int64_t(op.getAxis());
  auto verify = [&](int64_t dim, AffineExpr size, AffineExpr wanted) -> LogicalResult {
    if (size == wanted || !isa<AffineConstantExpr>(size) || !isa<AffineConstantExpr>(wanted))
      return success();
    return op.emitOpError("expected ") << lowering.shapes.describe(wanted) << " " << what << " along axis " << dim
                                       << ", but got " << lowering.shapes.describe(size);
  };
  if (blockSize == 0)
    return verify(axis, own[0], sizes[axis]);
  for (int64_t dim = 0; dim < rank; ++dim)
    if (failed(verify(dim, own[dim], dim == axis ? sizes[dim].ceilDiv(blockSize) : sizes[dim])))
      return failure();
  return success();
}

template <typename OpT>
static LogicalResult verifyParameters(Lowering &lowering, OpT op, Value data, Value scale, Value zeroPoint, Value quantized) {
  if (failed(verifyParameter(lowering, op, data, scale, "scales")))
    return failure();
  if (!zeroPoint)
    return success();
  if (failed(verifyParameter(lowering, op, data, zeroPoint, "zero points")))
    return failure();
  Type type = lowering.shapes.getElementType(zeroPoint), wanted = lowering.shapes.getElementType(quantized);
  if (type != wanted)
    return op.emitOpError("expected zero points of ") << wanted << ", but got " << type;
  return success();
}

namespace {
/// What each element is computed from: the data, its scale and, where there is one, its zero point.
struct ElementOperands {
  SmallVector<Value> values;
  SmallVector<AffineMap> maps;
};
} // namespace

template <typename OpT>
static ElementOperands getElementOperands(Lowering &lowering, OpT op, Value data, Value scale, Value zeroPoint) {
  ArrayRef<AffineExpr> dims = lowering.shapes.getDims(data);
  ElementOperands operands{{lowering.get(data)}, {lowering.builder.getMultiDimIdentityMap(dims.size())}};
  for (Value parameter : {scale, zeroPoint}) {
    if (!parameter)
      continue;
    operands.values.push_back(lowering.get(parameter));
    operands.maps.push_back(getParameterMap(lowering, parameter, dims, op.getAxis(), op.getBlockSize()));
  }
  return operands;
}

/// The type in which x is divided by its scale: attribute `precision`, otherwise that of the scale if it is one to compute in.
static FailureOr<Type> getPrecision(Lowering &lowering, onnx::QuantizeLinearOp op) {
  auto isComputed = [](Type type) { return isa_and_present<Float16Type, BFloat16Type, Float32Type, Float64Type>(type); };
  Type scaleType = lowering.shapes.getElementType(op.getYScale());
  if (!op.getPrecision())
    return isComputed(scaleType) ? scaleType : Type(lowering.builder.getF32Type());
  Type type = onnx::getOnnxElementType(op.getContext(), op.getPrecision());
  if (!isComputed(type))
    return op.emitOpError("expected a precision of 16 to 64 bits, but got ONNX data type ") << int64_t(op.getPrecision());
  return type;
}

/// x / scale, rounded to `precision`.
static Value createQuotient(ScalarBuilder &s, Value x, Type xType, Value scale, Type scaleType, Type precision) {
  OpBuilder &b = s.builder;
  Type wide = precision.isF64() ? precision : Type(b.getF32Type());
  auto convert = [&](Value value, Type type) {
    value = createElementCast(b, s.loc, value, type, precision);
    return createScalarCast(b, s.loc, value, false, wide, false);
  };
  Value quotient = s.div(convert(x, xType), convert(scale, scaleType));
  quotient = createScalarCast(b, s.loc, quotient, false, precision, false);
  return createScalarCast(b, s.loc, quotient, false, wide, false);
}

/// saturate(round(x / scale) + zero point), halves to even; to floats, the conversion is what rounds.
static LogicalResult lowerQuantizeLinear(Lowering &lowering, onnx::QuantizeLinearOp op) {
  FailureOr<Type> precision = getPrecision(lowering, op);
  if (failed(precision) ||
      failed(verifyParameters(lowering, op, op.getX(), op.getYScale(), op.getYZeroPoint(), op.getY())))
    return failure();
  ArrayRef<AffineExpr> dims = lowering.shapes.getDims(op.getY());
  auto [inputs, maps] = getElementOperands(lowering, op, op.getX(), op.getYScale(), op.getYZeroPoint());
  auto typeOf = [&](Value value) { return lowering.shapes.getElementType(value); };
  Type from = typeOf(op.getX()), scaleType = typeOf(op.getYScale()), to = typeOf(op.getY());
  auto integer = dyn_cast<IntegerType>(to);
  lowering.set(op.getY(), lowering.generic(dims, lowering.elementType(op.getY()), inputs, maps,
                                           [&](ImplicitLocOpBuilder &b, ValueRange x) {
    ScalarBuilder s{b, b.getLoc()};
    Value value = createQuotient(s, x[0], from, x[1], scaleType, *precision);
    Type wide = value.getType();
    if (integer)
      value = s.make<math::RoundEvenOp>({value});
    if (x.size() > 2)
      value = s.add(value, createElementCast(b, b.getLoc(), x[2], to, wide));
    if (integer) {
      // NaN becomes the lowest number, and no number is out of the result's range.
      unsigned width = integer.getWidth();
      double lowest = integer.isUnsigned() ? 0 : -std::ldexp(1.0, width - 1);
      double highest = std::ldexp(1.0, width - !integer.isUnsigned()) - 1;
      value = s.make<arith::MaxNumFOp>({value, s.constant(wide, lowest)});
      value = s.make<arith::MinNumFOp>({value, s.constant(wide, highest)});
    }
    return createElementCast(b, b.getLoc(), value, wide, to, {op.getSaturate() != 0});
  }));
  return success();
}

/// (x - zero point) * scale
static LogicalResult lowerDequantizeLinear(Lowering &lowering, onnx::DequantizeLinearOp op) {
  if (failed(verifyParameters(lowering, op, op.getX(), op.getXScale(), op.getXZeroPoint(), op.getX())))
    return failure();
  ArrayRef<AffineExpr> dims = lowering.shapes.getDims(op.getY());
  auto [inputs, maps] = getElementOperands(lowering, op, op.getX(), op.getXScale(), op.getXZeroPoint());
  Type result = lowering.elementType(op.getY()), f32 = lowering.builder.getF32Type();
  Type from = lowering.shapes.getElementType(op.getX()), scaleType = lowering.shapes.getElementType(op.getXScale());
  Type middle = isa<IntegerType>(from) ? Type(lowering.builder.getI32Type()) : f32;
  lowering.set(op.getY(), lowering.generic(dims, result, inputs, maps, [&](ImplicitLocOpBuilder &b, ValueRange x) {
    ScalarBuilder s{b, b.getLoc()};
    Value value = createElementCast(b, b.getLoc(), x[0], from, middle);
    if (x.size() > 2)
      value = s.sub(value, createElementCast(b, b.getLoc(), x[2], from, middle));
    value = createScalarCast(b, b.getLoc(), value, false, f32, false);
    Value product = s.mul(value, createElementCast(b, b.getLoc(), x[1], scaleType, f32));
    return createScalarCast(b, b.getLoc(), product, false, result, false);
  }));
  return success();
}

void lathe::addQuantizationLowerings(LoweringTable &table) {
  table.add<onnx::QuantizeLinearOp, lowerQuantizeLinear>();
  table.add<onnx::DequantizeLinearOp, lowerDequantizeLinear>();
}

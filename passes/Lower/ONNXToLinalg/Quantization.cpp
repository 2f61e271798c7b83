//===- Quantization.cpp - Quantization with scales known at run time ------===//
#include "mlir/Dialect/Math/IR/Math.h"
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
    bool isOne = parameterDims[0] == lowering.constantExpr(1) || axis >= int64_t(rank);
    return AffineMap::get(rank, 0, isOne ? lowering.constantExpr(0) : lowering.dim(axis), context);
  }
  SmallVector<AffineExpr> exprs;
  for (unsigned dim = 0; dim < rank; ++dim)
    exprs.push_back(int64_t(dim) == axis && blockSize > 0 ? lowering.dim(dim).floorDiv(blockSize) : lowering.dim(dim));
  return AffineMap::get(rank, 0, exprs, context);
}

template <typename OpT>
static LogicalResult verifyParameters(Lowering &lowering, OpT op, Value data, Value scale) {
  size_t rank = lowering.rank(data), scaleRank = lowering.rank(scale);
  if (scaleRank <= 1 || (op.getBlockSize() > 0 && scaleRank == rank))
    return success();
  return op.emitOpError("expected one scale, one for each slice, or blocks, but got scales of rank ") << scaleRank;
}

/// saturate(round(x / scale) + zero point), halves to even.
static LogicalResult lowerQuantizeLinear(Lowering &lowering, onnx::QuantizeLinearOp op) {
  if (failed(verifyParameters(lowering, op, op.getX(), op.getYScale())))
    return failure();
  ArrayRef<AffineExpr> dims = lowering.shapes.getDims(op.getY());
  SmallVector<Value> inputs = {lowering.get(op.getX()), lowering.get(op.getYScale())};
  AffineMap parameters = getParameterMap(lowering, op.getYScale(), dims, op.getAxis(), op.getBlockSize());
  SmallVector<AffineMap> maps = {lowering.builder.getMultiDimIdentityMap(dims.size()), parameters};
  if (op.getYZeroPoint()) {
    inputs.push_back(lowering.get(op.getYZeroPoint()));
    maps.push_back(parameters);
  }
  Type result = lowering.elementType(op.getY()), f32 = lowering.builder.getF32Type();
  bool isUnsigned = lowering.isUnsigned(op.getY());
  unsigned width = result.getIntOrFloatBitWidth();
  double lowest = isUnsigned ? 0 : -std::ldexp(1.0, width - 1), highest = std::ldexp(1.0, width - !isUnsigned) - 1;
  lowering.set(op.getY(), lowering.generic(dims, result, inputs, maps, [&](ImplicitLocOpBuilder &b, ValueRange x) {
    ScalarBuilder s{b, b.getLoc()};
    Value value = createScalarCast(b, b.getLoc(), x[0], false, f32, false);
    Value scale = createScalarCast(b, b.getLoc(), x[1], false, f32, false);
    Value rounded = s.make<math::RoundEvenOp>({s.div(value, scale)});
    if (x.size() > 2)
      rounded = s.add(rounded, createScalarCast(b, b.getLoc(), x[2], isUnsigned, f32, false));
    // NaN becomes the lowest number, and no number is out of the result's range.
    rounded = s.make<arith::MaxNumFOp>({rounded, s.constant(f32, lowest)});
    rounded = s.make<arith::MinNumFOp>({rounded, s.constant(f32, highest)});
    return createScalarCast(b, b.getLoc(), rounded, false, result, isUnsigned);
  }));
  return success();
}

/// (x - zero point) * scale
static LogicalResult lowerDequantizeLinear(Lowering &lowering, onnx::DequantizeLinearOp op) {
  if (failed(verifyParameters(lowering, op, op.getX(), op.getXScale())))
    return failure();
  ArrayRef<AffineExpr> dims = lowering.shapes.getDims(op.getY());
  SmallVector<Value> inputs = {lowering.get(op.getX()), lowering.get(op.getXScale())};
  AffineMap parameters = getParameterMap(lowering, op.getXScale(), dims, op.getAxis(), op.getBlockSize());
  SmallVector<AffineMap> maps = {lowering.builder.getMultiDimIdentityMap(dims.size()), parameters};
  if (op.getXZeroPoint()) {
    inputs.push_back(lowering.get(op.getXZeroPoint()));
    maps.push_back(parameters);
  }
  Type result = lowering.elementType(op.getY()), i32 = lowering.builder.getI32Type(),
       f32 = lowering.builder.getF32Type();
  bool isUnsigned = lowering.isUnsigned(op.getX()), isInteger = isa<IntegerType>(lowering.elementType(op.getX()));
  lowering.set(op.getY(), lowering.generic(dims, result, inputs, maps, [&](ImplicitLocOpBuilder &b, ValueRange x) {
    ScalarBuilder s{b, b.getLoc()};
    Type middle = isInteger ? i32 : f32;
    Value value = createScalarCast(b, b.getLoc(), x[0], isUnsigned, middle, false);
    if (x.size() > 2)
      value = s.sub(value, createScalarCast(b, b.getLoc(), x[2], isUnsigned, middle, false));
    value = createScalarCast(b, b.getLoc(), value, false, f32, false);
    Value product = s.mul(value, createScalarCast(b, b.getLoc(), x[1], false, f32, false));
    return createScalarCast(b, b.getLoc(), product, false, result, false);
  }));
  return success();
}

void lathe::addQuantizationLowerings(LoweringTable &table) {
  table.add<onnx::QuantizeLinearOp, lowerQuantizeLinear>();
  table.add<onnx::DequantizeLinearOp, lowerDequantizeLinear>();
}

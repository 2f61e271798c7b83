//===- Reductions.cpp - Reductions and arg reductions of onnx -------------===//
#include "mlir/Dialect/Math/IR/Math.h"
#include "passes/Lower/ONNXToLinalg/Lowering.h"

using namespace mlir;
using namespace lathe;

using Body = Lowering::Body;

/// Smallest value (or largest) of a type, where a maximum (or minimum) begins.
static TypedAttr getLimit(Type type, bool isUnsigned, bool smallest) {
  if (auto floating = dyn_cast<FloatType>(type))
    return FloatAttr::get(floating, APFloat::getInf(floating.getFloatSemantics(), smallest));
  unsigned width = type.getIntOrFloatBitWidth();
  bool unsignedOrder = isUnsigned || width == 1;
  APInt value = smallest
                    ? (unsignedOrder ? APInt::getZero(width) : APInt::getSignedMinValue(width))
                    : (unsignedOrder ? APInt::getAllOnes(width) : APInt::getSignedMaxValue(width));
  return IntegerAttr::get(type, value);
}

static Type getAccumulatorType(Type element) {
  return isa<Float16Type, BFloat16Type>(element) ? Float32Type::get(element.getContext()) : element;
}

/// Axes to reduce, sorted; all without an operand. Fails if they are not known.
template <typename OpT>
static LogicalResult getAxes(Lowering &lowering, OpT op, SmallVectorImpl<int64_t> &axes) {
  int64_t rank = lowering.rank(op.getData());
  if (op.getAxes()) {
    auto constants = lowering.getConstants(op.getAxes());
    if (!constants)
      return op.emitOpError("expected axes that are known at compile time");
    for (int64_t axis : *constants)
      axes.push_back(axis < 0 ? axis + rank : axis);
    llvm::sort(axes);
  }
  if (axes.empty() && !op.getNoopWithEmptyAxes())
    llvm::append_range(axes, llvm::seq<int64_t>(rank));
  return success();
}

/// One reduction; `prepare` acts on each element before, `finish` on each result.
static Value emitReduce(Lowering &lowering, Value onnxData, Value data, ArrayRef<int64_t> axes,
                        TypedAttr init, Body body) {
  Value initial = arith::ConstantOp::create(lowering.builder, init);
  return lowering.reduce(data, lowering.shapes.getDims(onnxData), axes, initial, body);
}

/// The exponentials of elements less the largest one of each sum, which keeps them in range, and those largest ones: if
/// one is infinite, nothing is subtracted.
static std::pair<Value, Value> createShiftedExponentials(Lowering &lowering, Value onnxData, Value data,
                                                         ArrayRef<int64_t> axes, Type wide) {
  ArrayRef<AffineExpr> dims = lowering.shapes.getDims(onnxData);
  bool isUnsigned = lowering.isUnsigned(onnxData);
  auto widen = [&](ImplicitLocOpBuilder &b, Value value) {
    return createScalarCast(b, b.getLoc(), value, isUnsigned, wide, isUnsigned);
  };
  Value shift = emitReduce(lowering, onnxData, data, axes, getLimit(wide, false, /*smallest=*/true),
                           [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
                             return arith::MaximumFOp::create(b, widen(b, x[0]), x[1]);
                           });
  shift = lowering.map(lowering.withoutAxes(dims, axes), wide, shift,
                       [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
                         ScalarBuilder s{b, b.getLoc()};
                         Value isInfinite = s.equal(s.make<math::AbsFOp>({x[0]}), s.constant(wide, HUGE_VAL));
                         return s.select(isInfinite, s.constant(wide, 0), x[0]);
                       });
  SmallVector<AffineMap> maps = {lowering.builder.getMultiDimIdentityMap(dims.size()),
                                 lowering.keptMap(dims.size(), axes)};
  Value exponentials = lowering.generic(
      dims, wide, {data, shift}, maps, [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
        return math::ExpOp::create(b, arith::SubFOp::create(b, widen(b, x[0]), x[1]));
      });
  return {exponentials, shift};
}

/// How many elements of `dims` are along the axes, as a number of type `type`.
static Value createCount(Lowering &lowering, ArrayRef<AffineExpr> dims, ArrayRef<int64_t> axes, Type type,
                         bool isUnsigned) {
  ImplicitLocOpBuilder &builder = lowering.builder;
  AffineExpr count = lowering.constantExpr(1);
  for (int64_t axis : axes)
    count = count * dims[axis];
  if (auto constant = dyn_cast<AffineConstantExpr>(count))
    return ScalarBuilder{builder, builder.getLoc()}.constant(type, double(constant.getValue()));
  Value size = arith::IndexCastOp::create(builder, builder.getI64Type(), lowering.sizeValue(count));
  return createScalarCast(builder, builder.getLoc(), size, false, type, isUnsigned);
}

template <typename OpT>
static LogicalResult lowerReduce(Lowering &lowering, OpT op) {
  SmallVector<int64_t> axes;
  if (failed(getAxes(lowering, op, axes)))
    return failure();
  Value data = op.getData();
  ArrayRef<AffineExpr> dims = lowering.shapes.getDims(data);
  SmallVector<AffineExpr> kept = lowering.withoutAxes(dims, axes);
  Type element = lowering.elementType(data), wide = getAccumulatorType(element);
  bool isUnsigned = lowering.isUnsigned(data);
  ImplicitLocOpBuilder &builder = lowering.builder;
  Value input = lowering.get(data);

  constexpr bool isMax = std::is_same_v<OpT, onnx::ReduceMaxOp>,
                 isMin = std::is_same_v<OpT, onnx::ReduceMinOp>;
  constexpr bool isProd = std::is_same_v<OpT, onnx::ReduceProdOp>,
                 isL1 = std::is_same_v<OpT, onnx::ReduceL1Op>;
  constexpr bool isSquare =
      std::is_same_v<OpT, onnx::ReduceL2Op> || std::is_same_v<OpT, onnx::ReduceSumSquareOp>;
  constexpr bool isLogSumExp = std::is_same_v<OpT, onnx::ReduceLogSumExpOp>;

  auto widen = [&](ImplicitLocOpBuilder &b, Value value) {
    return createScalarCast(b, b.getLoc(), value, isUnsigned, wide, isUnsigned);
  };
  auto isFloat = [&] { return isa<FloatType>(wide); };
  if (isLogSumExp && !isFloat())
    return op.emitOpError("on integers is not supported");

  Value shift;
  if (isLogSumExp)
    std::tie(input, shift) = createShiftedExponentials(lowering, data, input, axes, wide);

  TypedAttr init = isMax || isMin ? getLimit(wide, isUnsigned, isMax)
                   : isFloat()    ? TypedAttr(builder.getFloatAttr(wide, isProd ? 1 : 0))
                                  : TypedAttr(builder.getIntegerAttr(wide, isProd ? 1 : 0));
  Value reduced = emitReduce(
      lowering, data, input, axes, init, [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
        ScalarBuilder s{b, b.getLoc(), isUnsigned};
        Value value = x[0].getType() == wide ? x[0] : widen(b, x[0]);
        if (isMax)
          return s.max(value, x[1]);
        if (isMin)
          return s.min(value, x[1]);
        if (isProd)
          return s.mul(x[1], value);
        if (isSquare)
          value = s.mul(value, value);
        if (isL1 && !isUnsigned)
          value = s.isFloat(value) ? s.make<math::AbsFOp>({value}) : s.make<math::AbsIOp>({value});
        return s.add(x[1], value);
      });

  constexpr bool isMean = std::is_same_v<OpT, onnx::ReduceMeanOp>,
                 isRoot = std::is_same_v<OpT, onnx::ReduceL2Op>;
  constexpr bool isLog = isLogSumExp || std::is_same_v<OpT, onnx::ReduceLogSumOp>;
  Value divisor = isMean ? createCount(lowering, dims, axes, wide, isUnsigned) : Value();
  if (isMean || isRoot || isLog || wide != element) {
    SmallVector<Value> inputs = {reduced};
    if (isLogSumExp)
      inputs.push_back(shift);
    reduced =
        lowering.map(kept, element, inputs, [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
          ScalarBuilder s{b, b.getLoc(), isUnsigned};
          Value value = x[0];
          // An integer's root and logarithm are computed in f64.
          if ((isRoot || isLog) && !isFloat())
            value = createScalarCast(b, b.getLoc(), value, isUnsigned, b.getF64Type(), false);
          if (isMean)
            value = s.div(value, divisor);
          if (isRoot)
            value = s.make<math::SqrtOp>({value});
          if (isLog)
            value = s.make<math::LogOp>({value});
          if (isLogSumExp)
            value = s.add(value, x[1]);
          return createScalarCast(b, b.getLoc(), value, isUnsigned, element, isUnsigned);
        });
  }
  lowering.set(op.getReduced(),
               lowering.reshape(reduced, kept, lowering.shapes.getDims(op.getReduced())));
  return success();
}

//===----------------------------------------------------------------------===//
// ArgMax, ArgMin
//===----------------------------------------------------------------------===//

template <typename OpT>
static LogicalResult lowerArgReduce(Lowering &lowering, OpT op) {
  constexpr bool isMax = std::is_same_v<OpT, onnx::ArgMaxOp>;
  Value data = op.getData();
  ArrayRef<AffineExpr> dims = lowering.shapes.getDims(data);
  int64_t axis = normalizeAxis(op.getAxis(), dims.size());
  SmallVector<AffineExpr> kept = lowering.withoutAxes(dims, axis);
  Type element = lowering.elementType(data), i64 = lowering.builder.getI64Type();
  bool isUnsigned = lowering.isUnsigned(data), last = op.getSelectLastIndex();
  ImplicitLocOpBuilder &builder = lowering.builder;

  Value limit = arith::ConstantOp::create(builder, getLimit(element, isUnsigned, isMax));
  Value zero = arith::ConstantOp::create(builder, builder.getI64IntegerAttr(0));
  SmallVector<Value> inits = {lowering.filled(kept, limit), lowering.filled(kept, zero)};
  SmallVector<utils::IteratorType> iterators(dims.size(), utils::IteratorType::parallel);
  iterators[axis] = utils::IteratorType::reduction;
  AffineMap projectionMap = lowering.keptMap(dims.size(), axis);
  SmallVector<AffineMap> maps = {builder.getMultiDimIdentityMap(dims.size()), projectionMap,
                                 projectionMap};
  auto generic = linalg::GenericOp::create(
      builder, TypeRange(ValueRange(inits)), lowering.get(data), inits, maps, iterators,
      [&](OpBuilder &nested, Location loc, ValueRange x) {
        ImplicitLocOpBuilder b(loc, nested);
        ScalarBuilder s{b, loc, isUnsigned};
        Value position = arith::IndexCastOp::create(b, i64, linalg::IndexOp::create(b, axis));
        Value better = isMax ? (last ? s.lessOrEqual(x[1], x[0]) : s.less(x[1], x[0]))
                             : (last ? s.lessOrEqual(x[0], x[1]) : s.less(x[0], x[1]));
        linalg::YieldOp::create(
            b, ValueRange{s.select(better, x[0], x[1]), s.select(better, position, x[2])});
      });
  lowering.set(op.getReduced(), lowering.reshape(generic.getResult(1), kept,
                                                 lowering.shapes.getDims(op.getReduced())));
  return success();
}

void lathe::addReductionLowerings(LoweringTable &table) {
  table.add<onnx::ReduceSumOp, lowerReduce<onnx::ReduceSumOp>>();
  table.add<onnx::ReduceMeanOp, lowerReduce<onnx::ReduceMeanOp>>();
  table.add<onnx::ReduceMaxOp, lowerReduce<onnx::ReduceMaxOp>>();
  table.add<onnx::ReduceMinOp, lowerReduce<onnx::ReduceMinOp>>();
  table.add<onnx::ReduceProdOp, lowerReduce<onnx::ReduceProdOp>>();
  table.add<onnx::ReduceL1Op, lowerReduce<onnx::ReduceL1Op>>();
  table.add<onnx::ReduceL2Op, lowerReduce<onnx::ReduceL2Op>>();
  table.add<onnx::ReduceSumSquareOp, lowerReduce<onnx::ReduceSumSquareOp>>();
  table.add<onnx::ReduceLogSumOp, lowerReduce<onnx::ReduceLogSumOp>>();
  table.add<onnx::ReduceLogSumExpOp, lowerReduce<onnx::ReduceLogSumExpOp>>();
  table.add<onnx::ArgMaxOp, lowerArgReduce<onnx::ArgMaxOp>>();
  table.add<onnx::ArgMinOp, lowerArgReduce<onnx::ArgMinOp>>();
}

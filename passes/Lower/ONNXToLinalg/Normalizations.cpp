//===- Normalizations.cpp - Onnx norms that are no nn op ------------------===//
#include "mlir/Dialect/Math/IR/Math.h"
#include "passes/Lower/ONNXToLinalg/Lowering.h"

using namespace mlir;
using namespace lathe;

using Dims = ArrayRef<AffineExpr>;

/// Accumulators and statistics are f32 for half-precision inputs.
static Type getComputeType(Type element) {
  return isa<Float16Type, BFloat16Type>(element) ? Float32Type::get(element.getContext()) : element;
}

static Value convert(ImplicitLocOpBuilder &b, Value value, Type type) {
  return createScalarCast(b, b.getLoc(), value, false, type, false);
}

/// The number of elements that are reduced, as a scalar of `type`.
static Value createCount(Lowering &lowering, Dims dims, ArrayRef<int64_t> axes, Type type) {
  AffineExpr count = lowering.constantExpr(1);
  for (int64_t axis : axes)
    count = count * dims[axis];
  ImplicitLocOpBuilder &builder = lowering.builder;
  if (auto constant = dyn_cast<AffineConstantExpr>(count))
    return ScalarBuilder{builder, builder.getLoc()}.constant(type, double(constant.getValue()));
  Value size = arith::IndexCastOp::create(builder, builder.getI64Type(), lowering.sizeValue(count));
  return convert(builder, size, type);
}

namespace {
struct Moments {
  Value mean, variance; ///< without the axes
};
} // namespace

/// Two passes: the variance is of differences to the mean, which does not cancel.
static Moments createMoments(Lowering &lowering, Value input, Dims dims, ArrayRef<int64_t> axes) {
  Type type = getComputeType(getElementTypeOrSelf(input));
  ImplicitLocOpBuilder &builder = lowering.builder;
  Value zero = ScalarBuilder{builder, builder.getLoc()}.constant(type, 0);
  Value count = createCount(lowering, dims, axes, type);
  SmallVector<AffineExpr> kept = lowering.withoutAxes(dims, axes);
  auto divide = [&](Value sum) {
    return lowering.map(kept, type, sum, [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
      return arith::DivFOp::create(b, x[0], count);
    });
  };
  Value mean = divide(
      lowering.reduce(input, dims, axes, zero, [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
        return arith::AddFOp::create(b, x[1], convert(b, x[0], type));
      }));
  SmallVector<AffineMap> maps = {builder.getMultiDimIdentityMap(dims.size()),
                                 lowering.keptMap(dims.size(), axes)};
  Value squares = lowering.generic(
      dims, type, {input, mean}, maps, [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
        Value difference = arith::SubFOp::create(b, convert(b, x[0], type), x[1]);
        return arith::MulFOp::create(b, difference, difference);
      });
  Value variance = divide(lowering.reduce(squares, dims, axes, zero,
                                          [](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
                                            return arith::AddFOp::create(b, x[1], x[0]);
                                          }));
  return {mean, variance};
}

/// (x - mean) / sqrt(variance + epsilon) * scale + bias; the bias may be null.
static Value createNormalized(Lowering &lowering, Value input, Dims dims, Moments moments, AffineMap momentMap,
                              double epsilon, Value scale, Value bias, AffineMap scaleMap, AffineMap biasMap) {
  Type element = getElementTypeOrSelf(input), type = getComputeType(element);
  SmallVector<Value> inputs = {input, moments.mean, moments.variance};
  SmallVector<AffineMap> maps = {lowering.builder.getMultiDimIdentityMap(dims.size()), momentMap,
                                 momentMap};
  inputs.push_back(scale), maps.push_back(scaleMap);
  if (bias)
    inputs.push_back(bias), maps.push_back(biasMap);
  return lowering.generic(
      dims, element, inputs, maps, [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
        ScalarBuilder s{b, b.getLoc()};
        Value deviation =
            s.make<math::SqrtOp>({s.add(convert(b, x[2], type), s.constant(type, epsilon))});
        Value result = s.div(s.sub(convert(b, x[0], type), convert(b, x[1], type)), deviation);
        result = s.mul(result, convert(b, x[3], type));
        if (bias)
          result = s.add(result, convert(b, x[4], type));
        return convert(b, result, element);
      });
}

static AffineMap channelMap(Lowering &lowering, unsigned rank) {
  return AffineMap::get(rank, 0, lowering.dim(1));
}

static LogicalResult lowerInstanceNorm(Lowering &lowering, onnx::InstanceNormalizationOp op) {
  Dims dims = lowering.shapes.getDims(op.getInput());
  SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(2, dims.size()));
  Value input = lowering.get(op.getInput());
  lowering.set(op.getOutput(), createNormalized(lowering, input, dims, createMoments(lowering, input, dims, axes),
                                                lowering.keptMap(dims.size(), axes), op.getEpsilon().convertToDouble(),
                                                lowering.get(op.getScale()), lowering.get(op.getB()),
                                                channelMap(lowering, dims.size()), channelMap(lowering, dims.size())));
  return success();
}

/// Statistics of [N, groups, the rest]; scale and bias are of channels, [groups, channels /
/// groups].
static LogicalResult lowerGroupNorm(Lowering &lowering, onnx::GroupNormalizationOp op) {
  Dims dims = lowering.shapes.getDims(op.getX());
  AffineExpr groups = lowering.constantExpr(op.getNumGroups());
  SmallVector<AffineExpr> split = {dims[0], groups,
                                   lowering.shapes.simplify(dims[1].floorDiv(groups))};
  llvm::append_range(split, dims.drop_front(2));
  SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(2, split.size()));
  Value input = lowering.reshape(lowering.get(op.getX()), dims, split);
  auto parameter = [&](Value value) {
    return lowering.reshape(lowering.get(value), dims[1], {split[1], split[2]});
  };
  AffineMap parameterMap = AffineMap::get(split.size(), 0, {lowering.dim(1), lowering.dim(2)},
                                          lowering.builder.getContext());
  Value result = createNormalized(lowering, input, split, createMoments(lowering, input, split, axes),
                                  lowering.keptMap(split.size(), axes), op.getEpsilon().convertToDouble(),
                                  parameter(op.getScale()), parameter(op.getBias()), parameterMap, parameterMap);
  lowering.set(op.getY(), lowering.reshape(result, split, dims));
  return success();
}

static LogicalResult lowerBatchNorm(Lowering &lowering, onnx::BatchNormalizationOp op) {
  if (op.getTrainingMode())
    return op.emitOpError("in training mode is not supported");
  Dims dims = lowering.shapes.getDims(op.getX());
  AffineMap map = channelMap(lowering, dims.size());
  Moments moments = {lowering.get(op.getInputMean()), lowering.get(op.getInputVar())};
  lowering.set(op.getY(), createNormalized(lowering, lowering.get(op.getX()), dims, moments, map,
                                           op.getEpsilon().convertToDouble(), lowering.get(op.getScale()),
                                           lowering.get(op.getB()), map, map));
  return success();
}

/// Over any axis; scale and bias broadcast.
static LogicalResult lowerLayerNorm(Lowering &lowering, onnx::LayerNormalizationOp op) {
  Dims dims = lowering.shapes.getDims(op.getX());
  int64_t rank = dims.size(), axis = normalizeAxis(op.getAxis(), rank);
  SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(axis, rank));
  SmallVector<AffineExpr> kept = lowering.withoutAxes(dims, axes);
  Value input = lowering.get(op.getX()), bias = op.getB() ? lowering.get(op.getB()) : Value();
  Moments moments = createMoments(lowering, input, dims, axes);
  double epsilon = op.getEpsilon().convertToDouble();
  auto broadcast = [&](Value parameter) {
    return parameter ? lowering.broadcastMap(lowering.shapes.getDims(parameter), dims) : AffineMap();
  };
  lowering.set(op.getY(),
               createNormalized(lowering, input, dims, moments, lowering.keptMap(rank, axes), epsilon,
                                lowering.get(op.getScale()), bias, broadcast(op.getScale()), broadcast(op.getB())));
  auto setStatistic = [&](Value onnxValue, Value value) {
    Type element = lowering.elementType(onnxValue);
    Value converted =
        lowering.map(kept, element, value, [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
          return convert(b, x[0], element);
        });
    lowering.set(onnxValue, lowering.reshape(converted, kept, lowering.shapes.getDims(onnxValue)));
  };
  if (op.getMean())
    setStatistic(op.getMean(), moments.mean);
  if (Value inverse = op.getInvStdDev()) {
    Type type = getElementTypeOrSelf(moments.variance);
    setStatistic(inverse,
                 lowering.map(kept, type, moments.variance,
                              [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
                                ScalarBuilder s{b, b.getLoc()};
                                return s.div(
                                    s.constant(type, 1),
                                    s.make<math::SqrtOp>({s.add(x[0], s.constant(type, epsilon))}));
                              }));
  }
  return success();
}

/// x / (bias + alpha / size * sum of squares of `size` channels around)^beta
static LogicalResult lowerLRN(Lowering &lowering, onnx::LRNOp op) {
  Dims dims = lowering.shapes.getDims(op.getX());
  ImplicitLocOpBuilder &builder = lowering.builder;
  int64_t rank = dims.size(), size = op.getSize();
  // What lies beyond the channels counts nothing, however wide the window is.
  int64_t most = std::max<int64_t>(lowering.shapes.getUpperBound(dims[1]), 1) - 1;
  int64_t before = std::min((size - 1) / 2, most), after = std::min(size - 1 - (size - 1) / 2, most);
  Type element = lowering.elementType(op.getX()), type = getComputeType(element);
  Value input = lowering.get(op.getX()), channels = lowering.sizeValue(dims[1]);
  SmallVector<AffineExpr> windows(dims);
  windows.push_back(lowering.constantExpr(before + 1 + after));
  Value squares =
      lowering.generic(windows, type, {}, {}, [&](ImplicitLocOpBuilder &b, ValueRange) -> Value {
        ScalarBuilder s{b, b.getLoc()};
        SmallVector<Value> position;
        for (int64_t dim = 0; dim < rank; ++dim)
          position.push_back(linalg::IndexOp::create(b, dim));
        Value zero = arith::ConstantIndexOp::create(b, 0),
              one = arith::ConstantIndexOp::create(b, 1);
        Value shift = s.sub(linalg::IndexOp::create(b, rank), arith::ConstantIndexOp::create(b, before));
        Value channel = s.add(position[1], shift);
        Value inside =
            s.make<arith::AndIOp>({s.lessOrEqual(zero, channel), s.less(channel, channels)});
        position[1] = s.max(s.min(channel, s.sub(channels, one)), zero);
        Value value = convert(b, tensor::ExtractOp::create(b, input, position), type);
        return s.select(inside, s.mul(value, value), s.constant(type, 0));
      });
  Value zero = ScalarBuilder{builder, builder.getLoc()}.constant(type, 0);
  Value sums = lowering.reduce(squares, windows, rank, zero,
                               [](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
                                 return arith::AddFOp::create(b, x[1], x[0]);
                               });
  double alpha = op.getAlpha().convertToDouble(), beta = op.getBeta().convertToDouble();
  double bias = op.getBias().convertToDouble();
  lowering.set(op.getY(),
               lowering.map(dims, element, {input, sums},
                            [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
                              ScalarBuilder s{b, b.getLoc()};
                              Value base =
                                  s.add(s.constant(type, bias),
                                        s.mul(s.constant(type, alpha / double(size)), x[1]));
                              Value power = s.make<math::PowFOp>({base, s.constant(type, beta)});
                              return convert(b, s.div(convert(b, x[0], type), power), element);
                            }));
  return success();
}

static LogicalResult lowerMeanVarianceNorm(Lowering &lowering,
                                           onnx::MeanVarianceNormalizationOp op) {
  Dims dims = lowering.shapes.getDims(op.getX());
  SmallVector<int64_t> axes;
  for (int64_t axis : op.getAxes())
    axes.push_back(axis < 0 ? axis + int64_t(dims.size()) : axis);
  llvm::sort(axes);
  Value input = lowering.get(op.getX());
  Moments moments = createMoments(lowering, input, dims, axes);
  Type element = lowering.elementType(op.getX()), type = getComputeType(element);
  AffineMap kept = lowering.keptMap(dims.size(), axes);
  SmallVector<AffineMap> maps = {lowering.builder.getMultiDimIdentityMap(dims.size()), kept, kept};
  lowering.set(op.getY(),
               lowering.generic(dims, element, {input, moments.mean, moments.variance}, maps,
                                [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
                                  ScalarBuilder s{b, b.getLoc()};
                                  Value deviation = s.make<math::SqrtOp>({x[2]});
                                  deviation = s.add(deviation, s.constant(type, 1e-9));
                                  Value difference = s.sub(convert(b, x[0], type), x[1]);
                                  return convert(b, s.div(difference, deviation), element);
                                }));
  return success();
}

/// x divided by its norm of order 1 or 2 along one axis; zeros stay.
static LogicalResult lowerLpNorm(Lowering &lowering, onnx::LpNormalizationOp op) {
  Dims dims = lowering.shapes.getDims(op.getInput());
  int64_t rank = dims.size(), axis = normalizeAxis(op.getAxis(), rank), order = op.getP();
  if (order != 1 && order != 2)
    return op.emitOpError("expected p 1 or 2, but got ") << order;
  Type element = lowering.elementType(op.getInput()), type = getComputeType(element);
  Value input = lowering.get(op.getInput());
  Value zero = ScalarBuilder{lowering.builder, lowering.builder.getLoc()}.constant(type, 0);
  Value sum =
      lowering.reduce(input, dims, axis, zero, [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
        ScalarBuilder s{b, b.getLoc()};
        Value value = convert(b, x[0], type);
        return s.add(x[1], order == 1 ? s.make<math::AbsFOp>({value}) : s.mul(value, value));
      });
  SmallVector<AffineMap> maps = {lowering.builder.getMultiDimIdentityMap(rank),
                                 lowering.keptMap(rank, axis)};
  lowering.set(op.getOutput(),
               lowering.generic(dims, element, {input, sum}, maps,
                                [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
                                  ScalarBuilder s{b, b.getLoc()};
                                  Value norm = order == 1 ? x[1] : s.make<math::SqrtOp>({x[1]});
                                  Value none = s.equal(norm, s.constant(type, 0));
                                  norm = s.select(none, s.constant(type, 1), norm);
                                  return convert(b, s.div(convert(b, x[0], type), norm), element);
                                }));
  return success();
}

void lathe::addNormalizationLowerings(LoweringTable &table) {
  table.add<onnx::InstanceNormalizationOp, lowerInstanceNorm>();
  table.add<onnx::GroupNormalizationOp, lowerGroupNorm>();
  table.add<onnx::BatchNormalizationOp, lowerBatchNorm>();
  table.add<onnx::LayerNormalizationOp, lowerLayerNorm>();
  table.add<onnx::LRNOp, lowerLRN>();
  table.add<onnx::MeanVarianceNormalizationOp, lowerMeanVarianceNorm>();
  table.add<onnx::LpNormalizationOp, lowerLpNorm>();
}

//===- Resize.cpp - onnx.Resize: nearest, linear, cubic -------------------===//
#include "dialects/ONNX/IR/ShapeHelpers.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "passes/Lower/ONNXToLinalg/Interpolation.h"
#include "passes/Lower/ONNXToLinalg/RunTimeSizes.h"

using namespace mlir;
using namespace lathe;

namespace {
/// What is known of one dimension that changes its size.
struct ResizedDim {
  unsigned dim;
  Value scale, inputSize, outputSize; ///< f32
  Value last;                         ///< index of the last element
  Value begin, end;                   ///< of the region that is resized, in parts of the input
};
} // namespace

static Value toF32(ImplicitLocOpBuilder &b, Value index) {
  return arith::SIToFPOp::create(b, b.getF32Type(), arith::IndexCastOp::create(b, b.getI64Type(), index));
}

/// Where the center of an element of the result lies in the input.
static Value createCoordinate(ImplicitLocOpBuilder &b, StringRef mode, const ResizedDim &dim) {
  ScalarBuilder s{b, b.getLoc()};
  auto f32 = [&](double value) { return s.constant(b.getF32Type(), value); };
  Value x = toF32(b, linalg::IndexOp::create(b, dim.dim));
  if (mode == "asymmetric")
    return s.div(x, dim.scale);
  if (mode == "align_corners") {
    Value steps = s.sub(dim.outputSize, f32(1));
    Value single = s.equal(steps, f32(0));
    Value scaled = s.div(s.mul(x, s.sub(dim.inputSize, f32(1))), s.select(single, f32(1), steps));
    return s.select(single, f32(0), scaled);
  }
  if (mode == "tf_crop_and_resize") {
    Value last = s.sub(dim.inputSize, f32(1)), steps = s.sub(dim.outputSize, f32(1));
    Value single = s.equal(steps, f32(0));
    Value step = s.div(s.mul(s.sub(dim.end, dim.begin), last), s.select(single, f32(1), steps));
    Value middle = s.mul(s.mul(s.add(dim.begin, dim.end), f32(0.5)), last);
    return s.select(single, middle, s.add(s.mul(dim.begin, last), s.mul(x, step)));
  }
  if (mode == "tf_half_pixel_for_nn")
    return s.div(s.add(x, f32(0.5)), dim.scale);
  Value center = s.sub(s.div(s.add(x, f32(0.5)), dim.scale), f32(0.5));
  if (mode == "pytorch_half_pixel")
    return s.select(s.less(f32(1), dim.outputSize), center, f32(0));
  if (mode == "half_pixel_symmetric") {
    Value adjustment = s.div(dim.outputSize, s.mul(dim.scale, dim.inputSize));
    Value offset = s.mul(s.mul(dim.inputSize, f32(0.5)), s.sub(f32(1), adjustment));
    return s.add(offset, center);
  }
  return center;
}

static Value createNearest(ImplicitLocOpBuilder &b, StringRef mode, Value x) {
  ScalarBuilder s{b, b.getLoc()};
  Value half = s.constant(b.getF32Type(), 0.5);
  if (mode == "round_prefer_floor")
    return s.make<math::CeilOp>({s.sub(x, half)});
  if (mode == "round_prefer_ceil")
    return s.make<math::FloorOp>({s.add(x, half)});
  return mode == "floor" ? s.make<math::FloorOp>({x}) : s.make<math::CeilOp>({x});
}

void lathe::createCubicWeights(ImplicitLocOpBuilder &b, Value t, double a, SmallVectorImpl<Value> &weights) {
  ScalarBuilder s{b, b.getLoc()};
  auto f32 = [&](double value) { return s.constant(t.getType(), value); };
  auto near = [&](Value d) { // (a + 2) d^3 - (a + 3) d^2 + 1
    return s.add(s.mul(s.mul(s.sub(s.mul(f32(a + 2), d), f32(a + 3)), d), d), f32(1));
  };
  auto far = [&](Value d) { // a d^3 - 5 a d^2 + 8 a d - 4 a
    return s.sub(s.mul(s.add(s.mul(s.sub(s.mul(f32(a), d), f32(5 * a)), d), f32(8 * a)), d), f32(4 * a));
  };
  weights.append({far(s.add(t, f32(1))), near(t), near(s.sub(f32(1), t)), far(s.sub(f32(2), t))});
}

static SmallVector<Tap> createTaps(ImplicitLocOpBuilder &b, onnx::ResizeOp op, const ResizedDim &dim) {
  ScalarBuilder s{b, b.getLoc()};
  Value x = createCoordinate(b, op.getCoordinateTransformationMode(), dim);
  Value zero = arith::ConstantIndexOp::create(b, 0);
  auto toIndex = [&](Value value) -> Value {
    return arith::IndexCastOp::create(b, b.getIndexType(), arith::FPToSIOp::create(b, b.getI64Type(), value));
  };
  auto bound = [&](Value index) { return s.max(s.min(index, dim.last), zero); };
  StringRef mode = op.getMode();
  if (mode == "nearest")
    return {Tap{bound(toIndex(createNearest(b, op.getNearestMode(), x))), Value(), Value()}};
  Value floor = s.make<math::FloorOp>({x}), fraction = s.sub(x, floor), first = toIndex(floor);
  SmallVector<Value> weights;
  int64_t begin = 0;
  if (mode == "linear") {
    weights = {s.sub(s.constant(b.getF32Type(), 1), fraction), fraction};
  } else {
    createCubicWeights(b, fraction, op.getCubicCoeffA().convertToDouble(), weights);
    begin = -1;
  }
  SmallVector<Tap> taps;
  Value none = s.constant(b.getF32Type(), 0), sum = none;
  for (auto [position, weight] : llvm::enumerate(weights)) {
    Value index = s.add(first, arith::ConstantIndexOp::create(b, begin + int64_t(position)));
    Value inside = bound(index);
    if (op.getExcludeOutside())
      weight = s.select(s.equal(index, inside), weight, none);
    sum = s.add(sum, weight);
    taps.push_back({inside, weight, Value()});
  }
  if (op.getExcludeOutside())
    for (Tap &tap : taps)
      tap.weight = s.div(tap.weight, sum);
  return taps;
}

/// Sum of all products of taps: one dimension after the other.
static Value createSum(ImplicitLocOpBuilder &b, ArrayRef<SmallVector<Tap>> taps, ArrayRef<ResizedDim> dims,
                       SmallVectorImpl<Value> &position, function_ref<Value()> load) {
  if (taps.empty())
    return load();
  ScalarBuilder s{b, b.getLoc()};
  Value sum;
  for (const Tap &tap : taps.front()) {
    position[dims.front().dim] = tap.index;
    Value value = createSum(b, taps.drop_front(), dims.drop_front(), position, load);
    if (tap.weight)
      value = s.mul(value, tap.weight);
    sum = sum ? s.add(sum, value) : value;
  }
  return sum;
}

static LogicalResult verifyResize(onnx::ResizeOp op) {
  if (op.getCoordinateTransformationMode() == "tf_crop_and_resize" && !op.getRoi())
    return op.emitOpError("expected a region for tf_crop_and_resize, but got none");
  if (op.getAntialias())
    return op.emitOpError("expected static shapes and constant scales for antialias");
  return success();
}

/// The dimensions that a run resizes; those that keep their elements are left out.
static FailureOr<SmallVector<ResizedDim>> getResizedDims(Lowering &lowering, onnx::ResizeOp op) {
  ArrayRef<AffineExpr> dims = lowering.shapes.getDims(op.getX()), resultDims = lowering.shapes.getDims(op.getY());
  ImplicitLocOpBuilder &builder = lowering.builder;
  int64_t rank = dims.size();
  SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(rank));
  if (auto given = op.getAxes())
    axes.assign(given->begin(), given->end());
  DenseFPElementsAttr scales;
  auto hasAll = [&](Value list) {
    return list && lowering.shapes.getDims(list) == ArrayRef<AffineExpr>(lowering.constantExpr(axes.size()));
  };
  bool givesScales = !hasAll(op.getSizes()) && hasAll(op.getScales());
  bool hasScales = givesScales && matchPattern(op.getScales(), m_Constant(&scales));

  std::optional<double> ratio;
  if (hasAll(op.getSizes()) && op.getKeepAspectRatioPolicy() != "stretch") {
    SmallVector<AffineExpr> from =
        llvm::map_to_vector(axes, [&](int64_t axis) { return dims[normalizeAxis(axis, rank)]; });
    if (auto sizes = lowering.shapes.getElements(op.getSizes()))
      ratio = onnx::getKeptRatio(op, from, *sizes);
    if (!ratio)
      return op.emitOpError("expected sizes known at compile time, whose ratio is kept");
  }

  SmallVector<ResizedDim> resized;
  for (auto [position, axis] : llvm::enumerate(axes)) {
    unsigned dim = axis < 0 ? axis + rank : axis;
    double scale = ratio ? *ratio : hasScales ? scales.getValues<APFloat>()[position].convertToDouble() : 1.0;
    bool knowsScale = ratio || hasScales;
    bool crops = op.getCoordinateTransformationMode() == "tf_crop_and_resize";
    bool isOne = dims[dim] == lowering.constantExpr(1); // every scale reads the one element there is
    if (dims[dim] == resultDims[dim] && (isOne || (!crops && (knowsScale ? scale == 1.0 : !givesScales))))
      continue;
    Value size = lowering.sizeValue(dims[dim]);
    ResizedDim entry;
    entry.dim = dim;
    entry.inputSize = toF32(builder, size);
    entry.outputSize = toF32(builder, lowering.sizeValue(resultDims[dim]));
    if (knowsScale) {
      entry.scale = ScalarBuilder{builder, builder.getLoc()}.constant(builder.getF32Type(), scale);
    } else if (givesScales) {
      Value one = tensor::ExtractOp::create(builder, lowering.get(op.getScales()), lowering.index(position));
      entry.scale = createScalarCast(builder, builder.getLoc(), one, false, builder.getF32Type(), false);
    } else {
      entry.scale = arith::DivFOp::create(builder, entry.outputSize, entry.inputSize);
    }
    if (crops) {
      if (!(lowering.shapes.getDims(op.getRoi()) == ArrayRef<AffineExpr>(lowering.constantExpr(2 * axes.size()))))
        return op.emitOpError("expected a region of ") << 2 * axes.size() << " numbers";
      auto read = [&](int64_t index) {
        Value number = tensor::ExtractOp::create(builder, lowering.get(op.getRoi()), lowering.index(index));
        return createScalarCast(builder, builder.getLoc(), number, false, builder.getF32Type(), false);
      };
      entry.begin = read(position);
      entry.end = read(axes.size() + position);
    }
    // ONNX's reference aligns the corners of a result whose size is not rounded.
    if ((ratio || givesScales) && op.getCoordinateTransformationMode() == "align_corners")
      entry.outputSize = arith::MulFOp::create(builder, entry.inputSize, entry.scale);
    entry.last = arith::SubIOp::create(builder, size, lowering.index(1));
    resized.push_back(entry);
  }
  return resized;
}

static LogicalResult lowerResize(Lowering &lowering, onnx::ResizeOp op) {
  if (failed(verifyResize(op)))
    return failure();
  readResizeSizes(lowering, op);
  FailureOr<SmallVector<ResizedDim>> resized = getResizedDims(lowering, op);
  if (failed(resized))
    return failure();
  ArrayRef<AffineExpr> resultDims = lowering.shapes.getDims(op.getY());
  Value input = lowering.get(op.getX());
  Type element = lowering.elementType(op.getX());
  bool isUnsigned = lowering.isUnsigned(op.getX()), isNearest = op.getMode() == "nearest";
  lowering.set(op.getY(), lowering.generic(resultDims, element, {}, {}, [&](ImplicitLocOpBuilder &b, ValueRange) {
    SmallVector<Value> position;
    for (size_t dim = 0; dim < resultDims.size(); ++dim)
      position.push_back(linalg::IndexOp::create(b, dim));
    SmallVector<SmallVector<Tap>> taps;
    for (const ResizedDim &dim : *resized)
      taps.push_back(createTaps(b, op, dim));
    Value sum = createSum(b, taps, *resized, position, [&]() -> Value {
      Value value = tensor::ExtractOp::create(b, input, position);
      return isNearest ? value : createScalarCast(b, b.getLoc(), value, isUnsigned, b.getF32Type(), false);
    });
    Value result = createScalarCast(b, b.getLoc(), sum, isUnsigned, element, isUnsigned);
    if (op.getCoordinateTransformationMode() != "tf_crop_and_resize")
      return result;
    ScalarBuilder s{b, b.getLoc()};
    for (const ResizedDim &dim : *resized) {
      Value x = createCoordinate(b, op.getCoordinateTransformationMode(), dim);
      Value last = s.sub(dim.inputSize, s.constant(b.getF32Type(), 1));
      Value inside = s.make<arith::AndIOp>({s.lessOrEqual(s.constant(b.getF32Type(), 0), x), s.lessOrEqual(x, last)});
      Value beyond = s.constant(element, op.getExtrapolationValue().convertToDouble());
      result = s.select(inside, result, beyond);
    }
    return result;
  }));
  return success();
}

void lathe::addResizeLowerings(LoweringTable &table) { table.add<onnx::ResizeOp, lowerResize>(); }

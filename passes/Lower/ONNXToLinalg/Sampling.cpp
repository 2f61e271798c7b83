//===- Sampling.cpp - GridSample, MaxRoiPool and RoiAlign -----------------===//
#include "mlir/Dialect/Math/IR/Math.h"
#include "passes/Lower/ONNXToLinalg/Contractions.h"
#include "passes/Lower/ONNXToLinalg/Indexing.h"
#include "passes/Lower/ONNXToLinalg/Interpolation.h"
#include "passes/Lower/ONNXToLinalg/SequentialLoop.h"

using namespace mlir;
using namespace lathe;

Value lathe::createIndex(ImplicitLocOpBuilder &b, Value floating) {
  return arith::IndexCastOp::create(b, b.getIndexType(),
                                    arith::FPToSIOp::create(b, b.getI64Type(), floating));
}

Value lathe::createFloat(ImplicitLocOpBuilder &b, Value index, Type type) {
  return arith::SIToFPOp::create(b, type, arith::IndexCastOp::create(b, b.getI64Type(), index));
}

Tap lathe::createTap(ImplicitLocOpBuilder &b, Value place, Value size, Value weight) {
  ScalarBuilder s{b, b.getLoc()};
  Type type = place.getType();
  Value zero = s.constant(type, 0), end = createFloat(b, size, type);
  Value inside = s.make<arith::AndIOp>({s.lessOrEqual(zero, place), s.less(place, end)});
  // Held in the range of floats first: not every float is an index.
  Value last = s.sub(end, s.constant(type, 1));
  place = s.make<arith::MaxNumFOp>({s.make<arith::MinNumFOp>({place, last}), zero});
  return {createIndex(b, place), weight, inside};
}

Value lathe::createTapSum(ImplicitLocOpBuilder &b, ArrayRef<SmallVector<Tap>> taps, Value inside,
                          SmallVectorImpl<Value> &position, Type type, function_ref<Value()> load) {
  ScalarBuilder s{b, b.getLoc()};
  if (taps.empty())
    return inside ? s.select(inside, load(), s.constant(type, 0)) : load();
  Value sum;
  for (const Tap &tap : taps.front()) {
    position.push_back(tap.index);
    Value both = inside && tap.inside ? s.make<arith::AndIOp>({inside, tap.inside}) : tap.inside;
    Value value = createTapSum(b, taps.drop_front(), both, position, type, load);
    position.pop_back();
    if (tap.weight)
      value = s.mul(value, tap.weight);
    sum = sum ? s.add(sum, value) : value;
  }
  return sum;
}

//===----------------------------------------------------------------------===//
// GridSample
//===----------------------------------------------------------------------===//

namespace {

/// The coordinates along one dimension of the input.
class GridAxis {
public:
  GridAxis(ImplicitLocOpBuilder &b, onnx::GridSampleOp op, Value size, Type type)
      : b(b), s{b, b.getLoc()}, op(op), size(size), type(type) {
    bool corners = op.getAlignCorners();
    floatSize = createFloat(b, size, type);
    lowest = number(corners ? 0 : -0.5);
    highest = s.sub(floatSize, number(corners ? 1 : 0.5));
  }

  SmallVector<Tap> makeTaps(Value place) {
    Value half = number(0.5), one = number(1), x;
    if (op.getAlignCorners())
      x = s.mul(s.mul(s.add(place, one), half), s.sub(floatSize, one));
    else
      x = s.mul(s.sub(s.mul(s.add(place, one), floatSize), one), half);
    StringRef mode = op.getMode();
    if (mode == "nearest")
      x = s.make<math::RoundEvenOp>({x});
    x = returnInside(x);
    if (mode == "nearest")
      return {makeTap(s.make<math::TruncOp>({x}), Value())};
    Value floor = s.make<math::FloorOp>({x}), fraction = s.sub(x, floor);
    SmallVector<Value> weights;
    int64_t first = 0;
    if (mode == "bilinear") {
      weights = {s.sub(one, fraction), fraction};
    } else {
      createCubicWeights(b, fraction, -0.75, weights);
      first = -1;
    }
    SmallVector<Tap> taps;
    for (auto [i, weight] : llvm::enumerate(weights))
      taps.push_back(makeTap(s.add(floor, number(double(first + int64_t(i)))), weight));
    return taps;
  }

private:
  Value number(double value) { return s.constant(type, value); }

  Value reflect(Value x) {
    // Back and forth with a period of twice the range.
    Value range = s.max(s.sub(highest, lowest), number(1e-30)), twice = s.add(range, range);
    Value distance = s.make<math::AbsFOp>({s.sub(x, lowest)});
    Value rest = s.sub(distance, s.mul(twice, s.make<math::FloorOp>({s.div(distance, twice)})));
    return s.add(lowest, s.min(rest, s.sub(twice, rest)));
  }

  /// Coordinates outside of the input, as the padding mode has it.
  Value returnInside(Value x) {
    StringRef padding = op.getPaddingMode();
    if (padding == "zeros")
      return x;
    Value inside = s.make<arith::AndIOp>({s.lessOrEqual(lowest, x), s.lessOrEqual(x, highest)});
    if (padding == "reflection")
      return s.select(inside, x, reflect(x));
    return s.select(inside, x, s.max(s.min(x, s.sub(floatSize, number(1))), number(0)));
  }

  Tap makeTap(Value x, Value weight) {
    if (op.getPaddingMode() == "zeros")
      return createTap(b, x, size, weight);
    Tap tap = createTap(b, s.make<math::TruncOp>({returnInside(x)}), size, weight);
    tap.inside = Value();
    return tap;
  }

  ImplicitLocOpBuilder &b;
  ScalarBuilder s;
  onnx::GridSampleOp op;
  Value size;
  Type type;
  Value floatSize, lowest, highest;
};

} // namespace

static LogicalResult lowerGridSample(Lowering &lowering, onnx::GridSampleOp op) {
  StringRef mode = op.getMode(), padding = op.getPaddingMode();
  if (mode != "bilinear" && mode != "nearest" && mode != "bicubic")
    return op.emitOpError("expected mode bilinear, nearest or bicubic, but got ") << mode;
  if (padding != "zeros" && padding != "border" && padding != "reflection")
    return op.emitOpError("expected padding_mode zeros, border or reflection, but got ") << padding;
  ArrayRef<AffineExpr> dims = lowering.shapes.getDims(op.getX());
  Type element = lowering.elementType(op.getX());
  if (!isa<FloatType>(element))
    return op.emitOpError("on integers is not supported");
  Type type = getProductType(element);
  SmallVector<Value> sizes = llvm::map_to_vector(dims, [&](AffineExpr dim) { return lowering.sizeValue(dim); });
  Value input = lowering.get(op.getX()), grid = lowering.get(op.getGrid());
  unsigned spatial = dims.size() - 2;
  lowering.set(op.getY(), lowering.generic(lowering.shapes.getDims(op.getY()), element, {}, {},
                                           [&](ImplicitLocOpBuilder &b, ValueRange) {
    SmallVector<Value> place = {linalg::IndexOp::create(b, 0)};
    for (unsigned i = 0; i < spatial; ++i)
      place.push_back(linalg::IndexOp::create(b, 2 + i));
    SmallVector<SmallVector<Tap>> taps;
    for (unsigned i = 0; i < spatial; ++i) {
      // The last dimension comes first in the grid.
      place.push_back(arith::ConstantIndexOp::create(b, spatial - 1 - i));
      Value coordinate = tensor::ExtractOp::create(b, grid, place);
      place.pop_back();
      coordinate = createScalarCast(b, b.getLoc(), coordinate, false, type, false);
      taps.push_back(GridAxis(b, op, sizes[2 + i], type).makeTaps(coordinate));
    }
    SmallVector<Value> position = {linalg::IndexOp::create(b, 0), linalg::IndexOp::create(b, 1)};
    Value sum = createTapSum(b, taps, Value(), position, type, [&] {
      return createScalarCast(b, b.getLoc(), tensor::ExtractOp::create(b, input, position), false, type, false);
    });
    return createScalarCast(b, b.getLoc(), sum, false, element, false);
  }));
  return success();
}

//===----------------------------------------------------------------------===//
// RoiAlign
//===----------------------------------------------------------------------===//

namespace {
/// Two neighbours along one dimension and the weight of the second.
struct Neighbours {
  Value low, high, weight, inside;
};
} // namespace

static Neighbours findNeighbours(ImplicitLocOpBuilder &b, Value x, Value size, Type type) {
  ScalarBuilder s{b, b.getLoc()};
  Value floatSize = createFloat(b, size, type), last = s.sub(floatSize, s.constant(type, 1));
  Value inside = s.make<arith::AndIOp>({s.lessOrEqual(s.constant(type, -1), x), s.lessOrEqual(x, floatSize)});
  x = s.make<arith::MaxNumFOp>({s.make<arith::MinNumFOp>({x, last}), s.constant(type, 0)});
  Value floor = s.make<math::FloorOp>({x}), low = createIndex(b, floor);
  Value high = s.min(s.add(low, arith::ConstantIndexOp::create(b, 1)),
                     s.sub(size, arith::ConstantIndexOp::create(b, 1)));
  return {low, high, s.sub(x, floor), inside};
}

/// A sample between four elements of a channel, each by its weight: their sum, or the largest product.
static Value createSample(ImplicitLocOpBuilder &b, Value input, Value batch, Value channel, const Neighbours &y,
                          const Neighbours &x, Type type, bool isMax) {
  ScalarBuilder s{b, b.getLoc()};
  Value inside = s.make<arith::AndIOp>({y.inside, x.inside});
  Value unit = s.constant(type, 1), sample;
  for (bool below : {false, true})
    for (bool right : {false, true}) {
      Value position[] = {batch, channel, below ? y.high : y.low, right ? x.high : x.low};
      Value value = tensor::ExtractOp::create(b, input, position);
      value = createScalarCast(b, b.getLoc(), value, false, type, false);
      Value weight = s.mul(below ? y.weight : s.sub(unit, y.weight), right ? x.weight : s.sub(unit, x.weight));
      value = s.mul(s.select(inside, value, s.constant(type, 0)), weight);
      sample = !sample ? value : isMax ? s.max(sample, value) : s.add(sample, value);
    }
  return sample;
}

/// The mean (or largest) of samples in each bin of each region (He et al., Mask R-CNN, 2017).
static LogicalResult lowerRoiAlign(Lowering &lowering, onnx::RoiAlignOp op) {
  StringRef mode = op.getMode(), coordinates = op.getCoordinateTransformationMode();
  if (mode != "avg" && mode != "max")
    return op.emitOpError("expected mode avg or max, but got ") << mode;
  if (coordinates != "half_pixel" && coordinates != "output_half_pixel")
    return op.emitOpError("expected coordinate_transformation_mode half_pixel or output_half_pixel, but got ")
           << coordinates;
  bool isMax = mode == "max", isHalfPixel = coordinates == "half_pixel";
  ArrayRef<AffineExpr> dims = lowering.shapes.getDims(op.getX());
  Type element = lowering.elementType(op.getX()), type = getProductType(element);
  Value input = lowering.get(op.getX()), rois = lowering.get(op.getRois()), batches = lowering.get(op.getBatchIndices());
  SmallVector<Value> sizes = llvm::map_to_vector(dims, [&](AffineExpr dim) { return lowering.sizeValue(dim); });
  int64_t outputs[] = {int64_t(op.getOutputHeight()), int64_t(op.getOutputWidth())}, ratio = op.getSamplingRatio();
  double scale = op.getSpatialScale().convertToDouble();
  lowering.set(op.getY(), lowering.generic(lowering.shapes.getDims(op.getY()), element, {}, {},
                                           [&](ImplicitLocOpBuilder &b, ValueRange) {
    ScalarBuilder s{b, b.getLoc()};
    auto number = [&](double value) { return s.constant(type, value); };
    Value roi = linalg::IndexOp::create(b, 0), channel = linalg::IndexOp::create(b, 1);
    Value batch = createBoundedIndex(b, tensor::ExtractOp::create(b, batches, roi), sizes[0]);
    Value starts[2], bins[2], counts[2], floatCounts[2];
    for (int i = 0; i < 2; ++i) { // rois are x1, y1, x2, y2
      auto corner = [&](int64_t column) {
        Value place = tensor::ExtractOp::create(b, rois, ValueRange{roi, arith::ConstantIndexOp::create(b, column)});
        place = s.mul(createScalarCast(b, b.getLoc(), place, false, type, false), number(scale));
        return isHalfPixel ? s.sub(place, number(0.5)) : place;
      };
      starts[i] = corner(1 - i);
      Value length = s.sub(corner(3 - i), starts[i]);
      if (!isHalfPixel)
        length = s.max(length, number(1));
      bins[i] = s.div(length, number(double(outputs[i])));
      if (ratio > 0) {
        floatCounts[i] = number(double(ratio));
      } else {
        // Bounded, so that no region makes it loop for ever.
        Value count = s.make<math::CeilOp>({bins[i]});
        floatCounts[i] = s.make<arith::MaxNumFOp>({s.make<arith::MinNumFOp>({count, number(1 << 16)}), number(1)});
      }
      counts[i] = createIndex(b, floatCounts[i]);
    }
    Value zero = arith::ConstantIndexOp::create(b, 0), one = arith::ConstantIndexOp::create(b, 1);
    Value binPlaces[] = {createFloat(b, linalg::IndexOp::create(b, 2), type),
                         createFloat(b, linalg::IndexOp::create(b, 3), type)};
    auto place = [&](ImplicitLocOpBuilder &inner, int i, Value sample) {
      ScalarBuilder t{inner, inner.getLoc()};
      Value offset =
          t.div(t.add(createFloat(inner, sample, type), t.constant(type, 0.5)), floatCounts[i]);
      return findNeighbours(inner, t.add(starts[i], t.mul(t.add(binPlaces[i], offset), bins[i])), sizes[2 + i], type);
    };
    Value init = number(isMax ? -HUGE_VAL : 0);
    auto rows = scf::ForOp::create(
        b, zero, counts[0], one, init, [&](OpBuilder &nested, Location loc, Value row, ValueRange outer) {
          ImplicitLocOpBuilder rb(loc, nested);
          Neighbours y = place(rb, 0, row);
          auto columns = scf::ForOp::create(
              rb, zero, counts[1], one, outer[0], [&](OpBuilder &deeper, Location loc, Value column, ValueRange state) {
                ImplicitLocOpBuilder cb(loc, deeper);
                ScalarBuilder t{cb, loc};
                Value sample = createSample(cb, input, batch, channel, y, place(cb, 1, column), type, isMax);
                scf::YieldOp::create(cb, isMax ? t.max(state[0], sample) : t.add(state[0], sample));
              });
          scf::YieldOp::create(rb, columns.getResult(0));
        });
    Value result = rows.getResult(0);
    if (!isMax)
      result = s.div(result, s.mul(floatCounts[0], floatCounts[1]));
    return createScalarCast(b, b.getLoc(), result, false, element, false);
  }));
  return success();
}

//===----------------------------------------------------------------------===//
// MaxRoiPool
//===----------------------------------------------------------------------===//

/// The largest element in each bin of each region, of whole elements; 0 where a bin is empty
/// (Girshick, Fast R-CNN, 2015).
static LogicalResult lowerMaxRoiPool(Lowering &lowering, onnx::MaxRoiPoolOp op) {
  ArrayRef<AffineExpr> dims = lowering.shapes.getDims(op.getX());
  Type element = lowering.elementType(op.getX()), type = getProductType(element);
  Value input = lowering.get(op.getX()), rois = lowering.get(op.getRois());
  SmallVector<Value> sizes =
      llvm::map_to_vector(dims, [&](AffineExpr dim) { return lowering.sizeValue(dim); });
  double scale = op.getSpatialScale().convertToDouble();
  lowering.set(
      op.getY(),
      lowering.generic(
          lowering.shapes.getDims(op.getY()), element, {}, {},
          [&](ImplicitLocOpBuilder &b, ValueRange) {
            ScalarBuilder s{b, b.getLoc()};
            auto number = [&](double value) { return s.constant(type, value); };
            Value roi = linalg::IndexOp::create(b, 0), channel = linalg::IndexOp::create(b, 1);
            auto read = [&](int64_t column) {
              Value place = tensor::ExtractOp::create(
                  b, rois, ValueRange{roi, arith::ConstantIndexOp::create(b, column)});
              return createScalarCast(b, b.getLoc(), place, false, type, false);
            };
            Value batch = createBoundedIndex(
                b,
                arith::FPToSIOp::create(b, b.getI64Type(),
                                        s.make<arith::MaxNumFOp>({read(0), number(0)})),
                sizes[0]);
            SmallVector<Value> starts, counts;
            Value isEmpty;
            for (int i = 0; i < 2; ++i) { // rois are batch, x1, y1, x2, y2
              Value first = s.make<math::RoundOp>({s.mul(read(2 - i), number(scale))});
              Value last = s.make<math::RoundOp>({s.mul(read(4 - i), number(scale))});
              Value length = s.max(s.add(s.sub(last, first), number(1)), number(1));
              Value bin = s.div(length, number(double(op.getPooledShape()[i])));
              Value place = createFloat(b, linalg::IndexOp::create(b, 2 + i), type),
                    size = createFloat(b, sizes[2 + i], type);
              auto hold = [&](Value x) {
                return s.make<arith::MaxNumFOp>({s.make<arith::MinNumFOp>({x, size}), number(0)});
              };
              Value begin = hold(s.add(s.make<math::FloorOp>({s.mul(place, bin)}), first));
              Value end =
                  hold(s.add(s.make<math::CeilOp>({s.mul(s.add(place, number(1)), bin)}), first));
              Value none = s.lessOrEqual(end, begin);
              isEmpty = isEmpty ? s.make<arith::OrIOp>({isEmpty, none}) : none;
              starts.push_back(createIndex(b, begin));
              counts.push_back(createIndex(b, s.max(s.sub(end, begin), number(0))));
            }
            Value init = s.select(isEmpty, number(0), number(-HUGE_VAL));
            auto largest = emitSequentialLoop(
                b, counts[0], init, [&](ImplicitLocOpBuilder &rb, Value row, ValueRange outer) {
                  return emitSequentialLoop(
                      rb, counts[1], outer,
                      [&](ImplicitLocOpBuilder &cb, Value column, ValueRange state) {
                        ScalarBuilder t{cb, cb.getLoc()};
                        Value position[] = {batch, channel, t.add(starts[0], row),
                                            t.add(starts[1], column)};
                        Value value = tensor::ExtractOp::create(cb, input, position);
                        return SmallVector<Value>{
                            t.max(state[0],
                                  createScalarCast(cb, cb.getLoc(), value, false, type, false))};
                      });
                });
            return createScalarCast(b, b.getLoc(), largest[0], false, element, false);
          }));
  return success();
}

void lathe::addSamplingLowerings(LoweringTable &table) {
  table.add<onnx::GridSampleOp, lowerGridSample>();
  table.add<onnx::MaxRoiPoolOp, lowerMaxRoiPool>();
  table.add<onnx::RoiAlignOp, lowerRoiAlign>();
}

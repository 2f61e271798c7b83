//===- RandomNumbers.cpp - Random onnx ops by a counter-based generator ---===//
#include "mlir/Dialect/Math/IR/Math.h"
#include "passes/Lower/ONNXToLinalg/Contractions.h"
#include <cmath>

using namespace mlir;
using namespace lathe;

namespace {

/// Random numbers at any position, in any order: the mixing function of SplitMix64 (Steele et al.,
/// "Fast Splittable Pseudorandom Number Generators", 2014) of a counter and a key that the seed
/// determines.
class Generator {
public:
  Generator(ImplicitLocOpBuilder &b, uint64_t seed)
      : b(b), s{b, b.getLoc()}, key(mix(seed + kStep)) {}

  /// A number in [0, 1), of f32 or f64, for a counter (i64).
  Value uniform(Value counter, Type type) {
    Value z = s.make<arith::AddIOp>({s.make<arith::MulIOp>({counter, bits(kStep)}), bits(key)});
    z = multiply(shiftXor(z, 30), 0xBF58476D1CE4E5B9);
    z = multiply(shiftXor(z, 27), 0x94D049BB133111EB);
    z = shiftXor(z, 31);
    unsigned digits = type.isF64() ? 53 : 24;
    Value high = s.make<arith::ShRUIOp>({z, bits(64 - digits)});
    Value whole = arith::UIToFPOp::create(b, type, high);
    return s.mul(whole, s.constant(type, std::ldexp(1.0, -int(digits))));
  }

  /// A number of the standard normal distribution (Box and Muller, 1958); uses the counters 2 c and
  /// 2 c + 1.
  Value normal(Value counter, Type type) {
    Value twice = s.make<arith::ShLIOp>({counter, bits(1)});
    Value one = s.constant(type, 1), first = s.sub(one, uniform(twice, type)); // in (0, 1]
    Value angle =
        s.mul(uniform(s.make<arith::OrIOp>({twice, bits(1)}), type), s.constant(type, 2 * M_PI));
    Value radius =
        s.make<math::SqrtOp>({s.mul(s.make<math::LogOp>({first}), s.constant(type, -2))});
    return s.mul(radius, s.make<math::CosOp>({angle}));
  }

private:
  static constexpr uint64_t kStep = 0x9E3779B97F4A7C15; ///< 2^64 / golden ratio

  static uint64_t mix(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }
  Value bits(uint64_t value) {
    return arith::ConstantOp::create(b, IntegerAttr::get(b.getI64Type(), APInt(64, value)));
  }
  Value shiftXor(Value z, unsigned amount) {
    return s.make<arith::XOrIOp>({z, s.make<arith::ShRUIOp>({z, bits(amount)})});
  }
  Value multiply(Value z, uint64_t factor) { return s.make<arith::MulIOp>({z, bits(factor)}); }

  ImplicitLocOpBuilder &b;
  ScalarBuilder s;
  uint64_t key;
};

/// The number of the element that a linalg body computes, in row-major order.
class ElementCounter {
public:
  ElementCounter(Lowering &lowering, ArrayRef<AffineExpr> dims)
      : sizes(llvm::map_to_vector(dims, [&](AffineExpr dim) { return lowering.sizeValue(dim); })) {}

  Value emit(ImplicitLocOpBuilder &b) const {
    ScalarBuilder s{b, b.getLoc()};
    Value place;
    for (auto [dim, size] : llvm::enumerate(sizes)) {
      Value index = linalg::IndexOp::create(b, dim);
      place = place ? s.add(s.mul(place, size), index) : index;
    }
    if (!place)
      place = arith::ConstantIndexOp::create(b, 0);
    return arith::IndexCastOp::create(b, b.getI64Type(), place);
  }

private:
  SmallVector<Value> sizes;
};

} // namespace

/// The bits of the attribute `seed`; the importer gives one to every node that has none.
static uint64_t getSeed(Operation *op) {
  if (auto seed = op->getAttrOfType<FloatAttr>("seed"))
    return seed.getValue().bitcastToAPInt().getZExtValue();
  if (auto seed = op->getAttrOfType<IntegerAttr>("seed"))
    return seed.getValue().getZExtValue();
  return 0;
}

static Value widen(ImplicitLocOpBuilder &b, Value value, Type type) {
  return createScalarCast(b, b.getLoc(), value, false, type, false);
}

template <typename OpT, bool isNormal>
static LogicalResult lowerRandom(Lowering &lowering, OpT op) {
  double first, second; // the mean and the deviation, or the bounds
  if constexpr (isNormal) {
    first = op.getMean().convertToDouble();
    second = op.getScale().convertToDouble();
  } else {
    first = op.getLow().convertToDouble();
    second = op.getHigh().convertToDouble();
  }
  Value result = op->getResult(0);
  ArrayRef<AffineExpr> dims = lowering.shapes.getDims(result);
  Type element = lowering.elementType(result);
  Type type = getProductType(element);
  ElementCounter counter(lowering, dims);
  lowering.set(
      result, lowering.generic(dims, element, {}, {}, [&](ImplicitLocOpBuilder &b, ValueRange) {
        ScalarBuilder s{b, b.getLoc()};
        Generator generator(b, getSeed(op));
        Value place = counter.emit(b);
        Value number = isNormal ? generator.normal(place, type) : generator.uniform(place, type);
        double factor = isNormal ? second : second - first;
        number = s.add(s.mul(number, s.constant(type, factor)), s.constant(type, first));
        return createScalarCast(b, b.getLoc(), number, false, element, false);
      }));
  return success();
}

/// True with the probability that each element of the input is.
static LogicalResult lowerBernoulli(Lowering &lowering, onnx::BernoulliOp op) {
  ArrayRef<AffineExpr> dims = lowering.shapes.getDims(op.getOutput());
  Type element = lowering.elementType(op.getOutput()),
       type = getProductType(lowering.elementType(op.getInput()));
  bool isUnsigned = lowering.isUnsigned(op.getOutput());
  ElementCounter counter(lowering, dims);
  lowering.set(
      op.getOutput(),
      lowering.map(dims, element, lowering.get(op.getInput()),
                   [&](ImplicitLocOpBuilder &b, ValueRange x) {
                     Value number = Generator(b, getSeed(op)).uniform(counter.emit(b), type);
                     Value drawn = ScalarBuilder{b, b.getLoc()}.less(number, widen(b, x[0], type));
                     return createScalarCast(b, b.getLoc(), drawn, true, element, isUnsigned);
                   }));
  return success();
}

/// Classes by their probabilities, whose logarithms the rows of the input are but for an addend:
/// the largest sum with a number of the Gumbel distribution (Gumbel, "Statistical Theory of Extreme
/// Values", 1954).
static LogicalResult lowerMultinomial(Lowering &lowering, onnx::MultinomialOp op) {
  ImplicitLocOpBuilder &builder = lowering.builder;
  ArrayRef<AffineExpr> in = lowering.shapes.getDims(op.getInput()),
                       out = lowering.shapes.getDims(op.getOutput());
  Type type = getProductType(lowering.elementType(op.getInput())),
       element = lowering.elementType(op.getOutput());
  SmallVector<AffineExpr> loops = {out[0], out[1], in[1]};
  ElementCounter counter(lowering, loops);
  Value lowest = ScalarBuilder{builder, builder.getLoc()}.constant(type, -HUGE_VAL);
  Value first = ScalarBuilder{builder, builder.getLoc()}.constant(element, 0);
  SmallVector<Value> inits = {lowering.filled(out, lowest), lowering.filled(out, first)};
  AffineMap read = AffineMap::get(3, 0, {lowering.dim(0), lowering.dim(2)}, op.getContext());
  AffineMap write = AffineMap::get(3, 0, {lowering.dim(0), lowering.dim(1)}, op.getContext());
  SmallVector<AffineMap> maps = {read, write, write};
  SmallVector<utils::IteratorType> iterators = {
      utils::IteratorType::parallel, utils::IteratorType::parallel, utils::IteratorType::reduction};
  auto best = linalg::GenericOp::create(
      builder, TypeRange(inits), lowering.get(op.getInput()), inits, maps, iterators,
      [&](OpBuilder &nested, Location loc, ValueRange x) {
        ImplicitLocOpBuilder b(loc, nested);
        ScalarBuilder s{b, loc};
        auto negativeLog = [&](Value value) -> Value {
          return s.make<arith::NegFOp>({s.make<math::LogOp>({value})});
        };
        Value number = Generator(b, getSeed(op)).uniform(counter.emit(b), type);
        Value score = s.sub(widen(b, x[0], type), s.make<math::LogOp>({negativeLog(number)}));
        Value index = arith::IndexCastOp::create(b, element, linalg::IndexOp::create(b, 2));
        Value isBetter = s.less(x[1], score);
        linalg::YieldOp::create(
            b, ValueRange{s.select(isBetter, score, x[1]), s.select(isBetter, index, x[2])});
      });
  lowering.set(op.getOutput(), best.getResult(1));
  return success();
}

/// In training, elements are dropped with the probability `ratio` and the others scaled up; else
/// nothing is.
static LogicalResult lowerDropout(Lowering &lowering, onnx::DropoutOp op) {
  ImplicitLocOpBuilder &builder = lowering.builder;
  ArrayRef<AffineExpr> dims = lowering.shapes.getDims(op.getOutput());
  TypedAttr known =
      op.getTrainingMode() ? lowering.getSplat(op.getTrainingMode()) : builder.getBoolAttr(false);
  if (known && cast<IntegerAttr>(known).getValue().isZero()) {
    lowering.set(op.getOutput(), lowering.get(op.getData()));
    if (Value mask = op.getMask())
      lowering.set(mask, lowering.filled(
                             dims, arith::ConstantOp::create(builder, builder.getBoolAttr(true))));
    return success();
  }
  Type element = lowering.elementType(op.getData()), type = getProductType(element);
  auto scalar = [&](Value onnxValue) -> Value {
    SmallVector<Value> zeros(lowering.rank(onnxValue), lowering.index(0));
    return tensor::ExtractOp::create(builder, lowering.get(onnxValue), zeros);
  };
  Value training = scalar(op.getTrainingMode());
  ScalarBuilder outer{builder, builder.getLoc()};
  Value ratio =
      op.getRatio() ? widen(builder, scalar(op.getRatio()), type) : outer.constant(type, 0.5);
  ratio = outer.select(training, ratio, outer.constant(type, 0));
  Value factor = outer.div(outer.constant(type, 1), outer.sub(outer.constant(type, 1), ratio));
  ElementCounter counter(lowering, dims);
  Value mask =
      lowering.generic(dims, builder.getI1Type(), {}, {}, [&](ImplicitLocOpBuilder &b, ValueRange) {
        return ScalarBuilder{b, b.getLoc()}.lessOrEqual(
            ratio, Generator(b, getSeed(op)).uniform(counter.emit(b), type));
      });
  lowering.set(op.getOutput(),
               lowering.map(dims, element, {lowering.get(op.getData()), mask},
                            [&](ImplicitLocOpBuilder &b, ValueRange x) {
                              ScalarBuilder s{b, b.getLoc()};
                              Value kept = s.select(x[1], s.mul(widen(b, x[0], type), factor),
                                                    s.constant(type, 0));
                              return createScalarCast(b, b.getLoc(), kept, false, element, false);
                            }));
  if (op.getMask())
    lowering.set(op.getMask(), mask);
  return success();
}

void lathe::addRandomLowerings(LoweringTable &table) {
  table.add<onnx::RandomNormalOp, lowerRandom<onnx::RandomNormalOp, true>>();
  table.add<onnx::RandomNormalLikeOp, lowerRandom<onnx::RandomNormalLikeOp, true>>();
  table.add<onnx::RandomUniformOp, lowerRandom<onnx::RandomUniformOp, false>>();
  table.add<onnx::RandomUniformLikeOp, lowerRandom<onnx::RandomUniformLikeOp, false>>();
  table.add<onnx::BernoulliOp, lowerBernoulli>();
  table.add<onnx::MultinomialOp, lowerMultinomial>();
  table.add<onnx::DropoutOp, lowerDropout>();
}

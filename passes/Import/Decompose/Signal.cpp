//===- Signal.cpp - Signal processing as matrix products ------------------===//
#include "mlir/IR/Matchers.h"
#include "passes/Import/Decompose/NodeBuilder.h"
#include "passes/Import/Decompose/Patterns.h"
#include <cmath>

using namespace mlir;
using namespace lathe;
using namespace lathe::onnx;

static constexpr double kPi = 3.14159265358979323846;

static bool isStatic(ValueRange values) {
  return llvm::all_of(values, [](Value value) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    return type && type.hasStaticShape();
  });
}

/// The only element of an integer constant.
static std::optional<int64_t> getInteger(Value value) {
  DenseIntElementsAttr attribute;
  if (!value || !matchPattern(value, m_Constant(&attribute)) || attribute.getNumElements() != 1)
    return std::nullopt;
  return (*attribute.value_begin<APInt>()).getSExtValue();
}

/// A window as a constant: sum of factors[k] * cos(2 pi k i / n) over k.
template <typename OpT>
static LogicalResult rewriteWindow(OpT op, PatternRewriter &rewriter, ArrayRef<double> factors) {
  if (!isStatic(op->getResults()))
    return failure();
  NodeBuilder nodes(rewriter, op.getLoc());
  RankedTensorType type = NodeBuilder::getType(op.getOutput());
  int64_t size = type.getDimSize(0), period = op.getPeriodic() ? size : size - 1;
  SmallVector<double> values;
  for (int64_t i = 0; i < size; ++i) {
    double value = 0;
    for (auto [k, factor] : llvm::enumerate(factors))
      value += factor * std::cos(2 * kPi * double(k) * double(i) / double(std::max<int64_t>(period, 1)));
    values.push_back(value);
  }
  rewriter.replaceOp(op, nodes.floats(type.getElementType(), type.getShape(), values));
  return success();
}

static LogicalResult rewriteHann(HannWindowOp op, PatternRewriter &rewriter) {
  return rewriteWindow(op, rewriter, {0.5, -0.5});
}
static LogicalResult rewriteHamming(HammingWindowOp op, PatternRewriter &rewriter) {
  return rewriteWindow(op, rewriter, {25.0 / 46.0, -21.0 / 46.0});
}
static LogicalResult rewriteBlackman(BlackmanWindowOp op, PatternRewriter &rewriter) {
  return rewriteWindow(op, rewriter, {0.42, -0.5, 0.08});
}

/// cos (or sin) of 2 pi n k / length, [samples, bins].
static Value makeRotations(NodeBuilder &nodes, Type element, int64_t samples, int64_t bins, int64_t length, bool sine,
                           double factor) {
  SmallVector<double> values;
  for (int64_t n = 0; n < samples; ++n)
    for (int64_t k = 0; k < bins; ++k) {
      double angle = 2 * kPi * double(n * k % length) / double(length);
      values.push_back(factor * (sine ? std::sin(angle) : std::cos(angle)));
    }
  return nodes.floats(element, {samples, bins}, values);
}

/// The discrete Fourier transform of rows [..., n] (imaginary part may be null) to `bins` bins, [..., bins, 2]: products
/// with constant matrices.
static Value transform(NodeBuilder &nodes, Value real, Value imaginary, int64_t length, int64_t bins, bool inverse) {
  RankedTensorType type = NodeBuilder::getType(real);
  Type element = type.getElementType();
  int64_t rows = 1, samples = type.getShape().back();
  for (int64_t size : type.getShape().drop_back())
    rows *= size;
  double factor = inverse ? 1.0 / double(length) : 1.0;
  Value cosines = makeRotations(nodes, element, samples, bins, length, false, factor);
  Value sines = makeRotations(nodes, element, samples, bins, length, true, inverse ? -factor : factor);
  auto flat = [&](Value part) { return nodes.reshape(part, {rows, samples}); };
  // (a + ib)(cos - i sin) = (a cos + b sin) + i(b cos - a sin)
  Value x = flat(real), zero = nodes.scalar(element, 0);
  Value re = nodes.matmul(x, cosines), im = nodes.sub(zero, nodes.matmul(x, sines));
  if (imaginary) {
    Value y = flat(imaginary);
    re = nodes.add(re, nodes.matmul(y, sines));
    im = nodes.add(im, nodes.matmul(y, cosines));
  }
  Value pair = nodes.concat({nodes.reshape(re, {rows, bins, 1}), nodes.reshape(im, {rows, bins, 1})}, 2);
  SmallVector<int64_t> shape(type.getShape().drop_back());
  shape.append({bins, 2});
  return nodes.reshape(pair, shape);
}

/// Real and imaginary parts (null: zero) of numbers in the last dimension, [..., 1 or 2].
static std::pair<Value, Value> takeApart(NodeBuilder &nodes, Value value) {
  int64_t axis = NodeBuilder::getType(value).getRank() - 1;
  bool isComplex = NodeBuilder::getType(value).getShape().back() == 2;
  auto part = [&](double index) { return nodes.gather(value, nodes.scalar(nodes.builder.getI64Type(), index), axis); };
  return {part(0), isComplex ? part(1) : Value()};
}

/// The first `length` elements of the last dimension, with zeros where there are fewer.
static Value fitLast(NodeBuilder &nodes, Value value, int64_t length) {
  if (!value)
    return value;
  ArrayRef<int64_t> shape = NodeBuilder::getType(value).getShape();
  SmallVector<int64_t> zeros(shape.size(), 0), ends(shape), after(shape.size(), 0);
  if (shape.back() > length) {
    ends.back() = length;
    return nodes.slice(value, zeros, ends);
  }
  if (shape.back() == length)
    return value;
  after.back() = length - shape.back();
  return nodes.pad(value, zeros, after, nodes.scalarLike(value, 0));
}

static LogicalResult rewriteDFT(DFTOp op, PatternRewriter &rewriter) {
  if (!isStatic(op.getInput()) || !isStatic(op.getOutput()))
    return failure();
  NodeBuilder nodes(rewriter, op.getLoc());
  RankedTensorType type = NodeBuilder::getType(op.getInput()), result = NodeBuilder::getType(op.getOutput());
  int64_t rank = type.getRank();
  std::optional<int64_t> axis = op.getAxis() ? getInteger(op.getAxis()) : -2;
  if (!axis || rank < 2 || result.getRank() != rank)
    return failure();
  int64_t place = *axis < 0 ? *axis + rank : *axis, last = type.getShape().back();
  if (place < 0 || place >= rank - 1 || (last != 1 && last != 2))
    return failure();
  bool inverse = op.getInverse(), onesided = op.getOnesided();
  std::optional<int64_t> given = op.getDftLength() ? getInteger(op.getDftLength()) : std::nullopt;
  if (op.getDftLength() && !given)
    return failure();
  // Half of the spectrum of real numbers comes back as real numbers.
  bool toReal = inverse && onesided;
  int64_t size = type.getDimSize(place), length = given ? *given : toReal ? 2 * (size - 1) : size;
  int64_t bins = onesided && !inverse ? length / 2 + 1 : length;
  if (length < 1 || result.getDimSize(place) != bins || result.getShape().back() != (toReal ? 1 : 2))
    return failure();
  SmallVector<int64_t> permutation;
  for (int64_t dim = 0; dim < rank - 1; ++dim)
    if (dim != place)
      permutation.push_back(dim);
  permutation.push_back(place);
  auto [real, imaginary] = takeApart(nodes, op.getInput());
  auto move = [&](Value part) { return part ? nodes.transpose(part, permutation) : part; };
  real = move(real), imaginary = move(imaginary);
  if (toReal) {
    // x[n - k] is the conjugate of x[k].
    int64_t half = length / 2 + 1;
    SmallVector<int64_t> mirror;
    for (int64_t k = 0; k < length; ++k)
      mirror.push_back(k < half ? k : length - k);
    SmallVector<double> signs;
    for (int64_t k = 0; k < length; ++k)
      signs.push_back(k < half ? 1 : -1);
    real = nodes.gather(fitLast(nodes, real, half), nodes.ints(mirror), rank - 2);
    if (imaginary)
      imaginary = nodes.mul(nodes.gather(fitLast(nodes, imaginary, half), nodes.ints(mirror), rank - 2),
                            nodes.floats(type.getElementType(), length, signs));
  } else {
    real = fitLast(nodes, real, length);
    imaginary = fitLast(nodes, imaginary, length);
  }
  Value spectrum = transform(nodes, real, imaginary, length, bins, inverse);
  if (toReal)
    spectrum = nodes.gather(spectrum, nodes.ints(0), rank - 1);
  SmallVector<int64_t> back(rank);
  for (auto [to, from] : llvm::enumerate(permutation))
    back[from] = to;
  back[rank - 1] = rank - 1;
  rewriter.replaceOp(op, nodes.transpose(spectrum, back));
  return success();
}

/// The transform of frames of `length` that lie `step` apart, each times the window.
static Value transformFrames(NodeBuilder &nodes, STFTOp op, Value step, int64_t frames, int64_t length, int64_t bins) {
  Value starts = nodes.reshape(nodes.mul(nodes.range(frames), step), {frames, 1});
  Value places = nodes.add(starts, nodes.range(length));
  auto cut = [&](Value part) {
    if (!part)
      return part;
    part = nodes.gather(part, places, 1);
    return op.getWindow() ? nodes.mul(part, op.getWindow()) : part;
  };
  auto [real, imaginary] = takeApart(nodes, op.getSignal());
  return transform(nodes, cut(real), cut(imaginary), length, bins, /*inverse=*/false);
}

static LogicalResult rewriteSTFT(STFTOp op, PatternRewriter &rewriter) {
  if (!isStatic(op->getOperands()) || !isStatic(op.getOutput()))
    return failure();
  NodeBuilder nodes(rewriter, op.getLoc());
  RankedTensorType type = NodeBuilder::getType(op.getSignal()), result = NodeBuilder::getType(op.getOutput());
  if (type.getRank() != 3 || result.getRank() != 4)
    return failure();
  int64_t frames = result.getDimSize(1), bins = result.getDimSize(2);
  std::optional<int64_t> length = op.getFrameLength() ? getInteger(op.getFrameLength()) : std::nullopt;
  if (op.getWindow())
    length = NodeBuilder::getType(op.getWindow()).getDimSize(0);
  else if (!op.getOnesided())
    length = bins;
  if (length && bins != (op.getOnesided() ? *length / 2 + 1 : *length))
    return failure();
  Value step = nodes.cast(nodes.reshape(op.getFrameStep(), {}), rewriter.getI64Type());
  if (length) {
    rewriter.replaceOp(op, transformFrames(nodes, op, step, frames, *length, bins));
    return success();
  }
  // Of half of a spectrum, only the frame's length tells whether it is of an even number of samples.
  if (!op.getFrameLength() || bins < 2)
    return failure();
  Value size = nodes.cast(nodes.reshape(op.getFrameLength(), {}), rewriter.getI64Type());
  int64_t even = 2 * (bins - 1);
  rewriter.replaceOp(op, nodes.select(nodes.equal(size, nodes.scalarLike(size, double(even))),
                                      transformFrames(nodes, op, step, frames, even, bins),
                                      transformFrames(nodes, op, step, frames, even + 1, bins)));
  return success();
}

/// Triangles between frequencies that lie equally far apart on the mel scale, [bins of the spectrum, mel bins].
static LogicalResult rewriteMelWeightMatrix(MelWeightMatrixOp op, PatternRewriter &rewriter) {
  if (!isStatic(op->getOperands()) || !isStatic(op.getOutput()) ||
      llvm::any_of(op->getOperandTypes(), [](Type type) { return cast<RankedTensorType>(type).getNumElements() != 1; }))
    return failure();
  NodeBuilder nodes(rewriter, op.getLoc());
  RankedTensorType type = NodeBuilder::getType(op.getOutput());
  if (type.getRank() != 2)
    return failure();
  int64_t rows = type.getDimSize(0), columns = type.getDimSize(1);
  Type f64 = rewriter.getF64Type();
  auto number = [&](double value) { return nodes.scalar(f64, value); };
  auto input = [&](Value value) { return nodes.cast(nodes.reshape(value, {}), f64); };
  auto toMel = [&](Value hertz) {
    Value log = nodes.unary<LogOp>(nodes.add(number(1), nodes.div(hertz, number(700))));
    return nodes.mul(log, number(2595.0 / std::log(10.0)));
  };
  Value low = toMel(input(op.getLowerEdgeHertz())), high = toMel(input(op.getUpperEdgeHertz()));
  Value step = nodes.div(nodes.sub(high, low), number(double(columns + 2)));
  Value mel = nodes.add(nodes.mul(nodes.cast(nodes.range(columns + 2), f64), step), low);
  Value hertz = nodes.mul(nodes.sub(nodes.unary<ExpOp>(nodes.mul(mel, number(std::log(10.0) / 2595.0))), number(1)),
                          number(700));
  Value scaled = nodes.mul(nodes.add(input(op.getDftLength()), number(1)), hertz);
  Value bins = nodes.unary<FloorOp>(nodes.div(scaled, input(op.getSampleRate())));
  Value lower = nodes.slice(bins, 0, columns), center = nodes.slice(bins, 1, columns + 1),
        upper = nodes.slice(bins, 2, columns + 2);
  Value place = nodes.reshape(nodes.cast(nodes.range(rows), f64), {rows, 1});
  auto within = [&](Value from, Value to) { // from <= place < to
    return nodes.logicalAnd(nodes.less(nodes.sub(from, number(1)), place), nodes.less(place, to));
  };
  auto positive = [&](Value width) { return nodes.max(width, number(1)); };
  Value rise = nodes.div(nodes.sub(place, lower), positive(nodes.sub(center, lower)));
  Value fall = nodes.div(nodes.sub(upper, place), positive(nodes.sub(upper, center)));
  Value peak = nodes.select(nodes.equal(place, center), number(1), number(0));
  Value result = nodes.select(within(center, upper), fall, peak);
  result = nodes.select(within(lower, center), rise, result);
  rewriter.replaceOp(op, nodes.cast(result, type.getElementType()));
  return success();
}

void lathe::populateSignalPatterns(RewritePatternSet &patterns) {
  patterns.add(rewriteHann);
  patterns.add(rewriteHamming);
  patterns.add(rewriteBlackman);
  patterns.add(rewriteDFT);
  patterns.add(rewriteSTFT);
  patterns.add(rewriteMelWeightMatrix);
}

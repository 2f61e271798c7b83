//===- Convolutions.cpp - Convolutions that have no nn kernel -------------===//
#include "passes/Lower/ONNXToLinalg/Contractions.h"
#include "passes/Lower/ONNXToLinalg/SlidingWindows.h"

using namespace mlir;
using namespace lathe;

namespace {
/// Operands of a convolution: x [N, C, d...], w [M, C / groups, k...].
struct Convolution {
  Value input, weight;
  SmallVector<AffineExpr> inputDims, weightDims, resultDims;
  int64_t groups;
};
} // namespace

/// The operands of an onnx.Conv or onnx.ConvTranspose.
template <typename OpTy> static Convolution getConvolution(Lowering &lowering, OpTy op) {
  return {lowering.get(op.getX()),
          lowering.get(op.getW()),
          SmallVector<AffineExpr>(lowering.shapes.getDims(op.getX())),
          SmallVector<AffineExpr>(lowering.shapes.getDims(op.getW())),
          SmallVector<AffineExpr>(lowering.shapes.getDims(op.getY())),
          int64_t(op.getGroup())};
}

static SmallVector<int64_t> getKernel(ArrayRef<AffineExpr> weightDims) {
  return llvm::map_to_vector(weightDims.drop_front(2),
                             [](AffineExpr size) { return cast<AffineConstantExpr>(size).getValue(); });
}

/// The convolution of an input that is padded already.
static Value emitConvolution(Lowering &lowering, const Convolution &conv, ArrayRef<int64_t> strides,
                             ArrayRef<int64_t> dilations, Type element) {
  size_t spatial = strides.size();
  AffineExpr groups = lowering.constantExpr(conv.groups), depth = conv.weightDims[1];
  auto split = [&](ArrayRef<AffineExpr> dims, unsigned at, AffineExpr inner) {
    SmallVector<AffineExpr> result(dims);
    result[at] = groups;
    result.insert(result.begin() + at + 1, inner);
    return result;
  };
  AffineExpr filters = lowering.shapes.simplify(conv.weightDims[0].floorDiv(conv.groups));
  SmallVector<AffineExpr> inputDims = split(conv.inputDims, 1, depth), weightDims = split(conv.weightDims, 0, filters),
                          resultDims = split(conv.resultDims, 1, filters);
  // Loops: n, group, filter, window..., depth, place in the window...
  unsigned loops = 3 + spatial + 1 + spatial;
  AffineExpr inner = lowering.dim(3 + spatial);
  SmallVector<AffineExpr> input = {lowering.dim(0), lowering.dim(1), inner},
                          weight = {lowering.dim(1), lowering.dim(2), inner};
  for (unsigned i = 0; i < spatial; ++i) {
    AffineExpr place = lowering.dim(4 + spatial + i);
    input.push_back(lowering.dim(3 + i) * strides[i] + place * dilations[i]);
    weight.push_back(place);
  }
  MLIRContext *context = lowering.builder.getContext();
  Value result = emitContraction(lowering, resultDims, 1 + spatial, element,
                                 {lowering.reshape(conv.input, conv.inputDims, inputDims),
                                  lowering.reshape(conv.weight, conv.weightDims, weightDims)},
                                 {AffineMap::get(loops, 0, input, context), AffineMap::get(loops, 0, weight, context)});
  return lowering.reshape(result, resultDims, conv.resultDims);
}

/// A bias for each channel.
static Value addBias(Lowering &lowering, Value value, Value bias, ArrayRef<AffineExpr> dims, Type element) {
  if (!bias)
    return value;
  SmallVector<AffineMap> maps = {lowering.builder.getMultiDimIdentityMap(dims.size()),
                                 AffineMap::get(dims.size(), 0, lowering.dim(1))};
  return lowering.generic(dims, element, {value, lowering.get(bias)}, maps, [](ImplicitLocOpBuilder &b, ValueRange x) {
    return ScalarBuilder{b, b.getLoc()}.add(x[0], x[1]);
  });
}

/// Pads the input with zeros and convolves.
static LogicalResult emitPadded(Lowering &lowering, Operation *op, Value onnxInput, Convolution &conv, Type element,
                                Value &result) {
  FailureOr<SlidingWindows> windows = getSlidingWindows(lowering, op, onnxInput, getKernel(conv.weightDims));
  if (failed(windows))
    return failure();
  SmallVector<AffineExpr> padded(conv.inputDims);
  for (size_t i = 0; i < windows->rank(); ++i)
    padded[i + 2] = padded[i + 2] + windows->before[i] + windows->after[i];
  auto zero = cast<TypedAttr>(lowering.builder.getZeroAttr(getElementTypeOrSelf(conv.input)));
  conv.input = emitSpread(lowering, conv.input, conv.inputDims, padded, windows->before,
                          SmallVector<int64_t>(windows->rank(), 1), zero);
  conv.inputDims = padded;
  result = emitConvolution(lowering, conv, windows->strides, windows->dilations, element);
  return success();
}

static LogicalResult lowerConv(Lowering &lowering, onnx::ConvOp op) {
  Convolution conv = getConvolution(lowering, op);
  Type element = lowering.elementType(op.getY());
  Value result;
  if (failed(emitPadded(lowering, op, op.getX(), conv, element, result)))
    return failure();
  lowering.set(op.getY(), addBias(lowering, result, op.getB(), conv.resultDims, element));
  return success();
}

/// A tensor of 8-bit integers as i32, less its zero point: a scalar, or one for each slice of dimension 0.
static Value widen(Lowering &lowering, Value onnxValue, Value zeroPoint) {
  ArrayRef<AffineExpr> dims = lowering.shapes.getDims(onnxValue);
  Type i32 = lowering.builder.getI32Type();
  bool isUnsigned = lowering.isUnsigned(onnxValue);
  SmallVector<Value> inputs = {lowering.get(onnxValue)};
  SmallVector<AffineMap> maps = {lowering.builder.getMultiDimIdentityMap(dims.size())};
  if (zeroPoint) {
    ArrayRef<AffineExpr> pointDims = lowering.shapes.getDims(zeroPoint);
    SmallVector<AffineExpr> place;
    if (!pointDims.empty())
      place.push_back(pointDims[0] == lowering.constantExpr(1) ? lowering.constantExpr(0) : lowering.dim(0));
    inputs.push_back(lowering.get(zeroPoint));
    maps.push_back(AffineMap::get(dims.size(), 0, place, lowering.builder.getContext()));
  }
  return lowering.generic(dims, i32, inputs, maps, [&](ImplicitLocOpBuilder &b, ValueRange x) {
    Value wide = createScalarCast(b, b.getLoc(), x[0], isUnsigned, i32, false);
    if (x.size() == 1)
      return wide;
    return ScalarBuilder{b, b.getLoc()}.sub(wide, createScalarCast(b, b.getLoc(), x[1], isUnsigned, i32, false));
  });
}

static LogicalResult lowerConvInteger(Lowering &lowering, onnx::ConvIntegerOp op) {
  Convolution conv{widen(lowering, op.getX(), op.getXZeroPoint()),
                   widen(lowering, op.getW(), op.getWZeroPoint()),
                   SmallVector<AffineExpr>(lowering.shapes.getDims(op.getX())),
                   SmallVector<AffineExpr>(lowering.shapes.getDims(op.getW())),
                   SmallVector<AffineExpr>(lowering.shapes.getDims(op.getY())),
                   int64_t(op.getGroup())};
  Value result;
  if (failed(emitPadded(lowering, op, op.getX(), conv, lowering.builder.getI32Type(), result)))
    return failure();
  lowering.set(op.getY(), result);
  return success();
}

/// [C, M / groups, k...] as [M, C / groups, k...], each window backwards.
static Value flipWeight(Lowering &lowering, const Convolution &conv, ArrayRef<AffineExpr> flippedDims,
                        ArrayRef<int64_t> kernel) {
  AffineExpr depth = flippedDims[1], filters = conv.weightDims[1];
  Value depthSize = lowering.sizeValue(depth), filterSize = lowering.sizeValue(filters);
  return lowering.generic(
      flippedDims, getElementTypeOrSelf(conv.weight), {}, {}, [&](ImplicitLocOpBuilder &b, ValueRange) -> Value {
        ScalarBuilder s{b, b.getLoc()};
        Value output = linalg::IndexOp::create(b, 0), input = linalg::IndexOp::create(b, 1);
        Value group = s.make<arith::DivSIOp>({output, filterSize});
        SmallVector<Value> position = {s.add(s.mul(group, depthSize), input),
                                       s.make<arith::RemSIOp>({output, filterSize})};
        for (auto [i, size] : llvm::enumerate(kernel))
          position.push_back(s.sub(arith::ConstantIndexOp::create(b, size - 1), linalg::IndexOp::create(b, 2 + i)));
        return tensor::ExtractOp::create(b, conv.weight, position);
      });
}

/// The convolution, with the windows backwards, of an input whose elements are as far apart as the strides say.
static LogicalResult lowerConvTranspose(Lowering &lowering, onnx::ConvTransposeOp op) {
  Convolution conv = getConvolution(lowering, op);
  SmallVector<int64_t> kernel = getKernel(conv.weightDims);
  size_t spatial = kernel.size();
  auto read = [&](std::optional<ArrayRef<int64_t>> given, size_t count, int64_t otherwise) {
    return given && given->size() == count ? SmallVector<int64_t>(*given) : SmallVector<int64_t>(count, otherwise);
  };
  SmallVector<int64_t> strides = read(op.getStrides(), spatial, 1), dilations = read(op.getDilations(), spatial, 1),
                       pads = read(op.getPads(), 2 * spatial, 0), extra = read(op.getOutputPadding(), spatial, 0),
                       before;
  StringRef mode = op.getAutoPad();
  SmallVector<AffineExpr> spreadDims(conv.inputDims);
  for (size_t i = 0; i < spatial; ++i) {
    int64_t extent = dilations[i] * (kernel[i] - 1) + 1, cropped = pads[i];
    bool givesShape = op.getOutputShape() && !op.getOutputShape()->empty();
    if (mode.starts_with("SAME") || givesShape) {
      // What there is more than the result holds is cropped on both sides.
      auto total = dyn_cast<AffineConstantExpr>(lowering.shapes.simplify(
          (conv.inputDims[i + 2] - 1) * strides[i] + extent + extra[i] - conv.resultDims[i + 2]));
      if (!total)
        return op.emitOpError("expected sizes that are known at compile time for auto_pad or output_shape");
      int64_t half = llvm::divideFloorSigned(total.getValue(), 2);
      cropped = mode == "SAME_UPPER" ? half : total.getValue() - half;
    } else if (mode == "VALID") {
      cropped = 0;
    }
    before.push_back(extent - 1 - cropped);
    spreadDims[i + 2] = conv.resultDims[i + 2] + (extent - 1);
  }
  auto zero = cast<TypedAttr>(lowering.builder.getZeroAttr(getElementTypeOrSelf(conv.input)));
  conv.input = emitSpread(lowering, conv.input, conv.inputDims, spreadDims, before, strides, zero);
  SmallVector<AffineExpr> flipped(conv.weightDims);
  flipped[0] = lowering.shapes.simplify(conv.weightDims[1] * conv.groups);
  flipped[1] = lowering.shapes.simplify(conv.weightDims[0].floorDiv(conv.groups));
  conv.weight = flipWeight(lowering, conv, flipped, kernel);
  conv.inputDims = spreadDims;
  conv.weightDims = flipped;
  Type element = lowering.elementType(op.getY());
  Value result = emitConvolution(lowering, conv, SmallVector<int64_t>(spatial, 1), dilations, element);
  lowering.set(op.getY(), addBias(lowering, result, op.getB(), conv.resultDims, element));
  return success();
}

void lathe::addConvolutionLowerings(LoweringTable &table) {
  table.add<onnx::ConvOp, lowerConv>();
  table.add<onnx::ConvIntegerOp, lowerConvInteger>();
  table.add<onnx::ConvTransposeOp, lowerConvTranspose>();
}

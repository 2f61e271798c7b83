//===- Convolutions.cpp - ConvTranspose by Conv ---------------------------===//
//
// There is a kernel for convolutions. ConvTranspose is written by them, with the movement of elements that this takes.
//
//===----------------------------------------------------------------------===//
#include "passes/Import/Decompose/NodeBuilder.h"
#include "passes/Import/Decompose/Patterns.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::onnx;

/// Static but for the first dimension, of f32.
static bool isSupported(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.getElementType().isF32() && type.getRank() >= 3 && !ShapedType::isDynamicShape(type.getShape().drop_front());
}

static SmallVector<int64_t> read(std::optional<ArrayRef<int64_t>> given, size_t count, int64_t otherwise) {
  return given && given->size() == count ? SmallVector<int64_t>(*given) : SmallVector<int64_t>(count, otherwise);
}

//===----------------------------------------------------------------------===//
// ConvTranspose
//===----------------------------------------------------------------------===//

namespace {

/// One spatial dimension of a ConvTranspose: y[q * stride + p - crop] = sum_j x[q - j] w[j * stride + p].
struct TransposedWindow {
  int64_t in, out, stride;
  int64_t taps;       ///< J, of each phase p
  int64_t begin, end; ///< q that are computed
  int64_t crop;       ///< of the result, once phases are interleaved
};

} // namespace

/// Nullopt where it is not one of these.
static std::optional<SmallVector<TransposedWindow>> getWindows(ConvTransposeOp op, ArrayRef<int64_t> kernel) {
  size_t spatial = kernel.size();
  ArrayRef<int64_t> in = NodeBuilder::getType(op.getX()).getShape(), out = NodeBuilder::getType(op.getY()).getShape();
  SmallVector<int64_t> strides = read(op.getStrides(), spatial, 1), pads = read(op.getPads(), 2 * spatial, 0),
                       extra = read(op.getOutputPadding(), spatial, 0);
  bool givesShape = op.getOutputShape() && !op.getOutputShape()->empty();
  SmallVector<TransposedWindow> windows;
  for (size_t i = 0; i < spatial; ++i) {
    TransposedWindow w{in[i + 2], out[i + 2], strides[i], int64_t(llvm::divideCeil(kernel[i], strides[i])), 0, 0, pads[i]};
    if (op.getAutoPad().starts_with("SAME") || givesShape) {
      // What there is more than the result holds is cropped on both sides.
      int64_t total = (w.in - 1) * w.stride + kernel[i] + extra[i] - w.out, half = llvm::divideFloorSigned(total, 2);
      w.crop = op.getAutoPad() == "SAME_UPPER" ? half : total - half;
    } else if (op.getAutoPad() == "VALID") {
      w.crop = 0;
    }
    if (w.crop < 0 || w.out <= 0 || w.in <= 0)
      return std::nullopt;
    w.begin = std::min(w.crop / w.stride, w.taps - 1);
    w.end = std::max<int64_t>(llvm::divideCeil(w.crop + w.out, w.stride), w.in);
    w.crop -= w.begin * w.stride;
    windows.push_back(w);
  }
  return windows;
}

/// [C, O, k...] as [phases * O, C, taps...], each window backwards.
static Value splitWeight(NodeBuilder &nodes, Value weight, ArrayRef<TransposedWindow> windows) {
  SmallVector<int64_t> before(2 + windows.size(), 0), after = before;
  RankedTensorType type = NodeBuilder::getType(weight);
  int64_t channels = type.getDimSize(0), outputs = type.getDimSize(1), phases = 1;
  SmallVector<int64_t> split = {channels, outputs}, order, tapDims, merged;
  for (auto [i, w] : llvm::enumerate(windows)) {
    after[i + 2] = w.taps * w.stride - type.getDimSize(i + 2);
    order.push_back(split.size() + 1);
    tapDims.push_back(split.size());
    split.append({w.taps, w.stride});
    phases *= w.stride;
  }
  order.append({1, 0});
  llvm::append_range(order, tapDims);
  merged = {phases * outputs, channels};
  if (llvm::any_of(after, [](int64_t size) { return size != 0; }))
    weight = nodes.pad(weight, before, after, nodes.scalarLike(weight, 0));
  weight = nodes.transpose(nodes.reshape(weight, split), order);
  for (const TransposedWindow &w : windows)
    merged.push_back(w.taps);
  weight = nodes.reshape(weight, merged);
  for (auto [i, w] : llvm::enumerate(windows))
    if (w.taps > 1)
      weight = nodes.gather(weight, nodes.ints(llvm::to_vector(llvm::reverse(llvm::seq(w.taps)))), 2 + i);
  return weight;
}

/// A convolution computes all phases of the result, each a set of channels, with the taps that meet it; none multiplies the zeros that
/// lie between the input's elements otherwise.
static LogicalResult rewriteConvTranspose(ConvTransposeOp op, PatternRewriter &rewriter) {
  bool isDilated = llvm::any_of(op.getDilations().value_or(ArrayRef<int64_t>()), [](int64_t dilation) { return dilation != 1; });
  if (!isSupported(op.getX()) || !isSupported(op.getY()) || !isSupported(op.getW()) ||
      !NodeBuilder::getType(op.getW()).hasStaticShape() || op.getGroup() != 1 || isDilated)
    return failure();
  ArrayRef<int64_t> kernel = NodeBuilder::getType(op.getW()).getShape().drop_front(2);
  std::optional<SmallVector<TransposedWindow>> windows = getWindows(op, kernel);
  if (!windows)
    return failure();
  NodeBuilder nodes(rewriter, op.getLoc());
  size_t spatial = kernel.size();
  int64_t samples = NodeBuilder::getType(op.getX()).getDimSize(0), outputs = NodeBuilder::getType(op.getW()).getDimSize(1), phases = 1;
  SmallVector<int64_t> pads(2 * spatial), shape, split = {samples}, order = {0, int64_t(spatial + 1)}, merged = {samples, outputs}, taps;
  for (auto [i, w] : llvm::enumerate(*windows)) {
    pads[i] = w.taps - 1 - w.begin;
    pads[spatial + i] = w.end - w.in;
    taps.push_back(w.taps);
    phases *= w.stride;
    split.push_back(w.stride);
    order.append({int64_t(spatial + 2 + i), int64_t(1 + i)});
    merged.push_back((w.end - w.begin) * w.stride);
  }
  shape = {samples, phases * outputs};
  split.push_back(outputs);
  for (const TransposedWindow &w : *windows) {
    shape.push_back(w.end - w.begin);
    split.push_back(w.end - w.begin);
  }
  Value bias = op.getB() ? nodes.concat(SmallVector<Value>(phases, op.getB()), 0) : Value();
  SmallVector<int64_t> ones(spatial, 1);
  Value result = ConvOp::create(rewriter, op.getLoc(), RankedTensorType::get(shape, rewriter.getF32Type()), op.getX(),
                                splitWeight(nodes, op.getW(), *windows), bias, rewriter.getStringAttr("NOTSET"),
                                rewriter.getDenseI64ArrayAttr(ones), /*group=*/1, rewriter.getDenseI64ArrayAttr(taps),
                                rewriter.getDenseI64ArrayAttr(pads), rewriter.getDenseI64ArrayAttr(ones));
  if (phases > 1)
    result = nodes.reshape(nodes.transpose(nodes.reshape(result, split), order), merged);
  for (auto [i, w] : llvm::enumerate(*windows))
    result = nodes.sliceAxis(result, i + 2, w.crop, w.crop + w.out);
  rewriter.replaceOp(op, result);
  return success();
}

void lathe::populateConvolutionPatterns(RewritePatternSet &patterns) {
  patterns.add(rewriteConvTranspose);
}

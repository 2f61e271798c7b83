//===- NNShapes.cpp - Shape inference of neural network onnx ops ----------===//
#include "dialects/ONNX/IR/ShapeHelpers.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::onnx;

namespace {

/// The geometry of a sliding window over `spatial` dimensions, with defaults filled in.
struct Window {
  SmallVector<int64_t> kernel, strides, dilations, before, after;
  StringRef autoPad;
  bool ceil = false;
};

} // namespace

/// Reads the attributes of a convolution or pooling; fails after an error if they do not fit `spatial` dimensions.
static FailureOr<Window> getWindow(Operation *op, size_t spatial, ArrayRef<int64_t> kernel) {
  Window window;
  window.kernel.assign(kernel.begin(), kernel.end());
  auto expand = [&](StringRef name, size_t count, int64_t otherwise, SmallVector<int64_t> &values) {
    ArrayRef<int64_t> given = getInts(op, name);
    if (!given.empty() && given.size() != count) {
      op->emitOpError("expected ") << count << " values in " << name << ", but got " << given.size();
      return failure();
    }
    values.assign(given.begin(), given.end());
    if (given.empty())
      values.assign(count, otherwise);
    return success();
  };
  SmallVector<int64_t> pads;
  if (failed(expand("strides", spatial, 1, window.strides)) ||
      failed(expand("dilations", spatial, 1, window.dilations)) || failed(expand("pads", 2 * spatial, 0, pads)))
    return failure();
  if (kernel.size() != spatial) {
    op->emitOpError("expected a kernel of rank ") << spatial << ", but got rank " << kernel.size();
    return failure();
  }
  // Products of two fit 64 bits.
  std::pair<StringRef, ArrayRef<int64_t>> all[] = {
      {"strides", window.strides}, {"dilations", window.dilations}, {"kernel_shape", window.kernel}, {"pads", pads}};
  for (const auto &[name, values] : all)
    for (int64_t value : values)
      if (!llvm::isInt<32>(value)) {
        op->emitOpError("expected values below 2^31 in ") << name << ", but got " << value;
        return failure();
      }
  auto positive = ArrayRef(all).drop_back();
  for (const auto &[name, values] : positive)
    for (int64_t value : values)
      if (value < 1) {
        op->emitOpError("expected positive values in ") << name << ", but got " << value;
        return failure();
      }
  window.before.assign(pads.begin(), pads.begin() + spatial);
  window.after.assign(pads.begin() + spatial, pads.end());
  window.autoPad = getString(op, "auto_pad", "NOTSET");
  if (!llvm::is_contained({"NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"}, window.autoPad)) {
    op->emitOpError("expected auto_pad NOTSET, VALID, SAME_UPPER or SAME_LOWER, but got ") << window.autoPad;
    return failure();
  }
  if (window.autoPad != "NOTSET") {
    window.before.assign(spatial, 0);
    window.after.assign(spatial, 0);
  }
  window.ceil = getInt(op, "ceil_mode", 0);
  return window;
}

/// The number of windows along dimension `i`; fails after an error.
static FailureOr<AffineExpr> countWindows(Operation *op, const SymbolicShapes &shapes, const Window &window, size_t i,
                                          AffineExpr in) {
  int64_t stride = window.strides[i], extent = window.dilations[i] * (window.kernel[i] - 1) + 1;
  if (window.autoPad.starts_with("SAME"))
    return shapes.simplify(in.ceilDiv(stride));
  AffineExpr room = in + (window.before[i] + window.after[i] - extent);
  if (shapes.getBounds(room).second < 0) {
    op->emitOpError("expected a window of at most the padded size ")
        << shapes.describe(in + (window.before[i] + window.after[i])) << ", but got " << extent;
    return failure();
  }
  if (!window.ceil)
    return shapes.simplify(room.floorDiv(stride) + 1);
  AffineExpr count = shapes.simplify(room.ceilDiv(stride) + 1);
  // A window that would start behind the input and its leading padding does not count.
  if (stride - 1 < extent - window.after[i])
    return count;
  if (std::optional<int64_t> size = getConstant(in)) {
    int64_t windows = *getConstant(count);
    return shapes.constant(windows - ((windows - 1) * stride >= *size + window.before[i]));
  }
  op->emitOpError("has ceil_mode with strides that reach over the padding, which needs a constant size, but got ")
      << shapes.describe(in);
  return failure();
}

/// Dimensions [first, second, windows...] of a convolution or pooling.
static FailureOr<Dims> slide(Operation *op, const SymbolicShapes &shapes, Value input, AffineExpr channels,
                             ArrayRef<int64_t> kernel) {
  ArrayRef<AffineExpr> in = shapes.getDims(input);
  FailureOr<Window> window = getWindow(op, in.size() - 2, kernel);
  if (failed(window))
    return failure();
  Dims dims = {in[0], channels};
  for (size_t i = 0; i + 2 < in.size(); ++i) {
    FailureOr<AffineExpr> count = countWindows(op, shapes, *window, i, in[i + 2]);
    if (failed(count))
      return failure();
    dims.push_back(*count);
  }
  return dims;
}

/// The sizes of a weight's window; fails after an error if the weight has no constant shape or does not fit the input.
static FailureOr<SmallVector<int64_t>> getKernel(Operation *op, const SymbolicShapes &shapes, Value input,
                                                 Value weight) {
  ArrayRef<AffineExpr> in = shapes.getDims(input), filter = shapes.getDims(weight);
  if (in.size() < 3 || filter.size() != in.size()) {
    op->emitOpError("expected input and weight of the same rank of 3 or more, but got ranks ")
        << in.size() << " and " << filter.size();
    return failure();
  }
  SmallVector<int64_t> kernel;
  for (AffineExpr size : filter.drop_front(2)) {
    if (!getConstant(size)) {
      emitUnknown(op, "a weight's shape");
      return failure();
    }
    kernel.push_back(*getConstant(size));
  }
  ArrayRef<int64_t> given = getInts(op, "kernel_shape");
  if (!given.empty() && given != ArrayRef<int64_t>(kernel)) {
    op->emitOpError("expected the weight's window in kernel_shape, but got another one");
    return failure();
  }
  return kernel;
}

static LogicalResult inferConvOf(Operation *op, SymbolicShapes &shapes, Value input, Value weight, Type elementType) {
  FailureOr<SmallVector<int64_t>> kernel = getKernel(op, shapes, input, weight);
  if (failed(kernel))
    return failure();
  std::optional<int64_t> filters = getConstant(shapes.getDims(weight)[0]);
  int64_t group = getInt(op, "group", 1);
  if (group < 1 || (filters && *filters % group))
    return op->emitOpError("expected a number of groups that divides the filters, but got ") << group;
  if (llvm::is_contained(shapes.getDims(weight).take_front(2), shapes.constant(0)))
    return op->emitOpError("expected at least one filter of at least one channel, but got none");
  AffineExpr taken = shapes.getDims(weight)[1] * group;
  if (!shapes.assumeEqual(shapes.getDims(input)[1], shapes.simplify(taken)))
    return op->emitOpError("expected ") << shapes.describe(taken) << " input channels, but got "
                                        << shapes.describe(shapes.getDims(input)[1]);
  FailureOr<Dims> dims = slide(op, shapes, input, shapes.getDims(weight)[0], *kernel);
  if (failed(dims))
    return failure();
  shapes.setDims(op->getResult(0), *dims, elementType);
  return success();
}

static LogicalResult inferConv(ConvOp op, SymbolicShapes &shapes) {
  return inferConvOf(op, shapes, op.getX(), op.getW(), shapes.getElementType(op.getX()));
}

/// A convolution with offsets, and masks, for each of its windows' elements in each group of
/// channels.
static LogicalResult inferDeformConv(DeformConvOp op, SymbolicShapes &shapes) {
  if (failed(inferConvOf(op, shapes, op.getX(), op.getW(), shapes.getElementType(op.getX()))))
    return failure();
  ArrayRef<AffineExpr> out = shapes.getDims(op.getY()), weight = shapes.getDims(op.getW());
  std::optional<int64_t> channels = getConstant(shapes.getDims(op.getX())[1]);
  int64_t groups = op.getOffsetGroup(), elements = 1, spatial = out.size() - 2;
  for (AffineExpr size : weight.drop_front(2))
    elements *= *getConstant(size);
  if (groups < 1 || (channels && *channels % groups))
    return op.emitOpError("expected an offset_group that divides the channels, but got ") << groups;
  for (auto [operand, count] : {std::pair<Value, int64_t>(op.getOffset(), groups * elements * spatial),
                                std::pair<Value, int64_t>(op.getMask(), groups * elements)}) {
    if (!operand)
      continue;
    Dims expected(out);
    expected[1] = shapes.constant(count);
    ArrayRef<AffineExpr> actual = shapes.getDims(operand);
    bool fits = actual.size() == expected.size();
    for (size_t i = 0; fits && i < expected.size(); ++i)
      fits = !getConstant(expected[i]) || !getConstant(actual[i]) || expected[i] == actual[i];
    if (!fits)
      return op.emitOpError("expected offsets and masks of ")
             << groups * elements << " elements for each place of the result "
             << "and " << spatial << " dimensions, but got others";
  }
  return success();
}

static LogicalResult inferConvInteger(ConvIntegerOp op, SymbolicShapes &shapes) {
  return inferConvOf(op, shapes, op.getX(), op.getW(), IntegerType::get(op.getContext(), 32));
}

static LogicalResult inferQLinearConv(QLinearConvOp op, SymbolicShapes &shapes) {
  return inferConvOf(op, shapes, op.getX(), op.getW(), shapes.getElementType(op.getYZeroPoint()));
}

static LogicalResult inferConvTranspose(ConvTransposeOp op, SymbolicShapes &shapes) {
  FailureOr<SmallVector<int64_t>> kernel = getKernel(op, shapes, op.getX(), op.getW());
  if (failed(kernel))
    return failure();
  ArrayRef<AffineExpr> in = shapes.getDims(op.getX());
  size_t spatial = in.size() - 2;
  FailureOr<Window> window = getWindow(op, spatial, *kernel);
  if (failed(window))
    return failure();
  ArrayRef<int64_t> size = getInts(op, "output_shape"), extra = getInts(op, "output_padding");
  if ((!size.empty() && size.size() != spatial) || (!extra.empty() && extra.size() != spatial))
    return op.emitOpError("expected ") << spatial << " values in output_shape and output_padding";
  Dims dims = {in[0], shapes.getDims(op.getW())[1] * int64_t(op.getGroup())};
  for (size_t i = 0; i < spatial; ++i) {
    int64_t extent = window->dilations[i] * (window->kernel[i] - 1) + 1, more = extra.empty() ? 0 : extra[i];
    if (!size.empty())
      dims.push_back(shapes.constant(size[i]));
    else if (window->autoPad.starts_with("SAME"))
      dims.push_back(in[i + 2] * window->strides[i]);
    else
      dims.push_back((in[i + 2] - 1) * window->strides[i] + (more + extent - window->before[i] - window->after[i]));
    if (shapes.getBounds(dims.back()).second < 1)
      return op.emitOpError("expected a result of positive size, but got ") << shapes.describe(dims.back());
  }
  shapes.setDims(op.getResult(), dims, shapes.getElementType(op.getX()));
  return success();
}

static LogicalResult inferPool(Operation *op, SymbolicShapes &shapes) {
  ArrayRef<AffineExpr> in = shapes.getDims(op->getOperand(0));
  if (in.size() < 3)
    return op->emitOpError("expected an input of rank 3 or more, but got rank ") << in.size();
  FailureOr<Dims> dims = slide(op, shapes, op->getOperand(0), in[1], getInts(op, "kernel_shape"));
  if (failed(dims))
    return failure();
  shapes.setDims(op->getResult(0), *dims, shapes.getElementType(op->getOperand(0)));
  if (op->getNumResults() > 1)
    shapes.setDims(op->getResult(1), *dims, IntegerType::get(op->getContext(), 64));
  return success();
}

static LogicalResult inferGlobalPool(Operation *op, SymbolicShapes &shapes) {
  Dims dims(shapes.getDims(op->getOperand(0)));
  if (dims.size() < 3)
    return op->emitOpError("expected an input of rank 3 or more, but got rank ") << dims.size();
  std::fill(dims.begin() + 2, dims.end(), shapes.constant(1));
  shapes.setDims(op->getResult(0), dims, shapes.getElementType(op->getOperand(0)));
  return success();
}

static LogicalResult inferBatchNorm(BatchNormalizationOp op, SymbolicShapes &shapes) {
  ArrayRef<AffineExpr> in = shapes.getDims(op.getX());
  AffineExpr channels = in.size() > 1 ? in[1] : shapes.constant(1);
  for (Value parameter : op->getOperands().drop_front()) {
    ArrayRef<AffineExpr> dims = shapes.getDims(parameter);
    if (dims.size() != 1 || !shapes.assumeEqual(channels, dims[0]))
      return op.emitOpError("expected a parameter for each of ")
             << shapes.describe(channels) << " channels, but got another shape";
  }
  if (op->getNumResults() > 1 && !op.getTrainingMode())
    return op.emitOpError("expected one result without training_mode, but got ") << op->getNumResults();
  shapes.setDims(op.getY(), Dims(in), shapes.getElementType(op.getX()));
  for (Value statistic : op->getResults().drop_front())
    shapes.setDims(statistic, {channels}, shapes.getElementType(op.getInputMean()));
  return success();
}

static LogicalResult inferLRN(LRNOp op, SymbolicShapes &shapes) {
  size_t rank = shapes.getDims(op.getX()).size();
  if (rank < 2)
    return op.emitOpError("expected an input of rank 2 or more, but got rank ") << rank;
  if (int64_t size = op.getSize(); size < 1 || !llvm::isInt<32>(size))
    return op.emitOpError("expected a size from 1 to 2^31 - 1, but got ") << size;
  return inferLikeFirst(op, shapes);
}

static LogicalResult inferLayerNorm(LayerNormalizationOp op, SymbolicShapes &shapes) {
  Dims dims(shapes.getDims(op.getX()));
  FailureOr<unsigned> axis = normalizeAxis(op, op.getAxis(), dims.size());
  if (failed(axis))
    return failure();
  for (Value parameter : op->getOperands().drop_front()) {
    FailureOr<Dims> both = broadcastDims(op, shapes, {dims, shapes.getDims(parameter)});
    if (failed(both))
      return failure();
    for (auto [size, grown] : llvm::zip(dims, *both))
      if (!shapes.assumeEqual(size, grown))
        return op.emitOpError("expected scale and bias that broadcast to the input, but got size ")
               << shapes.describe(grown) << " for " << shapes.describe(size);
  }
  Type type = shapes.getElementType(op.getX());
  shapes.setDims(op.getY(), dims, type);
  std::fill(dims.begin() + *axis, dims.end(), shapes.constant(1));
  Type stash = getOnnxElementType(op.getContext(), op.getStashType());
  for (Value statistic : op->getResults().drop_front())
    shapes.setDims(statistic, dims, stash ? stash : type);
  return success();
}

/// The shape of the first operand, among whose dimensions the axes have to be.
template <typename OpT>
static LogicalResult inferAlongAxes(OpT op, SymbolicShapes &shapes) {
  SmallVector<int64_t> axes;
  if constexpr (std::is_same_v<OpT, LpNormalizationOp>)
    axes.push_back(op.getAxis());
  else
    llvm::append_range(axes, op.getAxes());
  if (failed(normalizeAxes(op, axes, shapes.getDims(op->getOperand(0)).size())))
    return failure();
  return inferLikeFirst(op, shapes);
}

static LogicalResult inferDropout(DropoutOp op, SymbolicShapes &shapes) {
  Dims dims(shapes.getDims(op.getData()));
  shapes.setDims(op.getOutput(), dims, shapes.getElementType(op.getData()));
  if (op.getMask())
    shapes.setDims(op.getMask(), dims, IntegerType::get(op.getContext(), 1));
  return success();
}

static LogicalResult inferRoiAlign(RoiAlignOp op, SymbolicShapes &shapes) {
  ArrayRef<AffineExpr> in = shapes.getDims(op.getX()), rois = shapes.getDims(op.getRois());
  if (in.size() != 4 || rois.size() != 2)
    return op.emitOpError("expected input and regions of ranks 4 and 2, but got ranks ")
           << in.size() << " and " << rois.size();
  ArrayRef<AffineExpr> images = shapes.getDims(op.getBatchIndices());
  if (rois[1] != shapes.constant(4) || images.size() != 1 || !shapes.assumeEqual(images[0], rois[0]))
    return op.emitOpError("expected regions of 4 coordinates and the image of each, but got other shapes");
  shapes.setDims(op.getResult(),
                 {rois[0], in[1], shapes.constant(op.getOutputHeight()), shapes.constant(op.getOutputWidth())},
                 shapes.getElementType(op.getX()));
  return success();
}

void onnx::attachNNShapes(MLIRContext *context) {
  attachShapes<inferConv, ConvOp>(context);
  attachShapes<inferDeformConv, DeformConvOp>(context);
  attachShapes<inferConvInteger, ConvIntegerOp>(context);
  attachShapes<inferConvTranspose, ConvTransposeOp>(context);
  attachShapes<inferPool, MaxPoolOp, AveragePoolOp, LpPoolOp>(context);
  attachShapes<inferGlobalPool, GlobalAveragePoolOp, GlobalMaxPoolOp, GlobalLpPoolOp>(context);
  attachShapes<inferBatchNorm, BatchNormalizationOp>(context);
  attachShapes<inferLayerNorm, LayerNormalizationOp>(context);
  attachShapes<inferDropout, DropoutOp>(context);
  attachShapes<inferRoiAlign, RoiAlignOp>(context);
  attachShapes<inferAlongAxes<LpNormalizationOp>, LpNormalizationOp>(context);
  attachShapes<inferAlongAxes<MeanVarianceNormalizationOp>, MeanVarianceNormalizationOp>(context);
  attachShapes<inferLRN, LRNOp>(context);
  attachShapes<inferLikeFirst, GroupNormalizationOp, InstanceNormalizationOp>(context);
}

void onnx::attachQuantConvShapes(MLIRContext *context) { attachShapes<inferQLinearConv, QLinearConvOp>(context); }

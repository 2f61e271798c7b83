//===- NNVerifiers.cpp - Verifiers of neural network onnx ops -------------===//
#include "dialects/ONNX/IR/VerifyHelpers.h"

using namespace mlir;
using namespace lathe::onnx;

//===----------------------------------------------------------------------===//
// Sliding windows
//===----------------------------------------------------------------------===//

/// As many values as `count`, if any are given, none below `smallest`.
static LogicalResult verifyList(Operation *op, StringRef name, int64_t count, int64_t smallest) {
  ArrayRef<int64_t> values = getInts(op, name);
  if (!values.empty() && int64_t(values.size()) != count)
    return op->emitOpError("expected ")
           << count << " values in " << name << ", but got " << values.size();
  for (int64_t value : values)
    if (value < smallest)
      return op->emitOpError("expected values of at least ")
             << smallest << " in " << name << ", but got " << value;
  return success();
}

/// The attributes of convolutions and pooling against the input, [N, C, spatial...].
static LogicalResult verifyWindow(Operation *op, Value input) {
  StringRef autoPad = getString(op, "auto_pad", "NOTSET");
  if (failed(verifyOneOf(op, "auto_pad", autoPad, {"NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"})))
    return failure();
  RankedTensorType type = getRanked(input);
  if (!type)
    return success();
  int64_t spatial = type.getRank() - 2;
  if (spatial < 1)
    return op->emitOpError("expected an input of rank 3 or more, but got ") << Type(type);
  // Negative padding crops, which ONNX leaves open.
  return success(
      succeeded(verifyList(op, "kernel_shape", spatial, 1)) &&
      succeeded(verifyList(op, "strides", spatial, 1)) &&
      succeeded(verifyList(op, "dilations", spatial, 1)) &&
      succeeded(verifyList(op, "pads", 2 * spatial, std::numeric_limits<int64_t>::min())));
}

/// Convolutions: also weight and bias; `outputs` and `inputs` are the weight's dimensions of
/// channels.
static LogicalResult verifyConvolution(Operation *op, Value input, Value filter, Value bias,
                                       bool transposed) {
  if (failed(verifyWindow(op, input)))
    return failure();
  int64_t group = getInt(op, "group", 1);
  if (group < 1)
    return op->emitOpError("expected a group of at least 1, but got ") << group;
  if (RankedTensorType type = getRanked(bias); type && type.getRank() != 1)
    return op->emitOpError("expected a bias of rank 1, but got ") << Type(type);
  RankedTensorType in = getRanked(input), weight = getRanked(filter);
  if (!in || !weight)
    return success();
  if (weight.getRank() != in.getRank())
    return op->emitOpError("expected a weight of the input's rank, ")
           << in.getRank() << ", but got " << Type(weight);
  // [O, C / group, ...]; of a transposed convolution [C, O / group, ...].
  if (int64_t grouped = weight.getDimSize(0); !ShapedType::isDynamic(grouped) && grouped % group)
    return op->emitOpError("expected a group that divides the weight's ")
           << grouped << " channels, but got " << group;
  int64_t factor = transposed ? 1 : group, depth = weight.getDimSize(transposed ? 0 : 1);
  if (int64_t channels = in.getDimSize(1); !ShapedType::isDynamic(depth) &&
                                           !ShapedType::isDynamic(channels) &&
                                           channels != depth * factor)
    return op->emitOpError("expected ")
           << depth * factor << " input channels, but got " << channels;
  ArrayRef<int64_t> kernel = getInts(op, "kernel_shape");
  for (auto [given, size] : llvm::zip(kernel, weight.getShape().drop_front(2)))
    if (!ShapedType::isDynamic(size) && given != size)
      return op->emitOpError("expected the weight's window in kernel_shape, ")
             << size << ", but got " << given;
  return success();
}

LogicalResult ConvOp::verify() {
  return verifyConvolution(*this, getX(), getW(), getB(), /*transposed=*/false);
}

LogicalResult ConvIntegerOp::verify() {
  return verifyConvolution(*this, getX(), getW(), /*bias=*/nullptr, /*transposed=*/false);
}

LogicalResult ConvTransposeOp::verify() {
  if (failed(verifyConvolution(*this, getX(), getW(), getB(), /*transposed=*/true)))
    return failure();
  RankedTensorType type = getRanked(getX());
  if (!type)
    return success();
  int64_t spatial = type.getRank() - 2;
  return success(succeeded(verifyList(*this, "output_padding", spatial, 0)) &&
                 succeeded(verifyList(*this, "output_shape", spatial, 0)));
}

LogicalResult MaxPoolOp::verify() { return verifyWindow(*this, getX()); }
LogicalResult AveragePoolOp::verify() { return verifyWindow(*this, getX()); }
LogicalResult LpPoolOp::verify() { return verifyWindow(*this, getX()); }

//===----------------------------------------------------------------------===//
// Norms
//===----------------------------------------------------------------------===//

/// Parameters of rank 1 with an element for each channel, dimension 1 of the input.
static LogicalResult verifyChannelParameters(Operation *op, Value input, ValueRange parameters) {
  RankedTensorType in = getRanked(input);
  if (in && in.getRank() < 2)
    return op->emitOpError("expected an input of rank 2 or more, but got ") << Type(in);
  int64_t channels = in ? in.getDimSize(1) : ShapedType::kDynamic;
  for (Value parameter : parameters) {
    RankedTensorType type = getRanked(parameter);
    if (!type)
      continue;
    if (type.getRank() != 1)
      return op->emitOpError("expected parameters of rank 1, but got ") << Type(type);
    if (!ShapedType::isDynamic(channels) && !type.isDynamicDim(0) && type.getDimSize(0) != channels)
      return op->emitOpError("expected parameters for ")
             << channels << " channels, but got " << Type(type);
  }
  return success();
}

LogicalResult BatchNormalizationOp::verify() {
  return verifyChannelParameters(*this, getX(),
                                 {getScale(), getB(), getInputMean(), getInputVar()});
}

LogicalResult InstanceNormalizationOp::verify() {
  return verifyChannelParameters(*this, getInput(), {getScale(), getB()});
}

LogicalResult GroupNormalizationOp::verify() {
  if (failed(verifyChannelParameters(*this, getX(), {getScale(), getBias()})))
    return failure();
  int64_t groups = getNumGroups();
  RankedTensorType in = getRanked(getX());
  if (groups < 1 || (in && !in.isDynamicDim(1) && in.getDimSize(1) % groups))
    return emitOpError("expected a num_groups that divides the channels, but got ") << groups;
  return success();
}

LogicalResult LayerNormalizationOp::verify() {
  if (failed(verifyAxis(*this, getAxis(), getX())))
    return failure();
  RankedTensorType in = getRanked(getX());
  for (Value parameter : {Value(getScale()), Value(getB())})
    if (RankedTensorType type = getRanked(parameter); in && type && type.getRank() > in.getRank())
      return emitOpError("expected parameters of at most the input's rank, ")
             << in.getRank() << ", but got " << Type(type);
  return success();
}

//===----------------------------------------------------------------------===//
// Recurrences
//===----------------------------------------------------------------------===//

static LogicalResult verifyRank(Operation *op, StringRef name, Value value, int64_t rank) {
  RankedTensorType type = getRanked(value);
  if (type && type.getRank() != rank)
    return op->emitOpError("expected ")
           << name << " of rank " << rank << ", but got " << Type(type);
  return success();
}

/// GRU, LSTM and RNN, with 3, 4 and 1 gates: X, W and R [.., .., ..], B [directions, 2 * gates *
/// hidden].
template <typename OpT>
static LogicalResult verifyRecurrent(OpT op, int64_t gates) {
  if (failed(verifyOneOf(op, "direction", op.getDirection(),
                         {"forward", "reverse", "bidirectional"})) ||
      failed(verifyRank(op, "X", op.getX(), 3)) || failed(verifyRank(op, "W", op.getW(), 3)) ||
      failed(verifyRank(op, "R", op.getR(), 3)) || failed(verifyRank(op, "B", op.getB(), 2)) ||
      failed(verifyRank(op, "sequence_lens", op.getSequenceLens(), 1)) ||
      failed(verifyRank(op, "initial_h", op.getInitialH(), 3)))
    return failure();
  if (op.getLayout() != 0 && op.getLayout() != 1)
    return op.emitOpError("expected layout 0 or 1, but got ") << int64_t(op.getLayout());
  auto verifySize = [&](StringRef name, Value value, unsigned dim, int64_t size) -> LogicalResult {
    RankedTensorType type = getRanked(value);
    if (type && !type.isDynamicDim(dim) && !ShapedType::isDynamic(size) &&
        type.getDimSize(dim) != size)
      return op.emitOpError("expected size ")
             << size << " in dimension " << dim << " of " << name << ", but got " << Type(type);
    return success();
  };
  int64_t directions = op.getDirection() == "bidirectional" ? 2 : 1;
  RankedTensorType in = getRanked(op.getX()), recurrence = getRanked(op.getR());
  int64_t hidden = recurrence ? recurrence.getDimSize(2) : ShapedType::kDynamic;
  if (op.getHiddenSize())
    hidden = *op.getHiddenSize();
  if (!ShapedType::isDynamic(hidden) && hidden < 1)
    return op.emitOpError("expected a hidden_size of at least 1, but got ") << hidden;
  int64_t rows = ShapedType::isDynamic(hidden) ? hidden : gates * hidden;
  int64_t biases = ShapedType::isDynamic(hidden) ? hidden : 2 * rows;
  return success(
      succeeded(verifySize("W", op.getW(), 0, directions)) &&
      succeeded(verifySize("R", op.getR(), 0, directions)) &&
      succeeded(verifySize("R", op.getR(), 2, hidden)) &&
      succeeded(verifySize("R", op.getR(), 1, rows)) &&
      succeeded(verifySize("W", op.getW(), 1, rows)) &&
      succeeded(verifySize("W", op.getW(), 2, in ? in.getDimSize(2) : ShapedType::kDynamic)) &&
      succeeded(verifySize("B", op.getB(), 0, directions)) &&
      succeeded(verifySize("B", op.getB(), 1, biases)) &&
      succeeded(verifySize("initial_h", op.getInitialH(), 2, hidden)));
}

LogicalResult GRUOp::verify() { return verifyRecurrent(*this, 3); }
LogicalResult RNNOp::verify() { return verifyRecurrent(*this, 1); }

LogicalResult LSTMOp::verify() {
  if (failed(verifyRecurrent(*this, 4)) || failed(verifyRank(*this, "initial_c", getInitialC(), 3)))
    return failure();
  return verifyRank(*this, "P", getP(), 2);
}

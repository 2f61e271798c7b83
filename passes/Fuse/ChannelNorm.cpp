//===- ChannelNorm.cpp - Norms of channels-first tensors, written out -----===//
#include "mlir/Dialect/Traits.h"
#include "passes/Fuse/NormPatterns.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace lathe;

namespace {
/// Builds elementwise ops and reductions on f32 tensors.
struct NormBuilder {
  PatternRewriter &rewriter;
  Location loc;

  template <typename OpT>
  Value binary(Value a, Value b) {
    SmallVector<int64_t> shape;
    bool known = OpTrait::util::getBroadcastedShape(fuse::getType(a).getShape(), fuse::getType(b).getShape(), shape);
    assert(known && "operands broadcast");
    (void)known; // without assertions
    return OpT::create(rewriter, loc, RankedTensorType::get(shape, rewriter.getF32Type()), a, b);
  }
  Value add(Value a, Value b) { return binary<onnx::AddOp>(a, b); }
  Value sub(Value a, Value b) { return binary<onnx::SubOp>(a, b); }
  Value mul(Value a, Value b) { return binary<onnx::MulOp>(a, b); }
  Value div(Value a, Value b) { return binary<onnx::DivOp>(a, b); }
  Value sqrt(Value a) { return onnx::SqrtOp::create(rewriter, loc, a.getType(), a); }
  Value scalar(float value) { return fuse::createScalar(rewriter, loc, value); }

  /// Over dimensions from `first` on, which stay with size one.
  Value mean(Value x, int64_t first) {
    SmallVector<int64_t> shape(fuse::getType(x).getShape());
    std::fill(shape.begin() + first, shape.end(), 1);
    SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(first, shape.size()));
    auto type = RankedTensorType::get(shape, rewriter.getF32Type());
    return onnx::ReduceMeanOp::create(rewriter, loc, type, x, fuse::createInts(rewriter, loc, axes), /*keepdims=*/1,
                                      /*noop_with_empty_axes=*/0);
  }
  /// To a shape of which only the first size, which x has, too, may be unknown.
  Value reshape(Value x, ArrayRef<int64_t> shape) {
    return fuse::createReshape(rewriter, loc, x, RankedTensorType::get(shape, rewriter.getF32Type()), /*equalDims=*/1);
  }
};
} // namespace

/// x * a + b with a = scale / sqrt(variance + epsilon) and b = bias - mean * a, one of each for a channel of an image.
/// Statistics are those of `groups` of channels; scale and bias have one element for each group or for each channel.
static Value normalizeGroups(NormBuilder &b, Value x, int64_t groups, Value scale, Value bias, float epsilon) {
  RankedTensorType type = fuse::getType(x);
  int64_t batch = type.getDimSize(0), channels = type.getDimSize(1), members = channels / groups;
  SmallVector<int64_t> perChannel(type.getRank(), 1);
  perChannel[0] = batch;
  perChannel[1] = channels;
  auto meanOfGroups = [&](Value value) { return b.mean(b.reshape(b.mean(value, 2), {batch, groups, members}), 2); };
  auto spread = [&](Value value) { // of [N, groups, 1 or members] to channels
    auto whole = RankedTensorType::get({batch, groups, members}, b.rewriter.getF32Type());
    if (value.getType() != whole)
      value = onnx::ExpandOp::create(b.rewriter, b.loc, whole, value, fuse::createInts(b.rewriter, b.loc, {1, 1, members}));
    return b.reshape(value, perChannel);
  };
  auto parameter = [&](Value value) {
    int64_t each = fuse::getType(value).getDimSize(0) / groups;
    return b.reshape(value, {1, groups, each});
  };
  Value mean = meanOfGroups(x), distance = b.sub(x, spread(mean));
  Value variance = meanOfGroups(b.mul(distance, distance));
  Value factor = b.div(parameter(scale), b.sqrt(b.add(variance, b.scalar(epsilon))));
  Value offset = b.sub(parameter(bias), b.mul(mean, factor));
  return b.add(b.mul(x, spread(factor)), spread(offset));
}

/// Whether statistics can be taken of these groups.
static StringRef getRefusal(Value x, int64_t groups, Value scale, Value bias) {
  RankedTensorType type = fuse::getType(x);
  if (!fuse::isF32(x) || !fuse::isF32(scale) || !fuse::isF32(bias))
    return "element type is not f32";
  if (type.getRank() < 3 || type.isDynamicDim(1) || groups < 1 || type.getDimSize(1) % groups != 0)
    return "channels are not known";
  for (Value parameter : {scale, bias})
    if (fuse::getRank(parameter) != 1 || fuse::getType(parameter).isDynamicDim(0))
      return "parameters are no vectors";
  if (fuse::getType(scale) != fuse::getType(bias) || fuse::getType(scale).getDimSize(0) % groups != 0)
    return "parameters do not belong to groups";
  return {};
}

/// The tensor whose groups of channels an instance norm sees as channels: it is reshaped to [N, groups, the rest] before,
/// and back after. Null if it is not.
static Value getGrouped(onnx::InstanceNormalizationOp op) {
  auto before = op.getInput().getDefiningOp<onnx::ReshapeOp>();
  auto after = op->hasOneUse() ? dyn_cast<onnx::ReshapeOp>(*op->user_begin()) : nullptr;
  if (!before || !after || fuse::getRank(op.getInput()) != 3)
    return {};
  Value x = before.getData();
  RankedTensorType type = fuse::getType(x), grouped = fuse::getType(op.getInput());
  // Of the sizes only the batch may be unknown: it is the same again if all others are.
  bool same = type && type == fuse::getType(after.getReshaped()) && type.getRank() >= 3 &&
              !ShapedType::isDynamicShape(type.getShape().drop_front()) && !grouped.isDynamicDim(1) &&
              type.getDimSize(0) == grouped.getDimSize(0) && type.getDimSize(1) % grouped.getDimSize(1) == 0;
  if (same && grouped.isDynamicDim(0)) {
    std::optional<SmallVector<int64_t>> shape = fuse::getInts(before.getShape());
    same = shape && shape->front() == 0 && !before.getAllowzero();
  }
  return same ? x : Value();
}

namespace {
/// The tensor of which groups of channels are normalized, and the op whose result that is.
struct NormalizedGroups {
  Value x;
  int64_t groups;
  Operation *result;
};
} // namespace

static NormalizedGroups getNormalizedGroups(onnx::InstanceNormalizationOp op) {
  Value x = op.getInput();
  int64_t groups = fuse::getRank(x) >= 2 ? fuse::getType(x).getDimSize(1) : 0;
  if (Value grouped = getGrouped(op))
    return {grouped, groups, *op->user_begin()};
  return {x, groups, op};
}

static StringRef getRefusal(onnx::InstanceNormalizationOp op) {
  NormalizedGroups normalized = getNormalizedGroups(op);
  return getRefusal(normalized.x, normalized.groups, op.getScale(), op.getB());
}

static StringRef getRefusal(onnx::GroupNormalizationOp op) {
  return getRefusal(op.getX(), op.getNumGroups(), op.getScale(), op.getBias());
}

/// How many channels around are summed one by one: AlexNet and GoogLeNet sum 5.
static constexpr int64_t kMostSummedChannels = 16;

static StringRef getRefusal(onnx::LRNOp op) {
  RankedTensorType type = fuse::getType(op.getX());
  if (!fuse::isF32(op.getX()))
    return "element type is not f32";
  if (type.getRank() < 2 || type.isDynamicDim(1) || op.getSize() < 1)
    return "channels are not known";
  if (op.getSize() > kMostSummedChannels)
    return "sums of that many channels are left to a loop";
  return {};
}

static LogicalResult writeInstanceNorm(onnx::InstanceNormalizationOp op, PatternRewriter &rewriter) {
  if (StringRef why = getRefusal(op); !why.empty())
    return rewriter.notifyMatchFailure(op, why);
  auto [x, groups, result] = getNormalizedGroups(op);
  NormBuilder builder{rewriter, op.getLoc()};
  rewriter.replaceOp(result,
                     normalizeGroups(builder, x, groups, op.getScale(), op.getB(), op.getEpsilon().convertToFloat()));
  if (result != op)
    rewriter.eraseOp(op);
  return success();
}

static LogicalResult writeGroupNorm(onnx::GroupNormalizationOp op, PatternRewriter &rewriter) {
  if (StringRef why = getRefusal(op); !why.empty())
    return rewriter.notifyMatchFailure(op, why);
  NormBuilder builder{rewriter, op.getLoc()};
  rewriter.replaceOp(op, normalizeGroups(builder, op.getX(), op.getNumGroups(), op.getScale(), op.getBias(),
                                         op.getEpsilon().convertToFloat()));
  return success();
}

/// x / (bias + alpha / size * s)^beta, where s is the sum of the squares of `size` channels around.
static LogicalResult writeLRN(onnx::LRNOp op, PatternRewriter &rewriter) {
  if (StringRef why = getRefusal(op); !why.empty())
    return rewriter.notifyMatchFailure(op, why);
  Value x = op.getX();
  RankedTensorType type = fuse::getType(x);
  int64_t size = op.getSize();
  NormBuilder b{rewriter, op.getLoc()};
  SmallVector<int64_t> pads(2 * type.getRank(), 0), shape(type.getShape());
  pads[1] = (size - 1) / 2;
  pads[type.getRank() + 1] = size - 1 - pads[1];
  shape[1] += size - 1;
  Value padded = onnx::PadOp::create(rewriter, op.getLoc(), RankedTensorType::get(shape, type.getElementType()),
                                     b.mul(x, x), fuse::createInts(rewriter, op.getLoc(), pads), Value(), Value(),
                                     rewriter.getStringAttr("constant"));
  Value sum;
  for (int64_t start = 0; start < size; ++start) {
    auto ints = [&](int64_t value) { return fuse::createInts(rewriter, op.getLoc(), {value}); };
    Value part = onnx::SliceOp::create(rewriter, op.getLoc(), type, padded, ints(start), ints(start + type.getDimSize(1)),
                                       ints(1), Value());
    sum = sum ? b.add(sum, part) : part;
  }
  float alpha = op.getAlpha().convertToFloat(), beta = op.getBeta().convertToFloat();
  Value base = b.add(b.mul(sum, b.scalar(alpha / float(size))), b.scalar(op.getBias().convertToFloat()));
  Value power;
  if (beta == 0.75f) {
    Value root = b.sqrt(base);
    power = b.mul(root, b.sqrt(root));
  } else {
    power = b.binary<onnx::PowOp>(base, b.scalar(beta));
  }
  rewriter.replaceOp(op, b.div(x, power));
  return success();
}

void lathe::addChannelNorms(RewritePatternSet &patterns) {
  patterns.add(writeInstanceNorm);
  patterns.add(writeGroupNorm);
  patterns.add(writeLRN);
}

StringRef lathe::getChannelNormRefusal(Operation *op) {
  return llvm::TypeSwitch<Operation *, StringRef>(op)
      .Case<onnx::InstanceNormalizationOp, onnx::GroupNormalizationOp, onnx::LRNOp>(
          [](auto norm) { return getRefusal(norm); })
      .Default(StringRef());
}

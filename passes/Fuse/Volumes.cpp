//===- Volumes.cpp - Windows over volumes as windows over images ----------===//
//
// Channels last, a volume [N, D, H, W, C] is N * D images [H, W, C], and N images [D, H * W, C] whose lines are slices.
// Neither view moves an element, and what has windows over two dimensions computes on them: windows within a slice on
// the first, windows across slices on the second.
//
//===----------------------------------------------------------------------===//
#include "passes/Fuse/Volumes.h"

using namespace mlir;
using namespace lathe;

static const int64_t kChannelsLast[] = {0, 2, 3, 4, 1};
static const int64_t kChannelsFirst[] = {0, 4, 1, 2, 3};

/// Windows of volumes within their slices.
static Windows getWithin(const Windows &w) {
  return {{w.kernel[1], w.kernel[2]},
          {w.strides[1], w.strides[2]},
          {w.dilations[1], w.dilations[2]},
          {w.pads[1], w.pads[2], w.pads[4], w.pads[5]}};
}

/// Windows of volumes across their slices.
static Windows getAcross(const Windows &w) {
  return {{w.kernel[0], 1}, {w.strides[0], 1}, {w.dilations[0], 1}, {w.pads[0], 0, w.pads[3], 0}};
}

/// Whether each window is one element, and each element a window.
static bool isTrivial(const Windows &w) {
  auto isOne = [](int64_t value) { return value == 1; };
  return llvm::all_of(w.kernel, isOne) && llvm::all_of(w.strides, isOne) &&
         llvm::all_of(w.pads, [](int64_t pad) { return pad == 0; });
}

namespace {
/// Makes ops on volumes [N, D, H, W, C], of which only N may be dynamic.
struct VolumeBuilder {
  OpBuilder &builder;
  Location loc;

  Value reshape(Value value, ArrayRef<int64_t> shape) {
    auto type = RankedTensorType::get(shape, fuse::getType(value).getElementType());
    return value.getType() == type ? value : fuse::createReshape(builder, loc, value, type);
  }

  /// [N * D, H, W, C]
  Value asImages(Value volume) {
    ArrayRef<int64_t> shape = fuse::getType(volume).getShape();
    int64_t images = ShapedType::isDynamic(shape[0]) ? ShapedType::kDynamic : shape[0] * shape[1];
    return reshape(volume, {images, shape[2], shape[3], shape[4]});
  }

  /// [N, D, H * W, C]
  Value asLines(Value volume) {
    ArrayRef<int64_t> shape = fuse::getType(volume).getShape();
    return reshape(volume, {shape[0], shape[1], shape[2] * shape[3], shape[4]});
  }

  /// Indices [first, end) of a dimension, or each `step`-th of them.
  Value slice(Value value, int64_t dim, int64_t first, int64_t end, int64_t step = 1) {
    SmallVector<int64_t> shape(fuse::getType(value).getShape());
    if (first == 0 && end == shape[dim] && step == 1)
      return value;
    shape[dim] = llvm::divideCeil(end - first, step);
    auto ints = [&](int64_t number) { return fuse::createInts(builder, loc, number); };
    return onnx::SliceOp::create(builder, loc, fuse::getType(value).clone(shape), value, ints(first), ints(end),
                                 ints(dim), ints(step));
  }

  /// The volume with zeros around it: `pads` are those of its windows.
  Value pad(Value volume, ArrayRef<int64_t> pads) {
    if (llvm::all_of(pads, [](int64_t pad) { return pad == 0; }))
      return volume;
    SmallVector<int64_t> shape(fuse::getType(volume).getShape()), all(10, 0);
    for (int64_t i = 0; i < 3; ++i) {
      shape[1 + i] += pads[i] + pads[3 + i];
      all[1 + i] = pads[i];
      all[6 + i] = pads[3 + i];
    }
    return onnx::PadOp::create(builder, loc, fuse::getType(volume).clone(shape), volume,
                               fuse::createInts(builder, loc, all), fuse::createScalar(builder, loc, 0), Value(),
                               builder.getStringAttr("constant"));
  }

  Value convolve(Value input, Value weight, const Windows &windows, ArrayRef<int64_t> result, int64_t group) {
    auto type = RankedTensorType::get(result, builder.getF32Type());
    return nn::ConvOp::create(builder, loc, type, input, weight, ValueRange(), Value(), windows.strides,
                              windows.dilations, windows.pads, group)
        .getResult();
  }

  Value convolveDensely(Value volume, Value weight, const Windows &windows, ArrayRef<int64_t> images, int64_t depth,
                        int64_t group);
};
} // namespace

/// Windows that reach over several slices and over several pixels of each. The slices that a window meets are channels;
/// where groups keep channels apart, each of these slices has a convolution of its own, and a sum joins them.
Value VolumeBuilder::convolveDensely(Value volume, Value weight, const Windows &windows, ArrayRef<int64_t> images,
                                     int64_t depth, int64_t group) {
  Windows within = getWithin(windows);
  within.pads.assign(4, 0);
  volume = pad(volume, windows.pads);
  int64_t taps = windows.kernel[0];
  SmallVector<Value> slices;
  for (int64_t tap = 0; tap < taps; ++tap) {
    int64_t first = tap * windows.dilations[0];
    slices.push_back(slice(volume, 1, first, first + (depth - 1) * windows.strides[0] + 1, windows.strides[0]));
  }
  SmallVector<int64_t> shape(fuse::getType(weight).getShape());
  if (group == 1) {
    SmallVector<int64_t> wide(fuse::getType(slices[0]).getShape());
    wide[4] *= taps;
    auto type = RankedTensorType::get(wide, builder.getF32Type());
    Value all = taps == 1 ? slices[0] : onnx::ConcatOp::create(builder, loc, type, slices, 4);
    weight = reshape(fuse::createTranspose(builder, loc, weight, {1, 2, 0, 3, 4}),
                     {shape[1], shape[2], shape[0] * shape[3], shape[4]});
    return convolve(asImages(all), weight, within, images, group);
  }
  Value sum;
  for (auto [tap, part] : llvm::enumerate(slices)) {
    Value own = reshape(slice(weight, 0, tap, tap + 1), ArrayRef(shape).drop_front());
    Value product = convolve(asImages(part), own, within, images, group);
    sum = sum ? onnx::AddOp::create(builder, loc, product.getType(), sum, product) : product;
  }
  return sum;
}

StringRef fuse::getVolumeRefusal(Value input, Value output) {
  for (Value value : {input, output}) {
    ArrayRef<int64_t> shape = getType(value).getShape();
    if (ShapedType::isDynamicShape(shape.drop_front()))
      return "a size other than the batch is not known";
    if (llvm::is_contained(shape, 0))
      return "a size is zero";
  }
  return {};
}

Value fuse::createVolumeConv(OpBuilder &builder, onnx::ConvOp op, const Windows &windows) {
  Location loc = op.getLoc();
  VolumeBuilder volumes{builder, loc};
  RankedTensorType result = permute(getType(op.getY()), kChannelsLast);
  ArrayRef<int64_t> out = result.getShape();
  int64_t samples = out[0], depth = out[1], group = op.getGroup();
  int64_t count = ShapedType::isDynamic(samples) ? ShapedType::kDynamic : samples * depth;
  SmallVector<int64_t> images = {count, out[2], out[3], out[4]}, lines = {samples, depth, out[2] * out[3], out[4]};
  Value input = createTranspose(builder, loc, op.getX(), kChannelsLast);
  Value weight = createTranspose(builder, loc, op.getW(), {2, 3, 4, 1, 0});
  SmallVector<int64_t> taps(getType(weight).getShape());
  Windows within = getWithin(windows), across = getAcross(windows);
  Value sum;
  if (windows.kernel[0] == 1 && windows.pads[0] == 0 && windows.pads[3] == 0) {
    int64_t stride = windows.strides[0];
    input = volumes.slice(input, 1, 0, (depth - 1) * stride + 1, stride);
    weight = volumes.reshape(weight, ArrayRef(taps).drop_front());
    sum = volumes.convolve(volumes.asImages(input), weight, within, images, group);
  } else if (isTrivial(within)) {
    weight = volumes.reshape(weight, {taps[0], 1, taps[3], taps[4]});
    sum = volumes.convolve(volumes.asLines(input), weight, across, lines, group);
  } else {
    sum = volumes.convolveDensely(input, weight, windows, images, depth, group);
  }
  if (op.getB())
    sum = onnx::AddOp::create(builder, loc, sum.getType(), sum, op.getB());
  return createTranspose(builder, loc, volumes.reshape(sum, out), kChannelsFirst);
}

/// A maximum over a window is that of the maxima of its slices, and so is an average, since the slices of a window have
/// as many elements each. What makes fewer elements comes first.
Value fuse::createVolumePool(OpBuilder &builder, Location loc, Value input, RankedTensorType result, nn::PoolKind kind,
                             const Windows &windows, bool countPad) {
  VolumeBuilder volumes{builder, loc};
  Value value = createTranspose(builder, loc, input, kChannelsLast);
  SmallVector<int64_t> shape(getType(value).getShape()), out(permute(result, kChannelsLast).getShape());
  auto pool = [&](Value view, ArrayRef<int64_t> sizes, const Windows &own) {
    SmallVector<int64_t> pooled(getType(view).getShape());
    pooled[1] = sizes[0];
    pooled[2] = sizes[1];
    return nn::PoolOp::create(builder, loc, RankedTensorType::get(pooled, builder.getF32Type()), view, Value(), kind,
                              own.kernel, own.strides, own.dilations, own.pads, countPad)
        .getResult();
  };
  Windows within = getWithin(windows), across = getAcross(windows);
  auto poolWithin = [&] {
    if (isTrivial(within))
      return;
    shape[2] = out[2];
    shape[3] = out[3];
    value = volumes.reshape(pool(volumes.asImages(value), {out[2], out[3]}, within), shape);
  };
  auto poolAcross = [&] {
    if (isTrivial(across))
      return;
    shape[1] = out[1];
    value = volumes.reshape(pool(volumes.asLines(value), {out[1], shape[2] * shape[3]}, across), shape);
  };
  bool acrossFirst = windows.strides[0] > windows.strides[1] * windows.strides[2];
  if (acrossFirst)
    poolAcross();
  poolWithin();
  if (!acrossFirst)
    poolAcross();
  return createTranspose(builder, loc, value, kChannelsFirst);
}

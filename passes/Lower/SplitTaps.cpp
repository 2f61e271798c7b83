//===- SplitTaps.cpp - Kernels that are wider than the image --------------===//
#include "mlir/IR/Remarks.h"
#include "passes/Lower/Passes.h"

namespace lathe {
#define GEN_PASS_DEF_LOWERSPLITTAPS
#include "passes/Lower/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

namespace {

/// [begin, end).
struct Interval {
  int64_t begin, end;
  int64_t size() const { return std::max<int64_t>(end - begin, 0); }
};

/// Height or width of a convolution.
struct Axis {
  int64_t input, output, stride, dilation, pad;
  Interval taps;

  /// The outputs for which a tap meets the image instead of its padding.
  Interval outputsOf(int64_t tap) const {
    int64_t offset = tap * dilation - pad; // of what output 0 meets
    int64_t begin = std::clamp<int64_t>(llvm::divideCeilSigned(-offset, stride), 0, output);
    int64_t end = std::clamp<int64_t>(llvm::divideFloorSigned(input - 1 - offset, stride) + 1, begin, output);
    return {begin, end};
  }

  /// Leaves the taps out that meet padding only.
  void dropTaps() {
    while (taps.size() > 0 && outputsOf(taps.begin).size() == 0)
      ++taps.begin;
    while (taps.size() > 0 && outputsOf(taps.end - 1).size() == 0)
      --taps.end;
  }

  /// How much of all pairs of a tap and an output meet the image.
  double getUsedShare() const {
    int64_t used = 0;
    for (int64_t tap = taps.begin; tap < taps.end; ++tap)
      used += outputsOf(tap).size();
    return double(used) / double(taps.size() * output);
  }

  /// A tap that meets the image at every output.
  std::optional<int64_t> findFullTap() const {
    for (int64_t tap = taps.begin; tap < taps.end; ++tap)
      if (outputsOf(tap).size() == output)
        return tap;
    return std::nullopt;
  }
};

/// Part of a convolution along one axis.
struct Part {
  Interval taps, outputs;
};

} // namespace

/// Apart, parts of a kernel have shorter rows of pixels than the whole, and their sums go through memory. Along an axis
/// of which more is used, it stays whole.
static constexpr double kMostUsedShare = 0.6, kMostUsedShareOfAxis = 0.85;
/// With fewer pixels a part is as slow as reading its weights.
static constexpr double kLeastPixels = 16;

static std::optional<std::array<Axis, 2>> getAxes(nn::ConvOp op) {
  auto input = cast<ShapedType>(op.getInput().getType()), weight = cast<ShapedType>(op.getWeight().getType()),
       result = op.getResultShapedType();
  bool isStatic = input.hasStaticShape() && weight.hasStaticShape() && result.hasStaticShape();
  if (op.getNumResults() != 1 || op.getGroup() != 1 || weight.getRank() != 4 || !isStatic ||
      !input.getElementType().isF32() || !weight.getElementType().isF32())
    return std::nullopt;
  auto axisOf = [&](unsigned i) {
    return Axis{input.getDimSize(1 + i), result.getDimSize(1 + i), op.getStrides()[i],
                op.getDilations()[i],    op.getPads()[i],          {0, weight.getDimSize(i)}};
  };
  return std::array<Axis, 2>{axisOf(0), axisOf(1)};
}

/// Single taps along an axis that is mostly padding, the full one last; all of them otherwise.
static SmallVector<Part> splitAxis(const Axis &axis) {
  std::optional<int64_t> full = axis.findFullTap();
  if (!full || axis.getUsedShare() > kMostUsedShareOfAxis)
    return {{axis.taps, {0, axis.output}}};
  SmallVector<Part> parts;
  for (int64_t tap = axis.taps.begin; tap < axis.taps.end; ++tap)
    if (tap != *full && axis.outputsOf(tap).size() > 0)
      parts.push_back({{tap, tap + 1}, axis.outputsOf(tap)});
  parts.push_back({{*full, *full + 1}, {0, axis.output}});
  return parts;
}

static Value sliceDims(OpBuilder &builder, Location loc, Value value, unsigned firstDim, ArrayRef<Interval> ranges) {
  ArrayRef<int64_t> shape = cast<RankedTensorType>(value.getType()).getShape();
  SmallVector<OpFoldResult> offsets(shape.size(), builder.getIndexAttr(0)),
      sizes = getAsIndexOpFoldResult(builder.getContext(), shape), strides(shape.size(), builder.getIndexAttr(1));
  bool isWhole = true;
  for (auto [i, range] : llvm::enumerate(ranges)) {
    isWhole &= range.size() == shape[firstDim + i];
    offsets[firstDim + i] = builder.getIndexAttr(range.begin);
    sizes[firstDim + i] = builder.getIndexAttr(range.size());
  }
  return isWhole ? value : tensor::ExtractSliceOp::create(builder, loc, value, offsets, sizes, strides).getResult();
}

/// The convolution of a part of the kernel, for a part of the outputs; its epilogue is empty.
static nn::ConvOp createPart(OpBuilder &builder, nn::ConvOp op, ArrayRef<Axis> axes, ArrayRef<Part> parts,
                             ValueRange extras) {
  Location loc = op.getLoc();
  auto result = cast<RankedTensorType>(op->getResult(0).getType());
  SmallVector<int64_t> shape(result.getShape()), pads(4);
  SmallVector<Interval> lines, taps;
  for (auto [i, axis] : llvm::enumerate(axes)) {
    const Part &part = parts[i];
    int64_t first = part.outputs.begin * axis.stride + part.taps.begin * axis.dilation - axis.pad;
    int64_t last = (part.outputs.end - 1) * axis.stride + (part.taps.end - 1) * axis.dilation - axis.pad;
    lines.push_back({std::max<int64_t>(first, 0), std::min(last + 1, axis.input)});
    taps.push_back(part.taps);
    shape[1 + i] = part.outputs.size();
    pads[i] = lines[i].begin - first;
    pads[2 + i] = last + 1 - lines[i].end;
  }
  Value input = sliceDims(builder, loc, op.getInput(), 1, lines),
        weight = sliceDims(builder, loc, op.getWeight(), 0, taps);
  return nn::ConvOp::create(builder, loc, result.clone(shape), input, weight, extras, /*init=*/Value(), op.getStrides(),
                            op.getDilations(), pads, op.getGroup(), op.getPadValue());
}

/// Begins an epilogue with the sum of its accumulator and of an operand that comes first; returns the sum.
static Value addFirstOperand(OpBuilder &builder, Location loc, Region &epilogue) {
  Type f32 = builder.getF32Type();
  if (epilogue.empty()) {
    Block *block = builder.createBlock(&epilogue, {}, {f32, f32}, {loc, loc});
    Value sum = arith::AddFOp::create(builder, loc, block->getArgument(0), block->getArgument(1));
    nn::YieldOp::create(builder, loc, sum);
    return sum;
  }
  Block &block = epilogue.front();
  Value other = block.insertArgument(1u, f32, loc);
  builder.setInsertionPointToStart(&block);
  auto sum = arith::AddFOp::create(builder, loc, block.getArgument(0), other);
  block.getArgument(0).replaceAllUsesExcept(sum, sum);
  return sum;
}

namespace {

struct LowerSplitTaps : lathe::impl::LowerSplitTapsBase<LowerSplitTaps> {
  using LowerSplitTapsBase::LowerSplitTapsBase;

  void runOnOperation() override {
    getOperation().walk([&](nn::ConvOp op) {
      if (std::optional<std::array<Axis, 2>> axes = getAxes(op))
        splitTaps(op, *axes);
    });
  }

private:
  void splitTaps(nn::ConvOp op, std::array<Axis, 2> axes) {
    int64_t all = axes[0].taps.size() * axes[1].taps.size();
    for (Axis &axis : axes)
      axis.dropTaps();
    int64_t left = axes[0].taps.size() * axes[1].taps.size();
    if (left == 0) // an image of padding
      return;
    SmallVector<Part> down = {{axes[0].taps, {0, axes[0].output}}}, across = {{axes[1].taps, {0, axes[1].output}}};
    double used = axes[0].getUsedShare() * axes[1].getUsedShare();
    double pixels = used * double(axes[0].output * axes[1].output * op.getResultShapedType().getDimSize(0));
    if (split && used <= kMostUsedShare && pixels >= kLeastPixels) {
      down = splitAxis(axes[0]);
      across = splitAxis(axes[1]);
    }
    if (left == all && down.size() * across.size() == 1)
      return;
    remark::passed(op.getLoc(),
                   remark::RemarkOpts::name("SplitTaps").category("lower").function(getOperation().getName()))
        << remark::metric("Taps", all) << remark::metric("TapsLeft", left)
        << remark::metric("Parts", int64_t(down.size() * across.size())) << remark::metric("UsedShare", used);
    rewrite(op, axes, down, across);
  }

  void rewrite(nn::ConvOp op, ArrayRef<Axis> axes, ArrayRef<Part> down, ArrayRef<Part> across) {
    OpBuilder builder(op);
    Location loc = op.getLoc();
    Type f32 = builder.getF32Type();
    ArrayRef<int64_t> shape = op.getResultShapedType().getShape();
    Value sums;
    for (const Part &rows : down)
      for (const Part &columns : across) {
        if (&rows == &down.back() && &columns == &across.back())
          break;
        if (!sums) {
          Value empty = tensor::EmptyOp::create(builder, loc, shape, f32);
          Value zero = arith::ConstantOp::create(builder, loc, builder.getF32FloatAttr(0));
          sums = linalg::FillOp::create(builder, loc, zero, empty).getResult(0);
        }
        SmallVector<OpFoldResult> sizes = getAsIndexOpFoldResult(op.getContext(), shape),
                                  offsets(4, builder.getIndexAttr(0)), strides(4, builder.getIndexAttr(1));
        offsets[1] = builder.getIndexAttr(rows.outputs.begin);
        offsets[2] = builder.getIndexAttr(columns.outputs.begin);
        sizes[1] = builder.getIndexAttr(rows.outputs.size());
        sizes[2] = builder.getIndexAttr(columns.outputs.size());
        Value before = tensor::ExtractSliceOp::create(builder, loc, sums, offsets, sizes, strides);
        nn::ConvOp part = createPart(builder, op, axes, {rows, columns}, before);
        {
          OpBuilder::InsertionGuard guard(builder);
          addFirstOperand(builder, loc, part.getEpilogue());
        }
        sums = tensor::InsertSliceOp::create(builder, loc, part->getResult(0), sums, offsets, sizes, strides);
      }
    SmallVector<Value> extras(op.getExtras());
    if (sums)
      extras.insert(extras.begin(), sums);
    nn::ConvOp last = createPart(builder, op, axes, {down.back(), across.back()}, extras);
    last.getEpilogue().takeBody(op.getEpilogue());
    if (sums)
      addFirstOperand(builder, loc, last.getEpilogue());
    op->replaceAllUsesWith(last);
    op->erase();
  }
};

} // namespace

//===- GroupedConv.cpp - nn.conv whose groups lie in one vector -----------===//
#include "passes/Codegen/CPU/ChannelSpace.h"
#include "passes/Codegen/CPU/Kernels.h"
#include "passes/Codegen/Common/Instructions.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

namespace {

/// A vector of channels holds several groups. Output channel l of a group of `size` sums up products of all channels of
/// its group: for each of these, a shuffle brings it to all lanes of its group, where it meets the taps of all output
/// channels at once. The shuffle serves all taps of a line of the kernel.
struct GroupedConv {
  nn::ConvOp op;
  KernelBuilder k;
  Value input, weight;
  int64_t height, width, size;

  explicit GroupedConv(nn::ConvOp op) : op(op), k(op), input(op.getInput()), weight(op.getWeight()) {
    ArrayRef<int64_t> shape = cast<MemRefType>(weight.getType()).getShape();
    height = shape[0], width = shape[1], size = shape[2];
  }

  /// Channel `member` of each group in all lanes of the group.
  Value spread(Value pixels, int64_t member) {
    SmallVector<int64_t> lanes;
    for (int64_t lane = 0; lane < k.lanes(); ++lane)
      lanes.push_back(lane / size * size + member);
    return vector::ShuffleOp::create(k.builder, k.loc, pixels, pixels, lanes);
  }

  /// Adds what a line of the kernel makes of neighbouring pixels to their sums; `at` gives the indices of a pixel of
  /// the input by its offset from the first one.
  KernelBuilder::Carried addLine(Value line, Value channel, Value mask, ValueRange before,
                                 function_ref<SmallVector<Value>(int64_t offset)> at) {
    KernelBuilder::Carried sums(before);
    int64_t stride = op.getStrides()[1], dilation = op.getDilations()[1], count = sums.size();
    for (int64_t member = 0; member < size; ++member) {
      SmallVector<Value> taps;
      for (int64_t tap = 0; tap < width; ++tap)
        taps.push_back(k.load(weight, {line, k.index(tap), k.index(member), channel}, mask));
      for (int64_t offset = 0, end = (count - 1) * stride + (width - 1) * dilation; offset <= end; ++offset) {
        Value pixel;
        for (int64_t tap = 0; tap < width; ++tap) {
          int64_t first = offset - tap * dilation;
          if (first < 0 || first % stride != 0 || first / stride >= count)
            continue;
          if (!pixel)
            pixel = spread(k.load(input, at(offset), mask), member);
          Value &sum = sums[first / stride];
          sum = vector::FMAOp::create(k.builder, k.loc, pixel, taps[tap], sum);
        }
      }
    }
    return sums;
  }

  void emit();
};

void GroupedConv::emit() {
  ArrayRef<int64_t> strides = op.getStrides(), dilations = op.getDilations();
  ChannelSpace channels(k, op);
  ContractionSpace space = channels.makeSpace();
  space.reduction = height * width * size;
  space.usualRows = codegen::maxGroupedPixels(k.target);
  space.panelsInside = true;

  Epilogue epilogue(k, op.getEpilogue(), op.getExtras(), op.getInit());
  emitContraction(k, space, [&](const TilePlace &tile) {
    ChannelSpace::Place place = channels.locate(tile);
    Value top = k.mul(place.line[1], strides[0]), left = k.mul(tile.row, strides[1]);
    Value start =
        epilogue.addsBias() ? epilogue.startFromBias(place.channel, place.mask) : k.splat(k.builder.getF32Type(), 0);
    auto sums = k.loop(k.index(0), k.index(height), 1, KernelBuilder::Carried(tile.rows, start),
                       [&](Value line, ValueRange carried) {
                         Value y = k.add(top, k.mul(line, dilations[0]));
                         return addLine(line, place.channel, place.mask, carried, [&](int64_t offset) {
                           return SmallVector<Value>{place.line[0], y, k.add(left, offset), place.channel};
                         });
                       });
    channels.store(epilogue, sums, tile, place);
  });
}

} // namespace

LogicalResult cpu::emitGroupedConv(nn::ConvOp op) {
  if (llvm::any_of(op.getPads(), [](int64_t pad) { return pad != 0; }))
    return op.emitOpError("expected its padding to be in the input");
  if (failed(verifyContiguousChannels(op)))
    return failure();
  GroupedConv(op).emit();
  return success();
}

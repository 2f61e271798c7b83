//===- Window.cpp - nn.conv and nn.pool ------------------------------------===//
#include "passes/Codegen/GPU/Window.h"
#include "passes/Codegen/GPU/Kernels.h"
#include "passes/Codegen/GPU/TensorContraction.h"
#include "passes/Codegen/GPU/TiledProduct.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::simt;

bool simt::hasBorders(nn::ConvOp op) {
  return llvm::any_of(op.getPads(), [](int64_t pad) { return pad != 0; });
}

Value simt::placeTap(ThreadBuilder &k, nn::ConvOp op, unsigned axis, Value position, Value tap) {
  Value place = k.add(k.mul(position, op.getStrides()[axis]), k.mul(tap, op.getDilations()[axis]));
  return op.getPads()[axis] ? k.sub(place, k.index(op.getPads()[axis])) : place;
}

Value simt::isInside(ThreadBuilder &k, nn::ConvOp op, Value y, Value x) {
  // A negative number is a large unsigned one.
  Value inHeight = k.compare(arith::CmpIPredicate::ult, y, k.dim(op.getInput(), 1));
  Value inWidth = k.compare(arith::CmpIPredicate::ult, x, k.dim(op.getInput(), 2));
  return arith::AndIOp::create(k.builder, k.loc, inHeight, inWidth);
}

/// An element of the input as what it is multiplied in; beyond a border, zero.
static Value loadPixel(ThreadBuilder &k, nn::ConvOp op, Value batch, Value y, Value x, Value channel) {
  auto load = [&](Value y, Value x) { return k.loadWide(op.getInput(), {batch, y, x, channel}, /*isSigned=*/false); };
  if (!hasBorders(op))
    return load(y, x);
  Value inside = isInside(k, op, y, x), first = k.index(0);
  Value value = load(k.select(inside, y, first), k.select(inside, x, first));
  return k.select(inside, value, k.scalar(value.getType(), 0));
}

/// The convolution as one product: rows are output pixels, steps taps and input channels (Chetlur et al. 2014, "cuDNN:
/// Efficient Primitives for Deep Learning"). False, with nothing emitted, where it is too flat.
static bool emitImplicitProduct(ThreadBuilder &k, nn::ConvOp op) {
  Value weight = op.getWeight(), out = op.getInit();
  SmallVector<Value> pixels = {k.dim(out, 0), k.dim(out, 1), k.dim(out, 2)};
  SmallVector<Value> taps = {k.dim(weight, 0), k.dim(weight, 1), k.dim(weight, 2)};
  auto product = [&](ArrayRef<Value> sizes) { return k.mul(k.mul(sizes[0], sizes[1]), sizes[2]); };
  Value rows = product(pixels), columns = k.dim(weight, 3);
  if (!fillsTiles(rows, columns))
    return false;
  auto lhs = [&](Value, Value row, Value step) {
    SmallVector<Value> pixel = k.delinearize(row, pixels), tap = k.delinearize(step, taps);
    return loadPixel(k, op, pixel[0], placeTap(k, op, 0, pixel[1], tap[0]), placeTap(k, op, 1, pixel[2], tap[1]),
                     tap[2]);
  };
  auto rhs = [&](Value, Value step, Value column) {
    SmallVector<Value> tap = k.delinearize(step, taps);
    return k.loadWide(weight, {tap[0], tap[1], tap[2], column}, /*isSigned=*/true);
  };
  auto store = [&](Value sum, Value, Value row, Value column) {
    SmallVector<Value> at = k.delinearize(row, pixels);
    at.push_back(column);
    k.storeEpilogue(op.getEpilogue(), op.getExtras(), sum, out, at);
  };
  emitTiledProduct(k, {k.index(1), rows, columns, product(taps), lhs, rhs, store});
  return true;
}

namespace {

/// The taps of a window, [first, end), that lie inside the image, and where tap 0 is.
struct Taps {
  Value first, end, origin;
};

/// A window that is moved over an image, of height and width.
struct Window {
  Value image;
  std::array<Value, 2> kernel;
  ArrayRef<int64_t> strides, dilations, pads;

  Taps tapsInside(ThreadBuilder &k, Value position, unsigned axis) const {
    int64_t dilation = dilations[axis], pad = pads[axis];
    Value size = k.dim(image, 1 + axis), start = k.mul(position, strides[axis]), origin = k.sub(start, k.index(pad));
    // Both differences are clamped to zero, so that the divisions are of numbers that are not negative.
    Value before = k.max(k.sub(k.index(pad), start), k.index(0)), inside = k.max(k.sub(size, origin), k.index(0));
    return {k.ceilDiv(before, dilation), k.min(k.ceilDiv(inside, dilation), kernel[axis]), origin};
  }
};

} // namespace

LogicalResult simt::emitConv(nn::ConvOp op) {
  if (hasBorders(op) && op.getPadValue() != 0)
    return op.emitOpError("expected padding with ") << op.getPadValue() << " to be in the input";
  if (emitOnTensorCores(op))
    return success();
  ThreadBuilder k(op);
  Value input = op.getInput(), weight = op.getWeight(), out = op.getInit();
  auto weightType = cast<MemRefType>(weight.getType());
  if (weightType.getRank() != 4)
    return op.emitOpError("expected a weight of rank 4, but got ") << weightType;
  Type type = k.accumulatorType(input, weight);
  if (!type)
    return op.emitOpError("has no kernel for ") << cast<MemRefType>(input.getType()).getElementType() << " and "
                                                << weightType.getElementType() << " on this target";
  int64_t group = op.getGroup();
  Value height = k.dim(weight, 0), width = k.dim(weight, 1), channels = k.dim(weight, 2);
  if (group == 1 && isa<FloatType>(type) && emitImplicitProduct(k, op))
    return success();
  Value outputsPerGroup = k.div(k.dim(weight, 3), k.index(group));
  k.elements(out, [&](ValueRange indices) {
    Value output = indices[3], first = group == 1 ? k.index(0) : k.mul(k.div(output, outputsPerGroup), channels);
    Window window{op.getInput(), {height, width}, op.getStrides(), op.getDilations(), op.getPads()};
    auto findTaps = [&](unsigned axis) {
      Value position = indices[1 + axis];
      return hasBorders(op) ? window.tapsInside(k, position, axis)
                            : Taps{k.index(0), window.kernel[axis], k.mul(position, op.getStrides()[axis])};
    };
    Taps rows = findTaps(0), columns = findTaps(1);
    using Carried = codegen::LoopBuilder::Carried;
    auto sum = k.loop(rows.first, rows.end, 1, k.scalar(type, 0), [&](Value i, ValueRange line) {
      Value y = k.add(rows.origin, k.mul(i, op.getDilations()[0]));
      return k.loop(columns.first, columns.end, 1, line, [&](Value j, ValueRange pixel) {
        Value x = k.add(columns.origin, k.mul(j, op.getDilations()[1]));
        return k.loop(k.index(0), channels, 1, pixel, [&](Value channel, ValueRange carried) {
          Value a = k.loadWide(input, {indices[0], y, x, k.add(first, channel)}, /*isSigned=*/false);
          Value b = k.loadWide(weight, {i, j, channel, output}, /*isSigned=*/true);
          return Carried{k.multiplyAdd(a, b, carried[0])};
        });
      });
    });
    k.storeEpilogue(op.getEpilogue(), op.getExtras(), sum[0], out, indices);
  });
  return success();
}

LogicalResult simt::emitPool(nn::PoolOp op) {
  ThreadBuilder k(op);
  OpBuilder &b = k.builder;
  Value input = op.getInput(), out = op.getInit();
  Type element = cast<MemRefType>(input.getType()).getElementType();
  bool isMax = op.getKind() == nn::PoolKind::Max;
  bool isFloat = isComputedInF32(element);
  if (!isFloat && !(isMax && element.isInteger(8)))
    return op.emitOpError("expected f32, bf16 or f16, or i8 for a maximum, but got ") << element;
  double lowest = isMax && isFloat ? -std::numeric_limits<double>::infinity() : 0;
  if (isFloat)
    element = b.getF32Type();
  k.elements(out, [&](ValueRange indices) {
    Window window{input,
                  {k.index(op.getKernel()[0]), k.index(op.getKernel()[1])},
                  op.getStrides(),
                  op.getDilations(),
                  op.getPads()};
    Taps rows = window.tapsInside(k, indices[1], 0), columns = window.tapsInside(k, indices[2], 1);
    using Carried = codegen::LoopBuilder::Carried;
    auto result = k.loop(rows.first, rows.end, 1, k.scalar(element, lowest), [&](Value i, ValueRange line) {
      Value y = k.add(rows.origin, k.mul(i, op.getDilations()[0]));
      return k.loop(columns.first, columns.end, 1, line, [&](Value j, ValueRange carried) {
        Value x = k.add(columns.origin, k.mul(j, op.getDilations()[1]));
        SmallVector<Value> at = {indices[0], y, x, indices[3]};
        Value pixel = isFloat ? k.loadWide(input, at, /*isSigned=*/false) : k.loadScalar(input, at);
        if (!isMax)
          return Carried{k.addFloats(carried[0], pixel)};
        if (isFloat)
          return Carried{arith::MaximumFOp::create(b, k.loc, carried[0], pixel)};
        return Carried{arith::MaxUIOp::create(b, k.loc, carried[0], pixel)};
      });
    });
    Value value = result[0];
    if (!isMax) {
      Value count = op.getCountIncludePad() ? k.index(op.getKernel()[0] * op.getKernel()[1])
                                            : k.mul(k.sub(rows.end, rows.first), k.sub(columns.end, columns.first));
      Value integer = arith::IndexCastOp::create(b, k.loc, b.getI32Type(), count);
      value = arith::DivFOp::create(b, k.loc, value, arith::SIToFPOp::create(b, k.loc, element, integer));
    }
    k.store(value, out, indices);
  });
  return success();
}

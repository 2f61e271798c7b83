//===- Depthwise.cpp - Depthwise nn.conv, vectors over channels -----------===//
#include "passes/Codegen/CPU/ChannelSpace.h"
#include "passes/Codegen/CPU/Kernels.h"
#include "passes/Codegen/Common/Instructions.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

namespace {

/// A vector of a depthwise operand, widened to the accumulator's type.
Value loadWide(KernelBuilder &k, Value memref, ValueRange indices, Value mask, bool isSigned) {
  Value loaded = k.load(memref, indices, mask);
  Type element = cast<MemRefType>(memref.getType()).getElementType();
  if (isa<FloatType>(element))
    return k.widen(loaded);
  VectorType wide = k.vectorOf(k.builder.getI32Type());
  return isSigned ? Value(arith::ExtSIOp::create(k.builder, k.loc, wide, loaded))
                  : Value(arith::ExtUIOp::create(k.builder, k.loc, wide, loaded));
}

Value multiplyAdd(KernelBuilder &k, Value a, Value b, Value accumulator) {
  if (isa<FloatType>(getElementTypeOrSelf(a)))
    return vector::FMAOp::create(k.builder, k.loc, a, b, accumulator);
  return arith::AddIOp::create(k.builder, k.loc, accumulator, arith::MulIOp::create(k.builder, k.loc, a, b));
}

/// What multiplies a vector of pixels by a vector of a window's elements, for a line of the window, or for a pair of
/// lines whose channels lie side by side, where the target adds pairs of products. Those of the weight lie so in memory
/// (lower-prepare-kernels), but for a last line that is alone.
class LineProduct {
public:
  LineProduct(KernelBuilder &k, Product product, Value weight)
      : k(k), isPair(product == Product::Int16), weight(weight), type(cast<MemRefType>(weight.getType())) {
    if (isPair)
      flat = k.collapse(weight, 0, 3);
  }

  bool isValid() const { return !isPair || flat; }
  int64_t lines() const { return isPair ? 2 : 1; }

  /// The pixels at some place in each of `count` lines, as `at` gives the indices.
  Value loadPixels(Value memref, int64_t count, function_ref<SmallVector<Value>(int64_t line)> at, Value mask) {
    if (!isPair)
      return loadWide(k, memref, at(0), mask, codegen::getDotProduct(k.target).isLhsSigned());
    Value first = k.load(memref, at(0), mask);
    if (count == 1)
      return asPairs(arith::ExtUIOp::create(k.builder, k.loc, k.vectorOf(k.builder.getI32Type()), first));
    SmallVector<int64_t> order;
    for (int64_t lane = 0; lane < k.lanes(); ++lane)
      order.append({lane, k.lanes() + lane});
    return vector::ShuffleOp::create(k.builder, k.loc, first, k.load(memref, at(1), mask), order);
  }

  /// The weight's elements at `column` of `count` lines from `line` on.
  Value loadTaps(Value line, int64_t column, int64_t count, Value channel, Value mask) {
    if (!isPair)
      return loadWide(k, weight, {line, k.index(column), k.index(0), channel}, mask, /*isSigned=*/true);
    int64_t channels = type.getDimSize(3);
    Value begin = k.mul(line, type.getDimSize(1) * channels);
    Value at = k.add(k.mul(channel, count), column * channels * count);
    if (count == 1) { // The odd halves meet zeros.
      Value taps = k.load(flat, k.add(begin, at), mask);
      return asPairs(arith::ExtSIOp::create(k.builder, k.loc, k.vectorOf(k.builder.getI32Type()), taps));
    }
    Value pairs;
    k.withRegisters(2, [&] {
      Value inside = mask ? k.maskBelow(k.mul(k.sub(k.index(channels), channel), 2)) : Value();
      pairs = k.load(flat, k.add(begin, at), inside);
    });
    ImplicitLocOpBuilder b(k.loc, k.builder);
    return codegen::getDotProduct(k.target).prepareRhs(b, pairs, k.lanes())[0];
  }

  Value accumulate(Value pixel, Value tap, Value sum) {
    if (!isPair)
      return multiplyAdd(k, pixel, tap, sum);
    ImplicitLocOpBuilder b(k.loc, k.builder);
    codegen::getDotProduct(k.target).accumulate(b, pixel, tap, sum);
    return sum;
  }

private:
  Value asPairs(Value words) {
    auto pairs = VectorType::get({2 * k.lanes()}, k.builder.getI16Type());
    return vector::BitCastOp::create(k.builder, k.loc, pairs, words);
  }

  KernelBuilder &k;
  bool isPair;
  Value weight, flat;
  MemRefType type;
};

/// One filter for each channel: vectors of channels, as many neighbouring pixels as a tile has.
class DepthwiseConv {
public:
  DepthwiseConv(KernelBuilder &k, nn::ConvOp op, LineProduct &product)
      : op(op), k(k), product(product), input(op.getInput()) {
    ArrayRef<int64_t> window = cast<MemRefType>(op.getWeight().getType()).getShape();
    height = window[0], width = window[1];
    ArrayRef<int64_t> image = cast<MemRefType>(input.getType()).getShape();
    inputLines = image[1], inputPixels = image[2];
    isPadded = llvm::any_of(op.getPads(), [](int64_t pad) { return pad != 0; });
  }

  void emit() {
    ChannelSpace channels(k, op);
    ContractionSpace space = channels.makeSpace();
    // Of a padded input a tile is a line: its borders are known, and pixels beyond them add nothing.
    space.wholeRows = isPadded;
    // Loads bound the speed, not multiply-adds: tasks are as long as those of a larger reduction.
    space.reduction = 4 * height * width;
    space.usualRows = codegen::maxDepthwisePixels(k.target);

    Epilogue epilogue(k, op.getEpilogue(), op.getExtras(), op.getInit());
    bool isFloat = isa<FloatType>(cast<MemRefType>(input.getType()).getElementType());
    Type sumType = isFloat ? Type(k.builder.getF32Type()) : Type(k.builder.getI32Type());
    emitContraction(k, space, [&](const TilePlace &tile) {
      ChannelSpace::Place place = channels.locate(tile);
      Value start =
          isFloat && epilogue.addsBias() ? epilogue.startFromBias(place.channel, place.mask) : k.splat(sumType, 0);
      Value top = k.sub(k.mul(place.line[1], op.getStrides()[0]), k.index(op.getPads()[0]));
      Value left = isPadded ? k.index(0) : k.mul(tile.row, op.getStrides()[1]);
      KernelBuilder::Carried sums = addWindow(place, top, left, KernelBuilder::Carried(tile.rows, start));
      channels.store(epilogue, sums, tile, place);
    });
  }

private:
  /// Adds all lines of the window to the sums of neighbouring pixels. The first one's window begins at [top, left + its
  /// padding].
  KernelBuilder::Carried addWindow(const ChannelSpace::Place &place, Value top, Value left,
                                   KernelBuilder::Carried sums) {
    int64_t together = product.lines();
    auto addTogether = [&](Value line, ValueRange carried) {
      return addLines(place, top, left, line, together, carried);
    };
    if (isPadded) {
      // Of floats, one line at a time: those at top + line * dilation in [0, inputLines).
      int64_t dilation = op.getDilations()[0];
      Value below = k.sub(k.index(inputLines), top), above = k.sub(k.index(0), top), zero = k.index(0);
      Value first = k.ceilDiv(k.max(above, zero), dilation);
      Value end = k.min(k.ceilDiv(k.max(below, zero), dilation), k.index(height));
      return k.loop(first, k.max(first, end), together, sums, addTogether);
    }
    // Lines of large windows have a loop.
    int64_t looped = height * width <= 25 ? 0 : height / together * together;
    if (looped)
      sums = k.loop(k.index(0), k.index(looped), together, sums, addTogether);
    for (int64_t line = looped; line < height; line += together)
      sums = addLines(place, top, left, k.index(line), std::min(together, height - line), sums);
    return sums;
  }

  /// The same for `count` lines of the window from `line` on.
  KernelBuilder::Carried addLines(const ChannelSpace::Place &place, Value top, Value left, Value line, int64_t count,
                                  ValueRange before) {
    KernelBuilder::Carried sums(before);
    // A pixel of the input is loaded once for all windows that see it.
    llvm::SmallDenseMap<int64_t, Value> loaded;
    SmallVector<Value> taps;
    for (int64_t x = 0; x < width; ++x)
      taps.push_back(product.loadTaps(line, x, count, place.channel, place.mask));
    for (auto [i, sum] : llvm::enumerate(sums))
      for (int64_t x = 0; x < width; ++x) {
        int64_t offset = int64_t(i) * op.getStrides()[1] + x * op.getDilations()[1] - op.getPads()[1];
        if (isPadded && (offset < 0 || offset >= inputPixels))
          continue;
        Value &pixel = loaded[offset];
        if (!pixel) {
          auto at = [&](int64_t next) {
            Value y = k.add(top, k.mul(k.add(line, next), op.getDilations()[0]));
            return SmallVector<Value>{place.line[0], y, k.add(left, offset), place.channel};
          };
          pixel = product.loadPixels(input, count, at, place.mask);
        }
        sum = product.accumulate(pixel, taps[x], sum);
      }
    return sums;
  }

  nn::ConvOp op;
  KernelBuilder &k;
  LineProduct &product;
  Value input;
  int64_t height, width;           ///< of the window
  int64_t inputLines, inputPixels; ///< of an image
  bool isPadded;
};

} // namespace

LogicalResult cpu::emitDepthwise(nn::ConvOp op) {
  KernelBuilder k(op);
  auto weightType = cast<MemRefType>(op.getWeight().getType());
  Type element = cast<MemRefType>(op.getInput().getType()).getElementType();
  // A bf16 or f16 input is widened, as such a weight is.
  Type accumulated = isNarrowFloat(element) ? Type(k.builder.getF32Type()) : element;
  FailureOr<Product> product = chooseProduct(op, accumulated, weightType.getElementType());
  if (failed(product))
    return failure();
  bool isPadded = llvm::any_of(op.getPads(), [](int64_t pad) { return pad != 0; });
  if (isPadded && !codegen::skipsPadding(op, k.target))
    return op.emitOpError("expected its padding to be in the input");
  if (failed(verifyContiguousChannels(op)))
    return failure();
  LineProduct lineProduct(k, *product, op.getWeight());
  if (!lineProduct.isValid())
    return op.emitOpError("expected a contiguous weight, but got ") << weightType;
  DepthwiseConv(k, op, lineProduct).emit();
  return success();
}

//===- Depthwise.cpp - Depthwise nn.conv, vectors over channels -----------===//
#include "passes/Codegen/CPU/Contraction.h"
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

} // namespace

LogicalResult cpu::emitDepthwise(nn::ConvOp op) {
  KernelBuilder k(op);
  Value input = op.getInput(), weight = op.getWeight(), out = op.getInit();
  auto weightType = cast<MemRefType>(weight.getType());
  Type element = cast<MemRefType>(input.getType()).getElementType();
  // A bf16 or f16 input is widened, as such a weight is.
  Type accumulated = isNarrowFloat(element) ? Type(k.builder.getF32Type()) : element;
  FailureOr<Product> product = chooseProduct(op, accumulated, weightType.getElementType());
  if (failed(product))
    return failure();
  ArrayRef<int64_t> pads = op.getPads(), strides = op.getStrides(), dilations = op.getDilations();
  bool isPadded = llvm::any_of(pads, [](int64_t pad) { return pad != 0; });
  if (isPadded && !codegen::skipsPadding(op, k.target))
    return op.emitOpError("expected its padding to be in the input");
  for (Value operand : {input, weight, out})
    if (!hasUnitInnermostStride(operand))
      return op.emitOpError("expected contiguous channels");

  int64_t height = weightType.getDimSize(0), width = weightType.getDimSize(1), channels = weightType.getDimSize(3);
  ContractionSpace space;
  space.op = op;
  space.wholeRows = isPadded;
  SmallVector<Value> outerSizes = {k.dim(out, 0), k.dim(out, 1)};
  space.outer = k.mul(outerSizes[0], outerSizes[1]);
  space.rows = k.dim(out, 2);
  space.panels = k.ceilDiv(k.index(channels), k.lanes());
  space.vectors = 1;
  // Loads bound the speed, not multiply-adds: tasks are as long as those of a larger reduction.
  space.reduction = 4 * height * width;
  space.usualRows = codegen::maxDepthwisePixels(k.target);

  // Of a padded input a tile is a line: its borders are known, and pixels beyond them add nothing.
  int64_t inputLines = cast<MemRefType>(input.getType()).getDimSize(1);
  int64_t inputPixels = cast<MemRefType>(input.getType()).getDimSize(2);
  auto isInside = [&](int64_t pixel) { return !isPadded || (pixel >= 0 && pixel < inputPixels); };

  Epilogue epilogue(k, op.getEpilogue(), op.getExtras(), out);
  LineProduct lineProduct(k, *product, weight);
  if (!lineProduct.isValid())
    return op.emitOpError("expected a contiguous weight, but got ") << weightType;
  bool masked = channels % k.lanes() != 0;
  Type accumulatorType = isa<FloatType>(element) ? Type(k.builder.getF32Type()) : Type(k.builder.getI32Type());
  emitContraction(k, space, [&](const TilePlace &place) {
    Value unit = place.unit, row = place.row, panel = place.panel;
    int64_t rows = place.rows;
    SmallVector<Value> outer = k.delinearize(unit, outerSizes);
    Value channel = k.mul(panel, k.lanes());
    Value mask = masked ? k.maskBelow(k.sub(k.index(channels), channel)) : Value();
    Value start = isa<FloatType>(accumulatorType) && epilogue.addsBias() ? epilogue.startFromBias(channel, mask)
                                                                         : k.splat(accumulatorType, 0);
    Value top = k.sub(k.mul(outer[1], strides[0]), k.index(pads[0]));
    Value left = isPadded ? k.index(0) : k.mul(row, strides[1]);
    auto lines = [&](Value tap, int64_t count, ValueRange carried) {
      KernelBuilder::Carried sums(carried);
      // A pixel of the input is loaded once for all windows that see it.
      llvm::SmallDenseMap<int64_t, Value> loaded;
      SmallVector<Value> taps;
      for (int64_t x = 0; x < width; ++x)
        taps.push_back(lineProduct.loadTaps(tap, x, count, channel, mask));
      for (int64_t i = 0; i < rows; ++i)
        for (int64_t x = 0; x < width; ++x) {
          int64_t offset = i * strides[1] + x * dilations[1] - pads[1];
          if (!isInside(offset))
            continue;
          Value &pixel = loaded[offset];
          if (!pixel) {
            auto at = [&](int64_t i) {
              Value y = k.add(top, k.mul(k.add(tap, i), dilations[0]));
              return SmallVector<Value>{outer[0], y, k.add(left, offset), channel};
            };
            pixel = lineProduct.loadPixels(input, count, at, mask);
          }
          sums[i] = lineProduct.accumulate(pixel, taps[x], sums[i]);
        }
      return sums;
    };
    KernelBuilder::Carried sums(rows, start);
    int64_t together = lineProduct.lines();
    auto linesTogether = [&](Value tap, ValueRange carried) { return lines(tap, together, carried); };
    if (isPadded) {
      // Of floats, one line at a time: those at top + tap * dilation in [0, inputLines).
      Value below = k.sub(k.index(inputLines), top), above = k.sub(k.index(0), top), zero = k.index(0);
      Value first = k.ceilDiv(k.max(above, zero), dilations[0]);
      Value end = k.min(k.ceilDiv(k.max(below, zero), dilations[0]), k.index(height));
      sums = k.loop(first, k.max(first, end), together, sums, linesTogether);
    } else {
      // Lines of large windows have a loop.
      int64_t looped = height * width <= 25 ? 0 : height / together * together;
      if (looped)
        sums = k.loop(k.index(0), k.index(looped), together, sums, linesTogether);
      for (int64_t tap = looped; tap < height; tap += together)
        sums = lines(k.index(tap), std::min(together, height - tap), sums);
    }
    for (int64_t i = 0; i < rows; ++i)
      epilogue.store(sums[i], {outer[0], outer[1], k.add(row, i)}, channel, mask);
  });
  return success();
}

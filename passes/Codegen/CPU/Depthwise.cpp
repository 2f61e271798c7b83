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

/// What multiplies a vector of pixels by a vector of a window's elements, for a line of the window. Where the target
/// adds pairs of products, two lines are taken at once, and of a last line that is alone two columns: their channels
/// lie side by side, those of the weight so in memory (lower-prepare-kernels).
class LineProduct {
public:
  LineProduct(KernelBuilder &k, Product product, Value weight)
      : k(k), isPair(product == Product::Int16), weight(weight), type(cast<MemRefType>(weight.getType())) {
    if (isPair)
      flat = k.collapse(weight, 0, 3);
  }

  bool isValid() const { return !isPair || flat; }
  int64_t lines() const { return isPair ? 2 : 1; }
  /// How many columns of `lines` lines are taken at once.
  int64_t columns(int64_t lines) const { return isPair && lines == 1 ? 2 : 1; }

  Value loadPixels(Value memref, ValueRange at, Value mask) {
    if (!isPair)
      return loadWide(k, memref, at, mask, codegen::getDotProduct(k.target).isLhsSigned());
    return k.load(memref, at, mask);
  }

  /// Two vectors of pixels side by side; the second one is null where there is none.
  Value pairPixels(Value first, Value second) {
    if (!second)
      return asPairs(arith::ExtUIOp::create(k.builder, k.loc, k.vectorOf(k.builder.getI32Type()), first));
    SmallVector<int64_t> order;
    for (int64_t lane = 0; lane < k.lanes(); ++lane)
      order.append({lane, k.lanes() + lane});
    return vector::ShuffleOp::create(k.builder, k.loc, first, second, order);
  }

  /// The weight's elements at `column` of `lines` lines from `line` on, or at two columns of one.
  Value loadTaps(Value line, int64_t column, int64_t lines, int64_t columns, Value channel, Value mask) {
    if (!isPair)
      return loadWide(k, weight, {line, k.index(column), k.index(0), channel}, mask, /*isSigned=*/true);
    int64_t channels = type.getDimSize(3), count = lines * columns;
    Value begin = k.mul(line, type.getDimSize(1) * channels);
    Value at = k.add(begin, k.add(k.mul(channel, count), column * channels * lines));
    if (count == 1) { // The odd halves are zero, whatever they meet.
      Value taps = arith::ExtSIOp::create(k.builder, k.loc, k.vectorOf(k.builder.getI16Type()), k.load(flat, at, mask));
      return asPairs(arith::ExtUIOp::create(k.builder, k.loc, k.vectorOf(k.builder.getI32Type()), taps));
    }
    Value pairs;
    k.withRegisters(2, [&] {
      Value inside = mask ? k.maskBelow(k.mul(k.sub(k.index(channels), channel), 2)) : Value();
      pairs = k.load(flat, at, inside);
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

/// The pixels that a tile sees of some lines, each loaded once for all windows that see it.
class SeenPixels {
public:
  using Load = std::function<Value(int64_t line, int64_t column)>;

  /// `load` gives those at a place in the lines that are taken together; `pairsOf` the columns at which windows see two
  /// neighbours of one line, `distance` apart.
  SeenPixels(LineProduct &product, int64_t lines, int64_t distance, llvm::SmallDenseSet<int64_t> pairs, Load load)
      : product(&product), lines(lines), distance(distance), pairs(std::move(pairs)), load(std::move(load)) {}

  Value at(int64_t column) {
    Value &found = ready[column];
    if (found)
      return found;
    if (product->lines() == 1)
      return found = load(0, column);
    Value second = lines == 2 ? load(1, column) : pairs.contains(column) ? single(column + distance) : Value();
    return found = product->pairPixels(lines == 2 ? load(0, column) : single(column), second);
  }

private:
  Value single(int64_t column) {
    Value &found = loaded[column];
    if (!found)
      found = load(0, column);
    return found;
  }

  LineProduct *product;
  int64_t lines, distance;
  llvm::SmallDenseSet<int64_t> pairs;
  Load load;
  llvm::SmallDenseMap<int64_t, Value> loaded, ready;
};

/// Lines of a window that are taken at once.
struct WindowLines {
  int64_t columns; ///< that are taken at once
  SmallVector<Value> taps;
  SeenPixels pixels;
};

/// Pixels of a tile: as many sums, the elements of a line of the window, and what is loaded fit the registers.
int64_t usualPixels(nn::TargetAttr target, Product product, int64_t windowWidth) {
  int64_t pixels = codegen::maxDepthwisePixels(target);
  if (product != Product::Int16)
    return pixels;
  constexpr int64_t most = 8, others = 3;
  return std::clamp<int64_t>(int64_t(target.getVectorRegisters()) - windowWidth - others, pixels, most);
}

/// One filter for each channel: vectors of channels, as many neighbouring pixels as a tile has.
class DepthwiseConv {
public:
  DepthwiseConv(KernelBuilder &k, nn::ConvOp op, Product kind, LineProduct &product)
      : op(op), k(k), kind(kind), product(product), input(op.getInput()) {
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
    space.usualRows = usualPixels(k.target, kind, width);

    Epilogue epilogue(k, op.getEpilogue(), op.getExtras(), op.getInit());
    bool isFloat = isa<FloatType>(cast<MemRefType>(input.getType()).getElementType());
    Type sumType = isFloat ? Type(k.builder.getF32Type()) : Type(k.builder.getI32Type());
    emitContraction(k, space, [&](const TilePlace &tile) {
      ChannelSpace::Place place = channels.locate(tile);
      Value start = startsFromBias(kind) && epilogue.addsBias() ? epilogue.startFromBias(place.channel, place.mask)
                                                                : k.splat(sumType, 0);
      Value top = k.sub(k.mul(place.line[1], op.getStrides()[0]), k.index(op.getPads()[0]));
      Value left = isPadded ? k.index(0) : k.mul(tile.row, op.getStrides()[1]);
      if (product.lines() > 1 && !loopsOverLines())
        return emitInOrder(tile, place, top, left, start,
                           [&](ValueRange sums, int64_t first) { channels.store(epilogue, sums, tile, place, first); });
      if (isPadded)
        prefetchTaps(place);
      KernelBuilder::Carried sums = addWindow(tile, place, top, left, KernelBuilder::Carried(tile.rows, start));
      channels.store(epilogue, sums, tile, place);
    });
  }

private:
  /// Lines of large windows have a loop.
  bool loopsOverLines() const { return height * width > 25; }

  /// Pixel by pixel: engines keep loads before the stores that they come before, and what is loaded for all pixels at
  /// once would not fit the registers.
  void emitInOrder(const TilePlace &tile, const ChannelSpace::Place &place, Value top, Value left, Value start,
                   function_ref<void(ValueRange sums, int64_t first)> store) {
    SmallVector<WindowLines, 0> window;
    for (int64_t line = 0; line < height; line += product.lines())
      window.push_back(
          linesAt(tile, place, top, left, k.index(line), std::min<int64_t>(product.lines(), height - line)));
    SmallVector<Value> sums;
    for (int64_t pixel = 0; pixel < tile.rows; ++pixel) {
      Value sum = start;
      for (WindowLines &lines : window)
        sum = addLines(lines, pixel, sum);
      sums.push_back(sum);
      if (sums.size() < 2 && pixel + 1 < tile.rows)
        continue;
      store(sums, pixel + 1 - int64_t(sums.size()));
      sums.clear();
    }
  }

  /// Adds all lines of the window to the sums of neighbouring pixels. The first one's window begins at [top, left + its
  /// padding].
  KernelBuilder::Carried addWindow(const TilePlace &tile, const ChannelSpace::Place &place, Value top, Value left,
                                   KernelBuilder::Carried sums) {
    int64_t together = product.lines();
    auto addAll = [&](Value line, int64_t count, ValueRange carried) {
      KernelBuilder::Carried added(carried);
      WindowLines lines = linesAt(tile, place, top, left, line, count);
      for (auto [pixel, sum] : llvm::enumerate(added))
        sum = addLines(lines, pixel, sum);
      return added;
    };
    auto addTogether = [&](Value line, ValueRange carried) { return addAll(line, together, carried); };
    if (isPadded) {
      // Of floats, one line at a time: those at top + line * dilation in [0, inputLines).
      int64_t dilation = op.getDilations()[0];
      Value below = k.sub(k.index(inputLines), top), above = k.sub(k.index(0), top), zero = k.index(0);
      Value first = k.ceilDiv(k.max(above, zero), dilation);
      Value end = k.min(k.ceilDiv(k.max(below, zero), dilation), k.index(height));
      return k.loop(first, k.max(first, end), together, sums, addTogether);
    }
    int64_t looped = loopsOverLines() ? height / together * together : 0;
    if (looped)
      sums = k.loop(k.index(0), k.index(looped), together, sums, addTogether);
    for (int64_t line = looped; line < height; line += together)
      sums = addAll(k.index(line), std::min(together, height - line), sums);
    return sums;
  }

  /// Asks for a line of the window of the next vector of channels. Its elements are further apart than hardware
  /// follows, and few lines of pixels meet each: from memory they would come too late.
  void prefetchTaps(const ChannelSpace::Place &place) {
    Value line = k.min(place.line[1], k.index(height - 1)), channel = k.add(place.channel, k.lanes());
    for (int64_t x = 0; x < width; ++x)
      memref::PrefetchOp::create(k.builder, k.loc, op.getWeight(), ValueRange{line, k.index(x), k.index(0), channel},
                                 /*isWrite=*/false, /*localityHint=*/3, /*isDataCache=*/true);
  }

  int64_t columnOf(int64_t pixel, int64_t x) {
    return pixel * op.getStrides()[1] + x * op.getDilations()[1] - op.getPads()[1];
  }

  /// `count` lines of the window from `line` on.
  WindowLines linesAt(const TilePlace &tile, const ChannelSpace::Place &place, Value top, Value left, Value line,
                      int64_t count) {
    int64_t atOnce = product.columns(count);
    llvm::SmallDenseSet<int64_t> pairs;
    for (int64_t pixel = 0; atOnce > 1 && pixel < tile.rows; ++pixel)
      for (int64_t x = 0; x + 1 < width; x += atOnce)
        pairs.insert(columnOf(pixel, x));
    SeenPixels pixels(product, count, op.getDilations()[1], std::move(pairs),
                      [this, place, top, left, line](int64_t next, int64_t column) {
                        Value y = k.add(top, k.mul(k.add(line, next), op.getDilations()[0]));
                        Value x = k.add(left, column);
                        return product.loadPixels(input, {place.line[0], y, x, place.channel}, place.mask);
                      });
    SmallVector<Value> taps;
    for (int64_t x = 0; x < width; x += atOnce)
      taps.push_back(product.loadTaps(line, x, count, std::min(atOnce, width - x), place.channel, place.mask));
    return WindowLines{atOnce, std::move(taps), std::move(pixels)};
  }

  /// The sum of a pixel with what the lines add to it.
  Value addLines(WindowLines &lines, int64_t pixel, Value sum) {
    for (auto [i, taps] : llvm::enumerate(lines.taps)) {
      int64_t column = columnOf(pixel, i * lines.columns);
      if (!isPadded || (column >= 0 && column < inputPixels))
        sum = product.accumulate(lines.pixels.at(column), taps, sum);
    }
    return sum;
  }

  nn::ConvOp op;
  KernelBuilder &k;
  Product kind;
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
  DepthwiseConv(k, op, *product, lineProduct).emit();
  return success();
}

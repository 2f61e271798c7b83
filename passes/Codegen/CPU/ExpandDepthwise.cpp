//===- ExpandDepthwise.cpp - nn.expand_depthwise, line by line ------------===//
//
// A task computes some lines of the result for a panel of channels. It expands the input line by line into a ring of KH
// lines, each with its padding to the left and right, and after each line that completes a window computes a line of
// the result.
//
//===----------------------------------------------------------------------===//
#include "passes/Codegen/CPU/Contraction.h"
#include "passes/Codegen/CPU/Kernels.h"
#include "passes/Codegen/Common/Instructions.h"
#include "passes/Codegen/Common/TaskWork.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/SaveAndRestore.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

namespace {

struct ExpandDepthwise {
  nn::ExpandDepthwiseOp op;
  KernelBuilder k;
  Value input, expandWeight, weight, ring;
  Epilogue expandEpilogue, epilogue;
  ArrayRef<int64_t> inputShape, outShape, window, strides, pads;
  int64_t width, vectors, lineBlocks, blockLines;
  bool isMasked; ///< whether a panel may have channels that there are not

  explicit ExpandDepthwise(nn::ExpandDepthwiseOp op);
  LogicalResult prepare();
  void emit();
  void emitPanel(Value image, Value panel, Value firstLine, Value count);
  void emitLines(Value image, Value panel, Value firstLine, Value count);
  void prefetchTaps(Value panel);
  void clearPadding();
  void expandLine(Value image, Value panel, Value paddedLine);
  void convolveLine(Value image, Value panel, Value line);

  Value slotOf(Value paddedLine) { return k.rem(paddedLine, k.index(window[0])); }
  Value columnOf(Value panel, int64_t v) { return k.add(k.mul(panel, width), v * k.lanes()); }
  Value maskOf(Value column) { return isMasked ? k.maskBelow(k.sub(k.index(outShape[3]), column)) : Value(); }
};

ArrayRef<int64_t> shapeOf(Value memref) { return cast<MemRefType>(memref.getType()).getShape(); }

ExpandDepthwise::ExpandDepthwise(nn::ExpandDepthwiseOp op)
    : op(op), k(op), input(op.getInput()), expandWeight(op.getExpandWeight()), weight(op.getWeight()),
      expandEpilogue(k, op.getExpandEpilogue(), op.getExpandExtras(), op.getInit()),
      epilogue(k, op.getEpilogue(), op.getExtras(), op.getInit()), inputShape(shapeOf(input)),
      outShape(shapeOf(op.getInit())), window(shapeOf(weight).take_front(2)), strides(op.getStrides()),
      pads(op.getPads()) {}

LogicalResult ExpandDepthwise::prepare() {
  auto expandType = cast<MemRefType>(expandWeight.getType());
  if (expandType.getRank() != 3 || expandType.getDimSize(2) % k.lanes() != 0)
    return op.emitOpError("expected a weight packed in vectors of ") << k.lanes() << ", but got " << expandType;
  for (Value operand : {input, weight, op.getInit()})
    if (!hasUnitInnermostStride(operand))
      return op.emitOpError("expected contiguous channels");
  width = expandType.getDimSize(2);
  vectors = width / k.lanes();
  isMasked = outShape[3] % width != 0;
  // Some tasks for each thread, but long ones: each expands the first lines of its windows anew.
  constexpr int64_t tasks = 16, leastLines = 8;
  int64_t panels = outShape[0] * expandType.getDimSize(0);
  int64_t blocks =
      std::clamp<int64_t>(llvm::divideCeil(tasks, panels), 1, std::max<int64_t>(outShape[1] / leastLines, 1));
  blockLines = llvm::divideCeil(outShape[1], blocks);
  lineBlocks = llvm::divideCeil(outShape[1], blockLines);
  return success();
}

void ExpandDepthwise::emit() {
  Value panels = k.dim(expandWeight, 0);
  SmallVector<Value> sizes = {k.index(outShape[0]), k.index(lineBlocks), panels};
  int64_t work = blockLines * width *
                 (strides[0] * inputShape[2] * (inputShape[3] + codegen::kWorkPerElement) +
                  outShape[2] * window[0] * window[1] * codegen::kWorkPerElement);
  k.parallelItems(k.mul(k.mul(sizes[0], sizes[1]), panels), work, [&](Value item) {
    SmallVector<Value> at = k.delinearize(item, sizes);
    Value first = k.mul(at[1], blockLines);
    Value count = k.min(k.index(blockLines), k.sub(k.index(outShape[1]), first));
    int64_t paddedWidth = (outShape[2] - 1) * strides[1] + window[1];
    paddedWidth = std::max(paddedWidth, pads[1] + inputShape[2]);
    ring = k.scratch({window[0], paddedWidth, width}, k.builder.getF32Type());
    emitPanel(at[0], at[2], first, count);
  });
}

/// The last panel may have fewer channels: it takes no more vectors than these fill, of half a register if that spares
/// one half and the target some time.
void ExpandDepthwise::emitPanel(Value image, Value panel, Value firstLine, Value count) {
  int64_t rest = outShape[3] % width, lanes = k.lanes();
  bool isHalf = codegen::splitsVectors(k.target) && llvm::alignTo(rest, lanes / 2) < llvm::alignTo(rest, lanes);
  if (isHalf)
    lanes /= 2;
  if (rest == 0 || int64_t(llvm::alignTo(rest, lanes)) == width)
    return emitLines(image, panel, firstLine, count);
  k.branch(
      k.equal(panel, k.index(outShape[3] / width)),
      [&] {
        llvm::SaveAndRestore target(k.target, isHalf ? codegen::withHalfVectors(k.target) : k.target);
        llvm::SaveAndRestore fewer(vectors, int64_t(llvm::divideCeil(rest, lanes)));
        llvm::SaveAndRestore masked(isMasked, rest % lanes != 0);
        emitLines(image, panel, firstLine, count);
      },
      [&] {
        llvm::SaveAndRestore masked(isMasked, false);
        emitLines(image, panel, firstLine, count);
      });
}

void ExpandDepthwise::emitLines(Value image, Value panel, Value firstLine, Value count) {
  prefetchTaps(panel);
  clearPadding();
  Value begin = k.mul(firstLine, strides[0]);
  Value lines = k.add(k.mul(k.sub(count, k.index(1)), strides[0]), window[0]);
  k.loop(k.index(0), lines, 1, [&](Value i) {
    expandLine(image, panel, k.add(begin, i));
    // Line i of the padded image is the last one of a window, or of none.
    Value after = k.sub(i, k.index(window[0] - 1));
    Value isWindow = k.builder.createOrFold<arith::CmpIOp>(k.loc, arith::CmpIPredicate::sge, after, k.index(0));
    if (strides[0] != 1)
      isWindow =
          arith::AndIOp::create(k.builder, k.loc, isWindow,
                                k.equal(k.rem(k.add(after, window[0] * strides[0]), k.index(strides[0])), k.index(0)));
    k.branch(isWindow, [&] { convolveLine(image, panel, k.add(firstLine, k.div(after, k.index(strides[0])))); });
  });
}

/// Asks for the windows of a panel while its first lines are expanded. Their elements are further apart than hardware
/// follows.
void ExpandDepthwise::prefetchTaps(Value panel) {
  for (int64_t i = 0; i < window[0]; ++i)
    for (int64_t j = 0; j < window[1]; ++j)
      for (int64_t v = 0; v < vectors; ++v)
        memref::PrefetchOp::create(k.builder, k.loc, weight,
                                   ValueRange{k.index(i), k.index(j), k.index(0), columnOf(panel, v)},
                                   /*isWrite=*/false, /*localityHint=*/3, /*isDataCache=*/true);
}

/// The columns to the left and right of the image, in all lines of the ring.
void ExpandDepthwise::clearPadding() {
  Value zero = k.splat(k.builder.getF32Type(), 0);
  int64_t paddedWidth = shapeOf(ring)[1];
  auto clear = [&](int64_t first, int64_t end) {
    for (int64_t slot = 0; slot < window[0]; ++slot)
      for (int64_t x = first; x < end; ++x)
        for (int64_t v = 0; v < vectors; ++v)
          k.store(zero, ring, {k.index(slot), k.index(x), k.index(v * k.lanes())});
  };
  clear(0, pads[1]);
  clear(pads[1] + inputShape[2], paddedWidth);
}

/// Computes a line of the padded image into its slot of the ring.
void ExpandDepthwise::expandLine(Value image, Value panel, Value paddedLine) {
  Value slot = slotOf(paddedLine), y = k.sub(paddedLine, k.index(pads[0]));
  // Unsigned: lines above the image are far below it, too.
  Value inside = arith::CmpIOp::create(k.builder, k.loc, arith::CmpIPredicate::ult, y, k.index(inputShape[1]));
  auto branch = scf::IfOp::create(k.builder, k.loc, inside, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(k.builder);
  k.builder.setInsertionPoint(branch.thenBlock()->getTerminator());
  int64_t most = maxTileRows(k.target, vectors, Product::F32);
  k.tiles(k.index(0), k.index(inputShape[2]), evenBlock(inputShape[2], most), [&](Value x, int64_t size) {
    RegisterTile tile{size, vectors, Product::F32, {k.index(inputShape[3])}, {}, {}};
    readLhs(k, tile, input,
            [&](int64_t i, ValueRange ivs) { return SmallVector<Value>{image, y, k.add(x, i), ivs[0]}; });
    tile.rhs = [&](int64_t v, ValueRange ivs) { return k.load(expandWeight, {panel, ivs[0], k.index(v * k.lanes())}); };
    for (int64_t i = 0; expandEpilogue.addsBias() && i < size * vectors; ++i)
      tile.init.push_back(i < vectors ? expandEpilogue.startFromBias(columnOf(panel, i), maskOf(columnOf(panel, i)))
                                      : tile.init[i - vectors]);
    SmallVector<Value> accumulators = emitRegisterTile(k, tile);
    for (int64_t v = 0; v < vectors; ++v) {
      Value column = columnOf(panel, v), mask = maskOf(column);
      for (int64_t i = 0; i < size; ++i) {
        Value pixel = k.add(x, i);
        Value value = expandEpilogue.apply(accumulators[i * vectors + v], {image, y, pixel}, column, mask);
        k.store(value, ring, {slot, k.add(pixel, pads[1]), k.index(v * k.lanes())});
      }
    }
  });
  k.builder.setInsertionPoint(branch.elseBlock()->getTerminator());
  Value zero = k.splat(k.builder.getF32Type(), 0);
  k.loop(k.index(pads[1]), k.index(pads[1] + inputShape[2]), 1, [&](Value x) {
    for (int64_t v = 0; v < vectors; ++v)
      k.store(zero, ring, {slot, x, k.index(v * k.lanes())});
  });
}

/// Computes a line of the result from the lines of the ring.
void ExpandDepthwise::convolveLine(Value image, Value panel, Value line) {
  Value top = k.mul(line, strides[0]);
  SmallVector<Value> slots;
  for (int64_t i = 0; i < window[0]; ++i)
    slots.push_back(slotOf(k.add(top, i)));
  int64_t most = k.target.getVectorRegisters() >= 32 ? 8 : 4;
  k.tiles(k.index(0), k.index(outShape[2]), evenBlock(outShape[2], most), [&](Value x, int64_t size) {
    Value left = k.mul(x, strides[1]);
    for (int64_t v = 0; v < vectors; ++v) {
      Value column = columnOf(panel, v), mask = maskOf(column);
      SmallVector<Value> sums(size, epilogue.addsBias() ? epilogue.startFromBias(column, mask)
                                                        : k.splat(k.builder.getF32Type(), 0));
      for (int64_t i = 0; i < window[0]; ++i) {
        // A pixel of the ring is loaded once for all windows that see it.
        llvm::SmallDenseMap<int64_t, Value> loaded;
        SmallVector<Value> taps;
        for (int64_t j = 0; j < window[1]; ++j)
          taps.push_back(k.load(weight, {k.index(i), k.index(j), k.index(0), column}, mask));
        for (int64_t pixel = 0; pixel < size; ++pixel)
          for (int64_t j = 0; j < window[1]; ++j) {
            int64_t offset = pixel * strides[1] + j;
            Value &value = loaded[offset];
            if (!value)
              value = k.load(ring, {slots[i], k.add(left, offset), k.index(v * k.lanes())});
            sums[pixel] = vector::FMAOp::create(k.builder, k.loc, value, taps[j], sums[pixel]);
          }
      }
      for (int64_t pixel = 0; pixel < size; ++pixel)
        epilogue.store(sums[pixel], {image, line, k.add(x, pixel)}, column, mask);
    }
  });
}

} // namespace

LogicalResult cpu::emitExpandDepthwise(nn::ExpandDepthwiseOp op) {
  ExpandDepthwise kernel(op);
  if (failed(kernel.prepare()))
    return failure();
  kernel.emit();
  return success();
}

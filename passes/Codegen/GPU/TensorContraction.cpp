//===- TensorContraction.cpp - Contractions on tensor cores ---------------===//
#include "passes/Codegen/GPU/TensorContraction.h"
#include "dialects/NN/IR/NNPrecision.h"
#include "passes/Codegen/Common/GeneralTypes.h"
#include "passes/Codegen/GPU/TensorProduct.h"
#include "passes/Codegen/GPU/Window.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::simt;

static std::optional<TensorFormat> findFormat(Operation *op, Value lhs, Value rhs) {
  auto elementOf = [](Value memref) { return cast<MemRefType>(memref.getType()).getElementType(); };
  return TensorFormat::find(elementOf(lhs), elementOf(rhs), nn::allowsTF32(op));
}

/// A weight, [..., N] or of bytes packed [1, ..., K/4, N, 4], as lines of a right operand; null where it lies
/// otherwise.
static Value flattenWeight(ThreadBuilder &k, TensorFormat format, Value weight) {
  if (format.isInteger()) {
    auto type = cast<MemRefType>(weight.getType());
    unsigned rank = type.getRank();
    if (rank < 4 || type.getDimSize(0) != 1 || type.getDimSize(rank - 1) != format.perWord())
      return {};
    weight = k.collapse(weight, rank - 2, rank - 1);
  }
  return weight ? k.collapse(weight, 0, cast<MemRefType>(weight.getType()).getRank() - 2) : Value();
}

static SmallVector<Value> atLine(Value, Value line, Value element) { return {line, element}; }

/// The right operand that is a constant, which compression may have rounded to tf32.
static TensorOperand getWeightOperand(WarpBuilder &k, Operation *op, Value weight) {
  return {weight, chooseCopyWidth(k, weight), atLine, /*load=*/nullptr, /*there=*/nullptr, nn::hasTF32Weight(op)};
}

bool simt::emitOnTensorCores(nn::LinearOp op) {
  WarpBuilder k(op);
  Value input = op.getInput(), out = op.getInit();
  std::optional<TensorFormat> format = findFormat(op, input, op.getWeight());
  if (!format || op.getBits() || op.getScales())
    return false;
  Value weight = flattenWeight(k, *format, op.getWeight());
  if (!weight)
    return false;
  MergedDims leading = k.mergeLeading(out, /*kept=*/1);
  Value rows = leading.size;
  auto at = [&](Value row, Value column) { return k.indicesOf(leading, row, column); };
  auto store = [&](ValueRange sums, Value, Value row, Value column) {
    k.storeEpilogues(op.getEpilogue(), op.getExtras(), sums, out, at(row, column));
  };
  auto apart = [&](Value, Value row, Value step) { return at(row, step); };
  int64_t rank = leading.sizes.size() + 1;
  Value lines = rank > 1 ? k.collapse(input, 0, rank - 2) : Value();
  TensorOperand lhs{input, chooseCopyWidth(k, input), apart};
  if (lines)
    lhs = {lines, chooseCopyWidth(k, lines), atLine};
  emitTensorProduct(k, {*format, k.index(1), rows, k.dim(out, rank - 1), k.dim(input, rank - 1), lhs,
                        getWeightOperand(k, op, weight), store, codegen::getLikelyRows(op)});
  return true;
}

bool simt::emitOnTensorCores(nn::MatMulOp op) {
  WarpBuilder k(op);
  Value lhs = op.getLhs(), rhs = op.getRhs(), out = op.getInit();
  std::optional<TensorFormat> format = findFormat(op, lhs, rhs);
  if (!format || format->isInteger() || op.getPacked())
    return false;
  int64_t rank = cast<MemRefType>(out.getType()).getRank();
  MergedDims leading = k.mergeLeading(out, /*kept=*/2);
  auto at = [&](Value batch, Value row, Value column) { return k.indicesOf(leading, batch, {row, column}); };
  // An operand may have fewer dimensions than the result, or some of size one.
  auto within = [&](Value memref, Value batch, Value line, Value element) {
    auto type = cast<MemRefType>(memref.getType());
    SmallVector<Value> all = at(batch, line, element), indices;
    for (auto [index, size] : llvm::zip(ArrayRef(all).take_back(type.getRank()), type.getShape()))
      indices.push_back(size == 1 ? k.index(0) : index);
    return indices;
  };
  auto left = [&](Value batch, Value row, Value step) { return within(lhs, batch, row, step); };
  auto right = [&](Value batch, Value step, Value column) { return within(rhs, batch, step, column); };
  auto store = [&](ValueRange sums, Value batch, Value row, Value column) {
    k.storeEpilogues(op.getEpilogue(), op.getExtras(), sums, out, at(batch, row, column));
  };
  emitTensorProduct(k, {*format,
                        leading.size,
                        k.dim(out, rank - 2),
                        k.dim(out, rank - 1),
                        k.dim(lhs, cast<MemRefType>(lhs.getType()).getRank() - 1),
                        {lhs, chooseCopyWidth(k, lhs), left},
                        {rhs, chooseCopyWidth(k, rhs), right},
                        store});
  return true;
}

/// The extras of a convolution's epilogue for a result of which a pixel is one line; fewer where one has neither a
/// pixel for each of the result's nor the same for all.
static SmallVector<Value> collapseExtras(ThreadBuilder &k, nn::ConvOp op) {
  auto shape = cast<MemRefType>(op.getInit().getType()).getShape();
  SmallVector<Value> extras;
  for (Value extra : op.getExtras()) {
    auto type = cast<MemRefType>(extra.getType());
    bool isSame = type.hasStaticShape() && type.getShape() == shape;
    if (Value lines = isSame ? k.collapse(extra, 0, 2) : type.getRank() <= 1 ? extra : Value())
      extras.push_back(lines);
  }
  return extras;
}

/// The convolution as one product: rows are output pixels, steps taps and input channels (Chetlur et al. 2014, "cuDNN:
/// Efficient Primitives for Deep Learning"). What is copied at once are channels of one pixel; of pixels beyond a
/// border, zeros.
bool simt::emitOnTensorCores(nn::ConvOp op) {
  WarpBuilder k(op);
  Value input = op.getInput(), out = op.getInit();
  std::optional<TensorFormat> format = findFormat(op, input, op.getWeight());
  if (!format || op.getGroup() != 1)
    return false;
  Value weight = flattenWeight(k, *format, op.getWeight());
  if (!weight)
    return false;
  unsigned first = format->isInteger() ? 1 : 0; // of the taps: [1, KH, KW, C/4, O, 4] or [KH, KW, C, O]
  SmallVector<Value> pixels = {k.dim(out, 0), k.dim(out, 1), k.dim(out, 2)};
  SmallVector<Value> taps = {k.dim(op.getWeight(), first), k.dim(op.getWeight(), first + 1), k.dim(input, 3)};
  auto product = [&](ArrayRef<Value> sizes) { return k.mul(k.mul(sizes[0], sizes[1]), sizes[2]); };
  auto lhs = [&](Value, Value row, Value step) {
    SmallVector<Value> pixel = k.delinearize(row, pixels), tap = k.delinearize(step, taps);
    return SmallVector<Value>{pixel[0], placeTap(k, op, 0, pixel[1], tap[0]), placeTap(k, op, 1, pixel[2], tap[1]),
                              tap[2]};
  };
  auto there = [&](ArrayRef<Value> at) { return isInside(k, op, at[1], at[2]); };
  TensorOperand image{input, chooseCopyWidth(k, input), lhs};
  if (hasBorders(op))
    image.there = there;
  Value lines = k.collapse(out, 0, 2);
  SmallVector<Value> extras = lines ? collapseExtras(k, op) : SmallVector<Value>();
  bool areLines = lines && extras.size() == op.getExtras().size();
  auto store = [&](ValueRange sums, Value, Value row, Value column) {
    if (areLines)
      return k.storeEpilogues(op.getEpilogue(), extras, sums, lines, {row, column});
    SmallVector<Value> at = k.delinearize(row, pixels);
    at.push_back(column);
    k.storeEpilogues(op.getEpilogue(), op.getExtras(), sums, out, at);
  };
  emitTensorProduct(k, {*format, k.index(1), product(pixels), k.dim(out, 3), product(taps), image,
                        getWeightOperand(k, op, weight), store});
  return true;
}

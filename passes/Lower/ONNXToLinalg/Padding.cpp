//===- Padding.cpp - onnx.Pad in its modes --------------------------------===//
#include "passes/Lower/ONNXToLinalg/RunTimeSizes.h"

using namespace mlir;
using namespace lathe;

/// Pads before and after each dimension; nullopt after an error.
static LogicalResult getPads(Lowering &lowering, onnx::PadOp op, SmallVectorImpl<AffineExpr> &before,
                             SmallVectorImpl<AffineExpr> &after) {
  int64_t rank = lowering.rank(op.getData());
  auto pads = lowering.shapes.getElements(op.getPads());
  std::optional<SmallVector<int64_t>> axes = llvm::to_vector(llvm::seq<int64_t>(rank));
  if (op.getAxes())
    axes = lowering.getConstants(op.getAxes());
  if (!pads || !axes || pads->size() != 2 * axes->size())
    return op.emitOpError("expected pads and axes that are known at compile time");
  before.assign(rank, lowering.constantExpr(0));
  after.assign(rank, lowering.constantExpr(0));
  for (auto [position, axis] : llvm::enumerate(*axes)) {
    int64_t dim = axis < 0 ? axis + rank : axis;
    before[dim] = (*pads)[position];
    after[dim] = (*pads)[axes->size() + position];
  }
  return success();
}

/// A constant of 0 or less, which crops.
static AffineExpr cropOf(Lowering &lowering, AffineExpr pad) {
  auto constant = dyn_cast<AffineConstantExpr>(pad);
  return constant && constant.getValue() < 0 ? pad : lowering.constantExpr(0);
}

static Value padConstant(Lowering &lowering, onnx::PadOp op, ArrayRef<AffineExpr> before, ArrayRef<AffineExpr> after) {
  ImplicitLocOpBuilder &builder = lowering.builder;
  SmallVector<AffineExpr> dims(lowering.shapes.getDims(op.getData()));
  Value data = lowering.get(op.getData()), scalar;
  if (Value given = op.getConstantValue()) {
    SmallVector<Value> zeros(lowering.rank(given), lowering.index(0));
    scalar = tensor::ExtractOp::create(builder, lowering.get(given), zeros);
  } else {
    scalar = arith::ConstantOp::create(builder, builder.getZeroAttr(lowering.elementType(op.getData())));
  }
  SmallVector<OpFoldResult> from, to;
  bool crops = false;
  for (auto [dim, low, high] : llvm::zip(dims, before, after)) {
    AffineExpr front = cropOf(lowering, low), back = cropOf(lowering, high);
    from.push_back(lowering.size(-front));
    to.push_back(lowering.size(low - front));
    crops |= front != lowering.constantExpr(0) || back != lowering.constantExpr(0);
    dim = lowering.shapes.simplify(dim + front + back);
  }
  if (crops)
    data = lowering.slice(data, from, dims);
  return lowering.insert(data, lowering.filled(lowering.shapes.getDims(op.getOutput()), scalar), to, dims);
}

/// index modulo size, which is 0 or more.
static Value wrap(ScalarBuilder &s, Value index, Value size, Value zero) {
  Value rest = s.make<arith::RemSIOp>({index, size});
  return s.select(s.less(rest, zero), s.add(rest, size), rest);
}

/// Where the element for `index`, which may be outside of a dimension of this size, is read.
static Value findElement(ScalarBuilder &s, StringRef mode, Value index, Value size, Value zero, Value one) {
  Value last = s.sub(size, one);
  if (mode == "wrap")
    index = wrap(s, index, size, zero);
  if (mode == "reflect") {
    // Back and forth with a period of 2 (n - 1); one element stands still.
    Value period = s.max(s.add(last, last), one), rest = wrap(s, index, period, zero);
    index = s.min(rest, s.sub(period, rest));
  }
  return s.max(s.min(index, last), zero);
}

/// Modes that repeat elements of the input.
static Value padByIndex(Lowering &lowering, onnx::PadOp op, ArrayRef<AffineExpr> before) {
  ArrayRef<AffineExpr> dims = lowering.shapes.getDims(op.getData());
  Value data = lowering.get(op.getData());
  SmallVector<Value> sizes, lows;
  for (auto [dim, low] : llvm::zip(dims, before)) {
    sizes.push_back(lowering.sizeValue(dim));
    lows.push_back(lowering.sizeValue(low));
  }
  StringRef mode = op.getMode();
  auto read = [&](ImplicitLocOpBuilder &b, ValueRange) -> Value {
    ScalarBuilder s{b, b.getLoc()};
    Value zero = arith::ConstantIndexOp::create(b, 0), one = arith::ConstantIndexOp::create(b, 1);
    SmallVector<Value> position;
    for (unsigned dim = 0; dim < dims.size(); ++dim) {
      Value index = s.sub(linalg::IndexOp::create(b, dim), lows[dim]);
      position.push_back(findElement(s, mode, index, sizes[dim], zero, one));
    }
    return tensor::ExtractOp::create(b, data, position);
  };
  return lowering.generic(lowering.shapes.getDims(op.getOutput()), lowering.elementType(op.getOutput()), {}, {}, read);
}

static LogicalResult lowerPad(Lowering &lowering, onnx::PadOp op) {
  StringRef mode = op.getMode();
  if (hasDataSize(lowering, op.getOutput()))
    return lowerOpenPad(lowering, op);
  SmallVector<AffineExpr> before, after;
  if (failed(getPads(lowering, op, before, after)))
    return failure();
  lowering.set(op.getOutput(),
               mode == "constant" ? padConstant(lowering, op, before, after) : padByIndex(lowering, op, before));
  return success();
}

void lathe::addPaddingLowerings(LoweringTable &table) { table.add<onnx::PadOp, lowerPad>(); }

//===- Movement.cpp - Onnx ops that cut, join and repeat tensors ----------===//
#include "passes/Lower/ONNXToLinalg/RunTimeSizes.h"

using namespace mlir;
using namespace lathe;

static LogicalResult lowerConcat(Lowering &lowering, onnx::ConcatOp op) {
  ArrayRef<AffineExpr> dims = lowering.shapes.getDims(op.getConcatResult());
  int64_t axis = normalizeAxis(op.getAxis(), dims.size());
  Value result = lowering.empty(dims, lowering.elementType(op.getConcatResult()));
  AffineExpr offset = lowering.constantExpr(0);
  for (Value input : op.getInputs()) {
    ArrayRef<AffineExpr> inputDims = lowering.shapes.getDims(input);
    if (inputDims[axis] == lowering.constantExpr(0))
      continue;
    SmallVector<OpFoldResult> offsets(dims.size(), lowering.builder.getIndexAttr(0));
    offsets[axis] = lowering.size(offset);
    result = lowering.insert(lowering.get(input), result, offsets, inputDims);
    offset = offset + inputDims[axis];
  }
  lowering.set(op.getConcatResult(), result);
  return success();
}

static LogicalResult lowerSplit(Lowering &lowering, onnx::SplitOp op) {
  readSplitSizes(lowering, op);
  ArrayRef<AffineExpr> dims = lowering.shapes.getDims(op.getInput());
  int64_t axis = normalizeAxis(op.getAxis(), dims.size());
  AffineExpr offset = lowering.constantExpr(0);
  for (Value output : op.getOutputs()) {
    ArrayRef<AffineExpr> outputDims = lowering.shapes.getDims(output);
    SmallVector<OpFoldResult> offsets(dims.size(), lowering.builder.getIndexAttr(0));
    offsets[axis] = lowering.size(offset);
    lowering.set(output, lowering.slice(lowering.get(op.getInput()), offsets, outputDims));
    offset = offset + outputDims[axis];
  }
  return success();
}

/// Reads `data` at start + step * i along each dimension.
static Value stridedRead(Lowering &lowering, Value data, ArrayRef<AffineExpr> resultDims, ArrayRef<Value> starts,
                         ArrayRef<int64_t> steps) {
  return lowering.generic(resultDims, getElementTypeOrSelf(data), {}, {},
                          [&](ImplicitLocOpBuilder &b, ValueRange) -> Value {
                            SmallVector<Value> position;
                            for (unsigned dim = 0; dim < resultDims.size(); ++dim) {
                              Value step = arith::ConstantIndexOp::create(b, steps[dim]);
                              Value scaled = arith::MulIOp::create(b, linalg::IndexOp::create(b, dim), step);
                              position.push_back(arith::AddIOp::create(b, starts[dim], scaled));
                            }
                            return tensor::ExtractOp::create(b, data, position);
                          });
}

static LogicalResult lowerSlice(Lowering &lowering, onnx::SliceOp op) {
  if (hasDataSize(lowering, op.getOutput()))
    return lowerOpenSlice(lowering, op);
  ArrayRef<AffineExpr> dims = lowering.shapes.getDims(op.getData());
  ArrayRef<AffineExpr> resultDims = lowering.shapes.getDims(op.getOutput());
  int64_t rank = dims.size();
  auto starts = lowering.shapes.getElements(op.getStarts());
  std::optional<SmallVector<int64_t>> axes, steps;
  if (op.getAxes())
    axes = lowering.getConstants(op.getAxes());
  if (op.getSteps())
    steps = lowering.getConstants(op.getSteps());
  if (!starts || (op.getAxes() && !axes) || (op.getSteps() && !steps))
    return op.emitOpError("expected starts, axes and steps that are known at compile time");

  SmallVector<AffineExpr> offsets(rank, lowering.constantExpr(0));
  SmallVector<int64_t> strides(rank, 1);
  for (auto [position, start] : llvm::enumerate(*starts)) {
    int64_t axis = normalizeAxis(axes ? (*axes)[position] : position, rank);
    strides[axis] = steps ? (*steps)[position] : 1;
    auto size = dyn_cast<AffineConstantExpr>(dims[axis]);
    auto constant = dyn_cast<AffineConstantExpr>(start);
    AffineExpr offset = constant && constant.getValue() < 0 ? dims[axis] + start : start;
    // Clamped as in NumPy; a start that is far behind a symbolic end stands for "from the end".
    if (constant && !size && strides[axis] < 0 && constant.getValue() >= INT32_MAX)
      offset = dims[axis] - 1;
    if (auto known = dyn_cast<AffineConstantExpr>(offset); known && size)
      offset = lowering.constantExpr(
          std::clamp<int64_t>(known.getValue(), 0, std::max<int64_t>(size.getValue() - (strides[axis] < 0), 0)));
    offsets[axis] = offset;
  }
  Value data = lowering.get(op.getData());
  if (llvm::is_contained(resultDims, lowering.constantExpr(0))) {
    lowering.set(op.getOutput(), lowering.empty(resultDims, getElementTypeOrSelf(data)));
    return success();
  }
  if (llvm::any_of(strides, [](int64_t stride) { return stride < 0; })) {
    SmallVector<Value> values =
        llvm::map_to_vector(offsets, [&](AffineExpr offset) { return lowering.sizeValue(offset); });
    lowering.set(op.getOutput(), stridedRead(lowering, data, resultDims, values, strides));
    return success();
  }
  SmallVector<OpFoldResult> strideAttrs = llvm::map_to_vector(
      strides, [&](int64_t stride) -> OpFoldResult { return lowering.builder.getIndexAttr(stride); });
  lowering.set(op.getOutput(), tensor::ExtractSliceOp::create(lowering.builder, data, lowering.sizes(offsets),
                                                              lowering.sizes(resultDims), strideAttrs));
  return success();
}

static LogicalResult lowerExpand(Lowering &lowering, onnx::ExpandOp op) {
  readExpandSizes(lowering, op);
  ArrayRef<AffineExpr> dims = lowering.shapes.getDims(op.getOutput());
  AffineMap map = lowering.broadcastMap(lowering.shapes.getDims(op.getInput()), dims);
  lowering.set(op.getOutput(),
               lowering.generic(dims, lowering.elementType(op.getOutput()), lowering.get(op.getInput()), map,
                                [](ImplicitLocOpBuilder &, ValueRange x) -> Value { return x[0]; }));
  return success();
}

/// Each repeated dimension is first a dimension of repeats beside it.
static LogicalResult lowerTile(Lowering &lowering, onnx::TileOp op) {
  if (hasDataSize(lowering, op.getOutput()))
    return lowerOpenTile(lowering, op);
  ArrayRef<AffineExpr> dims = lowering.shapes.getDims(op.getInput());
  ArrayRef<AffineExpr> resultDims = lowering.shapes.getDims(op.getOutput());
  auto repeats = lowering.shapes.getElements(op.getRepeats());
  if (!repeats)
    return op.emitOpError("expected repeats that are known at compile time");
  SmallVector<AffineExpr> repeated, source;
  for (auto [size, repeat] : llvm::zip(dims, *repeats)) {
    if (size == lowering.constantExpr(1) && repeat != lowering.constantExpr(1)) {
      source.push_back(lowering.constantExpr(0));
      repeated.push_back(repeat);
      continue;
    }
    if (repeat != lowering.constantExpr(1))
      repeated.push_back(repeat);
    source.push_back(lowering.dim(repeated.size()));
    repeated.push_back(size);
  }
  AffineMap map = AffineMap::get(repeated.size(), 0, source, op.getContext());
  Value tiled = lowering.generic(repeated, lowering.elementType(op.getOutput()), lowering.get(op.getInput()), map,
                                 [](ImplicitLocOpBuilder &, ValueRange x) -> Value { return x[0]; });
  lowering.set(op.getOutput(), lowering.reshape(tiled, repeated, resultDims));
  return success();
}

static LogicalResult lowerTrilu(Lowering &lowering, onnx::TriluOp op) {
  ArrayRef<AffineExpr> dims = lowering.shapes.getDims(op.getOutput());
  ImplicitLocOpBuilder &builder = lowering.builder;
  Value diagonal = arith::ConstantIndexOp::create(builder, 0);
  if (op.getK()) {
    diagonal = lowering.get(op.getK());
    SmallVector<Value> zeros(lowering.rank(op.getK()), lowering.index(0));
    diagonal = arith::IndexCastOp::create(builder, builder.getIndexType(),
                                          tensor::ExtractOp::create(builder, diagonal, zeros));
  }
  bool upper = op.getUpper();
  Type element = lowering.elementType(op.getOutput());
  lowering.set(op.getOutput(), lowering.map(dims, element, lowering.get(op.getInput()),
                                            [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
                                              ScalarBuilder s{b, b.getLoc()};
                                              Value row = linalg::IndexOp::create(b, dims.size() - 2);
                                              Value column = linalg::IndexOp::create(b, dims.size() - 1);
                                              Value first = s.add(row, diagonal);
                                              Value keep =
                                                  upper ? s.lessOrEqual(first, column) : s.lessOrEqual(column, first);
                                              return s.select(keep, x[0], s.constant(element, 0));
                                            }));
  return success();
}

void lathe::addMovementLowerings(LoweringTable &table) {
  table.add<onnx::ConcatOp, lowerConcat>();
  table.add<onnx::SplitOp, lowerSplit>();
  table.add<onnx::SliceOp, lowerSlice>();
  table.add<onnx::ExpandOp, lowerExpand>();
  table.add<onnx::TileOp, lowerTile>();
  table.add<onnx::TriluOp, lowerTrilu>();
}

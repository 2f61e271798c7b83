//===- Gather.cpp - Indexed reads of onnx ---------------------------------===//
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "passes/Lower/ONNXToLinalg/Indexing.h"
#include "passes/Lower/ONNXToLinalg/Lowering.h"
#include "passes/Lower/ONNXToLinalg/QuantizedGather.h"

using namespace mlir;
using namespace lathe;

Value lathe::createBoundedIndex(ImplicitLocOpBuilder &b, Value index, Value size) {
  ScalarBuilder s{b, b.getLoc()};
  if (!index.getType().isIndex())
    index = arith::IndexCastOp::create(b, b.getIndexType(), index);
  Value zero = arith::ConstantIndexOp::create(b, 0), one = arith::ConstantIndexOp::create(b, 1);
  Value wrapped = s.select(s.less(index, zero), s.add(index, size), index);
  return s.max(s.min(wrapped, s.sub(size, one)), zero);
}

SmallVector<Value> lathe::createBoundedTuple(ImplicitLocOpBuilder &b, Value indices, ArrayRef<Value> place,
                                             ArrayRef<Value> sizes) {
  SmallVector<Value> tuple;
  for (auto [number, size] : llvm::enumerate(sizes)) {
    SmallVector<Value> where(place);
    where.push_back(arith::ConstantIndexOp::create(b, number));
    tuple.push_back(createBoundedIndex(b, tensor::ExtractOp::create(b, indices, where), size));
  }
  return tuple;
}

/// The slice at one index of `axis`, which needs no copy.
static Value takeSlice(Lowering &lowering, Value data, ArrayRef<AffineExpr> dims, int64_t axis, int64_t index,
                       ArrayRef<AffineExpr> resultDims) {
  SmallVector<OpFoldResult> offsets(dims.size(), lowering.builder.getIndexAttr(0));
  offsets[axis] = lowering.size(index < 0 ? dims[axis] + index : lowering.constantExpr(index));
  SmallVector<AffineExpr> sliceDims(dims);
  sliceDims[axis] = lowering.constantExpr(1);
  return lowering.reshape(lowering.slice(data, offsets, sliceDims), sliceDims, resultDims);
}

static LogicalResult lowerGather(Lowering &lowering, onnx::GatherOp op) {
  if (isa<quant::QuantizedType>(lowering.shapes.getElementType(op.getData())))
    return lowerQuantizedGather(lowering, op);
  ArrayRef<AffineExpr> dims = lowering.shapes.getDims(op.getData());
  ArrayRef<AffineExpr> indexDims = lowering.shapes.getDims(op.getIndices());
  ArrayRef<AffineExpr> resultDims = lowering.shapes.getDims(op.getOutput());
  int64_t rank = dims.size(), axis = normalizeAxis(op.getAxis(), rank);
  Value data = lowering.get(op.getData());
  if (auto constants = lowering.getConstants(op.getIndices()); constants && constants->size() == 1) {
    lowering.set(op.getOutput(), takeSlice(lowering, data, dims, axis, constants->front(), resultDims));
    return success();
  }

  Value size = lowering.sizeValue(dims[axis]);
  SmallVector<AffineExpr> indexExprs;
  for (unsigned position = 0; position < indexDims.size(); ++position)
    indexExprs.push_back(lowering.dim(axis + position));
  AffineMap indexMap = AffineMap::get(resultDims.size(), 0, indexExprs, lowering.builder.getContext());
  auto read = [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
    SmallVector<Value> position;
    for (int64_t dim = 0; dim < axis; ++dim)
      position.push_back(linalg::IndexOp::create(b, dim));
    position.push_back(createBoundedIndex(b, x[0], size));
    for (int64_t dim = axis + 1; dim < rank; ++dim)
      position.push_back(linalg::IndexOp::create(b, dim - 1 + int64_t(indexDims.size())));
    return tensor::ExtractOp::create(b, data, position);
  };
  lowering.set(op.getOutput(), lowering.generic(resultDims, lowering.elementType(op.getOutput()),
                                                lowering.get(op.getIndices()), indexMap, read));
  return success();
}

static LogicalResult lowerGatherElements(Lowering &lowering, onnx::GatherElementsOp op) {
  ArrayRef<AffineExpr> dims = lowering.shapes.getDims(op.getData());
  ArrayRef<AffineExpr> resultDims = lowering.shapes.getDims(op.getOutput());
  int64_t rank = dims.size(), axis = normalizeAxis(op.getAxis(), rank);
  Value data = lowering.get(op.getData()), size = lowering.sizeValue(dims[axis]);
  auto read = [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
    SmallVector<Value> position;
    for (int64_t dim = 0; dim < rank; ++dim)
      position.push_back(dim == axis ? createBoundedIndex(b, x[0], size) : linalg::IndexOp::create(b, dim));
    return tensor::ExtractOp::create(b, data, position);
  };
  lowering.set(op.getOutput(),
               lowering.map(resultDims, lowering.elementType(op.getOutput()), lowering.get(op.getIndices()), read));
  return success();
}

static LogicalResult lowerGatherND(Lowering &lowering, onnx::GatherNDOp op) {
  ArrayRef<AffineExpr> dims = lowering.shapes.getDims(op.getData());
  ArrayRef<AffineExpr> indexDims = lowering.shapes.getDims(op.getIndices());
  ArrayRef<AffineExpr> resultDims = lowering.shapes.getDims(op.getOutput());
  int64_t batch = op.getBatchDims(), outer = indexDims.size() - 1;
  int64_t tuple = cast<AffineConstantExpr>(indexDims.back()).getValue();
  Value data = lowering.get(op.getData()), indices = lowering.get(op.getIndices());
  SmallVector<Value> sizes;
  for (int64_t dim = 0; dim < tuple; ++dim)
    sizes.push_back(lowering.sizeValue(dims[batch + dim]));
  auto read = [&](ImplicitLocOpBuilder &b, ValueRange) -> Value {
    SmallVector<Value> loops;
    for (unsigned dim = 0; dim < resultDims.size(); ++dim)
      loops.push_back(linalg::IndexOp::create(b, dim));
    auto [place, rest] = std::pair(ArrayRef(loops).take_front(outer), ArrayRef(loops).drop_front(outer));
    SmallVector<Value> position(place.take_front(batch));
    position.append(createBoundedTuple(b, indices, place, sizes));
    position.append(rest.begin(), rest.end());
    return tensor::ExtractOp::create(b, data, position);
  };
  lowering.set(op.getOutput(), lowering.generic(resultDims, lowering.elementType(op.getOutput()), {}, {}, read));
  return success();
}

/// The first elements of each sequence backwards, as many as it is long.
static LogicalResult lowerReverseSequence(Lowering &lowering, onnx::ReverseSequenceOp op) {
  ArrayRef<AffineExpr> dims = lowering.shapes.getDims(op.getInput());
  int64_t batch = op.getBatchAxis(), time = op.getTimeAxis();
  Value input = lowering.get(op.getInput()), lengths = lowering.get(op.getSequenceLens());
  Value size = lowering.sizeValue(dims[time]);
  auto read = [&](ImplicitLocOpBuilder &b, ValueRange) -> Value {
    ScalarBuilder s{b, b.getLoc()};
    SmallVector<Value> position;
    for (unsigned dim = 0; dim < dims.size(); ++dim)
      position.push_back(linalg::IndexOp::create(b, dim));
    Value length = tensor::ExtractOp::create(b, lengths, position[batch]);
    length = arith::IndexCastOp::create(b, b.getIndexType(), length);
    Value one = arith::ConstantIndexOp::create(b, 1), step = position[time];
    Value mirrored = createBoundedIndex(b, s.sub(s.sub(length, one), step), size);
    position[time] = s.select(s.less(step, length), mirrored, step);
    return tensor::ExtractOp::create(b, input, position);
  };
  lowering.set(op.getY(), lowering.generic(dims, lowering.elementType(op.getY()), {}, {}, read));
  return success();
}

void lathe::addGatherLowerings(LoweringTable &table) {
  table.add<onnx::GatherOp, lowerGather>();
  table.add<onnx::GatherElementsOp, lowerGatherElements>();
  table.add<onnx::GatherNDOp, lowerGatherND>();
  table.add<onnx::ReverseSequenceOp, lowerReverseSequence>();
}

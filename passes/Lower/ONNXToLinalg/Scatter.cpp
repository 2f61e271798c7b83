//===- Scatter.cpp - Onnx ops that write in an order: scatter, scan, top-k -===//
#include "passes/Lower/ONNXToLinalg/Indexing.h"
#include "passes/Lower/ONNXToLinalg/RunTimeSizes.h"

using namespace mlir;
using namespace lathe;

using Insertion = function_ref<Value(ImplicitLocOpBuilder &, ValueRange indices, Value tensor)>;

/// Loops over all positions of a tensor of these dimensions, one after the other, that update a
/// tensor.
static Value emitLoops(Lowering &lowering, ArrayRef<AffineExpr> dims, Value tensor, Insertion body) {
  ImplicitLocOpBuilder &builder = lowering.builder;
  SmallVector<Value> lower(dims.size(), lowering.index(0)), upper, step(dims.size(), lowering.index(1));
  for (AffineExpr dim : dims)
    upper.push_back(lowering.sizeValue(dim));
  // Inputs are not written: their copy may be the output itself.
  if (isa<BlockArgument>(tensor)) {
    Value copy = tensor::EmptyOp::create(builder, tensor::getMixedSizes(builder, builder.getLoc(), tensor),
                                         getElementTypeOrSelf(tensor));
    tensor = linalg::CopyOp::create(builder, tensor, copy).getResult(0);
  }
  if (dims.empty())
    return body(builder, {}, tensor);
  scf::LoopNest nest = scf::buildLoopNest(
      builder, builder.getLoc(), lower, upper, step, tensor,
      [&](OpBuilder &nested, Location loc, ValueRange indices, ValueRange tensors) -> scf::ValueVector {
        ImplicitLocOpBuilder b(loc, nested);
        return {body(b, indices, tensors[0])};
      });
  return nest.results[0];
}

/// Combines what is there with an update and writes it.
static Value emitUpdate(ImplicitLocOpBuilder &b, bool isUnsigned, StringRef reduction, Value update, Value tensor,
                        ValueRange position) {
  ScalarBuilder s{b, b.getLoc(), isUnsigned};
  if (reduction != "none") {
    Value old = tensor::ExtractOp::create(b, tensor, position);
    update = reduction == "add"   ? s.add(old, update)
             : reduction == "mul" ? s.mul(old, update)
             : reduction == "max" ? s.max(old, update)
                                  : s.min(old, update);
  }
  return tensor::InsertOp::create(b, update, tensor, position);
}

static LogicalResult verifyReduction(Operation *op, StringRef reduction) {
  if (reduction == "none" || reduction == "add" || reduction == "mul" || reduction == "max" || reduction == "min")
    return success();
  return op->emitOpError("expected reduction none, add, mul, max or min, but got ") << reduction;
}

static LogicalResult lowerScatterElements(Lowering &lowering, onnx::ScatterElementsOp op) {
  ArrayRef<AffineExpr> dims = lowering.shapes.getDims(op.getData());
  int64_t rank = dims.size(), axis = normalizeAxis(op.getAxis(), rank);
  StringRef reduction = op.getReduction();
  if (failed(verifyReduction(op, reduction)))
    return failure();
  Value indices = lowering.get(op.getIndices()), updates = lowering.get(op.getUpdates());
  Value size = lowering.sizeValue(dims[axis]);
  bool isUnsigned = lowering.isUnsigned(op.getData());
  auto write = [&](ImplicitLocOpBuilder &b, ValueRange loops, Value tensor) {
    SmallVector<Value> position(loops);
    position[axis] = createBoundedIndex(b, tensor::ExtractOp::create(b, indices, loops), size);
    Value update = tensor::ExtractOp::create(b, updates, loops);
    return emitUpdate(b, isUnsigned, reduction, update, tensor, position);
  };
  ArrayRef<AffineExpr> written = lowering.shapes.getDims(op.getIndices());
  lowering.set(op.getOutput(), emitLoops(lowering, written, lowering.get(op.getData()), write));
  return success();
}

static LogicalResult lowerScatterND(Lowering &lowering, onnx::ScatterNDOp op) {
  ArrayRef<AffineExpr> dims = lowering.shapes.getDims(op.getData());
  ArrayRef<AffineExpr> indexDims = lowering.shapes.getDims(op.getIndices());
  StringRef reduction = op.getReduction();
  if (failed(verifyReduction(op, reduction)))
    return failure();
  int64_t tuple = cast<AffineConstantExpr>(indexDims.back()).getValue(), outer = indexDims.size() - 1;
  Value indices = lowering.get(op.getIndices()), updates = lowering.get(op.getUpdates());
  SmallVector<Value> sizes;
  for (int64_t dim = 0; dim < tuple; ++dim)
    sizes.push_back(lowering.sizeValue(dims[dim]));
  bool isUnsigned = lowering.isUnsigned(op.getData());
  auto write = [&](ImplicitLocOpBuilder &b, ValueRange loops, Value tensor) {
    SmallVector<Value> place(loops.take_front(outer)), position = createBoundedTuple(b, indices, place, sizes);
    llvm::append_range(position, loops.drop_front(outer));
    Value update = tensor::ExtractOp::create(b, updates, loops);
    return emitUpdate(b, isUnsigned, reduction, update, tensor, position);
  };
  ArrayRef<AffineExpr> written = lowering.shapes.getDims(op.getUpdates());
  lowering.set(op.getOutput(), emitLoops(lowering, written, lowering.get(op.getData()), write));
  return success();
}

/// A running sum or product of slices along the axis.
template <typename OpT>
static LogicalResult lowerCumulative(Lowering &lowering, OpT op) {
  constexpr bool isSum = std::is_same_v<OpT, onnx::CumSumOp>;
  ArrayRef<AffineExpr> dims = lowering.shapes.getDims(op.getX());
  auto axes = lowering.getConstants(op.getAxis());
  if (!axes || axes->size() != 1)
    return op.emitOpError("expected an axis that is known at compile time");
  int64_t rank = dims.size(), axis = axes->front() < 0 ? axes->front() + rank : axes->front();
  if (axis < 0 || axis >= rank)
    return op.emitOpError("expected an axis in [") << -rank << ", " << rank << "), but got " << axes->front();
  Type element = lowering.elementType(op.getY());
  ImplicitLocOpBuilder &builder = lowering.builder;
  SmallVector<AffineExpr> sliceDims(dims);
  sliceDims[axis] = lowering.constantExpr(1);
  Value start = ScalarBuilder{builder, builder.getLoc()}.constant(element, isSum ? 0 : 1);
  SmallVector<Value> carried = {lowering.filled(sliceDims, start), lowering.empty(dims, element)};
  Value input = lowering.get(op.getX()), size = lowering.sizeValue(dims[axis]);
  Value last = arith::SubIOp::create(builder, size, lowering.index(1));
  bool exclusive = op.getExclusive(), reverse = op.getReverse();
  auto loop = scf::ForOp::create(builder, lowering.index(0), size, lowering.index(1), carried);
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    Value position = loop.getInductionVar(), sum = loop.getRegionIterArg(0), result = loop.getRegionIterArg(1);
    if (reverse)
      position = arith::SubIOp::create(builder, last, position);
    SmallVector<OpFoldResult> offsets(rank, builder.getIndexAttr(0));
    offsets[axis] = position;
    if (exclusive)
      result = lowering.insert(sum, result, offsets, sliceDims);
    SmallVector<AffineMap> maps(2, builder.getMultiDimIdentityMap(rank));
    SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
    sum = linalg::GenericOp::create(builder, sum.getType(), lowering.slice(input, offsets, sliceDims), sum, maps,
                                    iterators,
                                    [](OpBuilder &nested, Location loc, ValueRange x) {
                                      ScalarBuilder s{nested, loc};
                                      Value next = isSum ? s.add(x[1], x[0]) : s.mul(x[1], x[0]);
                                      linalg::YieldOp::create(nested, loc, next);
                                    })
              .getResult(0);
    if (!exclusive)
      result = lowering.insert(sum, result, offsets, sliceDims);
    scf::YieldOp::create(builder, ValueRange{sum, result});
  }
  lowering.set(op.getY(), loop.getResult(1));
  return success();
}

/// One step in the search for the best element behind the one found last: of an element, the one found last and the
/// best so far, each with its index, -1 for none, the new best. Of equal elements the first comes first.
static SmallVector<Value> emitSearchStep(ImplicitLocOpBuilder &b, ValueRange x, Value index, bool largest,
                                         bool isUnsigned) {
  ScalarBuilder s{b, b.getLoc(), isUnsigned}, i{b, b.getLoc()};
  Value value = x[0], lastValue = x[1], lastIndex = x[2], bestValue = x[3], bestIndex = x[4];
  auto before = [&](Value a, Value c) { return largest ? s.less(c, a) : s.less(a, c); };
  Value start = i.constant(b.getI64Type(), 0);
  Value tie = i.make<arith::AndIOp>({s.equal(value, lastValue), i.less(lastIndex, index)});
  Value isNext = i.make<arith::OrIOp>({before(lastValue, value), tie});
  isNext = i.make<arith::OrIOp>({isNext, i.less(lastIndex, start)});
  Value isBetter = i.make<arith::OrIOp>({i.less(bestIndex, start), before(value, bestValue)});
  Value take = i.make<arith::AndIOp>({isNext, isBetter});
  return {s.select(take, value, bestValue), s.select(take, index, bestIndex)};
}

/// K passes, each of which finds the best element after the one found last; of equal elements the
/// first comes first.
static LogicalResult lowerTopK(Lowering &lowering, onnx::TopKOp op) {
  readTopKSize(lowering, op);
  ArrayRef<AffineExpr> dims = lowering.shapes.getDims(op.getX());
  ArrayRef<AffineExpr> resultDims = lowering.shapes.getDims(op.getValues());
  int64_t rank = dims.size(), axis = normalizeAxis(op.getAxis(), rank);
  Type element = lowering.elementType(op.getX());
  ImplicitLocOpBuilder &builder = lowering.builder;
  bool largest = op.getLargest(), isUnsigned = lowering.isUnsigned(op.getX());
  Value input = lowering.get(op.getX());
  SmallVector<AffineExpr> kept = lowering.withoutAxes(dims, axis), sliceDims(dims);
  sliceDims[axis] = lowering.constantExpr(1);
  Value zero = arith::ConstantOp::create(builder, cast<TypedAttr>(builder.getZeroAttr(element)));
  Value none = arith::ConstantOp::create(builder, builder.getI64IntegerAttr(-1));
  SmallVector<Value> carried = {lowering.filled(kept, zero), lowering.filled(kept, none),
                                lowering.empty(resultDims, element), lowering.empty(resultDims, builder.getI64Type())};
  auto loop =
      scf::ForOp::create(builder, lowering.index(0), lowering.sizeValue(resultDims[axis]), lowering.index(1), carried);
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    ValueRange state = loop.getRegionIterArgs();
    SmallVector<Value> inits = {lowering.filled(kept, zero), lowering.filled(kept, none)};
    AffineMap projection = lowering.keptMap(rank, axis);
    SmallVector<AffineMap> maps(5, projection);
    maps[0] = builder.getMultiDimIdentityMap(rank);
    SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
    iterators[axis] = utils::IteratorType::reduction;
    auto best =
        linalg::GenericOp::create(builder, TypeRange(ValueRange(inits)), ValueRange{input, state[0], state[1]}, inits,
                                  maps, iterators, [&](OpBuilder &nested, Location loc, ValueRange x) {
                                    ImplicitLocOpBuilder b(loc, nested);
                                    Value index =
                                        arith::IndexCastOp::create(b, b.getI64Type(), linalg::IndexOp::create(b, axis));
                                    linalg::YieldOp::create(b, emitSearchStep(b, x, index, largest, isUnsigned));
                                  });
    SmallVector<OpFoldResult> offsets(rank, builder.getIndexAttr(0));
    offsets[axis] = loop.getInductionVar();
    SmallVector<Value> next(best.getResults());
    for (unsigned result = 0; result < 2; ++result)
      next.push_back(lowering.insert(lowering.reshape(best.getResult(result), kept, sliceDims), state[2 + result],
                                     offsets, sliceDims));
    scf::YieldOp::create(builder, next);
  }
  lowering.set(op.getValues(), loop.getResult(2));
  lowering.set(op.getIndices(), loop.getResult(3));
  return success();
}

void lathe::addScatterLowerings(LoweringTable &table) {
  table.add<onnx::ScatterElementsOp, lowerScatterElements>();
  table.add<onnx::ScatterNDOp, lowerScatterND>();
  table.add<onnx::CumSumOp, lowerCumulative<onnx::CumSumOp>>();
  table.add<onnx::CumProdOp, lowerCumulative<onnx::CumProdOp>>();
  table.add<onnx::TopKOp, lowerTopK>();
}

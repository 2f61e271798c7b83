//===- IndexingShapes.cpp - Shape inference of ops that select and join ---===//
#include "dialects/ONNX/IR/ShapeHelpers.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::onnx;

static LogicalResult inferGather(GatherOp op, SymbolicShapes &shapes) {
  ArrayRef<AffineExpr> data = shapes.getDims(op.getData()), indices = shapes.getDims(op.getIndices());
  FailureOr<unsigned> axis = normalizeAxis(op, op.getAxis(), data.size());
  if (failed(axis))
    return failure();
  Dims dims(data.take_front(*axis));
  dims.append(indices.begin(), indices.end());
  dims.append(data.begin() + *axis + 1, data.end());
  bool isVector = data.size() == 1;
  // Of a quantized table the expressed values are gathered.
  Type element = shapes.getElementType(op.getData());
  if (auto quantized = dyn_cast_or_null<quant::QuantizedType>(element))
    element = quantized.getExpressedType();
  shapes.setDims(op.getResult(), dims, element);
  auto source = shapes.getElements(op.getData());
  if (!source || !isVector)
    return success();
  bool inRange = true;
  foldElements(shapes, op.getResult(), {op.getIndices()}, [&](ArrayRef<AffineExpr> index) -> AffineExpr {
    std::optional<int64_t> place = getConstant(index[0]);
    int64_t size = source->size();
    if (!place)
      return nullptr;
    inRange &= *place >= -size && *place < size;
    return inRange ? (*source)[*place < 0 ? *place + size : *place] : nullptr;
  });
  return inRange ? success() : op.emitOpError("expected indices within ") << source->size() << " elements, but got more";
}

/// Each dimension of `part` but the one at `axis` has to fit into that of `whole`: positions in one are used in the other.
static LogicalResult checkWithin(Operation *op, SymbolicShapes &shapes, ArrayRef<AffineExpr> part,
                                 ArrayRef<AffineExpr> whole, size_t axis) {
  if (part.size() != whole.size())
    return op->emitOpError("expected indices of rank ") << whole.size() << ", but got " << part.size();
  for (size_t i = 0; i < part.size(); ++i)
    if (i != axis && shapes.getBounds(shapes.simplify(part[i] - whole[i])).first > 0)
      return op->emitOpError("expected at most ") << shapes.describe(whole[i]) << " indices in dimension " << i
                                                  << ", but got " << shapes.describe(part[i]);
  return success();
}

/// Shapes that are known to differ.
static LogicalResult checkEqual(Operation *op, SymbolicShapes &shapes, StringRef what, ArrayRef<AffineExpr> actual,
                                ArrayRef<AffineExpr> expected) {
  if (actual.size() != expected.size())
    return op->emitOpError("expected ") << what << " of rank " << expected.size() << ", but got " << actual.size();
  for (size_t i = 0; i < actual.size(); ++i) {
    auto [low, high] = shapes.getBounds(shapes.simplify(actual[i] - expected[i]));
    if (low > 0 || high < 0)
      return op->emitOpError("expected ") << what << " with " << shapes.describe(expected[i]) << " in dimension " << i
                                          << ", but got " << shapes.describe(actual[i]);
  }
  return success();
}

static LogicalResult inferScatterElements(ScatterElementsOp op, SymbolicShapes &shapes) {
  ArrayRef<AffineExpr> data = shapes.getDims(op.getData()), indices = shapes.getDims(op.getIndices());
  FailureOr<unsigned> axis = normalizeAxis(op, op.getAxis(), data.size());
  if (failed(axis) || failed(checkWithin(op, shapes, indices, data, *axis)) ||
      failed(checkEqual(op, shapes, "updates", shapes.getDims(op.getUpdates()), indices)))
    return failure();
  return inferLikeFirst(op, shapes);
}

static LogicalResult inferScatterND(ScatterNDOp op, SymbolicShapes &shapes) {
  ArrayRef<AffineExpr> data = shapes.getDims(op.getData()), indices = shapes.getDims(op.getIndices());
  std::optional<int64_t> depth = indices.empty() ? std::nullopt : getConstant(indices.back());
  if (!depth)
    return emitUnknown(op, "the number of indices");
  if (*depth < 0 || *depth > int64_t(data.size()))
    return op.emitOpError("expected at most ") << data.size() << " indices, but got " << *depth;
  Dims updates(indices.drop_back());
  updates.append(data.begin() + *depth, data.end());
  if (failed(checkEqual(op, shapes, "updates", shapes.getDims(op.getUpdates()), updates)))
    return failure();
  return inferLikeFirst(op, shapes);
}

static LogicalResult inferReverseSequence(ReverseSequenceOp op, SymbolicShapes &shapes) {
  ArrayRef<AffineExpr> data = shapes.getDims(op.getInput());
  int64_t batch = op.getBatchAxis(), time = op.getTimeAxis();
  if (data.size() < 2 || batch + time != 1 || batch * time != 0)
    return op.emitOpError("expected the axes 0 and 1 of an input of rank 2 or more, but got ")
           << batch << " and " << time << " of rank " << data.size();
  if (failed(checkEqual(op, shapes, "lengths", shapes.getDims(op.getSequenceLens()), data[batch])))
    return failure();
  return inferLikeFirst(op, shapes);
}

static LogicalResult inferGatherElements(GatherElementsOp op, SymbolicShapes &shapes) {
  ArrayRef<AffineExpr> data = shapes.getDims(op.getData());
  FailureOr<unsigned> axis = normalizeAxis(op, op.getAxis(), data.size());
  if (failed(axis) || failed(checkWithin(op, shapes, shapes.getDims(op.getIndices()), data, *axis)))
    return failure();
  shapes.setDims(op.getResult(), Dims(shapes.getDims(op.getIndices())), shapes.getElementType(op.getData()));
  return success();
}

static LogicalResult inferGatherND(GatherNDOp op, SymbolicShapes &shapes) {
  ArrayRef<AffineExpr> data = shapes.getDims(op.getData()), indices = shapes.getDims(op.getIndices());
  std::optional<int64_t> depth = indices.empty() ? std::nullopt : getConstant(indices.back());
  if (!depth)
    return emitUnknown(op, "the number of indices");
  int64_t batch = op.getBatchDims();
  if (batch < 0 || batch >= int64_t(indices.size()) || *depth < 0 || batch + *depth > int64_t(data.size()))
    return op.emitOpError("expected at most ") << data.size() << " indices, but got " << batch + *depth;
  if (failed(checkEqual(op, shapes, "indices", indices.take_front(batch), data.take_front(batch))))
    return failure();
  Dims dims(indices.drop_back());
  dims.append(data.begin() + batch + *depth, data.end());
  shapes.setDims(op.getResult(), dims, shapes.getElementType(op.getData()));
  return success();
}

static LogicalResult inferConcat(ConcatOp op, SymbolicShapes &shapes) {
  if (op.getInputs().empty())
    return op.emitOpError("expected at least one operand, but got none");
  Dims dims(shapes.getDims(op.getInputs()[0]));
  FailureOr<unsigned> axis = normalizeAxis(op, op.getAxis(), dims.size());
  if (failed(axis))
    return failure();
  for (Value input : op.getInputs().drop_front()) {
    ArrayRef<AffineExpr> other = shapes.getDims(input);
    if (other.size() != dims.size())
      return op.emitOpError("expected operands of one rank, but got ranks ") << dims.size() << " and " << other.size();
    for (size_t i = 0; i < dims.size(); ++i) {
      if (i == *axis)
        dims[i] = dims[i] + other[i];
      else if (getConstant(dims[i]) && getConstant(other[i]) && dims[i] != other[i])
        return op.emitOpError("expected equal sizes in dimension ")
               << i << ", but got " << shapes.describe(dims[i]) << " and " << shapes.describe(other[i]);
      else if (getConstant(other[i]))
        dims[i] = other[i];
    }
  }
  shapes.setDims(op.getResult(), dims, shapes.getElementType(op.getInputs()[0]));
  Dims elements;
  for (Value input : op.getInputs()) {
    auto part = shapes.getElements(input);
    if (!part || dims.size() != 1)
      return success();
    elements.append(part->begin(), part->end());
  }
  shapes.setElements(op.getResult(), elements);
  return success();
}

/// A place in [0, size] that a start or end says; fails after an error if the symbols' bounds leave open which.
static FailureOr<AffineExpr> clampPlace(SliceOp op, const SymbolicShapes &shapes, AffineExpr place, AffineExpr size,
                                        int64_t highest) {
  AffineExpr zero = shapes.constant(0), top = size + highest;
  auto [low, high] = shapes.getBounds(place);
  if (low < 0 && high >= 0) {
    op.emitOpError("expected a place of known sign, but got ") << shapes.describe(place);
    return failure();
  }
  if (high < 0) {
    place = place + size;
    auto [lowest, most] = shapes.getBounds(place);
    if (most <= 0)
      return zero;
    if (lowest >= 0)
      return shapes.simplify(place);
    op.emitOpError("expected a place within ") << shapes.describe(size) << ", but got " << shapes.describe(place - size)
                                               << "; the model's dimensions need closer bounds";
    return failure();
  }
  auto [below, above] = shapes.getBounds(top - place);
  if (below >= 0)
    return place;
  if (above <= 0)
    return shapes.simplify(top);
  op.emitOpError("expected a place within ") << shapes.describe(size) << ", but got " << shapes.describe(place)
                                             << "; the model's dimensions need closer bounds";
  return failure();
}

static LogicalResult inferSlice(SliceOp op, SymbolicShapes &shapes) {
  Dims dims(shapes.getDims(op.getData()));
  auto starts = shapes.getElements(op.getStarts()), ends = shapes.getElements(op.getEnds());
  if (!starts || !ends)
    return inferDeclared(op, shapes, "starts and ends");
  SmallVector<int64_t> axes, steps(starts->size(), 1);
  for (size_t i = 0; i < starts->size(); ++i)
    axes.push_back(i);
  for (auto [operand, values] : {std::pair(op.getAxes(), &axes), std::pair(op.getSteps(), &steps)}) {
    if (!operand)
      continue;
    auto known = getConstantElements(shapes, operand);
    if (!known)
      return inferDeclared(op, shapes, "axes and steps");
    *values = *known;
  }
  if (starts->size() != ends->size() || starts->size() != axes.size() || starts->size() != steps.size())
    return op.emitOpError("expected as many ends, axes and steps as starts, but got another number");
  FailureOr<SmallVector<unsigned>> normalized = normalizeAxes(op, axes, dims.size());
  if (failed(normalized))
    return failure();
  std::optional<int64_t> first;
  for (auto [index, axis] : llvm::enumerate(*normalized)) {
    int64_t step = steps[index];
    if (step == 0)
      return op.emitOpError("expected a step other than 0, but got 0");
    AffineExpr size = dims[axis], begin = (*starts)[index], end = (*ends)[index];
    // Backwards, a start may be the last element at most, and an end far below 0 is the place before the first.
    constexpr int64_t kFar = 1 << 30;
    FailureOr<AffineExpr> from = clampPlace(op, shapes, begin, size, step > 0 ? 0 : -1);
    std::optional<int64_t> endValue = getConstant(end);
    FailureOr<AffineExpr> to = step < 0 && endValue && *endValue < -kFar ? FailureOr<AffineExpr>(shapes.constant(-1))
                                                                         : clampPlace(op, shapes, end, size, step > 0 ? 0 : -1);
    if (failed(from) || failed(to))
      return failure();
    AffineExpr span = step > 0 ? *to - *from : *from - *to;
    auto [low, high] = shapes.getBounds(span);
    if (high <= 0)
      dims[axis] = shapes.constant(0);
    else if (low >= 0)
      dims[axis] = shapes.simplify(span.ceilDiv(std::abs(step)));
    else
      return op.emitOpError("expected a start before the end, but got ")
             << shapes.describe(*from) << " and " << shapes.describe(*to);
    first = getConstant(*from);
  }
  shapes.setDims(op.getResult(), dims, shapes.getElementType(op.getData()));
  auto source = shapes.getElements(op.getData());
  std::optional<int64_t> count = dims.size() == 1 ? getConstant(dims[0]) : std::nullopt;
  if (!source || !count)
    return success();
  if (normalized->empty()) {
    shapes.setElements(op.getResult(), Dims(*source));
    return success();
  }
  if (!first)
    return success();
  Dims elements;
  for (int64_t i = 0; i < *count; ++i)
    elements.push_back((*source)[*first + i * steps[0]]);
  shapes.setElements(op.getResult(), elements);
  return success();
}

static LogicalResult inferSplit(SplitOp op, SymbolicShapes &shapes) {
  Dims dims(shapes.getDims(op.getInput()));
  FailureOr<unsigned> axis = normalizeAxis(op, op.getAxis(), dims.size());
  if (failed(axis))
    return failure();
  int64_t count = op->getNumResults();
  if (count == 0)
    return op.emitOpError("expected at least one result, but got none");
  AffineExpr size = dims[*axis];
  Dims parts;
  if (op.getSplit()) {
    auto given = shapes.getElements(op.getSplit());
    if (!given)
      return inferDeclared(op, shapes, "sizes");
    parts = Dims(*given);
    AffineExpr sum = shapes.constant(0);
    for (AffineExpr part : parts)
      sum = sum + part;
    if (int64_t(parts.size()) != count)
      return op.emitOpError("expected a size for each of ") << count << " results, but got " << parts.size();
    auto [low, high] = shapes.getBounds(sum - size);
    if (low > 0 || high < 0)
      return op.emitOpError("expected sizes that add up to ")
             << shapes.describe(size) << ", but got " << shapes.describe(sum);
  } else {
    AffineExpr part = shapes.simplify(size.ceilDiv(count));
    parts.assign(count, part);
    parts.back() = size - part * (count - 1);
    if (shapes.getBounds(parts.back()).second < 0)
      return op.emitOpError("expected at most ") << shapes.describe(size) << " parts, but got " << count;
  }
  auto source = shapes.getElements(op.getInput());
  Dims whole = source ? Dims(*source) : Dims();
  Type type = shapes.getElementType(op.getInput());
  size_t place = 0;
  for (auto [result, part] : llvm::zip_equal(op->getResults(), parts)) {
    dims[*axis] = part;
    shapes.setDims(result, dims, type);
    std::optional<int64_t> length = getConstant(part);
    if (source && dims.size() == 1 && length && place + *length <= whole.size())
      shapes.setElements(result, ArrayRef<AffineExpr>(whole).slice(place, *length));
    place += length.value_or(0);
  }
  return success();
}

static LogicalResult inferTopK(TopKOp op, SymbolicShapes &shapes) {
  Dims dims(shapes.getDims(op.getX()));
  FailureOr<unsigned> axis = normalizeAxis(op, op.getAxis(), dims.size());
  if (failed(axis))
    return failure();
  auto count = shapes.getElements(op.getK());
  if (!count || count->size() != 1)
    return inferDeclared(op, shapes, "K");
  if (shapes.getBounds(dims[*axis] - (*count)[0]).second < 0)
    return op.emitOpError("expected K of at most ")
           << shapes.describe(dims[*axis]) << ", but got " << shapes.describe((*count)[0]);
  dims[*axis] = (*count)[0];
  shapes.setDims(op.getValues(), dims, shapes.getElementType(op.getX()));
  shapes.setDims(op.getIndices(), dims, IntegerType::get(op.getContext(), 64));
  return success();
}

static LogicalResult inferOneHot(OneHotOp op, SymbolicShapes &shapes) {
  Dims dims(shapes.getDims(op.getIndices()));
  FailureOr<unsigned> axis = normalizeAxis(op, op.getAxis(), dims.size() + 1);
  if (failed(axis))
    return failure();
  auto depth = shapes.getElements(op.getDepth());
  if (!depth || depth->size() != 1)
    return inferDeclared(op, shapes, "a depth");
  dims.insert(dims.begin() + *axis, (*depth)[0]);
  shapes.setDims(op.getResult(), dims, shapes.getElementType(op.getValues()));
  return success();
}

static LogicalResult inferGridSample(GridSampleOp op, SymbolicShapes &shapes) {
  ArrayRef<AffineExpr> in = shapes.getDims(op.getX()), grid = shapes.getDims(op.getGrid());
  if (in.size() < 3 || grid.size() != in.size())
    return op.emitOpError("expected input and grid of the same rank of 3 or more, but got ranks ")
           << in.size() << " and " << grid.size();
  Dims dims(in.take_front(2));
  dims.append(grid.begin() + 1, grid.end() - 1);
  shapes.setDims(op.getResult(), dims, shapes.getElementType(op.getX()));
  return success();
}

void onnx::attachIndexingShapes(MLIRContext *context) {
  attachShapes<inferGather, GatherOp>(context);
  attachShapes<inferGatherElements, GatherElementsOp>(context);
  attachShapes<inferGatherND, GatherNDOp>(context);
  attachShapes<inferConcat, ConcatOp>(context);
  attachShapes<inferSlice, SliceOp>(context);
  attachShapes<inferSplit, SplitOp>(context);
  attachShapes<inferTopK, TopKOp>(context);
  attachShapes<inferOneHot, OneHotOp>(context);
  attachShapes<inferGridSample, GridSampleOp>(context);
  attachShapes<inferScatterElements, ScatterElementsOp>(context);
  attachShapes<inferScatterND, ScatterNDOp>(context);
  attachShapes<inferReverseSequence, ReverseSequenceOp>(context);
}

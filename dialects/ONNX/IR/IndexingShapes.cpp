//===- IndexingShapes.cpp - Shape inference of ops that select and join ---===//
#include "dialects/ONNX/IR/DeclaredShapes.h"
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
  return inRange ? success()
                 : op.emitOpError("expected indices within ") << source->size() << " elements, but got more";
}

/// Each dimension of `part` but the one at `axis` has to fit into that of `whole`: positions in one are used in the
/// other.
static LogicalResult checkWithin(Operation *op, SymbolicShapes &shapes, ArrayRef<AffineExpr> part,
                                 ArrayRef<AffineExpr> whole, size_t axis) {
  if (part.size() != whole.size())
    return op->emitOpError("expected indices of rank ") << whole.size() << ", but got " << part.size();
  for (size_t i = 0; i < part.size(); ++i) {
    auto [low, high] = shapes.getBounds(part[i] - whole[i]);
    if (i != axis && (low > 0 || (high > 0 && !shapes.assumeAtMost(part[i], whole[i]))))
      return op->emitOpError("expected at most ")
             << shapes.describe(whole[i]) << " indices in dimension " << i << ", but got " << shapes.describe(part[i]);
  }
  return success();
}

/// Shapes that are known to differ.
static LogicalResult checkEqual(Operation *op, SymbolicShapes &shapes, StringRef what, ArrayRef<AffineExpr> actual,
                                ArrayRef<AffineExpr> expected) {
  if (actual.size() != expected.size())
    return op->emitOpError("expected ") << what << " of rank " << expected.size() << ", but got " << actual.size();
  for (size_t i = 0; i < actual.size(); ++i) {
    auto [low, high] = shapes.getBounds(shapes.simplify(actual[i] - expected[i]));
    if (low > 0 || high < 0 || !shapes.assumeEqual(actual[i], expected[i]))
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
      else if (!shapes.assumeEqual(dims[i], other[i]))
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
    if (!part || *axis != 0)
      return success();
    elements.append(part->begin(), part->end());
  }
  shapes.setElements(op.getResult(), elements);
  return success();
}

/// A place in [0, size] that a start or end says; null if the symbols' bounds leave open which.
static AffineExpr clampPlace(const SymbolicShapes &shapes, AffineExpr place, AffineExpr size, int64_t highest) {
  AffineExpr zero = shapes.constant(0), top = size + highest;
  auto [low, high] = shapes.getBounds(place);
  if (low < 0 && high >= 0)
    return nullptr;
  if (high < 0) {
    place = place + size;
    auto [lowest, most] = shapes.getBounds(place);
    if (most <= 0)
      return zero;
    return lowest >= 0 ? shapes.simplify(place) : nullptr;
  }
  auto [below, above] = shapes.getBounds(top - place);
  if (below >= 0)
    return place;
  return above <= 0 ? shapes.simplify(top) : nullptr;
}

/// How many elements of `size` a slice takes, and where it begins; null if that is not an expression over the symbols.
static std::pair<AffineExpr, AffineExpr> countSlice(const SymbolicShapes &shapes, AffineExpr size, AffineExpr begin,
                                                    AffineExpr end, int64_t step) {
  // Backwards, a start may be the last element at most, and an end far below 0 is the place before the first.
  constexpr int64_t kFar = 1 << 30;
  AffineExpr from = clampPlace(shapes, begin, size, step > 0 ? 0 : -1);
  std::optional<int64_t> endValue = getConstant(end);
  AffineExpr to = step < 0 && endValue && *endValue < -kFar ? shapes.constant(-1)
                                                            : clampPlace(shapes, end, size, step > 0 ? 0 : -1);
  if (!from || !to)
    return {};
  AffineExpr span = step > 0 ? to - from : from - to;
  auto [low, high] = shapes.getBounds(span);
  if (high <= 0)
    return {shapes.constant(0), from};
  return low >= 0 ? std::pair(shapes.simplify(span.ceilDiv(std::abs(step))), from)
                  : std::pair<AffineExpr, AffineExpr>();
}

static LogicalResult inferSlice(SliceOp op, SymbolicShapes &shapes) {
  Dims dims(shapes.getDims(op.getData()));
  auto starts = shapes.getElements(op.getStarts()), ends = shapes.getElements(op.getEnds());
  std::optional<SmallVector<int64_t>> axes, steps;
  if (op.getSteps())
    steps = getConstantElements(shapes, op.getSteps());
  bool hasOpenStep = op.getSteps() && !steps;
  if ((!starts || !ends || hasOpenStep))
    if (auto declared = tryDeclared(op, shapes, dims.size()))
      return *declared;
  // torch.onnx writes scalars in the body of a loop over chunks, and onnxruntime takes them as lists of one.
  auto lengthOf = [&](Value list) -> std::optional<int64_t> {
    ArrayRef<AffineExpr> sizes = shapes.getDims(list);
    if (sizes.empty())
      return 1;
    return sizes.size() == 1 ? getConstant(sizes[0]) : std::nullopt;
  };
  std::optional<int64_t> count = lengthOf(op.getStarts());
  if (op.getAxes())
    axes = getConstantElements(shapes, op.getAxes());
  else if (count)
    axes = llvm::to_vector(llvm::seq<int64_t>(*count));
  if (!axes || !count)
    return inferDeclared(op, shapes, dims.size(), "axes");
  if (lengthOf(op.getEnds()) != count || int64_t(axes->size()) != *count ||
      (op.getSteps() && lengthOf(op.getSteps()) != count))
    return op.emitOpError("expected as many ends, axes and steps as starts, but got another number");
  FailureOr<SmallVector<unsigned>> normalized = normalizeAxes(op, *axes, dims.size());
  if (failed(normalized))
    return failure();
  if (steps && llvm::is_contained(*steps, 0))
    return op.emitOpError("expected a step other than 0, but got 0");
  // A step over everything; the magnitude of the smallest number does not fit.
  if (steps)
    for (int64_t &step : *steps)
      step = std::max(step, -std::numeric_limits<int64_t>::max());
  SmallVector<std::optional<int64_t>> firsts(dims.size(), 0);
  SmallVector<int64_t> strides(dims.size(), 1);
  for (auto [index, axis] : llvm::enumerate(*normalized)) {
    int64_t step = steps ? (*steps)[index] : 1;
    AffineExpr size, from;
    if (starts && ends && !hasOpenStep)
      std::tie(size, from) = countSlice(shapes, dims[axis], (*starts)[index], (*ends)[index], step);
    firsts[axis] = from ? getConstant(from) : std::nullopt;
    strides[axis] = step;
    if (!size) {
      SmallVector<Value> reasons = {op.getStarts(), op.getEnds()};
      if (op.getSteps())
        reasons.push_back(op.getResult()); // the bound tells less than what is counted
      size = shapes.getDataSize(op.getResult(), axis, hasOpenStep ? dims[axis] : dims[axis].ceilDiv(std::abs(step)),
                                reasons);
    }
    dims[axis] = size;
  }
  shapes.setDims(op.getResult(), dims, shapes.getElementType(op.getData()));
  if (llvm::all_of(firsts, [](std::optional<int64_t> first) { return first.has_value(); }))
    moveElements(shapes, op.getResult(), op.getData(), [&](ArrayRef<int64_t> place) {
      return llvm::map_to_vector(llvm::enumerate(place), [&](auto item) {
        return *firsts[item.index()] + item.value() * strides[item.index()];
      });
    });
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
      if (auto declared = tryDeclared(op, shapes, dims.size()))
        return *declared;
    if (given)
      parts = Dims(*given);
    else if (shapes.getDims(op.getSplit()) != ArrayRef<AffineExpr>(shapes.constant(count)))
      return emitUnknown(op, "the number of sizes");
    for (auto [index, part] : llvm::enumerate(given ? ValueRange() : ValueRange(op.getOutputs())))
      parts.push_back(shapes.getDataSize(part, *axis, size, part, /*isChecked=*/true));
    AffineExpr sum = shapes.constant(0);
    for (AffineExpr part : parts)
      sum = sum + part;
    if (int64_t(parts.size()) != count)
      return op.emitOpError("expected a size for each of ") << count << " results, but got " << parts.size();
    auto [low, high] = shapes.getBounds(sum - size);
    if (given && (low > 0 || high < 0))
      return op.emitOpError("expected sizes that add up to ")
             << shapes.describe(size) << ", but got " << shapes.describe(sum);
    if (given)
      (void)shapes.assumeEqual(sum, size);
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

/// The most elements that there can be: K, if it is known, or all.
static AffineExpr getTopKBound(const SymbolicShapes &shapes, AffineExpr size,
                               std::optional<ArrayRef<AffineExpr>> count) {
  std::optional<int64_t> known = count ? getConstant((*count)[0]) : std::nullopt;
  return known ? shapes.constant(std::min(*known, shapes.getUpperBound(size))) : size;
}

static LogicalResult inferTopK(TopKOp op, SymbolicShapes &shapes) {
  Dims dims(shapes.getDims(op.getX()));
  FailureOr<unsigned> axis = normalizeAxis(op, op.getAxis(), dims.size());
  if (failed(axis))
    return failure();
  auto count = shapes.getElements(op.getK());
  if (!count)
    if (auto declared = tryDeclared(op, shapes, dims.size()))
      return *declared;
  if (count && count->size() != 1)
    return op.emitOpError("expected one number as K, but got ") << count->size();
  if (count && shapes.getBounds(dims[*axis] - (*count)[0]).second < 0)
    return op.emitOpError("expected K of at most ")
           << shapes.describe(dims[*axis]) << ", but got " << shapes.describe((*count)[0]);
  // Whether there are so many elements may be up to the data, too.
  bool mayBeMore = count && shapes.dependsOnData(dims[*axis]) && shapes.getBounds(dims[*axis] - (*count)[0]).first < 0;
  if (count && !mayBeMore)
    dims[*axis] = (*count)[0];
  else
    dims[*axis] =
        shapes.getDataSize(op.getValues(), *axis, getTopKBound(shapes, dims[*axis], count), {op.getK(), op.getX()},
                           /*isChecked=*/true);
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
  if (!depth)
    if (auto declared = tryDeclared(op, shapes, dims.size() + 1))
      return *declared;
  if (depth && depth->size() != 1)
    return op.emitOpError("expected one number as depth, but got ") << depth->size();
  dims.insert(dims.begin() + *axis, depth ? (*depth)[0] : shapes.getDataSize(op.getResult(), *axis, {}, op.getDepth()));
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

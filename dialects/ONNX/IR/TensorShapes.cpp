//===- TensorShapes.cpp - Shape inference of ops that make and grow -------===//
#include "dialects/ONNX/IR/DeclaredShapes.h"
#include "dialects/ONNX/IR/FoldNumbers.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::onnx;

/// The largest size that something grows to by an amount that data tells.
static AffineExpr getGrowth(const SymbolicShapes &shapes, AffineExpr from) {
  return shapes.constant(std::max(shapes.getUpperBound(from), SymbolicDim().upper));
}

/// A target that is known at run time only: sizes other than 1 stay.
static LogicalResult inferOpenExpand(ExpandOp op, SymbolicShapes &shapes) {
  FailureOr<size_t> length = getRankFrom(op, shapes, op.getShape());
  if (failed(length))
    return failure();
  if (auto declared = tryDeclared(op, shapes, std::max(*length, shapes.getDims(op.getInput()).size())))
    return *declared;
  Dims dims(shapes.getDims(op.getInput()));
  dims.insert(dims.begin(), std::max(*length, dims.size()) - dims.size(), shapes.constant(1));
  for (size_t dim = dims.size() - *length; dim < dims.size(); ++dim)
    if (dims[dim] == shapes.constant(1))
      dims[dim] = shapes.getDataSize(op.getResult(), dim, {}, op.getShape());
  shapes.setDims(op.getResult(), dims, shapes.getElementType(op.getInput()));
  return success();
}

static LogicalResult inferExpand(ExpandOp op, SymbolicShapes &shapes) {
  auto target = shapes.getElements(op.getShape());
  if (!target)
    return inferOpenExpand(op, shapes);
  FailureOr<Dims> dims = broadcastDims(op, shapes, {shapes.getDims(op.getInput()), *target});
  if (failed(dims))
    return failure();
  shapes.setDims(op.getResult(), *dims, shapes.getElementType(op.getInput()));
  foldElements(shapes, op.getResult(), {op.getInput()}, [](ArrayRef<AffineExpr> x) { return x[0]; });
  return success();
}

static LogicalResult inferTile(TileOp op, SymbolicShapes &shapes) {
  auto repeats = shapes.getElements(op.getRepeats());
  Dims dims(shapes.getDims(op.getInput()));
  if (!repeats) {
    if (auto declared = tryDeclared(op, shapes, dims.size()))
      return *declared;
    for (auto [index, dim] : llvm::enumerate(dims))
      dim = shapes.getDataSize(op.getResult(), index, getGrowth(shapes, dim), {op.getRepeats(), op.getInput()},
                               /*isChecked=*/true);
    shapes.setDims(op.getResult(), dims, shapes.getElementType(op.getInput()));
    return success();
  }
  if (repeats->size() != dims.size())
    return op.emitOpError("expected ") << dims.size() << " repeats, but got " << repeats->size();
  constexpr int64_t kMostRepeats = int64_t(1) << 48; // as many as a tensor may have elements: no product wraps
  for (auto [dim, repeat] : llvm::zip_equal(dims, *repeats)) {
    if (std::optional<int64_t> known = getConstant(repeat); known && (*known < 0 || *known > kMostRepeats))
      return op.emitOpError("expected 0 to 2^48 repeats, but got ") << *known;
    dim = dim * repeat;
  }
  shapes.setDims(op.getResult(), dims, shapes.getElementType(op.getInput()));
  return success();
}

static LogicalResult inferConstantOfShape(ConstantOfShapeOp op, SymbolicShapes &shapes) {
  auto target = shapes.getElements(op.getInput());
  ElementsAttr value = op.getValueAttr();
  Type type = value ? value.getElementType() : Type(Float32Type::get(op.getContext()));
  Dims dims;
  if (target) {
    dims = Dims(*target);
  } else {
    FailureOr<size_t> length = getRankFrom(op, shapes, op.getInput());
    if (failed(length))
      return failure();
    if (auto declared = tryDeclared(op, shapes, *length))
      return *declared;
    for (size_t dim = 0; dim < *length; ++dim)
      dims.push_back(shapes.getDataSize(op.getResult(), dim, {}, op.getInput()));
  }
  shapes.setDims(op.getResult(), dims, type);
  auto integers = dyn_cast_or_null<DenseIntElementsAttr>(value);
  if (!type.isInteger() || !integers || integers.empty())
    return success();
  APInt element = *integers.value_begin<APInt>();
  AffineExpr fill = shapes.constant(type.isInteger(1) || type.isUnsignedInteger() ? int64_t(element.getZExtValue())
                                                                                  : element.getSExtValue());
  foldElements(shapes, op.getResult(), {}, [&](ArrayRef<AffineExpr>) { return fill; });
  return success();
}

static LogicalResult inferRange(RangeOp op, SymbolicShapes &shapes) {
  auto start = shapes.getElements(op.getStart()), limit = shapes.getElements(op.getLimit()),
       delta = shapes.getElements(op.getDelta());
  for (auto elements : {start, limit, delta})
    if (elements && elements->size() != 1)
      return op.emitOpError("expected one number each as start, limit and delta, but got ") << elements->size();
  std::optional<int64_t> step = delta ? getConstant((*delta)[0]) : std::nullopt;
  if (step && *step == 0)
    return op.emitOpError("expected a delta other than 0, but got 0");
  if (step && *step == std::numeric_limits<int64_t>::min())
    return op.emitOpError("expected a delta whose magnitude fits 64 bits, but got ") << *step;
  auto setCount = [&](AffineExpr bound) {
    SmallVector<Value> reasons(op->getOperands());
    shapes.setDims(op.getResult(), {shapes.getDataSize(op.getResult(), 0, bound, reasons)},
                   shapes.getElementType(op.getStart()));
    return success();
  };
  if (!start || !limit || !step) {
    auto declared = tryDeclared(op, shapes, 1);
    return declared ? *declared : setCount({});
  }
  AffineExpr from = (*start)[0], to = (*limit)[0];
  AffineExpr span = *step > 0 ? to - from : from - to;
  auto [low, high] = shapes.getBounds(span);
  if (high > 0 && low < 0)
    return setCount(shapes.constant(llvm::divideCeilSigned(high, std::abs(*step))));
  AffineExpr count = high <= 0 ? shapes.constant(0) : shapes.simplify(span.ceilDiv(std::abs(*step)));
  shapes.setDims(op.getResult(), {count}, shapes.getElementType(op.getStart()));
  int64_t next = 0;
  foldElements(shapes, op.getResult(), {}, [&](ArrayRef<AffineExpr>) { return from + *step * next++; });
  return success();
}

static LogicalResult inferPad(PadOp op, SymbolicShapes &shapes) {
  Dims dims(shapes.getDims(op.getData()));
  auto pads = shapes.getElements(op.getPads());
  if (!pads)
    if (auto declared = tryDeclared(op, shapes, dims.size()))
      return *declared;
  SmallVector<int64_t> axes;
  for (size_t i = 0; i < dims.size(); ++i)
    axes.push_back(i);
  if (op.getAxes()) {
    auto given = getConstantElements(shapes, op.getAxes());
    if (!given)
      return inferDeclared(op, shapes, dims.size(), "axes");
    axes = *given;
  }
  FailureOr<SmallVector<unsigned>> normalized = normalizeAxes(op, axes, dims.size());
  if (failed(normalized))
    return failure();
  size_t count = normalized->size();
  if (!pads) {
    if (shapes.getDims(op.getPads()) != ArrayRef<AffineExpr>(shapes.constant(2 * count)))
      return op.emitOpError("expected ") << 2 * count << " pads, but got another number";
    for (unsigned axis : *normalized)
      dims[axis] =
          shapes.getDataSize(op.getResult(), axis, getGrowth(shapes, dims[axis]), op.getResult(), /*isChecked=*/true);
    shapes.setDims(op.getResult(), dims, shapes.getElementType(op.getData()));
    return success();
  }
  if (pads->size() != 2 * count)
    return op.emitOpError("expected ") << 2 * count << " pads, but got " << pads->size();
  for (auto [index, axis] : llvm::enumerate(*normalized))
    dims[axis] = dims[axis] + (*pads)[index] + (*pads)[index + count];
  shapes.setDims(op.getResult(), dims, shapes.getElementType(op.getData()));
  return success();
}

/// floor(size * scale); null if it is no affine expression.
static AffineExpr scaleSize(const SymbolicShapes &shapes, AffineExpr size, float scale) {
  if (std::optional<int64_t> constant = getConstant(size))
    return shapes.constant(int64_t(std::floor(float(*constant) * scale)));
  if (scale >= 1 && scale == std::floor(scale))
    return size * int64_t(scale);
  float inverse = 1 / scale;
  return inverse == std::floor(inverse) ? size.floorDiv(int64_t(inverse)) : AffineExpr();
}

/// Floats of an operand that is known; nullopt if it is not.
static std::optional<SmallVector<float>> getFloats(const SymbolicShapes &shapes, Value value) {
  auto known = getNumbers(shapes, value);
  return known ? std::optional(SmallVector<float>(known->begin(), known->end())) : std::nullopt;
}

std::optional<double> onnx::getKeptRatio(ResizeOp op, ArrayRef<AffineExpr> from, ArrayRef<AffineExpr> to) {
  bool smallest = op.getKeepAspectRatioPolicy() == "not_larger";
  std::optional<double> scale;
  for (auto [size, wanted] : llvm::zip_equal(from, to)) {
    std::optional<int64_t> known = getConstant(size), knownWanted = getConstant(wanted);
    if (!known || !knownWanted || *known < 1)
      return std::nullopt;
    double ratio = double(*knownWanted) / double(*known);
    scale = !scale ? ratio : smallest ? std::min(*scale, ratio) : std::max(*scale, ratio);
  }
  return scale;
}

static LogicalResult keepAspect(ResizeOp op, const SymbolicShapes &shapes, ArrayRef<unsigned> axes,
                                ArrayRef<AffineExpr> sizes, Dims &dims) {
  std::optional<double> scale =
      getKeptRatio(op, llvm::map_to_vector(axes, [&](unsigned axis) { return dims[axis]; }), sizes);
  if (!scale)
    return emitUnknown(op, "sizes whose ratio is kept");
  for (unsigned axis : axes)
    dims[axis] = shapes.constant(int64_t(std::floor(*scale * double(*getConstant(dims[axis])) + 0.5)));
  return success();
}

/// Sizes or scales that are known at run time only.
static LogicalResult inferOpenResize(ResizeOp op, SymbolicShapes &shapes, ArrayRef<unsigned> axes, Value list) {
  if (auto declared = tryDeclared(op, shapes, shapes.getDims(op.getX()).size()))
    return *declared;
  if (list == op.getSizes() && op.getKeepAspectRatioPolicy() != "stretch")
    return emitUnknown(op, "sizes whose ratio is kept");
  if (shapes.getDims(list) != ArrayRef<AffineExpr>(shapes.constant(axes.size())))
    return op.emitOpError("expected ") << axes.size() << " sizes or scales, but got another number";
  Dims dims(shapes.getDims(op.getX()));
  for (unsigned axis : axes)
    dims[axis] =
        shapes.getDataSize(op.getResult(), axis, getGrowth(shapes, dims[axis]), {list, op.getX()}, /*isChecked=*/true);
  shapes.setDims(op.getResult(), dims, shapes.getElementType(op.getX()));
  return success();
}

/// The normalized `axes` of an op; without them, those of all `rank` dimensions.
template <typename OpT>
static FailureOr<SmallVector<unsigned>> getAxesOrAll(OpT op, size_t rank) {
  if (!op.getAxes())
    return llvm::to_vector_of<unsigned>(llvm::seq<unsigned>(0, rank));
  return normalizeAxes(op, getInts(op, "axes"), rank);
}

static LogicalResult inferResize(ResizeOp op, SymbolicShapes &shapes) {
  Dims dims(shapes.getDims(op.getX()));
  FailureOr<SmallVector<unsigned>> axes = getAxesOrAll(op, dims.size());
  if (failed(axes))
    return failure();
  if (op.getSizes() && shapes.getDims(op.getSizes()) != ArrayRef<AffineExpr>(shapes.constant(0))) {
    auto sizes = shapes.getElements(op.getSizes());
    if (!sizes)
      return inferOpenResize(op, shapes, *axes, op.getSizes());
    if (sizes->size() != axes->size())
      return op.emitOpError("expected ") << axes->size() << " sizes, but got " << sizes->size();
    if (op.getKeepAspectRatioPolicy() != "stretch") {
      if (failed(keepAspect(op, shapes, *axes, *sizes, dims)))
        return failure();
    } else {
      for (auto [axis, size] : llvm::zip_equal(*axes, *sizes))
        dims[axis] = size;
    }
  } else if (op.getScales()) {
    auto scales = getFloats(shapes, op.getScales());
    if (!scales)
      return inferOpenResize(op, shapes, *axes, op.getScales());
    if (scales->size() != axes->size())
      return op.emitOpError("expected ") << axes->size() << " scales, but got " << scales->size();
    for (auto [axis, scale] : llvm::zip_equal(*axes, *scales)) {
      if (!(scale >= 0x1p-31f && scale <= 0x1p31f)) // whose inverse is an integer that fits, too
        return op.emitOpError("expected scales from 2^-31 to 2^31, but got ") << scale;
      AffineExpr size = scaleSize(shapes, dims[axis], scale);
      if (!size) // not an expression over the symbols
        size = shapes.getDataSize(op.getResult(), axis,
                                  shapes.constant(int64_t(float(shapes.getUpperBound(dims[axis])) * scale)),
                                  {op.getScales(), op.getX()});
      dims[axis] = size;
    }
  } else {
    return op.emitOpError("expected scales or sizes, but got neither");
  }
  shapes.setDims(op.getResult(), dims, shapes.getElementType(op.getX()));
  return success();
}

static LogicalResult inferTrilu(TriluOp op, SymbolicShapes &shapes) {
  if (shapes.getDims(op.getInput()).size() < 2)
    return op.emitOpError("expected an input of rank 2 or more, but got rank ") << shapes.getDims(op.getInput()).size();
  return inferLikeFirst(op, shapes);
}

static LogicalResult inferEyeLike(EyeLikeOp op, SymbolicShapes &shapes) {
  Dims dims(shapes.getDims(op.getInput()));
  if (dims.size() != 2)
    return op.emitOpError("expected a matrix, but got rank ") << dims.size();
  Type type = op.getDtype() ? getNumberType(op, *op.getDtype()) : shapes.getElementType(op.getInput());
  if (!type)
    return failure();
  shapes.setDims(op.getResult(), dims, type);
  return success();
}

static LogicalResult inferCenterCropPad(CenterCropPadOp op, SymbolicShapes &shapes) {
  Dims dims(shapes.getDims(op.getInputData()));
  auto sizes = shapes.getElements(op.getShape());
  if (!sizes)
    return inferDeclared(op, shapes, dims.size(), "a shape");
  FailureOr<SmallVector<unsigned>> axes = getAxesOrAll(op, dims.size());
  if (failed(axes))
    return failure();
  if (sizes->size() != axes->size())
    return op.emitOpError("expected ") << axes->size() << " sizes, but got " << sizes->size();
  for (auto [axis, size] : llvm::zip_equal(*axes, *sizes))
    dims[axis] = size;
  shapes.setDims(op.getResult(), dims, shapes.getElementType(op.getInputData()));
  return success();
}

/// An element for each place that `ngram_indexes` has, for each row.
static LogicalResult inferTfIdfVectorizer(TfIdfVectorizerOp op, SymbolicShapes &shapes) {
  Dims dims(shapes.getDims(op.getX()));
  if (dims.empty() || dims.size() > 2)
    return op.emitOpError("expected an input of rank 1 or 2, but got rank ") << dims.size();
  int64_t size = 0;
  for (int64_t index : op.getNgramIndexes()) {
    if (index < 0)
      return op.emitOpError("expected places of at least 0 in ngram_indexes, but got ") << index;
    size = std::max(size, index + 1);
  }
  dims.back() = shapes.constant(size);
  shapes.setDims(op.getResult(), dims, Float32Type::get(op.getContext()));
  return success();
}

/// A grid for an image of `size` [N, C, H, W] or [N, C, D, H, W]: a place of as many coordinates
/// for each of its elements.
static LogicalResult inferAffineGrid(AffineGridOp op, SymbolicShapes &shapes) {
  ArrayRef<AffineExpr> theta = shapes.getDims(op.getTheta());
  std::optional<int64_t> rows = theta.size() == 3 ? getConstant(theta[1]) : std::nullopt;
  if (!rows || (*rows != 2 && *rows != 3))
    return op.emitOpError("expected theta of the dimensions [N, 2, 3] or [N, 3, 4], but got others");
  auto sizes = shapes.getElements(op.getSize());
  if (!sizes)
    return inferDeclared(op, shapes, *rows + 1, "a size");
  if (int64_t(sizes->size()) != *rows + 2)
    return op.emitOpError("expected ") << *rows + 2 << " sizes, but got " << sizes->size();
  Dims dims = {theta[0]};
  dims.append(sizes->begin() + 2, sizes->end());
  dims.push_back(shapes.constant(*rows));
  shapes.setDims(op.getResult(), dims, shapes.getElementType(op.getTheta()));
  return success();
}

void onnx::attachTensorShapes(MLIRContext *context) {
  attachShapes<inferExpand, ExpandOp>(context);
  attachShapes<inferTile, TileOp>(context);
  attachShapes<inferConstantOfShape, ConstantOfShapeOp>(context);
  attachShapes<inferRange, RangeOp>(context);
  attachShapes<inferPad, PadOp>(context);
  attachShapes<inferResize, ResizeOp>(context);
  attachShapes<inferTrilu, TriluOp>(context);
  attachShapes<inferEyeLike, EyeLikeOp>(context);
  attachShapes<inferCenterCropPad, CenterCropPadOp>(context);
  attachShapes<inferTfIdfVectorizer, TfIdfVectorizerOp>(context);
  attachShapes<inferAffineGrid, AffineGridOp>(context);
  attachUnpoolShapes(context);
  attachSelectionShapes(context);
  attachCastShapes(context);
  attachReshapeShapes(context);
  attachIndexingShapes(context);
}

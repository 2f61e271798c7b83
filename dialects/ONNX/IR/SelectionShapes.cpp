//===- SelectionShapes.cpp - Shape inference of ops that choose elements --===//
//
// How many elements are chosen depends on data. A static shape that the model declares of the result is its promise;
// else the size is a symbol with the largest size there can be as its bound.
//
//===----------------------------------------------------------------------===//
#include "dialects/ONNX/IR/DeclaredShapes.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::onnx;

/// How many elements of a value are not zero, where it is known.
static std::optional<int64_t> countNonZero(const SymbolicShapes &shapes, Value value) {
  if (auto elements = getConstantElements(shapes, value))
    return llvm::count_if(*elements, [](int64_t element) { return element != 0; });
  DenseElementsAttr dense;
  if (!matchPattern(value, m_Constant(&dense)))
    return std::nullopt;
  if (auto integers = dyn_cast<DenseIntElementsAttr>(dense))
    return llvm::count_if(integers.getValues<APInt>(), [](const APInt &element) { return !element.isZero(); });
  auto floats = dyn_cast<DenseFPElementsAttr>(dense);
  if (!floats)
    return std::nullopt;
  return llvm::count_if(floats.getValues<APFloat>(), [](const APFloat &element) { return !element.isZero(); });
}

/// Whether all elements of the value are one that is not zero.
static bool isFilled(Value value) {
  auto fill = value.getDefiningOp<ConstantOfShapeOp>();
  if (!fill || !fill.getValueAttr())
    return false;
  auto dense = dyn_cast<DenseElementsAttr>(fill.getValueAttr());
  if (!dense || dense.empty())
    return false;
  if (auto integers = dyn_cast<DenseIntElementsAttr>(dense))
    return !(*integers.value_begin<APInt>()).isZero();
  auto floats = dyn_cast<DenseFPElementsAttr>(dense);
  return floats && !(*floats.value_begin<APFloat>()).isZero();
}

/// [rank, count].
static LogicalResult inferNonZero(NonZeroOp op, SymbolicShapes &shapes) {
  ArrayRef<AffineExpr> in = shapes.getDims(op.getX());
  if (in.empty())
    return op.emitOpError("expected an input of rank 1 or more, but got a scalar");
  if (auto declared = tryDeclared(op, shapes, 2))
    return *declared;
  AffineExpr all = multiply(shapes, in), count;
  if (std::optional<int64_t> known = countNonZero(shapes, op.getX()))
    count = shapes.constant(*known);
  else
    count = isFilled(op.getX()) ? all : shapes.getDataSize(op.getY(), 1, all, op.getX());
  shapes.setDims(op.getY(), {shapes.constant(in.size()), count}, IntegerType::get(op.getContext(), 64));
  return success();
}

/// The dimension that an op chooses from; without an axis the elements of all, of which `dims` becomes the one
/// dimension.
static FailureOr<unsigned> chooseAxis(Operation *op, std::optional<int64_t> axis, Dims &dims, SymbolicShapes &shapes) {
  if (axis)
    return normalizeAxis(op, *axis, dims.size());
  dims = {multiply(shapes, dims)};
  return 0u;
}

static LogicalResult inferCompress(CompressOp op, SymbolicShapes &shapes) {
  Dims dims(shapes.getDims(op.getInput()));
  ArrayRef<AffineExpr> condition = shapes.getDims(op.getCondition());
  if (condition.size() != 1)
    return op.emitOpError("expected a condition of rank 1, but got rank ") << condition.size();
  FailureOr<unsigned> chosen = chooseAxis(op, op.getAxis(), dims, shapes);
  if (failed(chosen))
    return failure();
  unsigned axis = *chosen;
  // A condition may be shorter; elements behind its end are not chosen.
  if (shapes.getBounds(condition[0] - dims[axis]).second > 0 && !shapes.assumeAtMost(condition[0], dims[axis]))
    return op.emitOpError("expected a condition of at most ")
           << shapes.describe(dims[axis]) << " elements, but got " << shapes.describe(condition[0]);
  if (auto declared = tryDeclared(op, shapes, dims.size()))
    return *declared;
  std::optional<int64_t> known = countNonZero(shapes, op.getCondition());
  dims[axis] =
      known ? shapes.constant(*known) : shapes.getDataSize(op.getOutput(), axis, condition[0], op.getCondition());
  shapes.setDims(op.getOutput(), dims, shapes.getElementType(op.getInput()));
  return success();
}

static LogicalResult inferUnique(UniqueOp op, SymbolicShapes &shapes) {
  Dims dims(shapes.getDims(op.getX()));
  FailureOr<unsigned> chosen = chooseAxis(op, op.getAxis(), dims, shapes);
  if (failed(chosen))
    return failure();
  unsigned axis = *chosen;
  AffineExpr all = dims[axis];
  // The other results are lists, of an element for each that is chosen, or for all.
  auto isList = [&](Value list, AffineExpr size) {
    auto type = list ? dyn_cast<RankedTensorType>(list.getType()) : RankedTensorType();
    return !list || (type && type.getRank() == 1 && shapes.constant(type.getDimSize(0)) == size);
  };
  auto declared = dyn_cast<RankedTensorType>(op.getY().getType());
  AffineExpr count =
      declared && size_t(declared.getRank()) == dims.size() ? shapes.constant(declared.getDimSize(axis)) : AffineExpr();
  if (count && isList(op.getIndices(), count) && isList(op.getCounts(), count) && isList(op.getInverseIndices(), all) &&
      takeDeclared(op, shapes))
    return success();
  dims[axis] = shapes.getDataSize(op.getY(), axis, all, {op.getX(), op.getY()});
  Type i64 = IntegerType::get(op.getContext(), 64);
  shapes.setDims(op.getY(), dims, shapes.getElementType(op.getX()));
  for (Value list : {op.getIndices(), op.getCounts()})
    if (list)
      shapes.setDims(list, dims[axis], i64);
  if (op.getInverseIndices())
    shapes.setDims(op.getInverseIndices(), all, i64);
  return success();
}

/// [count, 3]: at most all boxes of each class of each image, or as many as the op is told.
static LogicalResult inferNonMaxSuppression(NonMaxSuppressionOp op, SymbolicShapes &shapes) {
  ArrayRef<AffineExpr> boxes = shapes.getDims(op.getBoxes()), scores = shapes.getDims(op.getScores());
  if (boxes.size() != 3 || scores.size() != 3)
    return op.emitOpError("expected boxes and scores of rank 3, but got ranks ")
           << boxes.size() << " and " << scores.size();
  for (auto [a, b] : {std::pair(boxes[0], scores[0]), std::pair(boxes[1], scores[2])})
    if (!shapes.assumeEqual(a, b))
      return op.emitOpError("expected as many boxes as scores, but got ")
             << shapes.describe(a) << " and " << shapes.describe(b);
  if (auto declared = tryDeclared(op, shapes, 2))
    return *declared;
  AffineExpr most = scores[2];
  std::optional<SmallVector<int64_t>> limit;
  if (!op.getMaxOutputBoxesPerClass())
    limit = {0};
  else
    limit = getConstantElements(shapes, op.getMaxOutputBoxesPerClass());
  if (limit && limit->size() == 1 && (*limit)[0] < shapes.getUpperBound(most))
    most = shapes.constant(std::max<int64_t>((*limit)[0], 0));
  AffineExpr bound = multiply(shapes, {scores[0], scores[1], most});
  shapes.setDims(op.getSelectedIndices(),
                 {shapes.getDataSize(op.getResult(), 0, bound, op.getResult()), shapes.constant(3)},
                 IntegerType::get(op.getContext(), 64));
  return success();
}

void onnx::attachSelectionShapes(MLIRContext *context) {
  attachShapes<inferNonZero, NonZeroOp>(context);
  attachShapes<inferCompress, CompressOp>(context);
  attachShapes<inferUnique, UniqueOp>(context);
  attachShapes<inferNonMaxSuppression, NonMaxSuppressionOp>(context);
}

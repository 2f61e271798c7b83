//===- ControlShapes.cpp - Shape inference of loops and branches ----------===//
#include "dialects/ONNX/IR/ShapeHelpers.h"
#include <map>

using namespace mlir;
using namespace lathe;
using namespace lathe::onnx;

/// How often the loop runs: known from the trip count, or a size that depends on data.
static AffineExpr getTrips(LoopOp op, SymbolicShapes &shapes) {
  auto getKnown = [&](Value value) -> AffineExpr {
    auto elements = shapes.getElements(value);
    return elements && elements->size() == 1 ? elements->front() : AffineExpr();
  };
  auto isTrue = [&](Value value) { return getKnown(value) == shapes.constant(1); };
  AffineExpr count = op.getM() ? getKnown(op.getM()) : AffineExpr();
  if (count && getConstant(count))
    count = shapes.constant(std::max<int64_t>(*getConstant(count), 0));
  if (count && shapes.getBounds(count).first < 0)
    count = {};
  bool runsAll = (!op.getCond() || isTrue(op.getCond())) && isTrue(op.getBody().front().getTerminator()->getOperand(0));
  if (count && runsAll)
    return count;
  // A large trip count stands for none.
  if (count && shapes.getUpperBound(count) > INT32_MAX)
    count = {};
  return shapes.getDataSize(op->getResult(op.getVInitial().size()), /*dim=*/0, count, op->getResult(0));
}

/// Whether a size is one that an op in a body of `op` decides: in each iteration anew, in a branch that may not be
/// taken.
static bool isDecidedIn(Operation *op, const SymbolicShapes &shapes, AffineExpr size) {
  bool found = false;
  size.walk([&](AffineExpr part) {
    if (auto symbol = dyn_cast<AffineSymbolExpr>(part)) {
      Value source = shapes.getSymbols()[symbol.getPosition()].result;
      found |= source && op->isProperAncestor(source.getDefiningOp());
    }
  });
  return found;
}

/// What the arguments of a body are at first.
static void carry(SymbolicShapes &shapes, ValueRange values, ValueRange arguments) {
  for (auto [argument, value] : llvm::zip_equal(arguments, values))
    if (isa<TensorType>(value.getType()))
      shapes.setDims(argument, Dims(shapes.getDims(value)), shapes.getElementType(value));
}

static LogicalResult inferLoopBody(LoopOp op, SymbolicShapes &shapes) {
  Block &body = op.getBody().front();
  ValueRange initial = op.getVInitial(), yields = body.getTerminator()->getOperands();
  size_t carried = initial.size();
  if (body.getNumArguments() != carried + 2 || yields.size() != op->getNumResults() + 1 || yields.size() <= carried)
    return op.emitOpError("expected a body that takes and yields ")
           << carried << " values, but got one of " << body.getNumArguments() << " arguments and " << yields.size()
           << " results";
  for (auto values : {initial, yields})
    for (Value value : values)
      if (!isa<TensorType>(value.getType()))
        return op.emitOpError("expected tensors in a loop that is not unrolled, but got ") << value.getType();
  shapes.setDims(body.getArgument(0), {});
  shapes.setDims(body.getArgument(1), {});
  shapes.setElements(body.getArgument(1), shapes.constant(1)); // it is asked before an iteration
  carry(shapes, initial, body.getArguments().drop_front(2));
  return success();
}

static LogicalResult inferLoop(LoopOp op, SymbolicShapes &shapes) {
  ValueRange initial = op.getVInitial(), yields = op.getBody().front().getTerminator()->getOperands();
  size_t carried = initial.size();
  for (Value value : yields)
    if (!shapes.hasDims(value))
      return failure(); // has been reported
  for (auto [result, value, next] : llvm::zip(op->getResults(), initial, yields.slice(1, carried))) {
    if (shapes.getDims(value) != shapes.getDims(next) || shapes.getElementType(value) != shapes.getElementType(next))
      return op.emitOpError("expected values of one type in all iterations, but got ")
             << shapes.getType(value) << " before and " << shapes.getType(next) << " after the first";
    shapes.setDims(result, Dims(shapes.getDims(value)), shapes.getElementType(value));
  }
  AffineExpr trips = carried < op->getNumResults() ? getTrips(op, shapes) : AffineExpr();
  for (auto [result, value] : llvm::zip(op->getResults().drop_front(carried), yields.drop_front(carried + 1))) {
    Dims dims = {trips};
    llvm::append_range(dims, shapes.getDims(value));
    if (llvm::any_of(shapes.getDims(value), [&](AffineExpr size) { return isDecidedIn(op, shapes, size); }))
      return op.emitOpError("expected results of one shape of all iterations, but got sizes that depend on data");
    shapes.setDims(result, dims, shapes.getElementType(value));
  }
  return success();
}

/// The larger of two sizes, or the most that either can be.
static AffineExpr getLarger(const SymbolicShapes &shapes, AffineExpr a, AffineExpr b) {
  auto [low, high] = shapes.getBounds(a - b);
  if (low >= 0 || high <= 0)
    return low >= 0 ? a : b;
  return shapes.constant(std::max(shapes.getUpperBound(a), shapes.getUpperBound(b)));
}

/// The most that a size which a branch yields can be, in terms of sizes from around the If.
static AffineExpr getBoundAround(IfOp op, const SymbolicShapes &shapes, AffineExpr size) {
  while (isDecidedIn(op, shapes, size)) {
    const SymbolicDim *symbol = shapes.getDataSymbol(size);
    size = symbol ? symbol->bound : shapes.constant(shapes.getUpperBound(size));
  }
  return size;
}

static LogicalResult inferBranches(IfOp op, SymbolicShapes &shapes) {
  for (Region &branch : op->getRegions()) {
    size_t arguments = branch.getNumArguments(), yields = branch.front().getTerminator()->getNumOperands();
    if (arguments != op.getCaptured().size() || yields != op->getNumResults())
      return op.emitOpError("expected branches of ")
             << op.getCaptured().size() << " arguments and " << op->getNumResults() << " results, but got " << arguments
             << " and " << yields;
    carry(shapes, op.getCaptured(), branch.getArguments());
    for (auto [argument, value] : llvm::zip_equal(branch.getArguments(), op.getCaptured()))
      if (shapes.getElements(value))
        copyElements(shapes, argument, value);
  }
  return success();
}

/// A size of a result is the one that both branches have, or depends on which is taken.
static LogicalResult inferIf(IfOp op, SymbolicShapes &shapes) {
  // Results of the same two sizes have one between them.
  std::map<std::tuple<unsigned, const void *, const void *>, AffineExpr> known;
  auto yield = [](Region &branch, unsigned number) { return branch.front().getTerminator()->getOperand(number); };
  for (auto [number, result] : llvm::enumerate(op.getOutputs())) {
    if (!isa<TensorType>(result.getType()))
      continue; // import-unroll-control removes sequences
    Value yes = yield(op.getThenBranch(), number), no = yield(op.getElseBranch(), number);
    if (!shapes.hasDims(yes) || !shapes.hasDims(no))
      return failure(); // has been reported
    Dims dims(shapes.getDims(yes)), others(shapes.getDims(no));
    if (dims.size() != others.size() || shapes.getElementType(yes) != shapes.getElementType(no))
      return op.emitOpError(
                 "expected results of one rank and element type of both branches of an If whose condition is "
                 "only known at run time, but got ")
             << shapes.getType(yes) << " and " << shapes.getType(no)
             << "; sizes or inputs that decide it can be fixed by --dim or --constant";
    for (auto [dim, both] : llvm::enumerate(llvm::zip_equal(dims, others))) {
      auto &[size, other] = both;
      if (size == other)
        continue;
      AffineExpr &chosen = known[{dim, size.getAsOpaquePointer(), other.getAsOpaquePointer()}];
      if (!chosen)
        chosen = shapes.getDataSize(
            result, dim, getLarger(shapes, getBoundAround(op, shapes, size), getBoundAround(op, shapes, other)),
            result);
      size = chosen;
    }
    shapes.setDims(result, dims, shapes.getElementType(yes));
    if (shapes.getElements(yes) && shapes.getElements(yes) == shapes.getElements(no))
      copyElements(shapes, result, yes);
  }
  return success();
}

namespace {
/// Shape inference of an op with bodies. What it hands to them need not agree in sizes.
template <auto inferArguments, auto infer, typename OpT>
struct BodyShapeModel : ShapeInferenceOpInterface::ExternalModel<BodyShapeModel<inferArguments, infer, OpT>, OpT> {
  LogicalResult inferBodies(Operation *op, SymbolicShapes &shapes) const {
    return inferArguments(cast<OpT>(op), shapes);
  }
  LogicalResult inferShapes(Operation *op, SymbolicShapes &shapes) const { return infer(cast<OpT>(op), shapes); }
};
} // namespace

void onnx::attachControlShapes(MLIRContext *context) {
  LoopOp::attachInterface<BodyShapeModel<inferLoopBody, inferLoop, LoopOp>>(*context);
  IfOp::attachInterface<BodyShapeModel<inferBranches, inferIf, IfOp>>(*context);
}

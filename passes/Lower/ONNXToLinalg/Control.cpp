//===- Control.cpp - Loops that are not unrolled, and choices -------------===//
#include "dialects/ONNX/IR/Choice.h"
#include "passes/Lower/ONNXToLinalg/Lowering.h"

using namespace mlir;
using namespace lathe;

/// Whether a condition is known to hold.
static bool isTrue(Lowering &lowering, Value condition) {
  auto elements = lowering.getConstants(condition);
  return elements && elements->size() == 1 && elements->front() != 0;
}

/// The one element of a condition as i1.
static Value readCondition(Lowering &lowering, Value condition) {
  SmallVector<Value> place(lowering.rank(condition), lowering.index(0));
  return tensor::ExtractOp::create(lowering.builder, lowering.get(condition), place);
}

namespace {

/// A loop of the model becomes one that carries its values and the tensors that it collects; the ops of its body move
/// into it, to be lowered where they are.
class LoopLowering {
public:
  LoopLowering(Lowering &lowering, onnx::LoopOp op)
      : lowering(lowering), builder(lowering.builder), op(op), body(op.getBody().front()),
        carried(op.getVInitial().size()) {}

  void emit() {
    stops = !isTrue(lowering, body.getTerminator()->getOperand(0));
    chooseLimit();
    SmallVector<Value> values = llvm::map_to_vector(op.getVInitial(), [&](Value v) { return lowering.get(v); });
    for (Value collected : op->getResults().drop_front(carried)) {
      SmallVector<AffineExpr> dims(lowering.shapes.getDims(collected));
      if (stops && symbol)
        dims[0] = symbol->bound;
      values.push_back(lowering.empty(dims, lowering.elementType(collected)));
    }
    if (stops)
      emitWhile(values);
    else
      emitFor(values);
  }

private:
  /// How many iterations there are at most, and how many if nothing stops them.
  void chooseLimit() {
    ScalarBuilder s{builder, builder.getLoc()};
    count = op.getM() ? s.max(lowering.readIndex(op.getM(), 0), lowering.index(0)) : lowering.index(INT32_MAX);
    if (op.getCond() && !isTrue(lowering, op.getCond()))
      count = s.select(readCondition(lowering, op.getCond()), count, lowering.index(0));
    limit = count;
    if (carried == op->getNumResults())
      return;
    size = lowering.shapes.getDims(op->getResult(carried)).front();
    symbol = lowering.shapes.getDataSymbol(size);
    if (symbol && stops) {
      limit = s.min(count, lowering.sizeValue(symbol->bound));
      return;
    }
    if (symbol)
      lowering.setSize(size, count);
    limit = lowering.sizeValue(size);
  }

  void emitFor(ArrayRef<Value> values) {
    auto loop = scf::ForOp::create(builder, lowering.index(0), limit, lowering.index(1), values);
    moveBody(loop.getBody(), loop.getInductionVar(), loop.getRegionIterArgs());
    for (auto [result, value] : llvm::zip_equal(op->getResults(), loop.getResults()))
      lowering.set(result, value);
  }

  /// Before each iteration, its number and the condition are looked at.
  void emitWhile(ArrayRef<Value> values) {
    Location loc = builder.getLoc();
    SmallVector<Value> inits = {lowering.index(0), arith::ConstantIntOp::create(builder, 1, 1)};
    llvm::append_range(inits, values);
    auto loop = scf::WhileOp::create(
        builder, loc, ValueRange(inits).getTypes(), inits,
        [&](OpBuilder &b, Location loc, ValueRange arguments) {
          ScalarBuilder s{b, loc};
          Value isLeft = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, arguments[0], limit);
          scf::ConditionOp::create(b, loc, s.make<arith::AndIOp>({isLeft, arguments[1]}), arguments);
        },
        [](OpBuilder &, Location, ValueRange) {});
    moveBody(loop.getAfterBody(), loop.getAfterArguments()[0], loop.getAfterArguments().drop_front(2));
    builder.setInsertionPointAfter(loop);
    ValueRange results = loop.getResults().drop_front(2);
    for (auto [result, value] : llvm::zip_equal(op->getResults(), results))
      lowering.set(result, value);
    if (carried == op->getNumResults())
      return;
    if (symbol) {
      // One more than there is room for, if the limit stopped what would have gone on.
      ScalarBuilder s{builder, loc};
      Value total = loop.getResult(0);
      Value isFull = arith::CmpIOp::create(builder, arith::CmpIPredicate::eq, total, limit);
      Value isCut = arith::CmpIOp::create(builder, arith::CmpIPredicate::slt, limit, count);
      Value goesOn = s.make<arith::AndIOp>({s.make<arith::AndIOp>({isFull, isCut}), loop.getResult(1)});
      lowering.setSize(size, s.select(goesOn, s.add(total, lowering.index(1)), total));
    }
    for (auto [result, value] : llvm::zip_equal(op->getResults().drop_front(carried), results.drop_front(carried))) {
      ArrayRef<AffineExpr> dims = lowering.shapes.getDims(result);
      lowering.set(result,
                   lowering.slice(value, SmallVector<OpFoldResult>(dims.size(), builder.getIndexAttr(0)), dims));
    }
  }

  void moveBody(Block *target, Value number, ValueRange values) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(target);
    Value counter = arith::IndexCastOp::create(builder, builder.getI64Type(), number);
    lowering.set(body.getArgument(0),
                 tensor::FromElementsOp::create(builder, RankedTensorType::get({}, builder.getI64Type()), counter));
    auto truth = DenseElementsAttr::get(RankedTensorType::get({}, builder.getI1Type()), true);
    lowering.set(body.getArgument(1), arith::ConstantOp::create(builder, truth));
    for (auto [argument, value] : llvm::zip(body.getArguments().drop_front(2), values))
      lowering.set(argument, value);
    target->getOperations().splice(target->end(), body.getOperations());
  }

  Lowering &lowering;
  ImplicitLocOpBuilder &builder;
  onnx::LoopOp op;
  Block &body;
  unsigned carried;
  bool stops = false; ///< the body decides whether there is a next iteration
  Value limit, count; ///< most iterations; how many there would be without room for less
  AffineExpr size;    ///< of what is collected; null if nothing is
  const SymbolicDim *symbol = nullptr;
};

} // namespace

static LogicalResult lowerLoop(Lowering &lowering, onnx::LoopOp op) {
  LoopLowering(lowering, op).emit();
  return success();
}

/// The end of a body that was moved into a loop.
static LogicalResult lowerYield(Lowering &lowering, onnx::YieldOp op) {
  Operation *loop = op->getParentOp();
  Region *region = op->getParentRegion();
  // What a run must refuse is known at the end of @main.
  for (Value condition : lowering.getConditions())
    if (region->isAncestor(condition.getParentRegion()))
      return emitError(loop->getLoc(),
                       "expected a loop without sizes that the data may tell too large, but got one in '")
             << condition.getLoc() << "'";
  ImplicitLocOpBuilder &builder = lowering.builder;
  builder.setLoc(loop->getLoc());
  auto isWhile = isa<scf::WhileOp>(loop);
  ValueRange arguments = op->getBlock()->getArguments();
  Value number = arguments.front();
  SmallVector<Value> next;
  if (isWhile) {
    next.push_back(arith::AddIOp::create(builder, number, lowering.index(1)));
    next.push_back(readCondition(lowering, op->getOperand(0)));
  }
  for (auto [argument, value] :
       llvm::zip_equal(arguments.drop_front(isWhile ? 2 : 1), op->getOperands().drop_front())) {
    Value tensor = lowering.get(value);
    SmallVector<AffineExpr> dims(lowering.shapes.getDims(value));
    auto type = cast<RankedTensorType>(argument.getType());
    bool isCollected = int64_t(dims.size()) < type.getRank();
    if (!isCollected && type.hasStaticShape()) {
      next.push_back(tensor);
      continue;
    }
    // What is carried is inserted as well: it says that the sizes stay.
    SmallVector<OpFoldResult> offsets(type.getRank(), builder.getIndexAttr(0));
    if (isCollected) {
      offsets[0] = number;
      dims.insert(dims.begin(), lowering.constantExpr(1));
    }
    next.push_back(lowering.insert(tensor, argument, offsets, dims));
  }
  scf::YieldOp::create(builder, next);
  return success();
}

/// Copies `chosen` or `other`, which may be smaller than the result where they are not read.
static Value copyEither(Lowering &lowering, ArrayRef<AffineExpr> dims, Value condition, Value chosen, Value other) {
  return lowering.generic(dims, getElementTypeOrSelf(chosen), {}, {}, [&](ImplicitLocOpBuilder &b, ValueRange) {
    SmallVector<Value> place;
    for (size_t dim = 0; dim < dims.size(); ++dim)
      place.push_back(linalg::IndexOp::create(b, dim));
    auto read = [&](Value tensor) {
      return [&place, tensor](OpBuilder &inner, Location loc) {
        scf::YieldOp::create(inner, loc, tensor::ExtractOp::create(inner, loc, tensor, place).getResult());
      };
    };
    return scf::IfOp::create(b, condition, read(chosen), read(other)).getResult(0);
  });
}

static LogicalResult lowerIf(Lowering &lowering, onnx::IfOp op) {
  if (!onnx::isChoice(op))
    return op.emitOpError("expected a condition known at compile time, of branches with loops or unlike sequences, but "
                          "got one known only at run time");
  ScalarBuilder s{lowering.builder, lowering.builder.getLoc()};
  Value condition = readCondition(lowering, op.getCond());
  for (auto [number, result] : llvm::enumerate(op.getOutputs())) {
    auto [yes, no] = onnx::getChoice(op, number);
    ArrayRef<AffineExpr> dims = lowering.shapes.getDims(result);
    for (auto [size, a, b] : llvm::zip_equal(dims, lowering.shapes.getDims(yes), lowering.shapes.getDims(no)))
      if (a != b && lowering.shapes.getDataSymbol(size))
        lowering.setSize(size, s.select(condition, lowering.sizeValue(a), lowering.sizeValue(b)));
    lowering.set(result, copyEither(lowering, dims, condition, lowering.get(yes), lowering.get(no)));
  }
  return success();
}

void lathe::addControlLowerings(LoweringTable &table) {
  table.add<onnx::LoopOp, lowerLoop>();
  table.add<onnx::YieldOp, lowerYield>();
  table.add<onnx::IfOp, lowerIf>();
}

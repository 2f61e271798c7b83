//===- Control.cpp - Loops that are not unrolled, and branches ------------===//
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

/// What one iteration yields for `argument`, a tensor that the loop around carries. It is inserted, unless it is a
/// whole of static size: that says that the sizes stay.
static Value yieldInto(Lowering &lowering, Value tensor, ArrayRef<OpFoldResult> sizes, Value argument,
                       Value number = {}) {
  ImplicitLocOpBuilder &builder = lowering.builder;
  auto type = cast<RankedTensorType>(argument.getType());
  if (!number && tensor.getType() == type && type.hasStaticShape())
    return tensor;
  SmallVector<OpFoldResult> offsets(type.getRank(), builder.getIndexAttr(0)), all(sizes);
  if (number) {
    offsets[0] = number;
    all.insert(all.begin(), builder.getIndexAttr(1));
  }
  SmallVector<OpFoldResult> strides(type.getRank(), builder.getIndexAttr(1));
  return tensor::InsertSliceOp::create(builder, tensor, argument, offsets, all, strides);
}

/// A value that tells whether what the ops of a body require holds in all iterations so far: `before`, if they require
/// nothing.
static Value yieldStatus(Lowering &lowering, Value own, Value before) {
  return own ? Value(arith::AndIOp::create(lowering.builder, before, own)) : before;
}

namespace {

/// A loop of the model becomes one that carries its values and the tensors that it collects; the ops of its body move
/// into it, to be lowered where they are. Last, it carries whether what they require of the data holds.
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
    values.push_back(arith::ConstantIntOp::create(builder, 1, 1));
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
    for (auto [result, value] : llvm::zip_equal(op->getResults(), loop.getResults().drop_back()))
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
    ValueRange results = loop.getResults().drop_front(2).drop_back();
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
static void endIteration(Lowering &lowering, onnx::YieldOp op) {
  Operation *loop = op->getParentOp();
  ImplicitLocOpBuilder &builder = lowering.builder;
  builder.setLoc(loop->getLoc());
  auto isWhile = isa<scf::WhileOp>(loop);
  ValueRange arguments = op->getBlock()->getArguments();
  Value number = arguments.front(), own = lowering.takeConditions(*op->getParentRegion());
  if (own)
    lowering.require(loop->getResults().back());
  SmallVector<Value> next;
  if (isWhile) {
    next.push_back(arith::AddIOp::create(builder, number, lowering.index(1)));
    next.push_back(readCondition(lowering, op->getOperand(0)));
  }
  for (auto [argument, value] :
       llvm::zip_equal(arguments.drop_front(isWhile ? 2 : 1).drop_back(), op->getOperands().drop_front())) {
    bool isCollected = lowering.rank(value) < cast<RankedTensorType>(argument.getType()).getRank();
    next.push_back(yieldInto(lowering, lowering.get(value), lowering.sizes(lowering.shapes.getDims(value)), argument,
                             isCollected ? number : Value()));
  }
  next.push_back(yieldStatus(lowering, own, arguments.back()));
  scf::YieldOp::create(builder, next);
}

namespace {

/// Two loops of at most one iteration, of which one runs: as any loop, they carry the results in buffers that are made
/// before. The ops of the branches have been lowered where they were. What is carried beside the results: the sizes of
/// theirs that depend on which branch is taken, and whether what its ops require of the data holds.
class BranchLowering {
public:
  BranchLowering(Lowering &lowering, onnx::IfOp op) : lowering(lowering), builder(lowering.builder), op(op) {}

  void emit() {
    builder.setInsertionPoint(op);
    builder.setLoc(op.getLoc());
    Value zero = lowering.index(0), one = lowering.index(1);
    Value taken = arith::SelectOp::create(builder, readCondition(lowering, op.getCond()), one, zero);
    SmallVector<Value> values;
    for (Value result : op.getOutputs()) {
      SmallVector<AffineExpr> dims(lowering.shapes.getDims(result));
      for (auto [number, dim] : llvm::enumerate(dims))
        if (const SymbolicDim *symbol = getOwnSymbol(dim)) {
          if (symbol->result == result && symbol->dim == number)
            sizes.push_back(dim);
          dim = symbol->bound;
        }
      values.push_back(lowering.empty(dims, lowering.elementType(result)));
    }
    values.append(sizes.size(), zero);
    values.push_back(arith::ConstantIntOp::create(builder, 1, 1));
    bool mayFail = false;
    for (auto [branch, from, to] :
         {std::tuple(&op.getThenBranch(), zero, taken), std::tuple(&op.getElseBranch(), taken, one)}) {
      auto loop = scf::ForOp::create(builder, from, to, one, values);
      mayFail |= moveBranch(*branch, loop);
      values.assign(loop.getResults().begin(), loop.getResults().end());
    }
    if (mayFail)
      lowering.require(values.back());
    ArrayRef<Value> results = ArrayRef(values).take_front(op->getNumResults());
    for (auto [size, value] : llvm::zip_equal(sizes, ArrayRef(values).drop_front(results.size()).drop_back()))
      lowering.setSize(size, value);
    for (auto [result, value] : llvm::zip_equal(op.getOutputs(), results)) {
      ArrayRef<AffineExpr> dims = lowering.shapes.getDims(result);
      bool isPart = llvm::any_of(dims, [&](AffineExpr dim) { return getOwnSymbol(dim); });
      SmallVector<OpFoldResult> offsets(dims.size(), builder.getIndexAttr(0));
      lowering.set(result, isPart ? lowering.slice(value, offsets, dims) : value);
    }
  }

private:
  /// The symbol of a size that depends on which branch is taken; null for other sizes.
  const SymbolicDim *getOwnSymbol(AffineExpr dim) const {
    const SymbolicDim *symbol = lowering.shapes.getDataSymbol(dim);
    return symbol && symbol->result.getDefiningOp() == op ? symbol : nullptr;
  }

  /// Returns whether the ops of the branch require anything of the data.
  bool moveBranch(Region &branch, scf::ForOp loop) {
    OpBuilder::InsertionGuard guard(builder);
    Operation *yield = branch.front().getTerminator();
    builder.setInsertionPoint(yield);
    Value own = lowering.takeConditions(branch);
    Block *target = loop.getBody();
    target->getOperations().splice(target->end(), branch.front().getOperations());
    builder.setInsertionPoint(yield);
    SmallVector<Value> next, taken(sizes.size());
    for (auto [result, value, argument] : llvm::zip(op.getOutputs(), yield->getOperands(), loop.getRegionIterArgs())) {
      SmallVector<OpFoldResult> held = lowering.sizes(lowering.shapes.getDims(value));
      Value tensor = lowering.get(value);
      bool isCut = false;
      for (auto [dim, size] : llvm::zip_equal(lowering.shapes.getDims(result), held)) {
        const SymbolicDim *symbol = getOwnSymbol(dim);
        if (!symbol)
          continue;
        Value whole = getValueOrCreateConstantIndexOp(builder, builder.getLoc(), size);
        if (auto place = llvm::find(sizes, dim); place != sizes.end())
          taken[place - sizes.begin()] = whole;
        if (!symbol->isChecked)
          continue;
        // There may be less room than for the branch: a run is refused then.
        size = Value(arith::MinSIOp::create(builder, whole, lowering.sizeValue(symbol->bound)));
        isCut = true;
      }
      SmallVector<OpFoldResult> zeros(held.size(), builder.getIndexAttr(0)), ones(held.size(), builder.getIndexAttr(1));
      if (isCut)
        tensor = tensor::ExtractSliceOp::create(builder, tensor, zeros, held, ones);
      next.push_back(yieldInto(lowering, tensor, held, argument));
    }
    next.append(taken);
    next.push_back(yieldStatus(lowering, own, loop.getRegionIterArgs().back()));
    scf::YieldOp::create(builder, next);
    return bool(own);
  }

  Lowering &lowering;
  ImplicitLocOpBuilder &builder;
  onnx::IfOp op;
  SmallVector<AffineExpr> sizes; ///< that depend on which branch is taken
};

} // namespace

static LogicalResult lowerYield(Lowering &lowering, onnx::YieldOp op) {
  auto branches = dyn_cast<onnx::IfOp>(op->getParentOp());
  if (!branches)
    endIteration(lowering, op);
  else if (op->getParentRegion() == &branches->getRegions().back())
    BranchLowering(lowering, branches).emit();
  return success();
}

/// The ops of the branches come next; the last one's end does the rest.
static LogicalResult lowerIf(Lowering &lowering, onnx::IfOp op) {
  for (Region &branch : op->getRegions())
    for (auto [argument, value] : llvm::zip_equal(branch.getArguments(), op.getCaptured()))
      lowering.set(argument, lowering.get(value));
  return success();
}

void lathe::addControlLowerings(LoweringTable &table) {
  table.add<onnx::LoopOp, lowerLoop>();
  table.add<onnx::YieldOp, lowerYield>();
  table.add<onnx::IfOp, lowerIf>();
}

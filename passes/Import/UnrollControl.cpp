//===- UnrollControl.cpp - Control flow that is known at compile time -----===//
#include "dialects/Interfaces/SymbolicShapes.h"
#include "dialects/ONNX/IR/Elementwise.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "passes/Import/DeclaredTypes.h"
#include "passes/Import/IsolateBodies.h"
#include "passes/Import/Passes.h"
#include "passes/Import/Sequences.h"

namespace lathe {
#define GEN_PASS_DEF_IMPORTUNROLLCONTROL
#include "passes/Import/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

/// Copies the ops of a body to the builder's place; returns what it yields.
static SmallVector<Value> inlineBody(OpBuilder &builder, Block &body, ValueRange arguments) {
  IRMapping mapping;
  mapping.map(body.getArguments(), arguments);
  for (Operation &op : body.without_terminator())
    builder.clone(op, mapping);
  return llvm::map_to_vector(body.getTerminator()->getOperands(),
                             [&](Value value) { return mapping.lookupOrDefault(value); });
}

static Type getUnranked(Value value) {
  if (isContainer(value.getType()))
    return value.getType();
  return UnrankedTensorType::get(getElementTypeOrSelf(value.getType()));
}

static Value makeInts(OpBuilder &builder, Location loc, ArrayRef<int64_t> values) {
  return onnx::ConstantOp::create(builder, loc, builder.getI64TensorAttr(values));
}

/// The only element of a value that is known; nullopt if it is not.
static std::optional<int64_t> getKnown(const SymbolicShapes &shapes, Value value) {
  if (!value || !shapes.hasDims(value))
    return std::nullopt;
  auto elements = shapes.getElements(value);
  if (!elements || elements->size() != 1)
    return std::nullopt;
  auto constant = dyn_cast<AffineConstantExpr>(elements->front());
  return constant ? std::optional(constant.getValue()) : std::nullopt;
}

/// Joins what iterations gave along a new dimension, or says that there is nothing of the declared type.
static Value stack(OpBuilder &builder, Location loc, ArrayRef<Value> parts, int64_t axis, Value result) {
  if (parts.empty()) {
    auto type = dyn_cast<RankedTensorType>(result.getType());
    if (!type || !type.hasStaticShape() || type.getNumElements() != 0)
      return nullptr;
    return onnx::ConstantOp::create(builder, loc, DenseElementsAttr::get(type, ArrayRef<Attribute>()));
  }
  SmallVector<Value> wide;
  for (Value part : parts)
    wide.push_back(onnx::UnsqueezeOp::create(builder, loc, getUnranked(part), part, makeInts(builder, loc, axis)));
  return onnx::ConcatOp::create(builder, loc, getUnranked(result), wide, axis);
}

/// Whether the branches only choose among values that are computed before.
static bool isChoice(onnx::IfOp op) {
  return llvm::all_of(op->getRegions(), [](Region &branch) { return llvm::hasSingleElement(branch.front()); });
}

/// What the branches have for a result, the one where the condition holds first.
static std::pair<Value, Value> getChoice(onnx::IfOp op, unsigned result) {
  auto yield = [&](Region &branch) { return branch.front().getTerminator()->getOperand(result); };
  return {yield(op.getThenBranch()), yield(op.getElseBranch())};
}

/// Whether the branches are small and require nothing of the data: elementwise, or views.
static bool isCheap(onnx::IfOp op) {
  constexpr unsigned kMostOps = 8;
  unsigned count = 0;
  for (Region &branch : op->getRegions())
    for (Operation &inner : branch.front().without_terminator()) {
      auto choice = dyn_cast<onnx::IfOp>(inner);
      auto reshape = dyn_cast<onnx::ReshapeOp>(inner);
      bool isView = isa<onnx::SqueezeOp, onnx::UnsqueezeOp, onnx::FlattenOp, onnx::ShapeOp, onnx::SizeOp>(inner) ||
                    (reshape && reshape.getShape().getDefiningOp<onnx::ConstantOp>());
      if (isa<onnx::ConstantOp>(inner))
        continue;
      if (++count > kMostOps || !(isView || onnx::isElementwise(&inner) || (choice && isChoice(choice))))
        return false;
    }
  return true;
}

/// Whether there are loops in a branch, or branches that stay.
static bool hasBodies(onnx::IfOp op) {
  return op
      .walk([&](Operation *inner) {
        auto choice = dyn_cast<onnx::IfOp>(inner);
        bool stays = inner != op && inner->getNumRegions() > 0 && !(choice && isChoice(choice));
        return stays ? WalkResult::interrupt() : WalkResult::advance();
      })
      .wasInterrupted();
}

namespace {

struct ImportUnrollControlPass : lathe::impl::ImportUnrollControlBase<ImportUnrollControlPass> {
  using ImportUnrollControlBase::ImportUnrollControlBase;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isExternal())
      return;
    declareOperands(function.getBody().front());
    // Bodies of loops and branches that stay come later: what is in them may be decided where they are unrolled.
    for (unsigned depth = 0; depth == 0 || hasBlocks(function, depth); ++depth)
      simplify(function, depth);
    function.walk([&](onnx::IfOp op) {
      if (!isChoice(op) && (isCheap(op) || (computeBoth && !hasBodies(op))))
        replaceByChoice(op);
    });
    simplifyChoices(function);
    if (failed(removeSequences(function)))
      return signalPassFailure();
    function.walk([](Operation *op) {
      if (auto loop = dyn_cast<onnx::LoopOp>(op))
        isolateBody(loop);
      else if (auto branches = dyn_cast<onnx::IfOp>(op))
        isolateBodies(branches);
    });
    updateType(function);
  }

private:
  /// The function's block, and the bodies of loops and branches that are at most `depth` deep.
  static SmallVector<Block *> findBlocks(func::FuncOp function, unsigned depth) {
    SmallVector<Block *> blocks = {&function.getBody().front()};
    for (size_t begin = 0; depth > 0 && begin < blocks.size(); --depth) {
      size_t end = blocks.size();
      for (; begin < end; ++begin)
        for (Operation &op : *blocks[begin])
          if (isa<onnx::LoopOp, onnx::IfOp>(op))
            for (Region &body : op.getRegions())
              blocks.push_back(&body.front());
    }
    return blocks;
  }

  static bool hasBlocks(func::FuncOp function, unsigned depth) {
    return findBlocks(function, depth).size() > findBlocks(function, depth - 1).size();
  }

  /// Removes what it can of the blocks. Each op that goes may tell the shapes that the next one needs.
  void simplify(func::FuncOp function, unsigned depth) {
    for (bool changed = true; changed;) {
      changed = false;
      SmallVector<Operation *> ops;
      bool hasContainers = false;
      SmallVector<Block *> blocks = findBlocks(function, depth);
      for (Block *block : blocks)
        for (Operation &op : *block) {
          if (isa<onnx::IfOp, onnx::LoopOp, onnx::ScanOp, onnx::SequenceMapOp>(op))
            ops.push_back(&op);
          hasContainers |= isSequenceOp(&op);
        }
      if (ops.empty() && !hasContainers)
        break;
      SymbolicShapes shapes(function);
      {
        ScopedDiagnosticHandler silence(&getContext(), [](Diagnostic &) { return success(); });
        (void)shapes.compute();
      }
      for (Block *block : blocks)
        changed = changed || resolveSequences(*block, shapes);
      for (Operation *op : ops)
        if (!changed && replace(shapes, op))
          changed = true;
    }
  }

  /// A choice between tensors of one shape is elementwise.
  static void simplifyChoices(func::FuncOp function) {
    SmallVector<onnx::IfOp> choices;
    function.walk([&](onnx::IfOp op) {
      if (isChoice(op))
        choices.push_back(op);
    });
    if (choices.empty())
      return;
    SymbolicShapes shapes(function);
    {
      ScopedDiagnosticHandler silence(function.getContext(), [](Diagnostic &) { return success(); });
      (void)shapes.compute();
    }
    for (onnx::IfOp choice : choices) {
      for (auto [number, result] : llvm::enumerate(choice.getOutputs())) {
        auto [yes, no] = getChoice(choice, number);
        if (!shapes.hasDims(yes) || !shapes.hasDims(no) || shapes.getDims(yes) != shapes.getDims(no))
          continue;
        OpBuilder builder(choice);
        Value where = onnx::WhereOp::create(builder, choice.getLoc(), result.getType(), choice.getCond(), yes, no);
        // A choice around this one looks at it.
        shapes.setDims(where, SmallVector<AffineExpr>(shapes.getDims(yes)), shapes.getElementType(yes));
        result.replaceAllUsesWith(where);
      }
      if (choice.use_empty())
        choice.erase();
    }
  }

  static bool isSequenceOp(Operation *op) {
    return llvm::any_of(op->getOperandTypes(), isContainer) || llvm::any_of(op->getResultTypes(), isContainer) ||
           isa<onnx::OptionalHasElementOp, onnx::OptionalGetElementOp>(op);
  }

  /// A body may say more of its results than the op did.
  static void updateType(func::FuncOp function) {
    Operation *terminator = function.getBody().front().getTerminator();
    function.setType(
        FunctionType::get(function.getContext(), function.getArgumentTypes(), terminator->getOperandTypes()));
  }

  bool replace(const SymbolicShapes &shapes, Operation *op) {
    OpBuilder builder(op);
    SmallVector<Value> results;
    if (auto branch = dyn_cast<onnx::IfOp>(op))
      results = inlineIf(shapes, builder, branch);
    else if (auto loop = dyn_cast<onnx::LoopOp>(op))
      results = unrollLoop(shapes, builder, loop);
    else if (auto map = dyn_cast<onnx::SequenceMapOp>(op))
      results = unrollMap(builder, map);
    else
      results = unrollScan(shapes, builder, cast<onnx::ScanOp>(op));
    if (results.size() != op->getNumResults() || llvm::is_contained(results, Value()))
      return false;
    for (auto [old, value] : llvm::zip_equal(op->getResults(), results))
      replaceWith(old, value);
    op->erase();
    return true;
  }

  /// A declared type may say more than what takes the value's place.
  static void replaceWith(Value old, Value value) {
    auto declared = dyn_cast<RankedTensorType>(old.getType());
    bool isOwn = value.getDefiningOp() && isa<UnrankedTensorType>(value.getType()) &&
                 isa<onnx::ONNXDialect>(value.getDefiningOp()->getDialect());
    if (declared && declared.hasStaticShape() && isOwn)
      value.setType(declared);
    old.replaceAllUsesWith(value);
  }

  /// The branch that is taken, if that is known.
  static SmallVector<Value> inlineIf(const SymbolicShapes &shapes, OpBuilder &builder, onnx::IfOp op) {
    if (std::optional<int64_t> condition = getKnown(shapes, op.getCond()))
      return inlineBody(builder, (*condition ? op.getThenBranch() : op.getElseBranch()).front(), {});
    return chooseElements(builder, op);
  }

  /// An If of sequences yields their elements, and sequences are made of those; nothing where it has none, or unlike
  /// ones.
  static SmallVector<Value> chooseElements(OpBuilder &builder, onnx::IfOp op) {
    if (llvm::none_of(op->getResultTypes(), isContainer))
      return {};
    SmallVector<Type> types;
    SmallVector<std::optional<size_t>> lengths; // of results that are sequences
    for (auto [i, type] : llvm::enumerate(op->getResultTypes())) {
      lengths.emplace_back();
      if (!isContainer(type)) {
        types.push_back(type);
        continue;
      }
      auto [a, b] = getChoice(op, i);
      auto yes = getSequence(a), no = getSequence(b);
      if (!yes || !no || yes->size() != no->size())
        return {};
      lengths.back() = yes->size();
      llvm::append_range(types, llvm::map_range(*yes, getUnranked));
    }
    auto flat = onnx::IfOp::create(builder, op.getLoc(), types, op.getCond(), op.getCaptured());
    for (auto [from, to] : llvm::zip_equal(op->getRegions(), flat->getRegions())) {
      to.takeBody(from);
      Operation *yield = to.front().getTerminator();
      SmallVector<Value> elements;
      for (Value value : yield->getOperands())
        llvm::append_range(elements, isContainer(value.getType()) ? *getSequence(value) : SmallVector<Value>{value});
      yield->setOperands(elements);
      for (Operation &inner : llvm::make_early_inc_range(llvm::reverse(to.front())))
        if (isOpTriviallyDead(&inner))
          inner.erase();
    }
    SmallVector<Value> results;
    ValueRange chosen = flat.getOutputs();
    for (auto [type, length] : llvm::zip_equal(op->getResultTypes(), lengths)) {
      ValueRange own = chosen.take_front(length.value_or(1));
      results.push_back(length ? Value(onnx::SequenceConstructOp::create(builder, op.getLoc(), type, own))
                               : own.front());
      chosen = chosen.drop_front(own.size());
    }
    return results;
  }

  /// Both branches are computed, and their results chosen among.
  static void replaceByChoice(onnx::IfOp op) {
    OpBuilder builder(op);
    Value condition = op.getCond();
    if (auto type = dyn_cast<RankedTensorType>(condition.getType()); !type || type.getRank() != 0)
      condition = onnx::SqueezeOp::create(builder, op.getLoc(), getUnranked(condition), condition, Value());
    SmallVector<Value> yes = inlineBody(builder, op.getThenBranch().front(), {}),
                       no = inlineBody(builder, op.getElseBranch().front(), {});
    auto choice = onnx::IfOp::create(builder, op.getLoc(), op->getResultTypes(), condition, ValueRange());
    for (auto [branch, values] : {std::pair(&choice.getThenBranch(), yes), std::pair(&choice.getElseBranch(), no)}) {
      OpBuilder inner = OpBuilder::atBlockEnd(&branch->emplaceBlock());
      onnx::YieldOp::create(inner, op.getLoc(), values);
    }
    op->replaceAllUsesWith(choice);
    op->erase();
  }

  static constexpr int64_t kMaxIterations = 1024, kMaxOps = 1 << 16;

  /// Ops of a loop that may as well run as one.
  static constexpr int64_t kMaxUnrolledOps = 1024;

  static bool isTooLarge(Block &body, int64_t count, int64_t most = kMaxOps) {
    int64_t ops = 0;
    body.walk([&](Operation *) { ++ops; });
    return count < 0 || count > kMaxIterations || count * ops > most;
  }

  /// How often a loop runs: the trip count, or what the model declares that it makes; nullopt if that is not known.
  static std::optional<int64_t> countTrips(const SymbolicShapes &shapes, onnx::LoopOp op, unsigned carried) {
    // Only a declared result says how far a condition that is known at run time lets it run.
    for (Value scanned : op->getResults().drop_front(carried))
      if (auto type = dyn_cast<RankedTensorType>(scanned.getType()); type && type.getRank() && !type.isDynamicDim(0))
        return type.getDimSize(0);
    Block &body = op.getBody().front();
    Value next = body.getTerminator()->getOperand(0);
    while (auto identity = next.getDefiningOp<onnx::IdentityOp>())
      next = identity.getInput();
    DenseIntElementsAttr constant;
    bool goesOn = next == body.getArgument(1) || (matchPattern(next, m_Constant(&constant)) && constant.isSplat() &&
                                                  !constant.getSplatValue<APInt>().isZero());
    std::optional<int64_t> first = op.getCond() ? getKnown(shapes, op.getCond()) : 1;
    if (first == 0)
      return 0;
    return goesOn && first ? getKnown(shapes, op.getM()) : std::nullopt;
  }

  static SmallVector<Value> unrollLoop(const SymbolicShapes &shapes, OpBuilder &builder, onnx::LoopOp op) {
    Block &body = op.getBody().front();
    unsigned carried = op.getVInitial().size();
    if (llvm::any_of(op->getResults().drop_front(carried), [](Value value) { return isContainer(value.getType()); }))
      return {};
    std::optional<int64_t> trips = countTrips(shapes, op, carried);
    bool canStay = llvm::all_of(op->getResults(), [&](Value result) { return shapes.hasDims(result); });
    if (!trips || isTooLarge(body, *trips, canStay ? kMaxUnrolledOps : kMaxOps))
      return {};
    Location loc = op.getLoc();
    SmallVector<Value> state(op.getVInitial());
    SmallVector<SmallVector<Value>> scanned(op->getNumResults() - carried);
    for (int64_t i = 0; i < *trips; ++i) {
      auto scalar = RankedTensorType::get({}, builder.getI64Type());
      SmallVector<Value> arguments = {
          onnx::ConstantOp::create(builder, loc, DenseElementsAttr::get(scalar, i)),
          onnx::ConstantOp::create(builder, loc,
                                   DenseElementsAttr::get(RankedTensorType::get({}, builder.getI1Type()), true))};
      llvm::append_range(arguments, state);
      SmallVector<Value> yielded = inlineBody(builder, body, arguments);
      state.assign(yielded.begin() + 1, yielded.begin() + 1 + carried);
      for (auto [list, value] : llvm::zip_equal(scanned, ArrayRef(yielded).drop_front(1 + carried)))
        list.push_back(value);
    }
    for (auto [i, list] : llvm::enumerate(scanned))
      state.push_back(stack(builder, loc, list, 0, op->getResult(carried + i)));
    return state;
  }

  /// The body for the elements at each place of the sequences; tensors are the same for all.
  static SmallVector<Value> unrollMap(OpBuilder &builder, onnx::SequenceMapOp op) {
    Block &body = op.getBody().front();
    auto first = getSequence(op.getInputSequence());
    if (!first || isTooLarge(body, first->size()))
      return {};
    SmallVector<SmallVector<Value>> results(op->getNumResults());
    for (size_t i = 0; i < first->size(); ++i) {
      SmallVector<Value> arguments = {(*first)[i]};
      for (Value input : op.getAdditionalInputs()) {
        auto list = getSequence(input);
        if (isContainer(input.getType()) && (!list || list->size() != first->size()))
          return {};
        arguments.push_back(list ? (*list)[i] : input);
      }
      for (auto [list, value] : llvm::zip_equal(results, inlineBody(builder, body, arguments)))
        list.push_back(value);
    }
    SmallVector<Value> sequences;
    for (auto [list, result] : llvm::zip_equal(results, op->getResults()))
      sequences.push_back(onnx::SequenceConstructOp::create(builder, op.getLoc(), result.getType(), list));
    return sequences;
  }

  static SmallVector<Value> unrollScan(const SymbolicShapes &shapes, OpBuilder &builder, onnx::ScanOp op) {
    Block &body = op.getBody().front();
    int64_t inputCount = op.getNumScanInputs(), carried = int64_t(op->getNumOperands()) - inputCount;
    if (inputCount < 1 || carried < 0 || int64_t(op->getNumResults()) < carried)
      return {};
    auto read = [](std::optional<ArrayRef<int64_t>> list, size_t i) {
      return list && i < list->size() ? (*list)[i] : 0;
    };
    ValueRange inputs = op->getOperands().drop_front(carried);
    std::optional<int64_t> length;
    SmallVector<int64_t> axes;
    for (auto [i, input] : llvm::enumerate(inputs)) {
      if (!shapes.hasDims(input))
        return {};
      int64_t rank = shapes.getDims(input).size(), axis = read(op.getScanInputAxes(), i);
      axis += axis < 0 ? rank : 0;
      if (axis < 0 || axis >= rank)
        return {};
      auto size = dyn_cast<AffineConstantExpr>(shapes.getDims(input)[axis]);
      if (!size || (length && *length != size.getValue()))
        return {};
      length = size.getValue();
      axes.push_back(axis);
    }
    if (isTooLarge(body, *length))
      return {};
    Location loc = op.getLoc();
    SmallVector<Value> state(op->getOperands().take_front(carried));
    SmallVector<SmallVector<Value>> scanned(op->getNumResults() - carried);
    for (int64_t step = 0; step < *length; ++step) {
      SmallVector<Value> arguments(state);
      for (auto [i, input] : llvm::enumerate(inputs)) {
        int64_t place = read(op.getScanInputDirections(), i) ? *length - 1 - step : step;
        auto index = onnx::ConstantOp::create(
            builder, loc, DenseElementsAttr::get(RankedTensorType::get({}, builder.getI64Type()), place));
        arguments.push_back(onnx::GatherOp::create(builder, loc, getUnranked(input), input, index, axes[i]));
      }
      SmallVector<Value> yielded = inlineBody(builder, body, arguments);
      state.assign(yielded.begin(), yielded.begin() + carried);
      for (auto [list, value] : llvm::zip_equal(scanned, ArrayRef(yielded).drop_front(carried)))
        list.push_back(value);
    }
    for (auto [i, list] : llvm::enumerate(scanned)) {
      if (read(op.getScanOutputDirections(), i))
        std::reverse(list.begin(), list.end());
      state.push_back(stack(builder, loc, list, read(op.getScanOutputAxes(), i), op->getResult(carried + i)));
    }
    return state;
  }
};

} // namespace

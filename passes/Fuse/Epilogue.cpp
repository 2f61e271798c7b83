//===- Epilogue.cpp - Elementwise consumers move into epilogues -----------===//
#include "dialects/ONNX/IR/Elementwise.h"
#include "mlir/IR/IRMapping.h"
#include "passes/Fuse/Passes.h"
#include "passes/Fuse/Utils.h"
#include "passes/Lower/ONNXToLinalg/ScalarOps.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"

namespace lathe {
#define GEN_PASS_DEF_FUSEEPILOGUE
#include "passes/Fuse/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

namespace {
/// Elementwise ops between a contraction and the one value that leaves them.
struct Group {
  SmallVector<Operation *> ops; ///< in order; the result of the last is used outside
  StringRef why;                ///< why there is no group
};
} // namespace

/// Finds the smallest group that takes every use of `result`: one consumer, or several that meet again, as in
/// x * sigmoid(x).
static Group findGroup(Value result) {
  constexpr size_t limit = 8;
  Group group;
  llvm::SmallSetVector<Operation *, 8> members;
  for (Operation *user : result.getUsers())
    members.insert(user);
  if (members.empty())
    return {{}, "the result is not used"};
  for (size_t rounds = 0; rounds < limit; ++rounds) {
    Operation *last = members.front();
    for (Operation *op : members) {
      if (op->getBlock() != members.front()->getBlock())
        return {{}, "consumers are in different blocks"};
      if (!onnx::isElementwise(op))
        return {{}, members.size() == 1 ? "the consumer is not elementwise" : "there are several consumers"};
      if (last->isBeforeInBlock(op))
        last = op;
    }
    size_t before = members.size();
    for (size_t i = 0; i < members.size(); ++i)
      if (members[i] != last)
        for (Operation *user : members[i]->getUsers())
          members.insert(user);
    if (members.size() > limit)
      return {{}, "there are several consumers"};
    if (members.size() == before) {
      group.ops.assign(members.begin(), members.end());
      llvm::sort(group.ops, [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
      return group;
    }
  }
  return {{}, "there are several consumers"};
}

/// The constant's one element for use inside an epilogue; null if it is none.
static TypedAttr getElement(Value value) {
  auto constant = value.getDefiningOp<onnx::ConstantOp>();
  if (!constant || constant.getValue().getNumElements() != 1)
    return {};
  if (std::optional<float> scalar = fuse::getScalar(value))
    return FloatAttr::get(Float32Type::get(value.getContext()), *scalar);
  if (auto dense = dyn_cast<DenseElementsAttr>(constant.getValue()))
    if (dense.getElementType().isSignlessInteger() || isa<FloatType>(dense.getElementType()))
      return dyn_cast<TypedAttr>(dense.getSplatValue<Attribute>());
  return {};
}

/// Whether `operand` broadcasts to `result` without enlarging it.
static bool broadcastsTo(RankedTensorType operand, RankedTensorType result) {
  if (!operand || operand.getRank() > result.getRank())
    return false;
  ArrayRef<int64_t> tail = result.getShape().take_back(operand.getRank());
  return llvm::all_of(llvm::zip(operand.getShape(), tail),
                      [](auto sizes) { return std::get<0>(sizes) == 1 || std::get<0>(sizes) == std::get<1>(sizes); });
}

/// Removes leading dimensions of size 1 from an extra: `[1, 1, 1, C]` is `[C]`.
static Value dropLeadingUnits(OpBuilder &builder, Value extra) {
  RankedTensorType type = fuse::getType(extra);
  SmallVector<int64_t> units;
  while (int64_t(units.size()) + 1 < type.getRank() && type.getDimSize(units.size()) == 1)
    units.push_back(units.size());
  if (units.empty() || !fuse::isConstantExpression(extra))
    return extra;
  return fuse::createSqueeze(builder, extra.getLoc(), extra, units);
}

/// Why the group cannot be taken; empty if it can.
static StringRef getRefusal(Value result, const Group &group) {
  RankedTensorType type = fuse::getType(result);
  for (Operation *op : group.ops) {
    RankedTensorType own = fuse::getType(op->getResult(0));
    if (!own || own.getShape() != type.getShape())
      return "the consumer changes the shape";
    if (!isa<FloatType>(own.getElementType()) && op == group.ops.back())
      return "the consumer's result is not floating-point";
    for (Value operand : op->getOperands()) {
      if (operand == result || llvm::is_contained(group.ops, operand.getDefiningOp()))
        continue;
      if (!broadcastsTo(fuse::getType(operand), type))
        return "an operand does not broadcast to the result";
    }
  }
  return {};
}

/// The shape in which an operand of elementwise ops on `whole` meets the same elements of `other`, which has these in
/// other dimensions before the last; nullopt where there is none.
static std::optional<RankedTensorType> getReshapedOperand(RankedTensorType operand, RankedTensorType whole,
                                                          RankedTensorType other) {
  if (operand.getShape() == whole.getShape())
    return operand.clone(other.getShape());
  ArrayRef<int64_t> shape = operand.getShape();
  bool varies = !shape.empty() && shape.back() != 1;
  if (!shape.empty() && llvm::any_of(shape.drop_back(), [](int64_t size) { return size != 1; }))
    return std::nullopt;
  if (!varies)
    return operand.getRank() > other.getRank() ? operand.clone(ArrayRef<int64_t>{1}) : operand;
  return operand.clone(shape.take_back(1));
}

/// A reshape between a convolution and elementwise consumers, which leaves the last dimension as it is, goes behind
/// them: the views of volumes are of this kind. Changes nothing where it cannot.
static void moveReshapeBehind(Value result) {
  auto reshape = result.hasOneUse() ? dyn_cast<onnx::ReshapeOp>(*result.user_begin()) : nullptr;
  if (!reshape || reshape.getData() != result)
    return;
  Value view = reshape.getReshaped();
  RankedTensorType own = fuse::getType(result), viewed = fuse::getType(view);
  if (!viewed || !fuse::canReshape(own) || !fuse::canReshape(viewed) || viewed.getRank() == 0 ||
      own.getShape().back() != viewed.getShape().back() || viewed.isDynamicDim(viewed.getRank() - 1))
    return;
  Group group = findGroup(view);
  if (group.ops.empty() || !getRefusal(view, group).empty())
    return;
  llvm::SmallMapVector<Value, RankedTensorType, 4> operands;
  for (Operation *op : group.ops)
    for (Value operand : op->getOperands()) {
      if (operand == view || llvm::is_contained(group.ops, operand.getDefiningOp()))
        continue;
      std::optional<RankedTensorType> type = getReshapedOperand(fuse::getType(operand), viewed, own);
      if (!type)
        return;
      operands.insert({operand, *type});
    }
  Operation *last = group.ops.back();
  OpBuilder builder(last);
  IRMapping mapping;
  mapping.map(view, result);
  for (auto [operand, type] : operands)
    mapping.map(operand,
                operand.getType() == type ? operand : fuse::createReshape(builder, operand.getLoc(), operand, type));
  for (Operation *op : group.ops) {
    Operation *moved = builder.clone(*op, mapping);
    moved->getResult(0).setType(fuse::getType(op->getResult(0)).clone(own.getShape()));
  }
  RankedTensorType type = fuse::getType(last->getResult(0));
  Value behind = fuse::createReshape(builder, reshape.getLoc(), mapping.lookup(last->getResult(0)), type);
  last->getResult(0).replaceAllUsesWith(behind);
  for (Operation *op : llvm::reverse(group.ops))
    op->erase();
  reshape->erase();
}

/// Moves the group into the epilogue. Fails, changing nothing, if an op has no scalar form.
template <typename OpT>
static LogicalResult take(OpT op, const Group &group) {
  OpBuilder builder(op);
  Location loc = op.getLoc();
  Operation *last = group.ops.back();
  Value result = op.getResult();
  Type element = fuse::getType(result).getElementType();

  // The new region is built apart, so that nothing is left behind on failure.
  Region region;
  IRMapping mapping;
  Value accumulator;
  if (op.getEpilogue().empty()) {
    region.emplaceBlock();
    accumulator = region.front().addArgument(element, loc);
  } else {
    op.getEpilogue().cloneInto(&region, mapping);
    auto yield = cast<nn::YieldOp>(region.front().back());
    accumulator = yield.getValue();
    yield.erase();
  }
  Block &body = region.front();
  builder.setInsertionPointToEnd(&body);

  llvm::SmallSetVector<Value, 4> extras;
  DenseMap<Value, Value> scalars;
  scalars[result] = accumulator;
  auto getScalarOf = [&](Value operand) {
    if (Value known = scalars.lookup(operand))
      return known;
    Value scalar;
    if (TypedAttr attribute = getElement(operand)) {
      scalar = arith::ConstantOp::create(builder, loc, attribute);
    } else {
      extras.insert(operand);
      scalar = body.addArgument(fuse::getType(operand).getElementType(), operand.getLoc());
    }
    return scalars[operand] = scalar;
  };
  for (Operation *consumer : group.ops) {
    SmallVector<Value> operands = llvm::map_to_vector(consumer->getOperands(), getScalarOf);
    Value scalar = createScalarOp(builder, consumer->getLoc(), consumer, operands);
    if (!scalar)
      return failure();
    scalars[consumer->getResult(0)] = scalar;
  }
  nn::YieldOp::create(builder, loc, scalars[last->getResult(0)]);

  // Operands of the group are defined before its last op, not before the contraction.
  op->moveBefore(last);
  op->setLoc(FusedLoc::get(op->getContext(), {loc, last->getLoc()}));
  builder.setInsertionPoint(op);
  SmallVector<Value> inputs = llvm::map_to_vector(extras, [&](Value v) { return dropLeadingUnits(builder, v); });
  op.getExtrasMutable().append(inputs);
  op.getEpilogue().takeBody(region);
  result.setType(last->getResult(0).getType());
  last->getResult(0).replaceAllUsesWith(result);
  for (Operation *consumer : llvm::reverse(group.ops))
    consumer->erase();
  return success();
}

template <typename OpT>
static void fuseConsumers(OpT op) {
  if (!op.getResult() || op.getInit())
    return;
  unsigned count = 0;
  for (;;) {
    // The passes that reduce tokens look for an encoder's sums in the shape of its tokens.
    if (isa<nn::ConvOp>(op))
      moveReshapeBehind(op.getResult());
    Group group = findGroup(op.getResult());
    StringRef why = group.ops.empty() ? group.why : getRefusal(op.getResult(), group);
    if (why.empty()) {
      SmallVector<StringRef> names =
          llvm::map_to_vector(group.ops, [](Operation *o) { return o->getName().stripDialect(); });
      if (failed(take(op, group)))
        why = "the consumer has no scalar form";
      else
        fuse::passed(op, "Epilogue") << remark::metric("Ops", llvm::join(names, "+"));
    }
    if (!why.empty()) {
      if (llvm::any_of(op->getUsers(), onnx::isElementwise))
        fuse::missed(op, "Epilogue") << remark::reason("stops after {0} steps: {1}", count, why);
      return;
    }
    ++count;
  }
}

namespace {
struct FuseEpilogue : lathe::impl::FuseEpilogueBase<FuseEpilogue> {
  void runOnOperation() override {
    SmallVector<Operation *> contractions;
    getOperation().walk([&](Operation *op) {
      if (isa<nn::ConvOp, nn::LinearOp, nn::MatMulOp>(op))
        contractions.push_back(op);
    });
    for (Operation *op : contractions)
      llvm::TypeSwitch<Operation *>(op).Case<nn::ConvOp, nn::LinearOp, nn::MatMulOp>(
          [](auto contraction) { fuseConsumers(contraction); });
  }
};
} // namespace

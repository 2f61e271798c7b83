//===- ReduceActivations.cpp - What contractions read, in 16 bits ---------===//
#include "dialects/NN/IR/NNDepthwise.h"
#include "dialects/NN/IR/NNDialect.h"
#include "dialects/NN/IR/NNPrecision.h"
#include "dialects/ONNX/IR/ONNXDialect.h"
#include "lib/Target/TargetFamily.h"
#include "mlir/IR/Remarks.h"
#include "passes/Compress/Passes.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/TypeSwitch.h"

namespace lathe {
#define GEN_PASS_DEF_COMPRESSREDUCEACTIVATIONS
#include "passes/Compress/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

static remark::RemarkOpts remarkOptions() { return remark::RemarkOpts::name("ReduceActivations").category("compress"); }

/// A cast reads and writes an element for so many multiply-adds with it that become cheaper.
static constexpr int64_t kMacsPerElement = 64;

static Type elementTypeOf(Value value) { return cast<ShapedType>(value.getType()).getElementType(); }

static bool isF32(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.getElementType().isF32();
}

/// Elements for symbolic dimensions of 1.
static int64_t countElements(Value value) {
  int64_t elements = 1;
  for (int64_t size : cast<ShapedType>(value.getType()).getShape())
    elements *= ShapedType::isDynamic(size) ? 1 : size;
  return elements;
}

/// nn.conv, nn.linear and nn.matmul can store any element type from their epilogue.
static bool hasEpilogue(Operation *op) { return isa<nn::ConvOp, nn::LinearOp, nn::MatMulOp>(op); }

/// Whether the op hands on elements as they are.
static bool isMovement(Operation *op) {
  return isa<onnx::ConcatOp, onnx::FlattenOp, onnx::IdentityOp, onnx::ReshapeOp, onnx::SliceOp, onnx::SplitOp,
             onnx::SqueezeOp, onnx::TransposeOp, onnx::UnsqueezeOp>(op);
}

/// The operands whose elements a movement hands on; others are sizes and axes.
static MutableArrayRef<OpOperand> getMoved(Operation *op) {
  return isa<onnx::ConcatOp>(op) ? op->getOpOperands() : op->getOpOperands().take_front(1);
}

namespace {

/// Narrows values of one function to bf16 or f16: decides first, on unchanged IR, and rewrites then.
class Narrowing {
public:
  Narrowing(func::FuncOp function, Type narrow) : function(function), builder(function.getContext()), narrow(narrow) {}

  void run() {
    choose();
    rewrite();
  }

private:
  /// The operand that a contraction with a narrow weight multiplies, if its kernel could take it narrow, too.
  OpOperand *getCandidate(Operation *op);
  /// Why its kernel should not; empty where it should.
  StringRef findObstacle(Operation *op);
  /// The narrow value that a cast made this one of; null if it is no cast.
  Value getNarrowSource(Value value);
  void choose();
  void chooseAttention(nn::AttentionOp op);
  bool canHold(Value value);
  void hold(Value value);
  bool reads(OpOperand &use);
  void narrowEpilogue(Operation *op);
  void widenExtra(OpOperand &use);
  void rewrite();
  RankedTensorType narrowed(Value value) {
    return RankedTensorType::get(cast<ShapedType>(value.getType()).getShape(), narrow);
  }

  func::FuncOp function;
  OpBuilder builder;
  Type narrow;                         ///< bf16 or f16
  DenseMap<Value, bool> holders;       ///< memory of canHold
  llvm::SetVector<Value> held;         ///< values that exist in the narrow type only
  llvm::SetVector<OpOperand *> chosen; ///< inputs of contractions, and of attention, that become narrow
};

} // namespace

OpOperand *Narrowing::getCandidate(Operation *op) {
  OpOperand *input = nullptr;
  Value weight;
  if (auto linear = dyn_cast<nn::LinearOp>(op)) {
    input = &linear.getInputMutable();
    weight = linear.getWeight();
  } else if (auto conv = dyn_cast<nn::ConvOp>(op); conv && !isDepthwise(conv)) {
    input = &conv.getInputMutable();
    weight = conv.getWeight();
    // Two steps of the reduction are multiplied at once: no group may end between them.
    if (narrow.isBF16() && conv.getGroup() > 1 && cast<ShapedType>(weight.getType()).getDimSize(2) % 2)
      return nullptr;
  }
  return input && isF32(input->get()) && elementTypeOf(weight) == narrow ? input : nullptr;
}

Value Narrowing::getNarrowSource(Value value) {
  auto cast = value.getDefiningOp<onnx::CastOp>();
  return cast && elementTypeOf(cast.getInput()) == narrow ? cast.getInput() : Value();
}

/// Steps of the reduction whose operands are neighbours in memory: of a convolution the taps of a line, where nothing
/// lies between them.
static int64_t countNeighbours(Operation *op) {
  ArrayRef<int64_t> weight = cast<ShapedType>(op->getOperand(1).getType()).getShape();
  auto conv = dyn_cast<nn::ConvOp>(op);
  if (!conv || weight.size() != 4)
    return weight.front();
  return conv.getGroup() == 1 && conv.getDilations()[1] == 1 ? weight[1] * weight[2] : weight[2];
}

StringRef Narrowing::findObstacle(Operation *op) {
  nn::TargetAttr target = nn::getTarget(op);
  if (nn::hasTensorCores(target))
    return "";
  if (narrow.isBF16())
    return target.getBf16Product() == "none" ? "target multiplies f32 as fast" : "";
  const TargetFamily *family = findTargetFamily(target);
  if (!family || !family->getHalfProduct(target))
    return "target has no arithmetic of f16";
  // Sums of shorter blocks are added to f32 so often that nothing is gained.
  return countNeighbours(op) < nn::kHalfBlock ? "reduction is too short for sums in f16" : "";
}

/// Whether the producer can store the value in 16 bits for nothing.
bool Narrowing::canHold(Value value) {
  Operation *producer = value.getDefiningOp();
  if (!producer || !isF32(value))
    return false;
  if (auto known = holders.find(value); known != holders.end())
    return known->second;
  bool can = hasEpilogue(producer) || isa<nn::NormOp, nn::AttentionOp, nn::PoolOp>(producer) ||
             (isMovement(producer) &&
              llvm::all_of(getMoved(producer), [&](OpOperand &moved) { return canHold(moved.get()); }));
  holders[value] = can;
  return can;
}

void Narrowing::hold(Value value) {
  if (!held.insert(value))
    return;
  Operation *producer = value.getDefiningOp();
  if (auto pool = dyn_cast<nn::PoolOp>(producer)) {
    // The maximum of rounded values is the rounded maximum.
    if (pool.getKind() == nn::PoolKind::Max && canHold(pool.getInput()))
      hold(pool.getInput());
  } else if (isMovement(producer)) {
    for (OpOperand &moved : getMoved(producer))
      hold(moved.get());
    for (Value result : producer->getResults())
      hold(result);
  }
}

void Narrowing::choose() {
  llvm::MapVector<Value, SmallVector<OpOperand *>> readers;
  function.walk([&](Operation *op) {
    OpOperand *input = getCandidate(op);
    if (!input)
      return;
    if (StringRef obstacle = findObstacle(op); obstacle.empty())
      readers[input->get()].push_back(input);
    else
      remark::missed(op->getLoc(), remarkOptions()) << remark::reason("{0}", obstacle);
  });
  for (auto &[value, inputs] : readers) {
    bool holds = canHold(value), pays = holds || getNarrowSource(value);
    if (!pays) {
      int64_t macs = 0;
      for (OpOperand *input : inputs) {
        Value weight = input->getOwner()->getOperand(1);
        int64_t columns = cast<ShapedType>(weight.getType()).getShape().back();
        macs +=
            countElements(input->getOwner()->getResult(0)) * (countElements(weight) / std::max<int64_t>(columns, 1));
      }
      pays = macs >= kMacsPerElement * countElements(value);
    }
    for (OpOperand *input : inputs) {
      if (!pays) {
        remark::missed(input->getOwner()->getLoc(), remarkOptions()) << remark::reason("too little work for a cast");
        continue;
      }
      remark::passed(input->getOwner()->getLoc(), remarkOptions())
          << remark::metric("Elements", countElements(value))
          << remark::metric("Stored", holds ? "by its producer" : "by a cast");
      chosen.insert(input);
    }
    if (holds)
      hold(value);
  }
  function.walk([&](nn::AttentionOp op) {
    if (nn::allowsNarrow(op, narrow))
      chooseAttention(op);
  });
}

/// Query, key and value become narrow where their producers can store them so, or where a cast pays: a query meets each
/// key twice, a key each query, and so does a value.
void Narrowing::chooseAttention(nn::AttentionOp op) {
  auto rows = [](Value value, bool headsFirst) {
    int64_t size = cast<ShapedType>(value.getType()).getDimSize(headsFirst ? 2 : 1);
    return ShapedType::isDynamic(size) ? 1 : size;
  };
  int64_t queries = rows(op.getQuery(), op.getHeadsFirst()), keys = rows(op.getKey(), op.getKvHeadsFirst());
  std::pair<OpOperand *, int64_t> operands[] = {
      {&op.getQueryMutable(), 2 * keys}, {&op.getKeyMutable(), queries}, {&op.getValueMutable(), queries}};
  auto pays = [&](std::pair<OpOperand *, int64_t> operand) {
    Value value = operand.first->get();
    return isF32(value) && (canHold(value) || getNarrowSource(value) || operand.second >= kMacsPerElement);
  };
  if (!llvm::all_of(operands, pays)) {
    remark::missed(op.getLoc(), remarkOptions()) << remark::reason("too little work for casts of query, key and value");
    return;
  }
  for (auto [operand, macs] : operands) {
    bool holds = canHold(operand->get());
    remark::passed(op.getLoc(), remarkOptions()) << remark::metric("Elements", countElements(operand->get()))
                                                 << remark::metric("Stored", holds ? "by its producer" : "by a cast");
    chosen.insert(operand);
    if (holds)
      hold(operand->get());
  }
}

/// Whether the op reads a held value as it is.
bool Narrowing::reads(OpOperand &use) {
  Operation *op = use.getOwner();
  if (chosen.contains(&use))
    return true;
  unsigned number = use.getOperandNumber();
  if (isMovement(op))
    return held.contains(op->getResult(0)) && number < getMoved(op).size();
  if (isa<nn::NormOp, nn::PoolOp>(op))
    return number == 0;
  if (auto conv = dyn_cast<nn::ConvOp>(op); conv && number == 0)
    return isDepthwise(conv);
  auto isExtra = [&](auto kernel) {
    unsigned first = kernel.getExtras().empty() ? 0 : kernel.getExtras().getBeginOperandIndex();
    return !kernel.getExtras().empty() && number >= first && number < first + kernel.getExtras().size();
  };
  return llvm::TypeSwitch<Operation *, bool>(op).Case<nn::ConvOp, nn::LinearOp, nn::MatMulOp>(isExtra).Default(false);
}

/// The epilogue rounds what it yields.
void Narrowing::narrowEpilogue(Operation *op) {
  Region &region = op->getRegion(0);
  if (region.empty()) {
    Value accumulator = region.emplaceBlock().addArgument(builder.getF32Type(), op->getLoc());
    builder.setInsertionPointToStart(&region.front());
    nn::YieldOp::create(builder, op->getLoc(), accumulator);
  }
  auto yield = cast<nn::YieldOp>(region.front().getTerminator());
  builder.setInsertionPoint(yield);
  yield.getValueMutable().assign(arith::TruncFOp::create(builder, op->getLoc(), narrow, yield.getValue()));
}

/// The epilogue extends an extra before it computes on it.
void Narrowing::widenExtra(OpOperand &use) {
  Operation *op = use.getOwner();
  Block &body = op->getRegion(0).front();
  // Arguments are the accumulator and the extras, which are the last operands of ops without a destination.
  BlockArgument argument = body.getArgument(body.getNumArguments() - (op->getNumOperands() - use.getOperandNumber()));
  builder.setInsertionPointToStart(&body);
  auto wide = arith::ExtFOp::create(builder, op->getLoc(), argument.getType(), argument);
  argument.setType(narrow);
  argument.replaceAllUsesExcept(wide, wide);
}

void Narrowing::rewrite() {
  DenseMap<Value, Value> casts;
  constexpr int64_t onnxFloat = 1, onnxFloat16 = 10, onnxBFloat16 = 16;
  for (OpOperand *input : chosen) {
    Value value = input->get();
    if (held.contains(value))
      continue;
    Value &rounded = casts[value];
    if (Value source = getNarrowSource(value))
      rounded = source;
    if (!rounded) {
      builder.setInsertionPointAfterValue(value);
      rounded = onnx::CastOp::create(builder, value.getLoc(), narrowed(value), value,
                                     narrow.isF16() ? onnxFloat16 : onnxBFloat16);
    }
    input->set(rounded);
  }
  for (Value value : held) {
    Operation *producer = value.getDefiningOp();
    SmallVector<OpOperand *> others;
    for (OpOperand &use : value.getUses()) {
      if (!reads(use))
        others.push_back(&use);
      else if (hasEpilogue(use.getOwner()) && use.getOperandNumber() >= 2)
        widenExtra(use);
    }
    Type wide = value.getType();
    value.setType(narrowed(value));
    if (hasEpilogue(producer))
      narrowEpilogue(producer);
    if (others.empty())
      continue;
    builder.setInsertionPointAfter(producer);
    auto cast = onnx::CastOp::create(builder, value.getLoc(), wide, value, onnxFloat);
    for (OpOperand *use : others)
      use->set(cast);
  }
}

namespace {
struct CompressReduceActivations : lathe::impl::CompressReduceActivationsBase<CompressReduceActivations> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    for (Type narrow : {Type(BFloat16Type::get(&getContext())), Type(Float16Type::get(&getContext()))})
      Narrowing(function, narrow).run();
  }
};
} // namespace

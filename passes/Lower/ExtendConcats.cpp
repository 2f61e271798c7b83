//===- ExtendConcats.cpp - Concatenations that begin with one another -----===//
#include "dialects/ONNX/IR/ONNXDialect.h"
#include "mlir/IR/Remarks.h"
#include "passes/Lower/Passes.h"

namespace lathe {
#define GEN_PASS_DEF_LOWEREXTENDCONCATS
#include "passes/Lower/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

namespace {

/// A concatenation, and what it consists of once concatenations among its operands are taken apart.
struct Concat {
  onnx::ConcatOp op;
  int64_t axis;
  SmallVector<Value> parts;
};

/// Concatenations in the order of the block, each of which begins with all of the one before.
using Chain = SmallVector<Concat>;

} // namespace

static bool isStatic(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.hasStaticShape();
}

static int64_t getAxis(onnx::ConcatOp op) {
  int64_t axis = op.getAxis();
  return axis < 0 ? axis + cast<RankedTensorType>(op.getResult().getType()).getRank() : axis;
}

/// Adds what a value consists of; empty tensors are no part.
static void addParts(Value value, int64_t axis, SmallVectorImpl<Value> &parts) {
  if (isStatic(value) && cast<RankedTensorType>(value.getType()).getNumElements() == 0)
    return;
  auto concat = value.getDefiningOp<onnx::ConcatOp>();
  if (!concat || !isStatic(value) || getAxis(concat) != axis)
    return parts.push_back(value);
  for (Value operand : concat.getInputs())
    addParts(operand, axis, parts);
}

static std::optional<Concat> getConcat(Operation &op) {
  auto concat = dyn_cast<onnx::ConcatOp>(op);
  if (!concat)
    return std::nullopt;
  if (!isStatic(concat.getResult()) || !getElementTypeOrSelf(concat.getResult()).isFloat())
    return std::nullopt;
  Concat result{concat, getAxis(concat), {}};
  addParts(concat.getResult(), result.axis, result.parts);
  if (!llvm::all_of(result.parts, isStatic))
    return std::nullopt;
  return result;
}

/// Whether `next` can be written behind `last` in the same tensor: nobody but it reads `last` later.
static bool extends(const Concat &next, const Concat &last) {
  if (next.axis != last.axis || last.parts.empty() || next.parts.size() <= last.parts.size() ||
      ArrayRef(next.parts).take_front(last.parts.size()) != ArrayRef(last.parts))
    return false;
  return llvm::all_of(last.op->getUsers(), [&](Operation *user) {
    Operation *ancestor = next.op->getBlock()->findAncestorOpInBlock(*user);
    return ancestor && (ancestor == next.op || ancestor->isBeforeInBlock(next.op)) &&
           !ancestor->hasTrait<OpTrait::IsTerminator>();
  });
}

static SmallVector<Chain> findChains(Block &block) {
  SmallVector<Chain> chains;
  for (Operation &op : block) {
    std::optional<Concat> concat = getConcat(op);
    if (!concat)
      continue;
    Chain *best = nullptr;
    for (Chain &chain : chains)
      if (extends(*concat, chain.back()) && (!best || chain.back().parts.size() > best->back().parts.size()))
        best = &chain;
    if (best)
      best->push_back(std::move(*concat));
    else
      chains.push_back({std::move(*concat)});
  }
  llvm::erase_if(chains, [](const Chain &chain) { return chain.size() < 2; });
  return chains;
}

/// Offsets and sizes of [begin, begin + size) of dimension `axis` of a tensor that is whole otherwise.
static std::array<SmallVector<OpFoldResult>, 3> makeSlice(Builder &builder, ArrayRef<int64_t> shape, int64_t axis,
                                                          int64_t begin, int64_t size) {
  SmallVector<OpFoldResult> offsets(shape.size(), builder.getIndexAttr(0)),
      sizes = getAsIndexOpFoldResult(builder.getContext(), shape), strides(shape.size(), builder.getIndexAttr(1));
  offsets[axis] = builder.getIndexAttr(begin);
  sizes[axis] = builder.getIndexAttr(size);
  return {offsets, sizes, strides};
}

static void rewrite(Chain &chain) {
  int64_t axis = chain.back().axis;
  auto whole = cast<RankedTensorType>(chain.back().op.getResult().getType());
  OpBuilder builder(chain.front().op);
  Value tensor = tensor::EmptyOp::create(builder, chain.front().op.getLoc(), whole.getShape(), whole.getElementType());
  int64_t size = 0;
  size_t done = 0;
  for (Concat &concat : chain) {
    Location loc = concat.op.getLoc();
    builder.setInsertionPoint(concat.op);
    for (Value part : ArrayRef(concat.parts).drop_front(done)) {
      int64_t length = cast<RankedTensorType>(part.getType()).getDimSize(axis);
      auto [offsets, sizes, strides] = makeSlice(builder, whole.getShape(), axis, size, length);
      tensor = tensor::InsertSliceOp::create(builder, loc, part, tensor, offsets, sizes, strides);
      size += length;
    }
    done = concat.parts.size();
    auto [offsets, sizes, strides] = makeSlice(builder, whole.getShape(), axis, 0, size);
    Value result = size == whole.getDimSize(axis)
                       ? tensor
                       : tensor::ExtractSliceOp::create(builder, loc, tensor, offsets, sizes, strides).getResult();
    concat.op.getResult().replaceAllUsesWith(result);
  }
  for (Concat &concat : llvm::reverse(chain))
    concat.op->erase();
}

namespace {

struct LowerExtendConcats : lathe::impl::LowerExtendConcatsBase<LowerExtendConcats> {
  void runOnOperation() override {
    SmallVector<Chain> chains;
    getOperation().walk([&](Block *block) { chains.append(findChains(*block)); });
    for (Chain &chain : chains) {
      remark::passed(chain.back().op.getLoc(),
                     remark::RemarkOpts::name("ExtendConcats").category("lower").function(getOperation().getName()))
          << remark::metric("Concats", int64_t(chain.size()));
      rewrite(chain);
    }
  }
};

} // namespace

//===- WriteInPlace.cpp - Results where an operand was --------------------===//
#include "dialects/NN/IR/NNDialect.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Remarks.h"
#include "passes/Codegen/CPU/Kernels.h"
#include "passes/Codegen/Common/SizeBounds.h"
#include "passes/Codegen/Passes.h"
#include "llvm/ADT/TypeSwitch.h"

namespace lathe {
#define GEN_PASS_DEF_WRITEINPLACEPASS
#include "passes/Codegen/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

/// Buffers below this share of the second cache stay there anyway; what another thread wrote last is then better read
/// only than taken over.
static constexpr int64_t kLeastShare = 16;

/// Operands of which the kernel reads each element right before it writes the same one of its destination, and only
/// then.
static SmallVector<OpOperand *> findElementwiseOperands(Operation *op) {
  SmallVector<OpOperand *> operands;
  auto addExtras = [&](auto kernel) {
    for (OpOperand &extra : kernel.getExtrasMutable())
      operands.push_back(&extra);
  };
  TypeSwitch<Operation *>(op)
      .Case([&](nn::LinearOp linear) {
        if (!cpu::addsUpInDestination(linear))
          addExtras(linear);
      })
      .Case([&](nn::ConvOp conv) {
        if (conv.getGroup() == 1 && !cpu::addsUpInDestination(conv))
          addExtras(conv);
      })
      .Case([&](nn::WinogradConvOp conv) { addExtras(conv); })
      .Case([&](linalg::GenericOp generic) {
        if (!linalg::isElementwise(generic))
          return;
        for (OpOperand *input : generic.getDpsInputOperands())
          if (generic.getMatchingIndexingMap(input).isIdentity())
            operands.push_back(input);
      });
  return operands;
}

static Value getDestination(Operation *op) {
  if (auto generic = dyn_cast<linalg::GenericOp>(op))
    return generic.getNumDpsInits() == 1 ? generic.getDpsInits()[0] : Value();
  auto kernel = dyn_cast<nn::KernelOpInterface>(op);
  return kernel ? kernel.getDestination() : Value();
}

static bool mayWrite(OpOperand &use) {
  if (auto linalgOp = dyn_cast<linalg::LinalgOp>(use.getOwner()))
    return linalgOp.isDpsInit(&use);
  auto effects = dyn_cast<MemoryEffectOpInterface>(use.getOwner());
  return !effects || effects.getEffectOnValue<MemoryEffects::Write>(use.get());
}

namespace {

/// A buffer as an op sees it: all of it, or a part.
struct Place {
  memref::AllocOp buffer;
  memref::SubViewOp part;

  static std::optional<Place> of(Value value) {
    Place place;
    if ((place.part = value.getDefiningOp<memref::SubViewOp>()))
      value = place.part.getSource();
    place.buffer = value.getDefiningOp<memref::AllocOp>();
    if (!place.buffer || !place.buffer.getType().hasStaticShape())
      return std::nullopt;
    return place;
  }
};

bool isSamePart(memref::SubViewOp a, memref::SubViewOp b) {
  return a.getMixedOffsets() == b.getMixedOffsets() && a.getMixedSizes() == b.getMixedSizes() &&
         a.getMixedStrides() == b.getMixedStrides();
}

/// Whether no two iterations see the same elements of a part: it moves with the loop along a dimension.
bool movesWith(memref::SubViewOp part, scf::ForOp loop) {
  std::optional<int64_t> step = getConstantIntValue(loop.getStep());
  for (auto [offset, size, stride] : llvm::zip(part.getMixedOffsets(), part.getMixedSizes(), part.getMixedStrides())) {
    std::optional<int64_t> length = getConstantIntValue(size);
    if (dyn_cast<Value>(offset) == loop.getInductionVar() && step && length && *step >= *length &&
        getConstantIntValue(stride) == 1)
      return true;
  }
  return false;
}

/// Lets one op write its result over an operand.
class InPlace {
public:
  InPlace(Operation *op, const Place &operand, const Place &result) : op(op), operand(operand), result(result) {}

  /// False, with nothing changed, where the operand is needed later, or the result's buffer was written before.
  bool apply() {
    if (operand.buffer == result.buffer || operand.buffer.getType() != result.buffer.getType() ||
        operand.buffer->getBlock() != result.buffer->getBlock() || bool(operand.part) != bool(result.part) ||
        (operand.part && !isSamePart(operand.part, result.part)))
      return false;
    // All of both, or, in one iteration of a loop over parts, a part.
    anchor = op->getBlock() == operand.buffer->getBlock() ? op : op->getParentOp();
    auto loop = dyn_cast<scf::ForOp>(anchor);
    if (anchor != op && (!loop || !operand.part || !movesWith(operand.part, loop)))
      return false;
    if (anchor->getBlock() != operand.buffer->getBlock() || !isUsedUntilOp() || !isUsedFromOp())
      return false;
    for (linalg::FillOp fill : repeatedFills)
      fill.erase();
    if (result.buffer->isBeforeInBlock(operand.buffer))
      operand.buffer->moveBefore(result.buffer);
    result.buffer.getResult().replaceAllUsesWith(operand.buffer.getResult());
    result.buffer.erase();
    return true;
  }

private:
  using Visitor = function_ref<bool(OpOperand &use, memref::SubViewOp part)>;

  /// Visits the uses of a buffer through views; `part` is what the first of these cuts out of it, if it is a subview.
  /// False where one returns false, or hands the buffer on in a way that is not followed.
  static bool visitUses(Value value, memref::SubViewOp part, Visitor visit) {
    for (OpOperand &use : value.getUses()) {
      Operation *user = use.getOwner();
      if (auto view = dyn_cast<ViewLikeOpInterface>(user)) {
        auto subview = dyn_cast<memref::SubViewOp>(user);
        bool isFirst = value.getDefiningOp<memref::AllocOp>() != nullptr;
        if (!visitUses(user->getResult(0), isFirst ? subview : part, visit))
          return false;
      } else if (user->getNumResults() != 0 || user->hasTrait<OpTrait::IsTerminator>() || !visit(use, part)) {
        return false;
      }
    }
    return true;
  }

  /// Where a user stands in relation to the op: -1 before, 1 after; nullopt if neither is known.
  std::optional<int> compare(Operation *user, memref::SubViewOp part, memref::SubViewOp opPart) {
    Operation *ancestor = anchor->getBlock()->findAncestorOpInBlock(*user);
    if (!ancestor)
      return std::nullopt;
    if (ancestor != anchor)
      return ancestor->isBeforeInBlock(anchor) ? -1 : 1;
    // In the loop: other iterations must not touch this part.
    Operation *inLoop = op->getBlock()->findAncestorOpInBlock(*user);
    if (anchor == op || !inLoop || !part || !isSamePart(part, opPart))
      return std::nullopt;
    return inLoop->isBeforeInBlock(op) ? -1 : 1;
  }

  bool isUsedUntilOp() {
    SmallVector<OpOperand *> allowed = findElementwiseOperands(op);
    return visitUses(operand.buffer, {}, [&](OpOperand &use, memref::SubViewOp part) {
      Operation *user = use.getOwner();
      if (user == op)
        return llvm::is_contained(allowed, &use) && use.get().getType() == getDestination(op).getType();
      if (auto fill = dyn_cast<linalg::FillOp>(user))
        fills.push_back({fill, part});
      else if (mayWrite(use) && !(part && operand.part && isSamePart(part, operand.part)))
        keepsBorder = false;
      return compare(user, part, operand.part) == -1;
    });
  }

  bool isUsedFromOp() {
    return visitUses(result.buffer, {}, [&](OpOperand &use, memref::SubViewOp part) {
      Operation *user = use.getOwner();
      if (user == op)
        return use.get() == getDestination(op);
      if (auto fill = dyn_cast<linalg::FillOp>(user); fill && keepsBorder && isRepeated(fill, part)) {
        repeatedFills.push_back(fill);
        return true;
      }
      return compare(user, part, result.part) == 1;
    });
  }

  /// Whether the operand's buffer has the same border.
  bool isRepeated(linalg::FillOp fill, memref::SubViewOp part) {
    return llvm::any_of(fills, [&](auto &other) {
      return part && other.second && isSamePart(part, other.second) &&
             fill.getInputs()[0] == other.first.getInputs()[0];
    });
  }

  Operation *op, *anchor = nullptr; ///< the op, or the loop around it
  Place operand, result;
  SmallVector<std::pair<linalg::FillOp, memref::SubViewOp>> fills; ///< of the operand's buffer: borders
  SmallVector<linalg::FillOp> repeatedFills;                       ///< equal ones, of the result's buffer
  bool keepsBorder = true; ///< whether the operand's buffer holds what it was filled with, around the part
};

struct WriteInPlacePass : lathe::impl::WriteInPlacePassBase<WriteInPlacePass> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    auto options = remark::RemarkOpts::name("WriteInPlace").category("codegen").function(function.getName());
    SmallVector<Operation *> ops;
    function.walk([&](Operation *op) {
      if (getDestination(op))
        ops.push_back(op);
    });
    for (Operation *op : ops) {
      Value destination = getDestination(op);
      auto type = cast<MemRefType>(destination.getType());
      int64_t bytes =
          type.hasStaticShape() ? type.getNumElements() * codegen::getElementBytes(type.getElementType()) : 0;
      if (bytes < nn::getTarget(op).getL2Bytes() / kLeastShare)
        continue;
      for (OpOperand *input : findElementwiseOperands(op)) {
        if (input->get().getType() != type)
          continue;
        std::optional<Place> operand = Place::of(input->get()), result = Place::of(destination);
        if (!operand || !result)
          continue;
        if (InPlace(op, *operand, *result).apply()) {
          remark::passed(op->getLoc(), options) << remark::metric("Bytes", bytes);
          break;
        }
        remark::missed(op->getLoc(), options)
            << remark::reason("the operand is needed later, or is not a buffer alone");
      }
    }
  }
};

} // namespace

//===- PadInPlace.cpp - Producers write into padded buffers ---------------===//
#include "dialects/NN/IR/NNDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Dominance.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Remarks.h"
#include "passes/Codegen/Common/Signature.h"
#include "passes/Codegen/Passes.h"

namespace lathe {
#define GEN_PASS_DEF_PADINPLACEPASS
#include "passes/Codegen/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;
using namespace lathe::codegen;

/// The operand of `op` that is a `tensor.empty` it writes its result to; null if there is none.
static OpOperand *findEmptyDestination(Operation *op) {
  if (!op)
    return nullptr;
  auto isEmpty = [](OpOperand &operand) {
    return operand.get().getDefiningOp<tensor::EmptyOp>() != nullptr;
  };
  if (auto kernel = dyn_cast<nn::KernelOpInterface>(op)) {
    for (OpOperand &operand : op->getOpOperands())
      if (operand.get() == kernel.getDestination() && isEmpty(operand))
        return &operand;
    return nullptr;
  }
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  if (linalgOp && linalgOp.getNumDpsInits() == 1 && isEmpty(*linalgOp.getDpsInitOperand(0)))
    return linalgOp.getDpsInitOperand(0);
  return nullptr;
}

namespace {

/// What lies around the inserted slice, along one dimension.
struct Border {
  int64_t low = 0, high = 0;
};

struct PadInPlacePass : lathe::impl::PadInPlacePassBase<PadInPlacePass> {
  void runOnOperation() override {
    separateDestinations();
    SmallVector<tensor::InsertSliceOp> insertions;
    getOperation().walk([&](tensor::InsertSliceOp op) {
      if (op.hasUnitStride() && op.getSourceType().getRank() == op.getDestType().getRank() &&
          op.getDest().getDefiningOp<linalg::FillOp>())
        insertions.push_back(op);
    });
    SmallVector<linalg::FillOp> fills;
    for (tensor::InsertSliceOp insertion : insertions) {
      fills.push_back(insertion.getDest().getDefiningOp<linalg::FillOp>());
      rewrite(insertion);
    }
    // Bufferisation would fill a buffer that nobody reads.
    for (linalg::FillOp fill : llvm::SetVector<linalg::FillOp>(fills.begin(), fills.end()))
      if (fill.use_empty())
        fill.erase();
  }

  /// Each op, and each value that a loop carries, gets a `tensor.empty` of its own, right before it: equal ones were merged, but they
  /// are different buffers, and one outside of a loop would be alive from its begin to its end.
  void separateDestinations() {
    SmallVector<OpOperand *> operands;
    getOperation().walk([&](Operation *op) {
      OpOperand *operand = findEmptyDestination(op);
      if (operand && (!operand->get().hasOneUse() || operand->get().getParentBlock() != op->getBlock()))
        operands.push_back(operand);
      if (auto loop = dyn_cast<scf::ForOp>(op))
        for (OpOperand &init : loop.getInitArgsMutable())
          if (init.get().getDefiningOp<tensor::EmptyOp>() && !init.get().hasOneUse())
            operands.push_back(&init);
    });
    for (OpOperand *operand : operands) {
      OpBuilder builder(operand->getOwner());
      operand->set(builder.clone(*operand->get().getDefiningOp())->getResult(0));
    }
    // The same for part of one: rows with space between them.
    getOperation().walk([&](nn::KernelOpInterface op) {
      auto slice = op.getDestination() ? op.getDestination().getDefiningOp<tensor::ExtractSliceOp>() : nullptr;
      auto empty = slice ? slice.getSource().getDefiningOp<tensor::EmptyOp>() : nullptr;
      if (!empty || (slice->hasOneUse() && empty->hasOneUse() && empty->getBlock() == op->getBlock()))
        return;
      OpBuilder builder(op);
      IRMapping mapping;
      builder.clone(*empty, mapping);
      op.setDestination(builder.clone(*slice, mapping)->getResult(0));
    });
  }

  void rewrite(tensor::InsertSliceOp insertion) {
    auto fill = insertion.getDest().getDefiningOp<linalg::FillOp>();
    auto empty = fill.getOutputs()[0].getDefiningOp<tensor::EmptyOp>();
    SmallVector<Border> borders;
    if (!empty || !findBorders(insertion, empty, borders)) {
      remark::missed(insertion.getLoc(), remark::RemarkOpts::name("PadInPlace").category("codegen"))
          << remark::reason("the borders are not of constant size");
      return;
    }
    Operation *producer = findPlace(insertion, fill, empty);
    OpBuilder builder(producer ? producer : insertion.getOperation());
    auto loc = insertion.getLoc();
    Value padded = builder.clone(*empty)->getResult(0);
    SmallVector<OpFoldResult> offsets(borders.size(), builder.getIndexAttr(0));
    SmallVector<OpFoldResult> sizes = empty.getMixedSizes();
    for (size_t dim = 0; dim < borders.size(); ++dim) {
      const Border &border = borders[dim];
      if (!border.low && !border.high)
        continue;
      int64_t total = empty.getType().getDimSize(dim);
      for (auto [begin, length] :
           {std::pair(int64_t(0), border.low), std::pair(total - border.high, border.high)}) {
        if (!length)
          continue;
        offsets[dim] = builder.getIndexAttr(begin);
        sizes[dim] = builder.getIndexAttr(length);
        padded = fillSlice(builder, loc, padded, fill.getInputs()[0], offsets, sizes);
      }
      // The corners are done: the other borders run along the inside only.
      offsets[dim] = builder.getIndexAttr(border.low);
      sizes[dim] = builder.getIndexAttr(total - border.low - border.high);
    }
    insertion.getDestMutable().assign(padded);
    auto options = remark::RemarkOpts::name("PadInPlace").category("codegen");
    if (producer)
      remark::passed(loc, options) << "only the borders are filled, the producer writes inside";
    else
      remark::missed(loc, options)
          << remark::reason("what is padded has no producer to write it in place");
  }

  /// Borders of constant size around the slice; false if they are not.
  static bool findBorders(tensor::InsertSliceOp insertion, tensor::EmptyOp empty,
                          SmallVectorImpl<Border> &borders) {
    SmallVector<OpFoldResult> offsets = insertion.getMixedOffsets(),
                              sizes = insertion.getMixedSizes();
    SmallVector<OpFoldResult> totals = empty.getMixedSizes();
    for (auto [offset, size, total] : llvm::zip(offsets, sizes, totals)) {
      std::optional<int64_t> low = getConstantIntValue(offset);
      if (!low)
        return false;
      if (*low == 0 && isEqualConstantIntOrValue(size, total)) {
        borders.push_back({});
        continue;
      }
      std::optional<int64_t> inside = getConstantIntValue(size), whole = getConstantIntValue(total);
      if (!inside || !whole)
        return false;
      borders.push_back({*low, *whole - *low - *inside});
    }
    return true;
  }

  /// The producer of the inserted slice, if the padded buffer can be made before it.
  static Operation *findPlace(tensor::InsertSliceOp insertion, linalg::FillOp fill,
                              tensor::EmptyOp empty) {
    Operation *producer = insertion.getSource().getDefiningOp();
    if (!findEmptyDestination(producer) || producer->getBlock() != insertion->getBlock())
      return nullptr;
    Operation *destination = findEmptyDestination(producer)->get().getDefiningOp();
    DominanceInfo dominance;
    SmallVector<Value> needed(empty.getDynamicSizes());
    needed.push_back(fill.getInputs()[0]);
    llvm::append_range(needed, insertion.getSizes());
    for (Value value : needed)
      if (!dominance.dominates(value, destination))
        return nullptr;
    return destination;
  }

  static Value fillSlice(OpBuilder &builder, Location loc, Value tensor, Value value,
                         ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes) {
    SmallVector<OpFoldResult> strides(offsets.size(), builder.getIndexAttr(1));
    Value slice = tensor::ExtractSliceOp::create(builder, loc, tensor, offsets, sizes, strides);
    Value filled = linalg::FillOp::create(builder, loc, value, slice).getResult(0);
    return tensor::InsertSliceOp::create(builder, loc, filled, tensor, offsets, sizes, strides);
  }
};

} // namespace

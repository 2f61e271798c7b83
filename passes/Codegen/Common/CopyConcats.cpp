//===- CopyConcats.cpp - Long concatenations become copies ----------------===//
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Remarks.h"
#include "passes/Codegen/Passes.h"

namespace lathe {
#define GEN_PASS_DEF_COPYCONCATSPASS
#include "passes/Codegen/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

/// So many parts are worth their copies: bufferisation compares each part of a buffer with each other one.
static constexpr size_t kManyParts = 16;

/// The insertions that fill a `tensor.empty`, the first one first, if `last` is the last of them and nothing but the
/// next one sees what one of them makes; else none.
static SmallVector<tensor::InsertSliceOp> findParts(tensor::InsertSliceOp last) {
  SmallVector<tensor::InsertSliceOp> parts{last};
  while (auto before = parts.back().getDest().getDefiningOp<tensor::InsertSliceOp>()) {
    if (!before->hasOneUse() || before->getBlock() != last->getBlock())
      return {};
    parts.push_back(before);
  }
  auto empty = parts.back().getDest().getDefiningOp<tensor::EmptyOp>();
  if (!empty)
    return {};
  std::reverse(parts.begin(), parts.end());
  return parts;
}

static bool isAtUnknownOffset(tensor::InsertSliceOp op) {
  return llvm::any_of(op.getStaticOffsets(), ShapedType::isDynamic);
}

/// The type with any strides, which every buffer can be cast to.
static MemRefType anyLayout(RankedTensorType type) {
  SmallVector<int64_t> strides(type.getRank(), ShapedType::kDynamic);
  auto layout = StridedLayoutAttr::get(type.getContext(), ShapedType::kDynamic, strides);
  return MemRefType::get(type.getShape(), type.getElementType(), layout);
}

namespace {

struct CopyConcatsPass : lathe::impl::CopyConcatsPassBase<CopyConcatsPass> {
  void runOnOperation() override {
    SmallVector<SmallVector<tensor::InsertSliceOp>> concats;
    getOperation().walk([&](tensor::InsertSliceOp op) {
      if (op->hasOneUse())
        if (auto next = dyn_cast<tensor::InsertSliceOp>(*op->user_begin()); next && next.getDest() == op.getResult())
          return;
      auto parts = findParts(op);
      if (parts.size() >= kManyParts && llvm::count_if(parts, isAtUnknownOffset) >= int64_t(kManyParts / 2))
        concats.push_back(std::move(parts));
    });
    for (ArrayRef<tensor::InsertSliceOp> parts : concats)
      copy(parts);
  }

  /// Puts a buffer with copies of the parts for the last one's result.
  void copy(ArrayRef<tensor::InsertSliceOp> parts) {
    tensor::InsertSliceOp first = parts.front(), last = parts.back();
    auto empty = first.getDest().getDefiningOp<tensor::EmptyOp>();
    remark::passed(last.getLoc(), remark::RemarkOpts::name("CopiedConcat").category("codegen"))
        << remark::metric("Parts", parts.size());
    OpBuilder builder(first);
    auto type = MemRefType::get(empty.getType().getShape(), empty.getType().getElementType());
    Value buffer = memref::AllocOp::create(builder, last.getLoc(), type, empty.getDynamicSizes());
    for (tensor::InsertSliceOp part : parts) {
      builder.setInsertionPoint(part);
      MemRefType place = memref::SubViewOp::inferRankReducedResultType(
          part.getSourceType().getShape(), type, part.getMixedOffsets(), part.getMixedSizes(), part.getMixedStrides());
      Value target = memref::SubViewOp::create(builder, part.getLoc(), place, buffer, part.getMixedOffsets(),
                                               part.getMixedSizes(), part.getMixedStrides());
      Value source = bufferization::ToBufferOp::create(builder, part.getLoc(), anyLayout(part.getSourceType()),
                                                       part.getSource(), /*read_only=*/true);
      memref::CopyOp::create(builder, part.getLoc(), source, target);
    }
    // Not writable: the buffer has readers that bufferisation does not know, the copies before.
    Value result = bufferization::ToTensorOp::create(builder, last.getLoc(), last.getType(), buffer, /*restrict=*/true);
    last.replaceAllUsesWith(result);
    for (tensor::InsertSliceOp part : llvm::reverse(parts))
      part.erase();
  }
};

} // namespace

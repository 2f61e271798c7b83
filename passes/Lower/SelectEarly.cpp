//===- SelectEarly.cpp - Computes no more than what is selected -----------===//
#include "dialects/ONNX/IR/Elementwise.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "passes/Fuse/Utils.h"
#include "passes/Lower/DimSplitter.h"
#include "passes/Lower/Passes.h"

namespace lathe {
#define GEN_PASS_DEF_LOWERSELECTEARLY
#include "passes/Lower/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

namespace {

/// Neighbouring indices of one dimension.
struct Selection {
  int64_t dim, begin, size;

  bool operator==(const Selection &other) const {
    return dim == other.dim && begin == other.begin && size == other.size;
  }
};

/// The one element of an integer constant that has one.
std::optional<int64_t> getInt(Value value) {
  std::optional<SmallVector<int64_t>> elements = fuse::getInts(value);
  return elements && elements->size() == 1 ? std::optional(elements->front()) : std::nullopt;
}

/// What the use, by a Gather or a Slice, reads of a value; nullopt where that is more than neighbours along one
/// dimension of static size.
std::optional<Selection> matchSelection(OpOperand &use) {
  RankedTensorType type = fuse::getType(use.get());
  std::optional<int64_t> dim, begin, end;
  if (auto gather = dyn_cast<onnx::GatherOp>(use.getOwner())) {
    dim = gather.getAxis();
    begin = getInt(gather.getIndices());
    if (begin)
      end = *begin == -1 ? INT64_MAX : *begin + 1;
  } else if (auto slice = dyn_cast<onnx::SliceOp>(use.getOwner())) {
    if (!slice.getAxes() || (slice.getSteps() && getInt(slice.getSteps()) != 1))
      return std::nullopt;
    dim = getInt(slice.getAxes());
    begin = getInt(slice.getStarts());
    end = getInt(slice.getEnds());
  }
  if (!type || use.getOperandNumber() != 0 || !dim || !begin || !end)
    return std::nullopt;
  if (*dim < 0)
    *dim += type.getRank();
  if (*dim < 0 || *dim >= type.getRank() || type.isDynamicDim(*dim))
    return std::nullopt;
  int64_t size = type.getDimSize(*dim);
  for (std::optional<int64_t> *index : {&begin, &end})
    *index = std::clamp<int64_t>(**index < 0 ? **index + size : **index, 0, size);
  if (*begin >= *end)
    return std::nullopt;
  return Selection{*dim, *begin, *end - *begin};
}

/// What all uses of a value read of it.
std::optional<Selection> matchSelections(Value value) {
  std::optional<Selection> common;
  for (OpOperand &use : value.getUses()) {
    std::optional<Selection> selection = matchSelection(use);
    if (!selection || (common && !(*selection == *common)))
      return std::nullopt;
    common = selection;
  }
  return common;
}

/// Ops whose dimensions DimFlow tells apart.
bool mayBeNarrowed(Operation *op, const Selection &selection) {
  if (auto attention = dyn_cast<nn::AttentionOp>(op)) {
    // The last queries see as many keys as if there were no others before them.
    RankedTensorType type = fuse::getType(attention.getResult());
    bool isLast = selection.begin + selection.size == type.getDimSize(selection.dim);
    bool isQueries = selection.dim == (attention.getHeadsFirst() ? 2 : 1);
    return !attention.getCausal() || !isQueries || isLast;
  }
  return onnx::isElementwise(op) ||
         isa<nn::LinearOp, nn::MatMulOp, nn::NormOp, nn::SoftmaxOp, onnx::ReshapeOp, onnx::SqueezeOp, onnx::TransposeOp,
             onnx::UnsqueezeOp, quant::DequantizeCastOp, quant::QuantizeCastOp, quant::StorageCastOp>(op);
}

/// An operand of an op, and the dimension of it whose index i alone meets index i of the result.
struct NarrowedOperand {
  OpOperand *operand;
  int64_t dim;
};

/// Whether a smaller part of the operand can be read: not of weights, which are packed as they are, nor of what has a
/// scale for each index of a dimension.
bool maySlice(OpOperand &operand) {
  bool isWeight = isa<nn::LinearOp>(operand.getOwner()) && operand.getOperandNumber() == 1;
  Type element = getElementTypeOrSelf(operand.get().getType());
  return !isWeight && !isa<quant::UniformQuantizedPerAxisType, quant::UniformQuantizedSubChannelType>(element) &&
         !fuse::isConstantExpression(operand.get());
}

/// The operands of `op` that become smaller where its result is; nullopt where the op does not keep the indices of the
/// result's dimension apart, or one of the operands stays as it is.
std::optional<SmallVector<NarrowedOperand>> findOperands(Operation *op, int64_t dim) {
  bool hasSizes = isa<onnx::ReshapeOp, onnx::SqueezeOp, onnx::UnsqueezeOp>(op);
  SmallVector<NarrowedOperand> narrowed;
  for (OpOperand &operand : op->getOpOperands()) {
    RankedTensorType type = fuse::getType(operand.get());
    if (!type || (hasSizes && operand.getOperandNumber() > 0))
      continue;
    for (int64_t from = 0; from < type.getRank(); ++from) {
      DimFlow flow = getDimFlow(op, operand.getOperandNumber(), from);
      if (flow.kind == DimFlow::Kind::None || flow.kind == DimFlow::Kind::Reduced || int64_t(flow.dim) != dim ||
          type.getDimSize(from) == 1)
        continue;
      if (flow.kind != DimFlow::Kind::Same || !maySlice(operand) ||
          type.getDimSize(from) != fuse::getType(op->getResult(0)).getDimSize(dim))
        return std::nullopt;
      narrowed.push_back({&operand, from});
    }
  }
  if (narrowed.empty())
    return std::nullopt;
  return narrowed;
}

RankedTensorType withSize(RankedTensorType type, const Selection &selection) {
  SmallVector<int64_t> shape(type.getShape());
  shape[selection.dim] = selection.size;
  return type.clone(shape);
}

class EarlySelection {
public:
  explicit EarlySelection(func::FuncOp function) : function(function), builder(function.getContext()) {}

  void run() {
    // From the last op on: what an op no longer reads of its operands is then known where their ops are met.
    SmallVector<Operation *> ops;
    for (Operation &op : function.getBody().front())
      ops.push_back(&op);
    for (Operation *op : llvm::reverse(ops))
      narrow(op);
  }

private:
  void narrow(Operation *op) {
    if (op->getNumResults() != 1 || op->use_empty())
      return;
    RankedTensorType type = fuse::getType(op->getResult(0));
    std::optional<Selection> selection = type ? matchSelections(op->getResult(0)) : std::nullopt;
    // Of almost all indices the rest costs less than rows that no longer lie beside each other.
    if (!selection || 2 * selection->size > type.getDimSize(selection->dim) || !mayBeNarrowed(op, *selection))
      return;
    std::optional<SmallVector<NarrowedOperand>> operands = findOperands(op, selection->dim);
    RankedTensorType part = withSize(type, *selection);
    auto reshape = dyn_cast<onnx::ReshapeOp>(op);
    if (!operands || (reshape && part.getNumDynamicDims() > 1))
      return;
    builder.setInsertionPoint(op);
    Operation *narrowed = builder.clone(*op);
    builder.setInsertionPoint(narrowed);
    for (auto [operand, dim] : *operands)
      narrowed->setOperand(operand->getOperandNumber(),
                           createSlice(operand->get(), {dim, selection->begin, selection->size}));
    if (reshape) {
      SmallVector<int64_t> shape =
          llvm::map_to_vector(part.getShape(), [](int64_t size) { return ShapedType::isDynamic(size) ? -1 : size; });
      cast<onnx::ReshapeOp>(narrowed).getShapeMutable().assign(fuse::createInts(builder, op->getLoc(), shape));
    }
    narrowed->getResult(0).setType(part);
    remark::passed(op->getLoc(), remark::RemarkOpts::name("SelectEarly").category("lower").function(function.getName()))
        << remark::metric("Op", op->getName().getStringRef()) << remark::metric("Of", type.getDimSize(selection->dim))
        << remark::metric("Indices", selection->size);
    replaceSelections(op->getResult(0), narrowed->getResult(0));
    op->erase();
  }

  Value createSlice(Value value, const Selection &selection) {
    auto ints = [&](int64_t element) { return fuse::createInts(builder, value.getLoc(), element); };
    return onnx::SliceOp::create(builder, value.getLoc(), withSize(fuse::getType(value), selection), value,
                                 ints(selection.begin), ints(selection.begin + selection.size), ints(selection.dim),
                                 /*steps=*/Value());
  }

  /// Lets what read a part of `whole` read `part`, which is that part.
  void replaceSelections(Value whole, Value part) {
    for (Operation *user : llvm::make_early_inc_range(whole.getUsers())) {
      if (auto gather = dyn_cast<onnx::GatherOp>(user)) {
        builder.setInsertionPoint(gather);
        auto type = cast<RankedTensorType>(gather.getIndices().getType());
        Attribute zero = builder.getIntegerAttr(type.getElementType(), 0);
        gather.getIndicesMutable().assign(
            onnx::ConstantOp::create(builder, gather.getLoc(), DenseElementsAttr::get(type, zero)));
        gather.getDataMutable().assign(part);
        continue;
      }
      user->getResult(0).replaceAllUsesWith(part);
      user->erase();
    }
  }

  func::FuncOp function;
  OpBuilder builder;
};

struct LowerSelectEarly : lathe::impl::LowerSelectEarlyBase<LowerSelectEarly> {
  void runOnOperation() override {
    if (getOperation().getBody().hasOneBlock())
      EarlySelection(getOperation()).run();
  }
};

} // namespace

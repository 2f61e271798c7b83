//===- RemoveChannels.cpp - Takes units out of a function -----------------===//
#include "passes/Compress/Channels/RemoveChannels.h"
#include "dialects/NN/IR/NNDialect.h"
#include "dialects/ONNX/IR/DimFlowHelpers.h"
#include "dialects/ONNX/IR/ONNXDialect.h"
#include "mlir/IR/Matchers.h"
#include "passes/Compress/Channels/Constants.h"
#include "passes/Compress/Channels/Contractions.h"
#include "llvm/ADT/MapVector.h"
#include <map>

using namespace mlir;
using namespace lathe;

namespace {
using Removed = llvm::DenseMap<unsigned, llvm::BitVector>; // by dimension

class Remover {
public:
  Remover(func::FuncOp function, const ChannelGroups &groups, ArrayRef<const ChannelUnit *> units);
  LogicalResult run();

private:
  void sliceConstants();
  void setSizes(onnx::ReshapeOp op);
  void setSizes(onnx::SplitOp op);
  RankedTensorType getNewType(Value value) const;

  func::FuncOp function;
  std::map<std::pair<Operation *, unsigned>, Removed> constants;
  llvm::MapVector<Value, Removed> activations;
};
} // namespace

Remover::Remover(func::FuncOp function, const ChannelGroups &groups, ArrayRef<const ChannelUnit *> units)
    : function(function) {
  for (const ChannelUnit *unit : units)
    for (const ChannelSlice &slice : unit->slices) {
      const ChannelAxis &axis = groups.getAxes()[slice.axis];
      Removed &removed =
          axis.isConstant() ? constants[{axis.reader, axis.operand}] : activations[axis.value];
      llvm::BitVector &indices = removed[axis.dim];
      indices.resize(axis.size);
      for (int64_t index : slice.indices)
        indices.set(index);
    }
}

RankedTensorType Remover::getNewType(Value value) const {
  auto type = cast<RankedTensorType>(value.getType());
  auto it = activations.find(value);
  if (it == activations.end())
    return type;
  SmallVector<int64_t> shape(type.getShape());
  for (const auto &[dim, indices] : it->second)
    shape[dim] -= indices.count();
  return type.clone(shape);
}

/// Operands that share a constant and lose the same of it share the slice.
void Remover::sliceConstants() {
  SmallVector<std::tuple<Value, const Removed *, Value>> done;
  for (const auto &[place, removed] : constants) {
    OpOperand &operand = place.first->getOpOperand(place.second);
    auto *known = llvm::find_if(done, [&, &removed = removed](const auto &entry) {
      return std::get<0>(entry) == operand.get() && *std::get<1>(entry) == removed;
    });
    if (known != done.end()) {
      operand.set(std::get<2>(*known));
      continue;
    }
    Value whole = operand.get();
    ElementsAttr constant;
    matchPattern(whole, m_Constant(&constant));
    OpBuilder builder(whole.getContext());
    builder.setInsertionPointAfterValue(whole);
    Value slice = onnx::ConstantOp::create(builder, whole.getLoc(), sliceConstant(constant, removed));
    operand.set(slice);
    done.push_back({whole, &removed, slice});
  }
}

/// 0 and -1 follow from the input.
void Remover::setSizes(onnx::ReshapeOp op) {
  auto sizes = onnx::getConstantInts(op.getShape());
  RankedTensorType type = getNewType(op.getReshaped());
  if (!sizes || type == op.getReshaped().getType())
    return;
  for (auto [size, now] : llvm::zip_equal(*sizes, type.getShape()))
    if (size > 0)
      size = now;
  OpBuilder builder(op);
  op.getShapeMutable().assign(onnx::ConstantOp::create(builder, op.getLoc(), builder.getI64TensorAttr(*sizes)));
}

void Remover::setSizes(onnx::SplitOp op) {
  unsigned axis = onnx::fromFront(op.getAxis(), cast<ShapedType>(op.getInput().getType()).getRank());
  SmallVector<int64_t> sizes;
  bool changed = false;
  for (Value result : op->getResults()) {
    RankedTensorType type = getNewType(result);
    changed |= type.getDimSize(axis) != cast<ShapedType>(result.getType()).getDimSize(axis);
    sizes.push_back(type.getDimSize(axis));
  }
  if (!changed)
    return;
  OpBuilder builder(op);
  op.getSplitMutable().assign(onnx::ConstantOp::create(builder, op.getLoc(), builder.getI64TensorAttr(sizes)));
  op.removeNumOutputsAttr();
}

LogicalResult Remover::run() {
  for (Operation &op : function.getBody().front()) {
    if (auto reshape = dyn_cast<onnx::ReshapeOp>(op))
      setSizes(reshape);
    else if (auto split = dyn_cast<onnx::SplitOp>(op))
      setSizes(split);
    else if (auto conv = dyn_cast<nn::ConvOp>(op); conv && Contraction::match(conv)->isDepthwise())
      conv.setGroup(getNewType(conv.getResult()).getDimSize(3));
  }
  sliceConstants();
  for (auto &[value, removed] : activations)
    value.setType(getNewType(value));
  for (auto constant : llvm::make_early_inc_range(function.getOps<onnx::ConstantOp>()))
    if (constant->use_empty())
      constant->erase();
  // What was derived by following channels, and what the ops infer from operands, are two accounts of one thing.
  SymbolicShapes shapes(function);
  if (failed(shapes.compute()))
    return failure();
  for (auto &[value, removed] : activations)
    if (shapes.hasDims(value) && shapes.getType(value).getShape() != cast<ShapedType>(value.getType()).getShape())
      return mlir::emitError(value.getLoc()) << "expected channels removed to " << value.getType() << ", but inferred "
                                             << shapes.getType(value);
  return success();
}

LogicalResult lathe::removeChannels(func::FuncOp function, const ChannelGroups &groups,
                                    ArrayRef<const ChannelUnit *> units) {
  return Remover(function, groups, units).run();
}

SmallVector<const ChannelUnit *> lathe::keepOneOfEach(const ChannelGroups &groups,
                                                      ArrayRef<const ChannelUnit *> units) {
  SmallVector<int64_t> left;
  for (const ChannelAxis &axis : groups.getAxes())
    left.push_back(axis.size);
  SmallVector<const ChannelUnit *> removable;
  for (const ChannelUnit *unit : units) {
    if (llvm::any_of(unit->slices, [&](const ChannelSlice &slice) {
          return left[slice.axis] <= int64_t(slice.indices.size());
        }))
      continue;
    for (const ChannelSlice &slice : unit->slices)
      left[slice.axis] -= slice.indices.size();
    removable.push_back(unit);
  }
  return removable;
}

//===- IsolateBodies.cpp - Bodies that use nothing from around them -------===//
#include "passes/Import/IsolateBodies.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace lathe;

/// What bodies use from around the op, but for constants.
static SmallVector<Value> findCaptured(Operation *op) {
  llvm::SetVector<Value> used;
  getUsedValuesDefinedAbove(op->getRegions(), used);
  return llvm::filter_to_vector(used, [](Value value) { return !value.getDefiningOp<onnx::ConstantOp>(); });
}

/// What the body uses from around becomes an argument of it for each of `values`, constants are copied: passes that
/// look at the ops of a value see one block.
static void takeArguments(Region &region, ArrayRef<Value> values) {
  llvm::SetVector<Value> used;
  getUsedValuesDefinedAbove(region, used);
  Block &body = region.front();
  OpBuilder builder(&body, body.begin());
  auto replace = [&](Value value, Value local) {
    value.replaceUsesWithIf(local,
                            [&](OpOperand &use) { return region.isAncestor(use.getOwner()->getParentRegion()); });
  };
  for (Value value : used)
    if (auto constant = value.getDefiningOp<onnx::ConstantOp>())
      replace(value, builder.clone(*constant)->getResult(0));
  for (Value value : values)
    replace(value, body.addArgument(value.getType(), value.getLoc()));
}

void lathe::isolateBodies(onnx::IfOp op) {
  SmallVector<Value> captured = findCaptured(op);
  for (Region &branch : op->getRegions())
    takeArguments(branch, captured);
  op.getCapturedMutable().append(captured);
}

void lathe::isolateBody(onnx::LoopOp loop) {
  SmallVector<Value> added = findCaptured(loop);
  takeArguments(loop.getBody(), added);
  if (added.empty())
    return;
  Block &body = loop.getBody().front();
  unsigned carried = loop.getVInitial().size();
  body.getTerminator()->insertOperands(1 + carried, ValueRange(body.getArguments().take_back(added.size())));
  OpBuilder builder(loop);
  SmallVector<Value> initial(loop.getVInitial());
  llvm::append_range(initial, added);
  SmallVector<Type> types(loop->getResultTypes());
  types.insert(types.begin() + carried, TypeRange(ValueRange(added)).begin(), TypeRange(ValueRange(added)).end());
  auto wider = onnx::LoopOp::create(builder, loop.getLoc(), types, loop.getM(), loop.getCond(), initial);
  wider.getBody().takeBody(loop.getBody());
  for (auto [i, result] : llvm::enumerate(loop->getResults()))
    result.replaceAllUsesWith(wider->getResult(i < carried ? i : i + added.size()));
  loop->erase();
}

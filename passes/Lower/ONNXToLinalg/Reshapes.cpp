//===- Reshapes.cpp - Onnx ops that only rename or permute dimensions -----===//
#include "passes/Lower/ONNXToLinalg/RunTimeSizes.h"

using namespace mlir;
using namespace lathe;

/// Reshape, Flatten, Squeeze, Unsqueeze: the analysis knows the result's sizes, the elements keep
/// their order.
static LogicalResult lowerReshape(Lowering &lowering, Operation *op) {
  Value input = op->getOperand(0), result = op->getResult(0);
  auto reshape = dyn_cast<onnx::ReshapeOp>(op);
  if (reshape && !lowering.shapes.getElements(reshape.getShape()) && hasDataSize(lowering, result))
    return lowerOpenReshape(lowering, reshape);
  lowering.set(result,
               lowering.reshape(lowering.get(input), lowering.shapes.getDims(input), lowering.shapes.getDims(result)));
  return success();
}

static LogicalResult lowerTranspose(Lowering &lowering, onnx::TransposeOp op) {
  ArrayRef<AffineExpr> dims = lowering.shapes.getDims(op.getData());
  SmallVector<int64_t> perm;
  if (auto given = op.getPerm())
    perm.assign(given->begin(), given->end());
  else
    perm = llvm::to_vector(llvm::reverse(llvm::seq<int64_t>(dims.size())));
  lowering.set(op.getTransposed(), lowering.transpose(lowering.get(op.getData()), dims, perm));
  return success();
}

/// [N, C, H, W] with blocks taken out of C (`perm` of the six dimensions after splitting it).
static LogicalResult lowerDepthToSpace(Lowering &lowering, onnx::DepthToSpaceOp op) {
  ArrayRef<AffineExpr> dims = lowering.shapes.getDims(op.getInput());
  if (dims.size() != 4)
    return op.emitOpError("expected an input of rank 4, but got rank ") << dims.size();
  int64_t block = op.getBlocksize();
  AffineExpr size = lowering.constantExpr(block), depth = dims[1].floorDiv(block * block);
  bool depthFirst = op.getMode() == "DCR";
  SmallVector<AffineExpr> split = depthFirst ? SmallVector<AffineExpr>{dims[0], size, size, depth, dims[2], dims[3]}
                                             : SmallVector<AffineExpr>{dims[0], depth, size, size, dims[2], dims[3]};
  SmallVector<int64_t> perm =
      depthFirst ? SmallVector<int64_t>{0, 3, 4, 1, 5, 2} : SmallVector<int64_t>{0, 1, 4, 2, 5, 3};
  SmallVector<AffineExpr> moved = llvm::map_to_vector(perm, [&](int64_t source) { return split[source]; });
  Value value = lowering.reshape(lowering.get(op.getInput()), dims, split);
  value = lowering.transpose(value, split, perm);
  lowering.set(op.getOutput(), lowering.reshape(value, moved, lowering.shapes.getDims(op.getOutput())));
  return success();
}

static LogicalResult lowerSpaceToDepth(Lowering &lowering, onnx::SpaceToDepthOp op) {
  ArrayRef<AffineExpr> dims = lowering.shapes.getDims(op.getInput());
  if (dims.size() != 4)
    return op.emitOpError("expected an input of rank 4, but got rank ") << dims.size();
  int64_t block = op.getBlocksize();
  AffineExpr size = lowering.constantExpr(block);
  SmallVector<AffineExpr> split = {dims[0], dims[1], dims[2].floorDiv(block), size, dims[3].floorDiv(block), size};
  SmallVector<int64_t> perm = {0, 3, 5, 1, 2, 4};
  SmallVector<AffineExpr> moved = llvm::map_to_vector(perm, [&](int64_t source) { return split[source]; });
  Value value = lowering.reshape(lowering.get(op.getInput()), dims, split);
  value = lowering.transpose(value, split, perm);
  lowering.set(op.getOutput(), lowering.reshape(value, moved, lowering.shapes.getDims(op.getOutput())));
  return success();
}

void lathe::addReshapeLowerings(LoweringTable &table) {
  table.add(onnx::ReshapeOp::getOperationName(), lowerReshape);
  table.add(onnx::FlattenOp::getOperationName(), lowerReshape);
  table.add(onnx::SqueezeOp::getOperationName(), lowerReshape);
  table.add(onnx::UnsqueezeOp::getOperationName(), lowerReshape);
  table.add<onnx::TransposeOp, lowerTranspose>();
  table.add<onnx::DepthToSpaceOp, lowerDepthToSpace>();
  table.add<onnx::SpaceToDepthOp, lowerSpaceToDepth>();
}

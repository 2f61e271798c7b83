//===- NN.cpp - Operators of neural networks in smaller ones --------------===//
#include "passes/Import/Decompose/NodeBuilder.h"
#include "passes/Import/Decompose/Patterns.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::onnx;

static bool isStatic(ValueRange values) {
  return llvm::all_of(values, [](Value value) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    return type && type.hasStaticShape();
  });
}

/// 1 at the first of the largest elements along the axis, 0 elsewhere.
static LogicalResult rewriteHardmax(HardmaxOp op, PatternRewriter &rewriter) {
  if (!isStatic(op.getInput()))
    return failure();
  NodeBuilder nodes(rewriter, op.getLoc());
  RankedTensorType type = NodeBuilder::getType(op.getInput());
  int64_t axis = op.getAxis();
  axis += axis < 0 ? type.getRank() : 0;
  SmallVector<int64_t> kept(type.getShape()), line(type.getRank() - axis, 1);
  kept[axis] = 1;
  line[0] = type.getDimSize(axis);
  Value largest = ArgMaxOp::create(rewriter, op.getLoc(), RankedTensorType::get(kept, rewriter.getI64Type()), op.getInput(),
                                   axis, /*keepdims=*/1, /*select_last_index=*/0);
  Value places = nodes.reshape(nodes.range(line[0]), line);
  rewriter.replaceOp(op, nodes.cast(nodes.equal(largest, places), type.getElementType()));
  return success();
}

/// (sum |x|^p)^(1/p) over all dimensions but the first two.
static LogicalResult rewriteGlobalLpPool(GlobalLpPoolOp op, PatternRewriter &rewriter) {
  if (!isa<RankedTensorType>(op.getX().getType()) || int64_t(op.getP()) < 1)
    return failure();
  NodeBuilder nodes(rewriter, op.getLoc());
  SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(2, NodeBuilder::getType(op.getX()).getRank()));
  Value p = nodes.scalarLike(op.getX(), double(op.getP()));
  Value sum = nodes.sum(nodes.pow(nodes.unary<AbsOp>(op.getX()), p), axes, /*keep=*/true);
  rewriter.replaceOp(op, nodes.pow(sum, nodes.scalarLike(op.getX(), 1.0 / double(op.getP()))));
  return success();
}

/// Normalizes by the statistics of the batch and mixes them into those that run along.
static LogicalResult rewriteBatchNormTraining(BatchNormalizationOp op, PatternRewriter &rewriter) {
  if (!op.getTrainingMode() || op->getNumResults() != 3 || !isStatic(op->getOperands()))
    return failure();
  NodeBuilder nodes(rewriter, op.getLoc());
  Value x = op.getX();
  RankedTensorType type = NodeBuilder::getType(x);
  if (type.getRank() < 2)
    return failure();
  SmallVector<int64_t> axes = {0}, column(type.getRank() - 1, 1);
  axes.append(llvm::to_vector(llvm::seq<int64_t>(2, type.getRank())));
  column[0] = type.getDimSize(1);
  Value mean = nodes.reduce<ReduceMeanOp>(x, axes);
  Value below = nodes.sub(x, nodes.reshape(mean, column));
  Value variance = nodes.reduce<ReduceMeanOp>(nodes.mul(below, below), axes);
  Value deviation =
      nodes.unary<SqrtOp>(nodes.add(variance, nodes.scalarLike(variance, op.getEpsilon().convertToDouble())));
  Value scaled = nodes.mul(below, nodes.reshape(nodes.div(op.getScale(), deviation), column));
  double momentum = op.getMomentum().convertToDouble();
  auto mix = [&](Value running, Value now) {
    return nodes.add(nodes.mul(running, nodes.scalarLike(running, momentum)),
                     nodes.mul(now, nodes.scalarLike(now, 1 - momentum)));
  };
  rewriter.replaceOp(op, {nodes.add(scaled, nodes.reshape(op.getB(), column)), mix(op.getInputMean(), mean),
                          mix(op.getInputVar(), variance)});
  return success();
}

/// Softmax and LogSoftmax of f16 and bf16 are computed in f32, for which there is a kernel, those of f64 step by step.
template <typename OpT>
static LogicalResult rewriteSoftmax(OpT op, PatternRewriter &rewriter) {
  auto type = dyn_cast<RankedTensorType>(op.getInput().getType());
  if (!type || type.getElementType().isF32())
    return failure();
  NodeBuilder nodes(rewriter, op.getLoc());
  Type f32 = rewriter.getF32Type();
  if (!type.getElementType().isF64()) {
    Value result = OpT::create(rewriter, op.getLoc(), type.clone(f32), nodes.cast(op.getInput(), f32), op.getAxis());
    rewriter.replaceOp(op, nodes.cast(result, type.getElementType()));
    return success();
  }
  int64_t axis = op.getAxis();
  axis += axis < 0 ? type.getRank() : 0;
  Value below = nodes.sub(op.getInput(), nodes.reduce<ReduceMaxOp>(op.getInput(), axis, /*keep=*/true));
  Value power = nodes.unary<ExpOp>(below), sum = nodes.sum(power, axis, /*keep=*/true);
  rewriter.replaceOp(op, std::is_same_v<OpT, SoftmaxOp> ? nodes.div(power, sum) : nodes.sub(below, nodes.unary<LogOp>(sum)));
  return success();
}

/// Recurrent layers of f16 and bf16 are computed in f32.
template <typename OpT>
static LogicalResult rewriteRecurrent(OpT op, PatternRewriter &rewriter) {
  auto type = dyn_cast<RankedTensorType>(op.getX().getType());
  if (!type || !isa<Float16Type, BFloat16Type>(type.getElementType()) ||
      !llvm::all_of(op->getOperandTypes(), llvm::IsaPred<RankedTensorType>) ||
      !llvm::all_of(op->getResultTypes(), llvm::IsaPred<RankedTensorType>))
    return failure();
  NodeBuilder nodes(rewriter, op.getLoc());
  Type f32 = rewriter.getF32Type();
  SmallVector<Value> operands;
  for (Value operand : op->getOperands())
    operands.push_back(isa<FloatType>(NodeBuilder::getElement(operand)) ? nodes.cast(operand, f32)
                                                                        : operand);
  Operation *wide = rewriter.clone(*op);
  wide->setOperands(operands);
  SmallVector<Value> results;
  for (Value result : wide->getResults()) {
    result.setType(NodeBuilder::getType(result).clone(f32));
    results.push_back(nodes.cast(result, type.getElementType()));
  }
  rewriter.replaceOp(op, results);
  return success();
}

/// Cuts the middle out of dimensions that get smaller and puts zeros around those that grow.
static LogicalResult rewriteCenterCropPad(CenterCropPadOp op, PatternRewriter &rewriter) {
  if (!isStatic(op.getInputData()) || !isStatic(op.getY()))
    return failure();
  NodeBuilder nodes(rewriter, op.getLoc());
  ArrayRef<int64_t> in = NodeBuilder::getType(op.getInputData()).getShape(), out = NodeBuilder::getType(op.getY()).getShape();
  SmallVector<int64_t> starts, ends, before, after;
  for (auto [from, to] : llvm::zip_equal(in, out)) {
    int64_t cropped = std::max<int64_t>(from - to, 0), padded = std::max<int64_t>(to - from, 0);
    starts.push_back(cropped / 2);
    ends.push_back(cropped / 2 + std::min(from, to));
    before.push_back(padded / 2);
    after.push_back(padded - padded / 2);
  }
  Value middle = nodes.slice(op.getInputData(), starts, ends);
  rewriter.replaceOp(op, nodes.pad(middle, before, after, nodes.scalarLike(middle, 0)));
  return success();
}

/// Coordinates in [-1, 1] of each element of the image, x first, as the matrix of each
/// transformation maps them.
static LogicalResult rewriteAffineGrid(AffineGridOp op, PatternRewriter &rewriter) {
  if (!isStatic(op.getTheta()) || !isStatic(op.getY()))
    return failure();
  NodeBuilder nodes(rewriter, op.getLoc());
  ArrayRef<int64_t> out = NodeBuilder::getType(op.getY()).getShape();
  Type element = NodeBuilder::getElement(op.getTheta());
  int64_t spatial = int64_t(out.size()) - 2,
          batch = NodeBuilder::getType(op.getTheta()).getDimSize(0);
  if (NodeBuilder::getType(op.getTheta()).getShape() !=
      ArrayRef<int64_t>({batch, spatial, spatial + 1}))
    return failure();
  SmallVector<int64_t> aligned(out.size(), 1);
  aligned.front() = batch;
  aligned.back() = spatial;
  auto column = [&](int64_t index) {
    Value place = nodes.scalar(rewriter.getI64Type(), double(index));
    return nodes.reshape(nodes.gather(op.getTheta(), place, 2), aligned);
  };
  Value grid = column(spatial);
  for (int64_t i = 0; i < spatial; ++i) {
    int64_t size = out[1 + i];
    SmallVector<double> places;
    for (int64_t place = 0; place < size; ++place)
      places.push_back(!op.getAlignCorners() ? (2 * double(place) + 1) / double(size) - 1
                       : size > 1            ? 2 * double(place) / double(size - 1) - 1
                                             : -1);
    SmallVector<int64_t> shape(spatial - i + 1, 1);
    shape[0] = size;
    grid =
        nodes.add(nodes.mul(column(spatial - 1 - i), nodes.floats(element, shape, places)), grid);
  }
  rewriter.replaceOp(op, grid);
  return success();
}

void lathe::populateNNPatterns(RewritePatternSet &patterns) {
  patterns.add(rewriteSoftmax<SoftmaxOp>);
  patterns.add(rewriteSoftmax<LogSoftmaxOp>);
  patterns.add(rewriteRecurrent<GRUOp>);
  patterns.add(rewriteRecurrent<LSTMOp>);
  patterns.add(rewriteRecurrent<RNNOp>);
  patterns.add(rewriteAffineGrid);
  patterns.add(rewriteCenterCropPad);
  patterns.add(rewriteHardmax);
  patterns.add(rewriteGlobalLpPool);
  patterns.add(rewriteBatchNormTraining);
}

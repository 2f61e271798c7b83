//===- Quantized.cpp - Products of quantized tensors ----------------------===//
#include "passes/Import/Decompose/NodeBuilder.h"
#include "passes/Import/Decompose/Patterns.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::onnx;

static bool isRanked(ValueRange values) {
  return llvm::all_of(values, [](Value value) { return isa<RankedTensorType>(value.getType()); });
}

/// Parameters of the rows of a left factor: [m] becomes [m, 1].
static Value alignRows(NodeBuilder &nodes, Value parameter) {
  RankedTensorType type = NodeBuilder::getType(parameter);
  if (type.getRank() != 1 || type.getDimSize(0) == 1 || !type.hasStaticShape())
    return parameter;
  return nodes.reshape(parameter, {type.getDimSize(0), 1});
}

/// The integers as i32, less their zero point.
static Value widen(NodeBuilder &nodes, Value value, Value zeroPoint) {
  Type i32 = nodes.builder.getI32Type();
  value = nodes.cast(value, i32);
  return zeroPoint ? nodes.sub(value, nodes.cast(zeroPoint, i32)) : value;
}

static Value multiplyIntegers(NodeBuilder &nodes, Value a, Value b, Value zeroA, Value zeroB, Type result) {
  if (zeroA)
    zeroA = alignRows(nodes, zeroA);
  return MatMulOp::create(nodes.builder, nodes.loc, result, widen(nodes, a, zeroA), widen(nodes, b, zeroB));
}

static LogicalResult rewriteMatMulInteger(MatMulIntegerOp op, PatternRewriter &rewriter) {
  if (!isRanked(op->getOperands()) || !isRanked(op->getResults()))
    return failure();
  NodeBuilder nodes(rewriter, op.getLoc());
  rewriter.replaceOp(op, multiplyIntegers(nodes, op.getA(), op.getB(), op.getAZeroPoint(), op.getBZeroPoint(), op.getType()));
  return success();
}

/// The sums of products in the form of the quantized result.
static Value requantize(NodeBuilder &nodes, Value sum, Value scaleA, Value scaleB, Value scale, Value zeroPoint, Type result) {
  Type f32 = nodes.builder.getF32Type();
  Value factor = nodes.mul(nodes.cast(scaleA, f32), nodes.cast(scaleB, f32));
  Value real = nodes.mul(nodes.cast(sum, f32), factor);
  return QuantizeLinearOp::create(nodes.builder, nodes.loc, result, real, nodes.cast(scale, f32), zeroPoint, /*axis=*/1,
                                  /*block_size=*/0, /*output_dtype=*/0, /*saturate=*/1);
}

static LogicalResult rewriteQLinearMatMul(QLinearMatMulOp op, PatternRewriter &rewriter) {
  if (!isRanked(op->getOperands()) || !isRanked(op->getResults()))
    return failure();
  NodeBuilder nodes(rewriter, op.getLoc());
  RankedTensorType type = NodeBuilder::getType(op.getY());
  Value sum = multiplyIntegers(nodes, op.getA(), op.getB(), op.getAZeroPoint(), op.getBZeroPoint(),
                               type.clone(rewriter.getI32Type()));
  rewriter.replaceOp(op, requantize(nodes, sum, alignRows(nodes, op.getAScale()), op.getBScale(), op.getYScale(),
                                    op.getYZeroPoint(), type));
  return success();
}

static LogicalResult rewriteQLinearConv(QLinearConvOp op, PatternRewriter &rewriter) {
  if (!isRanked(op->getOperands()) || !isRanked(op->getResults()))
    return failure();
  NodeBuilder nodes(rewriter, op.getLoc());
  RankedTensorType type = NodeBuilder::getType(op.getY());
  Value sum = ConvIntegerOp::create(rewriter, op.getLoc(), type.clone(rewriter.getI32Type()), op.getX(), op.getW(),
                                    op.getXZeroPoint(), op.getWZeroPoint(), op.getAutoPadAttr(), op.getDilationsAttr(),
                                    op.getGroupAttr(), op.getKernelShapeAttr(), op.getPadsAttr(), op.getStridesAttr());
  // One for each channel, which is the second dimension.
  auto align = [&](Value parameter) {
    RankedTensorType parameterType = NodeBuilder::getType(parameter);
    if (parameterType.getRank() != 1 || !parameterType.hasStaticShape())
      return parameter;
    SmallVector<int64_t> shape(type.getRank() - 1, 1);
    shape[0] = parameterType.getDimSize(0);
    return nodes.reshape(parameter, shape);
  };
  if (op.getB())
    sum = nodes.add(sum, align(op.getB()));
  rewriter.replaceOp(op, requantize(nodes, sum, op.getXScale(), align(op.getWScale()), op.getYScale(),
                                    op.getYZeroPoint(), type));
  return success();
}

/// The scale and zero point that map the range of the input and 0 to 0..255.
static LogicalResult rewriteDynamicQuantize(DynamicQuantizeLinearOp op, PatternRewriter &rewriter) {
  if (!isRanked(op->getOperands()) || !isRanked(op->getResults()))
    return failure();
  NodeBuilder nodes(rewriter, op.getLoc());
  Value x = op.getX(), zero = nodes.scalarLike(x, 0), top = nodes.scalarLike(x, 255);
  SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(NodeBuilder::getType(x).getRank()));
  Value largest = nodes.max(nodes.reduce<ReduceMaxOp>(x, axes), zero);
  Value smallest = nodes.min(nodes.reduce<ReduceMinOp>(x, axes), zero);
  Value range = nodes.sub(largest, smallest);
  // Of nothing but zeros, every scale is right.
  range = nodes.select(nodes.equal(range, zero), nodes.scalarLike(x, 1), range);
  Value scale = nodes.div(range, top);
  Value offset = nodes.unary<RoundOp>(nodes.div(nodes.sub(zero, smallest), scale));
  Value zeroPoint = nodes.cast(nodes.max(nodes.min(offset, top), zero), NodeBuilder::getElement(op.getYZeroPoint()));
  Value quantized = QuantizeLinearOp::create(rewriter, op.getLoc(), op.getY().getType(), x, scale, zeroPoint, /*axis=*/1,
                                             /*block_size=*/0, /*output_dtype=*/0, /*saturate=*/1);
  rewriter.replaceOp(op, {quantized, scale, zeroPoint});
  return success();
}

void lathe::populateQuantizedPatterns(RewritePatternSet &patterns) {
  patterns.add(rewriteMatMulInteger);
  patterns.add(rewriteQLinearMatMul);
  patterns.add(rewriteQLinearConv);
  patterns.add(rewriteDynamicQuantize);
}

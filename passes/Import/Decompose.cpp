//===- Decompose.cpp - Writes operators by simpler ones -------------------===//
#include "dialects/ONNX/IR/ONNXDialect.h"
#include "mlir/Dialect/Traits.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/Import/Decompose/NodeBuilder.h"
#include "passes/Import/Decompose/Patterns.h"
#include "passes/Import/Passes.h"

namespace lathe {
#define GEN_PASS_DEF_IMPORTDECOMPOSE
#include "passes/Import/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;
using namespace lathe::onnx;

/// Integers as a constant of rank 1.
static Value makeIntegers(OpBuilder &builder, Location loc, ArrayRef<int64_t> values) {
  return ConstantOp::create(builder, loc, builder.getI64TensorAttr(values));
}

/// A float as a scalar constant; null if the element type is no float.
static Value makeFloat(OpBuilder &builder, Location loc, Type type, double value) {
  auto element = dyn_cast<FloatType>(type);
  if (!element)
    return nullptr;
  return ConstantOp::create(builder, loc,
                            DenseElementsAttr::get(RankedTensorType::get({}, element), builder.getFloatAttr(element, value)));
}

static Type getElementType(Value value) { return cast<TensorType>(value.getType()).getElementType(); }

static LogicalResult removeIdentity(IdentityOp op, PatternRewriter &rewriter) {
  if (op.getInput().getType() != op.getResult().getType())
    return failure();
  rewriter.replaceOp(op, op.getInput());
  return success();
}

/// CastLike is Cast to a type that is known now: its second operand does not matter.
static LogicalResult rewriteCastLike(CastLikeOp op, PatternRewriter &rewriter) {
  Type element = getElementType(op.getOutput());
  bool isPlain =
      isa<Float16Type, BFloat16Type, Float32Type, Float64Type>(element) ||
      (isa<IntegerType>(element) && (element.isInteger(1) || element.getIntOrFloatBitWidth() >= 8));
  if (!isPlain || !isa<RankedTensorType>(op.getInput().getType()))
    return failure();
  NodeBuilder nodes(rewriter, op.getLoc());
  rewriter.replaceOp(op, nodes.cast(op.getInput(), element));
  return success();
}

static LogicalResult removeDropout(DropoutOp op, PatternRewriter &rewriter) {
  DenseIntElementsAttr training;
  bool isInference = !op.getTrainingMode() || (matchPattern(op.getTrainingMode(), m_Constant(&training)) &&
                                               training.isSplat() && training.getSplatValue<APInt>().isZero());
  if (!isInference || (op.getMask() && !op.getMask().use_empty()) || op.getData().getType() != op.getOutput().getType())
    return failure();
  rewriter.replaceAllUsesWith(op.getOutput(), op.getData());
  rewriter.eraseOp(op);
  return success();
}

/// GlobalAveragePool and GlobalMaxPool: a reduction over all dimensions but the first two.
template <typename PoolOp, typename ReduceOp>
static LogicalResult reduceGlobally(PoolOp op, PatternRewriter &rewriter) {
  auto type = dyn_cast<RankedTensorType>(op.getX().getType());
  if (!type)
    return failure();
  SmallVector<int64_t> axes;
  for (int64_t axis = 2; axis < type.getRank(); ++axis)
    axes.push_back(axis);
  Value axesValue = makeIntegers(rewriter, op.getLoc(), axes);
  rewriter.replaceOpWithNewOp<ReduceOp>(op, op.getType(), op.getX(), axesValue, /*keepdims=*/1,
                                        /*noop_with_empty_axes=*/1);
  return success();
}

/// Combines all operands, two at a time; null if a shape is not known.
template <typename BinaryOp>
static Value combine(OpBuilder &builder, Location loc, ValueRange operands, Type type) {
  Value result = operands[0];
  for (auto [index, operand] : llvm::enumerate(operands.drop_front())) {
    Type partial = index + 2 == operands.size()
                       ? type
                       : OpTrait::util::getBroadcastedType(result.getType(), operand.getType());
    if (!partial)
      return nullptr;
    if constexpr (std::is_same_v<BinaryOp, AddOp>)
      result = AddOp::create(builder, loc, partial, result, operand);
    else
      result = BinaryOp::create(builder, loc, partial, ValueRange{result, operand});
  }
  return result;
}

/// Sum, and Min and Max of other than two operands.
template <typename OpT, typename BinaryOp>
static LogicalResult splitVariadic(OpT op, PatternRewriter &rewriter) {
  ValueRange operands = op->getOperands();
  bool done = std::is_same_v<OpT, BinaryOp> && operands.size() == 2;
  if (done || operands.empty() || (operands.size() == 1 && operands[0].getType() != op.getType()))
    return failure();
  Value result = combine<BinaryOp>(rewriter, op.getLoc(), operands, op.getType());
  if (!result)
    return failure();
  rewriter.replaceOp(op, result);
  return success();
}

static LogicalResult splitMean(MeanOp op, PatternRewriter &rewriter) {
  ValueRange operands = op->getOperands();
  if (operands.empty() || !isa<FloatType>(getElementType(op.getResult())))
    return failure();
  Value sum = combine<AddOp>(rewriter, op.getLoc(), operands, op.getType());
  if (!sum)
    return failure();
  Value count = makeFloat(rewriter, op.getLoc(), getElementType(sum), double(operands.size()));
  rewriter.replaceOpWithNewOp<DivOp>(op, op.getType(), sum, count);
  return success();
}

/// A reduction with the attributes of `op`.
template <typename ReduceOp, typename OpT>
static Value reduceLike(OpBuilder &builder, OpT op, Value data) {
  return ReduceOp::create(builder, op.getLoc(), op.getType(), data, op.getAxes(), op.getKeepdims(),
                          op.getNoopWithEmptyAxes());
}

static LogicalResult rewriteL1(ReduceL1Op op, PatternRewriter &rewriter) {
  Value magnitude = AbsOp::create(rewriter, op.getLoc(), op.getData().getType(), op.getData());
  rewriter.replaceOp(op, reduceLike<ReduceSumOp>(rewriter, op, magnitude));
  return success();
}

static LogicalResult rewriteSumSquare(ReduceSumSquareOp op, PatternRewriter &rewriter) {
  Value square = MulOp::create(rewriter, op.getLoc(), op.getData().getType(), op.getData(), op.getData());
  rewriter.replaceOp(op, reduceLike<ReduceSumOp>(rewriter, op, square));
  return success();
}

static LogicalResult rewriteL2(ReduceL2Op op, PatternRewriter &rewriter) {
  if (!isa<FloatType>(getElementType(op.getData())))
    return failure();
  Value square = MulOp::create(rewriter, op.getLoc(), op.getData().getType(), op.getData(), op.getData());
  rewriter.replaceOpWithNewOp<SqrtOp>(op, op.getType(), reduceLike<ReduceSumOp>(rewriter, op, square));
  return success();
}

static LogicalResult rewriteLogSum(ReduceLogSumOp op, PatternRewriter &rewriter) {
  if (!isa<FloatType>(getElementType(op.getData())))
    return failure();
  rewriter.replaceOpWithNewOp<LogOp>(op, op.getType(), reduceLike<ReduceSumOp>(rewriter, op, op.getData()));
  return success();
}

/// log(sum(exp(x))) = log(sum(exp(x - max))) + max, which does not overflow.
static LogicalResult rewriteLogSumExp(ReduceLogSumExpOp op, PatternRewriter &rewriter) {
  auto type = dyn_cast<RankedTensorType>(op.getData().getType());
  DenseIntElementsAttr axes;
  if (!type || !isa<FloatType>(type.getElementType()) || (op.getAxes() && !matchPattern(op.getAxes(), m_Constant(&axes))))
    return failure();
  SmallVector<int64_t> kept(type.getShape());
  bool all = !op.getAxes() || axes.empty();
  if (all && op.getNoopWithEmptyAxes())
    return failure();
  if (all)
    kept.assign(type.getRank(), 1);
  else
    for (const APInt &axis : axes.getValues<APInt>()) {
      int64_t place = axis.getSExtValue() < 0 ? axis.getSExtValue() + type.getRank() : axis.getSExtValue();
      if (place < 0 || place >= type.getRank())
        return failure();
      kept[place] = 1;
    }
  Location loc = op.getLoc();
  Value largest = ReduceMaxOp::create(rewriter, loc, RankedTensorType::get(kept, type.getElementType()), op.getData(),
                                      op.getAxes(), /*keepdims=*/1, /*noop_with_empty_axes=*/0);
  Value below = SubOp::create(rewriter, loc, type, op.getData(), largest);
  Value sum = reduceLike<ReduceSumOp>(rewriter, op, ExpOp::create(rewriter, loc, type, below));
  Value largestLike = reduceLike<ReduceMaxOp>(rewriter, op, op.getData());
  Value log = LogOp::create(rewriter, loc, op.getType(), sum);
  rewriter.replaceOpWithNewOp<AddOp>(op, op.getType(), log, largestLike);
  return success();
}

/// y = x * s + (b - mean * s) with s = scale / sqrt(var + epsilon), which is constant if the parameters are.
static LogicalResult rewriteBatchNorm(BatchNormalizationOp op, PatternRewriter &rewriter) {
  auto type = dyn_cast<RankedTensorType>(op.getX().getType());
  auto parameter = dyn_cast<RankedTensorType>(op.getScale().getType());
  if (!type || type.getRank() < 2 || !parameter || !parameter.hasStaticShape() || op.getTrainingMode() ||
      op->getNumResults() != 1 || type.getElementType() != parameter.getElementType())
    return failure();
  Location loc = op.getLoc();
  Value epsilon = makeFloat(rewriter, loc, parameter.getElementType(), op.getEpsilon().convertToDouble());
  Value shifted = AddOp::create(rewriter, loc, parameter, op.getInputVar(), epsilon);
  Value deviation = SqrtOp::create(rewriter, loc, parameter, shifted);
  Value scale = DivOp::create(rewriter, loc, parameter, op.getScale(), deviation);
  Value scaledMean = MulOp::create(rewriter, loc, parameter, op.getInputMean(), scale);
  Value offset = SubOp::create(rewriter, loc, parameter, op.getB(), scaledMean);
  SmallVector<int64_t> shape(type.getRank() - 1, 1);
  shape[0] = parameter.getDimSize(0);
  auto aligned = RankedTensorType::get(shape, parameter.getElementType());
  Value target = makeIntegers(rewriter, loc, shape);
  Value factor = ReshapeOp::create(rewriter, loc, aligned, scale, target, /*allowzero=*/0);
  Value addend = ReshapeOp::create(rewriter, loc, aligned, offset, target, /*allowzero=*/0);
  Value product = MulOp::create(rewriter, loc, type, op.getX(), factor);
  rewriter.replaceOpWithNewOp<AddOp>(op, op.getY().getType(), product, addend);
  return success();
}

void lathe::populateDecomposePatterns(RewritePatternSet &patterns) {
  patterns.add(removeIdentity);
  patterns.add(rewriteCastLike);
  patterns.add(removeDropout);
  patterns.add(reduceGlobally<GlobalAveragePoolOp, ReduceMeanOp>);
  patterns.add(reduceGlobally<GlobalMaxPoolOp, ReduceMaxOp>);
  patterns.add(splitVariadic<SumOp, AddOp>);
  patterns.add(splitVariadic<MinOp, MinOp>);
  patterns.add(splitVariadic<MaxOp, MaxOp>);
  patterns.add(splitMean);
  patterns.add(rewriteL1);
  patterns.add(rewriteSumSquare);
  patterns.add(rewriteL2);
  patterns.add(rewriteLogSum);
  patterns.add(rewriteLogSumExp);
  populateConvolutionPatterns(patterns);
  populateEinsumPatterns(patterns);
  populateNNPatterns(patterns);
  populateQuantizedPatterns(patterns);
  populateResizePatterns(patterns);
  populateSignalPatterns(patterns);
}

namespace {

struct ImportDecomposePass : lathe::impl::ImportDecomposeBase<ImportDecomposePass> {
  using ImportDecomposeBase::ImportDecomposeBase;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateDecomposePatterns(patterns);
    if (batchNorm)
      patterns.add(rewriteBatchNorm);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace

//===- NNDimFlow.cpp - Dimension flow of neural network onnx ops ----------===//
#include "dialects/ONNX/IR/DimFlowHelpers.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::onnx;

/// Whether a window of size `kernel` along spatial dimension `i` keeps every position.
static bool isPointwise(Operation *op, int64_t kernel, size_t i) {
  ArrayRef<int64_t> strides = getInts(op, "strides"), pads = getInts(op, "pads");
  bool strided = i < strides.size() && strides[i] != 1;
  bool padded = pads.size() > 2 * i && (pads[i] || pads[i + pads.size() / 2]);
  return kernel == 1 && !strided && (!padded || getString(op, "auto_pad", "NOTSET") != "NOTSET");
}

/// Convolution of operand 0, channels at dimension 1, with the weight that is operand number
/// `weight`.
static DimFlow flowConvOf(FlowQuery q, unsigned weight) {
  ShapedType input = q.getTypeOf(0), filter = q.getTypeOf(weight);
  if (q.operand == weight)
    return q.dim == 0 ? DimFlow::same(1) : DimFlow::none();
  if (q.operand != 0) // a bias, scales and zero points
    return DimFlow::alongside(q.getOperandType(), q.dim, q.getResultType(), 1);
  if (q.dim == 0)
    return DimFlow::same(0);
  if (q.dim > 1)
    return isPointwise(q.op, filter.getDimSize(q.dim), q.dim - 2) ? DimFlow::same(q.dim)
                                                                  : DimFlow::windowed(q.dim);
  int64_t group = getInt(q.op, "group", 1);
  if (group == 1)
    return DimFlow::reduced();
  // A depthwise convolution keeps its channels; groups of several ones combine them group by group.
  return input.getDimSize(1) == group && filter.getDimSize(0) == group ? DimFlow::same(1)
                                                                       : DimFlow::mixed(1);
}

static DimFlow flowConv(Operation *, FlowQuery q) { return flowConvOf(q, 1); }

static DimFlow flowQLinearConv(QLinearConvOp op, FlowQuery q) {
  bool ofInput = q.operand == 1 || q.operand == 2; // one scale and zero point for the whole input
  return ofInput ? DimFlow::none() : flowConvOf(q, 3);
}

static DimFlow flowConvInteger(ConvIntegerOp op, FlowQuery q) {
  return q.operand > 1 && q.asks(op.getXZeroPoint()) ? DimFlow::none() : flowConvOf(q, 1);
}

static DimFlow flowConvTranspose(ConvTransposeOp op, FlowQuery q) {
  int64_t group = op.getGroup();
  if (q.operand == 2)
    return DimFlow::same(1);
  if (q.operand == 1)
    return q.dim != 1 ? DimFlow::none() : group == 1 ? DimFlow::same(1) : DimFlow::split(1);
  if (q.dim != 1)
    return q.dim == 0 ? DimFlow::same(0) : DimFlow::windowed(q.dim);
  if (group == 1)
    return DimFlow::reduced();
  bool depthwise = q.getTypeOf(0).getDimSize(1) == group && q.getTypeOf(1).getDimSize(1) == 1;
  return depthwise ? DimFlow::same(1) : DimFlow::mixed(1);
}

static DimFlow flowPool(Operation *, FlowQuery q) {
  if (q.operand > 1)
    return DimFlow::none();
  return q.dim < 2 ? DimFlow::same(q.dim) : DimFlow::windowed(q.dim);
}

static DimFlow flowGlobalPool(Operation *, FlowQuery q) {
  return q.dim < 2 ? DimFlow::same(q.dim) : DimFlow::reduced();
}

/// Regions of the input, each of one image: regions are the result's outermost dimension.
static DimFlow flowRegionPool(Operation *, FlowQuery q) {
  if (q.operand != 0)
    return q.dim == 0 ? DimFlow::same(0) : DimFlow::none();
  return q.dim == 0 ? DimFlow::mixed(0) : q.dim == 1 ? DimFlow::same(1) : DimFlow::windowed(q.dim);
}

static DimFlow flowLRN(Operation *, FlowQuery q) {
  return q.dim == 1 ? DimFlow::mixed(1) : DimFlow::same(q.dim);
}

static DimFlow flowBatchNormalization(BatchNormalizationOp op, FlowQuery q) {
  bool isY = q.result == 0;
  if (q.operand > 0 || (q.dim == 1 && !isY))
    return DimFlow::same(isY ? 1 : 0);
  if (!isY)
    return DimFlow::reduced();
  return op.getTrainingMode() && q.dim != 1 ? DimFlow::mixed(q.dim) : DimFlow::same(q.dim);
}

static DimFlow flowLayerNormalization(LayerNormalizationOp op, FlowQuery q) {
  bool isY = q.result == 0;
  if (q.operand > 0)
    return isY ? DimFlow::broadcast(q.getOperandType(), q.dim, q.getResultType()) : DimFlow::none();
  if (q.dim < fromFront(op.getAxis(), q.getOperandType().getRank()))
    return DimFlow::same(q.dim);
  return isY ? DimFlow::mixed(q.dim) : DimFlow::reduced();
}

static DimFlow flowInstanceNormalization(Operation *, FlowQuery q) {
  if (q.operand > 0)
    return DimFlow::same(1);
  return q.dim < 2 ? DimFlow::same(q.dim) : DimFlow::mixed(q.dim);
}

static DimFlow flowGroupNormalization(Operation *, FlowQuery q) {
  if (q.operand > 0)
    return DimFlow::same(1);
  return q.dim == 0 ? DimFlow::same(0) : DimFlow::mixed(q.dim);
}

static DimFlow flowMeanVariance(MeanVarianceNormalizationOp op, FlowQuery q) {
  for (int64_t axis : op.getAxes())
    if (fromFront(axis, q.getOperandType().getRank()) == q.dim)
      return DimFlow::mixed(q.dim);
  return DimFlow::same(q.dim);
}

void onnx::attachNNDimFlow(MLIRContext *context) {
  attachFlow<flowConv, ConvOp>(context);
  attachFlow<flowConvInteger, ConvIntegerOp>(context);
  attachFlow<flowQLinearConv, QLinearConvOp>(context);
  attachFlow<flowConvTranspose, ConvTransposeOp>(context);
  attachFlow<flowPool, AveragePoolOp, LpPoolOp, MaxPoolOp, MaxUnpoolOp>(context);
  attachFlow<flowGlobalPool, GlobalAveragePoolOp, GlobalLpPoolOp, GlobalMaxPoolOp>(context);
  attachFlow<flowRegionPool, MaxRoiPoolOp, RoiAlignOp>(context);
  attachFlow<flowLRN, LRNOp>(context);
  attachFlow<flowBatchNormalization, BatchNormalizationOp>(context);
  attachFlow<flowLayerNormalization, LayerNormalizationOp>(context);
  attachFlow<flowInstanceNormalization, InstanceNormalizationOp>(context);
  attachFlow<flowGroupNormalization, GroupNormalizationOp>(context);
  attachFlow<flowMeanVariance, MeanVarianceNormalizationOp>(context);
}

//===- TensorDimFlow.cpp - Dimension flow of onnx ops that move data ------===//
#include "dialects/ONNX/IR/DimFlowHelpers.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::onnx;

/// Whether a constant list of axes holds `dim`.
static bool holds(ArrayRef<int64_t> axes, unsigned dim, int64_t rank) {
  return llvm::any_of(axes, [&](int64_t axis) { return fromFront(axis, rank) == dim; });
}

/// Same where the size provably stays, windowed elsewhere.
static DimFlow flowResized(FlowQuery q) {
  int64_t from = q.getOperandType().getDimSize(q.dim), to = q.getResultType().getDimSize(q.dim);
  return from == to && !ShapedType::isDynamic(from) ? DimFlow::same(q.dim)
                                                    : DimFlow::windowed(q.dim);
}

static DimFlow flowConcat(ConcatOp op, FlowQuery q) {
  bool along =
      fromFront(op.getAxis(), q.getResultType().getRank()) == q.dim && op->getNumOperands() > 1;
  return along ? DimFlow::windowed(q.dim) : DimFlow::same(q.dim);
}

static DimFlow flowSplit(SplitOp op, FlowQuery q) {
  if (q.operand != 0)
    return DimFlow::none();
  bool along =
      fromFront(op.getAxis(), q.getResultType().getRank()) == q.dim && op->getNumResults() > 1;
  return along ? DimFlow::windowed(q.dim) : DimFlow::same(q.dim);
}

static DimFlow flowTranspose(TransposeOp op, FlowQuery q) {
  std::optional<ArrayRef<int64_t>> perm = op.getPerm();
  if (!perm)
    return DimFlow::same(q.getResultType().getRank() - 1 - q.dim);
  return DimFlow::same(llvm::find(*perm, int64_t(q.dim)) - perm->begin());
}

static DimFlow flowReshape(ReshapeOp op, FlowQuery q) {
  if (q.operand != 0)
    return DimFlow::none();
  ShapedType from = q.getOperandType(), to = q.getResultType();
  // Leading zeros in the shape copy sizes, which may be dynamic ones.
  if (auto shape = getConstantInts(op.getShape()); shape && !op.getAllowzero()) {
    unsigned copied = 0;
    while (copied < shape->size() && copied < from.getRank() && (*shape)[copied] == 0)
      ++copied;
    if (q.dim < copied)
      return DimFlow::same(q.dim);
    DimFlow flow = DimFlow::reshape(
        RankedTensorType::get(from.getShape().drop_front(copied), from.getElementType()),
        q.dim - copied,
        RankedTensorType::get(to.getShape().drop_front(copied), to.getElementType()));
    flow.dim = std::min<unsigned>(flow.dim + copied, std::max<int64_t>(to.getRank(), 1) - 1);
    return flow;
  }
  return DimFlow::reshape(from, q.dim, to);
}

static DimFlow flowFlatten(FlattenOp op, FlowQuery q) {
  unsigned rank = q.getOperandType().getRank(), axis = fromFront(op.getAxis(), rank),
           row = q.dim >= axis;
  bool alone = row ? axis + 1 == rank : axis == 1;
  return alone ? DimFlow::same(row) : DimFlow::split(row);
}

static DimFlow flowSqueeze(SqueezeOp op, FlowQuery q) {
  if (q.operand != 0)
    return DimFlow::none();
  ShapedType from = q.getOperandType(), to = q.getResultType();
  auto axes = getConstantInts(op.getAxes());
  if (!axes)
    return DimFlow::reshape(from, q.dim, to);
  unsigned place = 0;
  for (unsigned dim = 0; dim < q.dim; ++dim)
    place += !holds(*axes, dim, from.getRank());
  if (holds(*axes, q.dim, from.getRank()))
    return DimFlow::split(std::min<unsigned>(place, std::max<int64_t>(to.getRank(), 1) - 1));
  return DimFlow::same(place);
}

static DimFlow flowUnsqueeze(UnsqueezeOp op, FlowQuery q) {
  if (q.operand != 0)
    return DimFlow::none();
  ShapedType to = q.getResultType();
  auto axes = getConstantInts(op.getAxes());
  if (!axes)
    return DimFlow::reshape(q.getOperandType(), q.dim, to);
  unsigned old = 0;
  for (unsigned dim = 0; dim < to.getRank(); ++dim)
    if (!holds(*axes, dim, to.getRank()) && old++ == q.dim)
      return DimFlow::same(dim);
  return DimFlow::mixed(0);
}

static DimFlow flowSlice(SliceOp op, FlowQuery q) {
  if (q.operand != 0)
    return DimFlow::none();
  ShapedType type = q.getOperandType(), starts = q.getTypeOf(1);
  if (!op.getAxes()) // the leading ones
    return starts.getRank() == 1 && q.dim >= starts.getDimSize(0) && !starts.isDynamicDim(0)
               ? DimFlow::same(q.dim)
               : DimFlow::windowed(q.dim);
  auto axes = getConstantInts(op.getAxes());
  return axes && !holds(*axes, q.dim, type.getRank()) ? DimFlow::same(q.dim)
                                                      : DimFlow::windowed(q.dim);
}

static DimFlow flowPad(PadOp op, FlowQuery q) {
  if (q.operand != 0)
    return DimFlow::none();
  int64_t rank = q.getOperandType().getRank();
  auto pads = getConstantInts(op.getPads());
  auto axes = getConstantInts(op.getAxes());
  if (!pads || (op.getAxes() && !axes))
    return DimFlow::windowed(q.dim);
  size_t count = pads->size() / 2;
  for (size_t i = 0; i < count; ++i)
    if ((axes ? i < axes->size() && fromFront((*axes)[i], rank) == q.dim : i == q.dim) &&
        ((*pads)[i] || (*pads)[i + count]))
      return DimFlow::windowed(q.dim);
  return DimFlow::same(q.dim);
}

static DimFlow flowCenterCropPad(CenterCropPadOp op, FlowQuery q) {
  return q.operand == 0 ? flowResized(q) : DimFlow::none();
}

static DimFlow flowResize(ResizeOp op, FlowQuery q) {
  if (q.operand != 0)
    return DimFlow::none();
  int64_t rank = q.getOperandType().getRank();
  ArrayRef<int64_t> axes = op.getAxes().value_or(ArrayRef<int64_t>());
  if (!axes.empty() && !holds(axes, q.dim, rank))
    return DimFlow::same(q.dim);
  DenseFPElementsAttr scales;
  if (axes.empty() && op.getScales() && matchPattern(op.getScales(), m_Constant(&scales)) &&
      scales.getNumElements() == rank && scales.getValues<APFloat>()[q.dim].isExactlyValue(1.0))
    return DimFlow::same(q.dim);
  return flowResized(q);
}

static DimFlow flowTile(TileOp op, FlowQuery q) {
  if (q.operand != 0)
    return DimFlow::none();
  auto repeats = getConstantInts(op.getRepeats());
  if (repeats && q.dim < repeats->size() && (*repeats)[q.dim] == 1)
    return DimFlow::same(q.dim);
  if (q.getOperandType().getDimSize(q.dim) == 1)
    return DimFlow::alongside(q.getOperandType(), q.dim, q.getResultType(), q.dim);
  return DimFlow::mixed(q.dim);
}

/// Each index stands for a whole slice of the data: the indices' dimensions replace the axis.
static DimFlow flowGather(GatherOp op, FlowQuery q) {
  unsigned axis = fromFront(op.getAxis(), q.getTypeOf(0).getRank()),
           indices = q.getTypeOf(1).getRank();
  if (q.operand == 1)
    return DimFlow::same(axis + q.dim);
  if (q.dim == axis)
    return indices == 0 ? DimFlow::reduced() : DimFlow::mixed(axis);
  return DimFlow::same(q.dim < axis ? q.dim : q.dim - 1 + indices);
}

/// Elements change places along the axis; other dimensions keep as many of theirs as the result has.
static DimFlow flowAlongAxis(int64_t axis, FlowQuery q) {
  return q.dim == fromFront(axis, q.getResultType().getRank()) ? DimFlow::mixed(q.dim) : flowResized(q);
}

static DimFlow flowGatherElements(GatherElementsOp op, FlowQuery q) {
  return q.operand == 1 ? DimFlow::same(q.dim) : flowAlongAxis(op.getAxis(), q);
}

static DimFlow flowGatherND(GatherNDOp op, FlowQuery q) {
  unsigned batch = op.getBatchDims(), last = q.getTypeOf(1).getRank() - 1;
  if (q.dim < batch || (q.operand == 1 && q.dim < last))
    return DimFlow::same(q.dim);
  int64_t depth = q.getTypeOf(1).getDimSize(last);
  if (q.operand == 1)
    return DimFlow::none();
  if (ShapedType::isDynamic(depth))
    return DimFlow::mixed(0);
  if (q.dim >= batch + depth)
    return DimFlow::same(q.dim - batch - depth + last);
  return last > batch ? DimFlow::mixed(batch) : DimFlow::reduced();
}

static DimFlow flowScatterElements(ScatterElementsOp op, FlowQuery q) {
  return q.operand == 0 ? DimFlow::same(q.dim) : flowAlongAxis(op.getAxis(), q);
}

static DimFlow flowScatterND(ScatterNDOp op, FlowQuery q) {
  unsigned last = q.getTypeOf(1).getRank() - 1;
  int64_t depth = q.getTypeOf(1).getDimSize(last);
  if (q.operand == 0)
    return DimFlow::same(q.dim);
  if (q.dim < last || ShapedType::isDynamic(depth))
    return DimFlow::mixed(0);
  return q.operand == 1 ? DimFlow::none() : DimFlow::same(q.dim - last + depth);
}

/// Channels become blocks of the image or the other way round.
static DimFlow flowDepthSpace(Operation *, FlowQuery q) {
  return q.dim == 0 ? DimFlow::same(0) : DimFlow::split(q.dim);
}

static DimFlow flowOneHot(OneHotOp op, FlowQuery q) {
  if (q.operand != 0)
    return DimFlow::none();
  return DimFlow::same(q.dim + (q.dim >= fromFront(op.getAxis(), q.getResultType().getRank())));
}

static DimFlow flowTopK(TopKOp op, FlowQuery q) {
  if (q.operand != 0)
    return DimFlow::none();
  return fromFront(op.getAxis(), q.getResultType().getRank()) == q.dim ? DimFlow::mixed(q.dim)
                                                                       : DimFlow::same(q.dim);
}

static DimFlow flowReverseSequence(ReverseSequenceOp op, FlowQuery q) {
  if (q.operand != 0)
    return DimFlow::same(unsigned(op.getBatchAxis()));
  return q.dim == op.getTimeAxis() ? DimFlow::mixed(q.dim) : DimFlow::same(q.dim);
}

static DimFlow flowGridSample(Operation *, FlowQuery q) {
  if (q.operand == 0)
    return q.dim < 2 ? DimFlow::same(q.dim) : DimFlow::mixed(q.dim);
  if (q.dim + 1 == q.getOperandType().getRank())
    return DimFlow::none();
  return DimFlow::same(q.dim == 0 ? 0 : q.dim + 1);
}

/// The result only tells or takes sizes.
static DimFlow flowSizes(Operation *, FlowQuery) { return DimFlow::none(); }

void onnx::attachTensorDimFlow(MLIRContext *context) {
  attachFlow<flowConcat, ConcatOp>(context);
  attachFlow<flowSplit, SplitOp>(context);
  attachFlow<flowTranspose, TransposeOp>(context);
  attachFlow<flowReshape, ReshapeOp>(context);
  attachFlow<flowFlatten, FlattenOp>(context);
  attachFlow<flowSqueeze, SqueezeOp>(context);
  attachFlow<flowUnsqueeze, UnsqueezeOp>(context);
  attachFlow<flowSlice, SliceOp>(context);
  attachFlow<flowPad, PadOp>(context);
  attachFlow<flowCenterCropPad, CenterCropPadOp>(context);
  attachFlow<flowResize, ResizeOp>(context);
  attachFlow<flowTile, TileOp>(context);
  attachFlow<flowGather, GatherOp>(context);
  attachFlow<flowGatherElements, GatherElementsOp>(context);
  attachFlow<flowGatherND, GatherNDOp>(context);
  attachFlow<flowScatterElements, ScatterElementsOp>(context);
  attachFlow<flowScatterND, ScatterNDOp>(context);
  attachFlow<flowDepthSpace, DepthToSpaceOp, SpaceToDepthOp>(context);
  attachFlow<flowOneHot, OneHotOp>(context);
  attachFlow<flowTopK, TopKOp>(context);
  attachFlow<flowReverseSequence, ReverseSequenceOp>(context);
  attachFlow<flowGridSample, GridSampleOp>(context);
  attachFlow<flowSizes, ShapeOp, SizeOp, ConstantOfShapeOp, RangeOp, EyeLikeOp>(context);
}

//===- ElementwiseDimFlow.cpp - Dimension flow of elementwise onnx ops ----===//
// Also what treats all dimensions but one as elementwise ops do, and reductions.
#include "dialects/ONNX/IR/DimFlowHelpers.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::onnx;

std::optional<SmallVector<int64_t>> onnx::getConstantInts(Value value) {
  ElementsAttr attribute;
  if (!value || !matchPattern(value, m_Constant(&attribute)) ||
      !attribute.getElementType().isSignlessInteger())
    return std::nullopt;
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(attribute)) {
    // The same bytes as a dense attribute; bits of smaller types are laid out in another way.
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    unsigned bits = attribute.getElementType().getIntOrFloatBitWidth();
    if (!blob || bits < 8 ||
        blob->getData().size() * 8 != size_t(attribute.getNumElements()) * bits)
      return std::nullopt;
    attribute =
        DenseElementsAttr::getFromRawBuffer(cast<ShapedType>(resource.getType()), blob->getData());
  }
  auto integers = dyn_cast<DenseIntElementsAttr>(attribute);
  if (!integers)
    return std::nullopt;
  return llvm::map_to_vector(integers.getValues<APInt>(),
                             [](const APInt &number) { return number.getSExtValue(); });
}

static DimFlow flowBroadcast(Operation *, FlowQuery q) {
  return DimFlow::broadcast(q.getOperandType(), q.dim, q.getResultType());
}

/// The first operand's dimensions stay; others give sizes or scalars.
static DimFlow flowFirst(Operation *op, FlowQuery q) {
  return q.operand == 0 ? flowBroadcast(op, q) : DimFlow::none();
}

/// Dimensions stay, elements along `axis` are combined.
template <typename OpT>
static DimFlow flowAlongAxis(OpT op, FlowQuery q) {
  unsigned axis = fromFront(op.getAxis(), q.getTypeOf(0).getRank());
  return q.dim == axis ? DimFlow::mixed(axis) : DimFlow::same(q.dim);
}

template <typename OpT>
static DimFlow flowCumulative(OpT op, FlowQuery q) {
  if (q.operand != 0)
    return DimFlow::none();
  auto axis = getConstantInts(op.getAxis());
  bool other =
      axis && axis->size() == 1 && fromFront(axis->front(), q.getResultType().getRank()) != q.dim;
  return other ? DimFlow::same(q.dim) : DimFlow::mixed(q.dim);
}

/// A scale for each index along the axis, or for each block of it.
template <typename OpT>
static DimFlow flowQuantization(OpT op, FlowQuery q) {
  ShapedType type = q.getOperandType(), result = q.getResultType();
  if (q.operand == 0)
    return DimFlow::same(q.dim);
  unsigned axis = fromFront(op.getAxis(), result.getRank());
  if (type.getRank() == 1)
    return axis < result.getRank() ? DimFlow::alongside(type, 0, result, axis) : DimFlow::mixed(0);
  return q.dim == axis ? DimFlow::split(axis) : DimFlow::same(q.dim);
}

/// Reduces dimensions in `axes`, all if they are empty.
static DimFlow flowReduced(FlowQuery q, ArrayRef<int64_t> axes, bool keepdims) {
  int64_t rank = q.getOperandType().getRank();
  unsigned place = q.dim;
  for (int64_t axis : axes) {
    if (fromFront(axis, rank) == q.dim)
      return DimFlow::reduced();
    place -= !keepdims && fromFront(axis, rank) < q.dim;
  }
  return axes.empty() ? DimFlow::reduced() : DimFlow::same(place);
}

template <typename OpT>
static DimFlow flowReduce(OpT op, FlowQuery q) {
  if (q.operand != 0)
    return DimFlow::none();
  std::optional<SmallVector<int64_t>> axes = SmallVector<int64_t>();
  if (op.getAxes())
    axes = getConstantInts(op.getAxes());
  if (!axes)
    return DimFlow::mixed(0);
  return axes->empty() && op.getNoopWithEmptyAxes() ? DimFlow::same(q.dim)
                                                    : flowReduced(q, *axes, op.getKeepdims());
}

template <typename OpT>
static DimFlow flowArg(OpT op, FlowQuery q) {
  return flowReduced(q, {int64_t(op.getAxis())}, op.getKeepdims());
}

template <typename... Ops>
static void attachReduceFlow(MLIRContext *context) {
  (attachFlow<flowReduce<Ops>, Ops>(context), ...);
}

void onnx::attachElementwiseDimFlow(MLIRContext *context) {
  attachFlow<flowBroadcast, AbsOp, AcosOp, AcoshOp, AddOp, AndOp, AsinOp, AsinhOp, AtanOp, AtanhOp,
             BitCastOp, BitShiftOp, BitwiseAndOp, BitwiseNotOp, BitwiseOrOp, BitwiseXorOp, CastOp,
             CeilOp, CeluOp, ClipOp, CosOp, CoshOp, DivOp, EluOp, EqualOp, ErfOp, ExpOp, FloorOp,
             GeluOp, GreaterOp, GreaterOrEqualOp, HardSigmoidOp, HardSwishOp, IdentityOp, IsInfOp,
             IsNaNOp, LeakyReluOp, LessOp, LessOrEqualOp, LogOp, MaxOp, MeanOp, MinOp, MishOp,
             ModOp, MulOp, NegOp, NotOp, OrOp, PReluOp, PowOp, ReciprocalOp, ReluOp, RoundOp,
             SeluOp, ShrinkOp, SigmoidOp, SignOp, SinOp, SinhOp, SoftplusOp, SoftsignOp, SqrtOp,
             SubOp, SumOp, TanOp, TanhOp, ThresholdedReluOp, WhereOp, XorOp>(context);
  attachFlow<flowFirst, CastLikeOp, DropoutOp, ExpandOp, TriluOp>(context);
  attachFlow<flowAlongAxis<SoftmaxOp>, SoftmaxOp>(context);
  attachFlow<flowAlongAxis<LogSoftmaxOp>, LogSoftmaxOp>(context);
  attachFlow<flowAlongAxis<HardmaxOp>, HardmaxOp>(context);
  attachFlow<flowAlongAxis<LpNormalizationOp>, LpNormalizationOp>(context);
  attachFlow<flowCumulative<CumSumOp>, CumSumOp>(context);
  attachFlow<flowCumulative<CumProdOp>, CumProdOp>(context);
  attachFlow<flowQuantization<QuantizeLinearOp>, QuantizeLinearOp>(context);
  attachFlow<flowQuantization<DequantizeLinearOp>, DequantizeLinearOp>(context);
  attachReduceFlow<ReduceL1Op, ReduceL2Op, ReduceLogSumOp, ReduceLogSumExpOp, ReduceMaxOp,
                   ReduceMeanOp, ReduceMinOp, ReduceProdOp, ReduceSumOp, ReduceSumSquareOp>(
      context);
  attachFlow<flowArg<ArgMaxOp>, ArgMaxOp>(context);
  attachFlow<flowArg<ArgMinOp>, ArgMinOp>(context);
}

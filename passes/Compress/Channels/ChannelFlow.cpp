//===- ChannelFlow.cpp - Links channels through the ops of a function -----===//
#include "dialects/NN/IR/NNDialect.h"
#include "dialects/ONNX/IR/DimFlowHelpers.h"
#include "dialects/ONNX/IR/Elementwise.h"
#include "dialects/ONNX/IR/ONNXDialect.h"
#include "passes/Compress/Channels/ChannelLinks.h"
#include "passes/Compress/Channels/Contractions.h"
#include "passes/Compress/Channels/ReshapeRuns.h"
#include "passes/Fuse/Utils.h"

using namespace mlir;
using namespace lathe;

static RankedTensorType getType(Value value) { return dyn_cast<RankedTensorType>(value.getType()); }

/// Whether removing elements of a dimension that flows as Same leaves the other elements as they are: what the op
/// knows of sizes and places follows from its types.
static bool isUnderstood(Operation *op) {
  if (auto conv = dyn_cast<nn::ConvOp>(op))
    return !conv.getInit() && getType(conv.getWeight()).getRank() == 4;
  if (auto linear = dyn_cast<nn::LinearOp>(op))
    return !linear.getInit() && !linear.getScales() && getType(linear.getWeight()).getRank() == 2;
  if (auto matmul = dyn_cast<nn::MatMulOp>(op))
    return !matmul.getInit() && !matmul.getPacked();
  if (auto attention = dyn_cast<nn::AttentionOp>(op))
    return !attention.getInit();
  if (auto normalization = dyn_cast<onnx::BatchNormalizationOp>(op))
    return !normalization.getTrainingMode();
  return onnx::isElementwise(op) ||
         isa<nn::PoolOp, nn::NormOp, nn::SoftmaxOp, onnx::TransposeOp, onnx::GatherOp, onnx::PadOp, onnx::SliceOp,
             onnx::ConcatOp, onnx::SplitOp, onnx::SoftmaxOp, onnx::LogSoftmaxOp, onnx::LayerNormalizationOp,
             onnx::InstanceNormalizationOp, onnx::GlobalAveragePoolOp, onnx::GlobalMaxPoolOp, onnx::MaxPoolOp,
             onnx::AveragePoolOp, onnx::ReduceL1Op, onnx::ReduceL2Op, onnx::ReduceMaxOp, onnx::ReduceMeanOp,
             onnx::ReduceMinOp, onnx::ReduceProdOp, onnx::ReduceSumOp, onnx::ReduceSumSquareOp>(op);
}

namespace {
class Linker {
public:
  explicit Linker(ChannelLinks &links) : links(links) {}

  void visit(Operation *op);
  /// Chooses the dimensions of reshapes that units are taken along, when everything else is linked.
  void finish();

private:
  void pinAll(Operation *op);
  void visitFlow(DimFlowOpInterface op);
  /// The flow of one dimension. Returns whether it covers dimension `covered` of the result.
  bool visitDim(DimFlowOpInterface op, OpOperand &operand, unsigned dim, OpResult result, unsigned &covered);
  void visitContraction(Contraction contraction);
  void visitReshape(Operation *op);
  void visitParts(Operation *op, unsigned axis);
  void linkGroupedHeads(nn::AttentionOp op, OpOperand &operand, unsigned dim, unsigned resultDim);

  ChannelLinks &links;
  /// A dimension and those that it consists of, outermost first.
  struct Composite {
    ChannelLinks::AxisId whole;
    SmallVector<ChannelLinks::AxisId> parts;
  };
  std::vector<Composite> composites;
};
} // namespace

void Linker::pinAll(Operation *op) {
  for (OpOperand &operand : op->getOpOperands())
    if (RankedTensorType type = getType(operand.get()))
      for (int64_t dim = 0; dim < type.getRank(); ++dim)
        links.pin(links.getAxis(operand, dim));
  for (Value result : op->getResults())
    if (RankedTensorType type = getType(result))
      for (int64_t dim = 0; dim < type.getRank(); ++dim)
        links.pin(links.getAxis(result, dim));
}

/// The dimension that a Concat or Split works along; nullopt for other ops.
static std::optional<unsigned> getPartsAxis(Operation *op) {
  int64_t axis, rank;
  if (auto concat = dyn_cast<onnx::ConcatOp>(op))
    axis = concat.getAxis(), rank = getType(concat->getResult(0)).getRank();
  else if (auto split = dyn_cast<onnx::SplitOp>(op))
    axis = split.getAxis(), rank = getType(split.getInput()).getRank();
  else
    return std::nullopt;
  return onnx::fromFront(axis, rank);
}

bool Linker::visitDim(DimFlowOpInterface op, OpOperand &operand, unsigned dim, OpResult result, unsigned &covered) {
  ChannelLinks::AxisId axis = links.getAxis(operand, dim);
  DimFlow flow = op.getDimFlow(operand.getOperandNumber(), dim, result.getResultNumber());
  bool isConstant = axis && links[*axis].isConstant();
  covered = flow.dim;
  switch (flow.kind) {
  case DimFlow::Kind::Same:
    links.linkAll(axis, links.getAxis(Value(result), flow.dim));
    return true;
  case DimFlow::Kind::Broadcast:
    return false;
  case DimFlow::Kind::None:
    // The rows of a weight, which `visitContraction` links, or what gives sizes.
    if (!isConstant)
      links.pin(axis);
    return false;
  case DimFlow::Kind::Reduced:
    if (auto contraction = Contraction::match(op); !contraction || operand.getOperandNumber() != 0)
      links.pin(axis);
    return false;
  case DimFlow::Kind::Split:
    if (auto attention = dyn_cast<nn::AttentionOp>(op.getOperation())) {
      linkGroupedHeads(attention, operand, dim, flow.dim);
      return false;
    }
    [[fallthrough]];
  case DimFlow::Kind::Windowed:
  case DimFlow::Kind::Mixed:
    if (getPartsAxis(op) == dim && flow.kind == DimFlow::Kind::Windowed)
      return true; // `visitParts` links them
    links.pin(axis);
    if (int64_t(flow.dim) < getType(result).getRank())
      links.pin(links.getAxis(Value(result), flow.dim));
    return false;
  }
  return false;
}

void Linker::visitFlow(DimFlowOpInterface op) {
  for (OpResult result : op->getResults()) {
    llvm::BitVector covered(getType(result).getRank());
    for (OpOperand &operand : op->getOpOperands())
      for (int64_t dim = 0, rank = getType(operand.get()).getRank(); dim < rank; ++dim)
        if (unsigned at = 0; visitDim(op, operand, dim, result, at))
          covered.set(at);
    for (unsigned dim = 0; dim < covered.size(); ++dim)
      if (!covered.test(dim))
        links.pin(links.getAxis(Value(result), dim));
  }
}

/// Key head h is read by the query heads of its group.
void Linker::linkGroupedHeads(nn::AttentionOp op, OpOperand &operand, unsigned dim, unsigned resultDim) {
  ChannelLinks::AxisId keys = links.getAxis(operand, dim), queries = links.getAxis(op.getResult(), resultDim);
  if (!keys || !queries || !links[*keys].size || links[*queries].size % links[*keys].size) {
    links.pin(keys);
    links.pin(queries);
    return;
  }
  int64_t ratio = links[*queries].size / links[*keys].size;
  for (int64_t i = 0; i < links[*queries].size; ++i)
    links.link(*queries, i, *keys, i / ratio);
}

void Linker::visitContraction(Contraction contraction) {
  unsigned last = getType(contraction.getInput()).getRank() - 1;
  OpOperand &weight = contraction.getWeightOperand();
  ChannelLinks::AxisId input = links.getAxis(contraction.getInputOperand(), last);
  ChannelLinks::AxisId rows = links.getAxis(weight, contraction.getInputDim());
  ChannelLinks::AxisId columns = links.getAxis(weight, contraction.getOutputDim());
  if (!contraction.isDense())
    return; // a depthwise filter flows as parameters do; other groups of channels are Mixed
  if (!contraction.readsFloats()) {
    links.pin(input);
    links.pin(columns);
    return;
  }
  if (rows)
    links[*rows].role = ChannelAxis::Role::Input;
  if (columns)
    links[*columns].role = ChannelAxis::Role::Output;
  links.linkAll(input, rows);
}

void Linker::visitReshape(Operation *op) {
  OpOperand &data = op->getOpOperand(0);
  Value result = op->getResult(0);
  RankedTensorType from = getType(data.get()), to = getType(result);
  llvm::BitVector fromSeen(from.getRank()), toSeen(to.getRank());
  bool rewritable = !isa<onnx::ReshapeOp>(op) || onnx::getConstantInts(op->getOperand(1));
  for (const ReshapeRun &run : alignReshape(from, to)) {
    if (!rewritable || (run.from.size() > 1 && run.to.size() > 1))
      continue;
    for (unsigned dim : run.from)
      fromSeen.set(dim);
    for (unsigned dim : run.to)
      toSeen.set(dim);
    if (run.from.size() == 1 && run.to.size() == 1) {
      links.linkAll(links.getAxis(data, run.from.front()), links.getAxis(result, run.to.front()));
      continue;
    }
    Composite composite;
    bool splits = run.from.size() == 1;
    composite.whole = splits ? links.getAxis(data, run.from.front()) : links.getAxis(result, run.to.front());
    for (unsigned dim : splits ? run.to : run.from)
      composite.parts.push_back(splits ? links.getAxis(result, dim) : links.getAxis(data, dim));
    composites.push_back(std::move(composite));
  }
  for (int64_t dim = 0; dim < from.getRank(); ++dim)
    if (!fromSeen.test(dim))
      links.pin(links.getAxis(data, dim));
  for (int64_t dim = 0; dim < to.getRank(); ++dim)
    if (!toSeen.test(dim))
      links.pin(links.getAxis(result, dim));
}

/// Concat and Split: each part's elements follow those of the parts before.
void Linker::visitParts(Operation *op, unsigned axis) {
  bool splits = isa<onnx::SplitOp>(op);
  SmallVector<ChannelLinks::AxisId> parts;
  if (splits)
    for (Value result : op->getResults())
      parts.push_back(links.getAxis(result, axis));
  else
    for (OpOperand &operand : op->getOpOperands())
      parts.push_back(links.getAxis(operand, axis));
  ChannelLinks::AxisId whole = splits ? links.getAxis(op->getOpOperand(0), axis) : links.getAxis(op->getResult(0), axis);
  bool known = whole && llvm::all_of(parts, [](ChannelLinks::AxisId part) { return part.has_value(); });
  int64_t offset = 0;
  for (ChannelLinks::AxisId part : parts) {
    if (!known) {
      links.pin(part);
      continue;
    }
    for (int64_t i = 0; i < links[*part].size; ++i)
      links.link(*whole, offset + i, *part, i);
    offset += links[*part].size;
  }
  if (!known)
    links.pin(whole);
}

void Linker::visit(Operation *op) {
  if (op->hasTrait<OpTrait::ConstantLike>())
    return;
  auto isRanked = [](Value value) { return getType(value) != nullptr; };
  auto flow = dyn_cast<DimFlowOpInterface>(op);
  bool ranked = llvm::all_of(op->getOperands(), isRanked) && llvm::all_of(op->getResults(), isRanked);
  if (isa<onnx::ReshapeOp, onnx::FlattenOp, onnx::SqueezeOp, onnx::UnsqueezeOp>(op) && ranked)
    return visitReshape(op);
  if (!flow || !ranked || !isUnderstood(op)) {
    pinAll(op);
    // What the bodies of loops and branches read.
    op->walk([&](Operation *nested) {
      if (nested != op)
        for (OpOperand &operand : nested->getOpOperands())
          if (RankedTensorType type = getType(operand.get()))
            for (int64_t dim = 0; dim < type.getRank(); ++dim)
              links.pin(links.getAxis(operand, dim));
    });
    return;
  }
  visitFlow(flow);
  if (std::optional<unsigned> axis = getPartsAxis(op))
    visitParts(op, *axis);
  if (auto contraction = Contraction::match(op))
    visitContraction(*contraction);
}

void Linker::finish() {
  for (const Composite &composite : composites) {
    bool known = composite.whole && llvm::all_of(composite.parts, [](auto part) { return part.has_value(); });
    bool chosen = false;
    int64_t stride = 1;
    if (known)
      for (ChannelLinks::AxisId part : composite.parts)
        stride *= links[*part].size;
    for (ChannelLinks::AxisId part : composite.parts) {
      int64_t size = known ? links[*part].size : 0;
      stride = size ? stride / size : 1;
      if (!known || chosen || links.hasPinned(*part)) {
        links.pin(part);
        continue;
      }
      chosen = true;
      for (int64_t i = 0; i < links[*composite.whole].size; ++i)
        links.link(*composite.whole, i, *part, i / stride % size);
    }
    if (!chosen)
      links.pin(composite.whole);
  }
}

void lathe::linkChannels(func::FuncOp function, ChannelLinks &links) {
  Linker linker(links);
  for (Operation &op : function.getBody().front())
    linker.visit(&op);
  linker.finish();
}

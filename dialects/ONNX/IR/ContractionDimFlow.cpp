//===- ContractionDimFlow.cpp - Dimension flow of products and recurrences ===//
#include "dialects/ONNX/IR/DimFlowHelpers.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::onnx;

/// NumPy's matmul of operands number `lhs` and `rhs`, of which one or both may be vectors.
static DimFlow flowProduct(FlowQuery q, unsigned lhs, unsigned rhs) {
  ShapedType type = q.getOperandType(), result = q.getResultType();
  unsigned rank = type.getRank();
  if (rank == 1)
    return DimFlow::reduced();
  unsigned rows = q.getTypeOf(lhs).getRank() > 1, columns = q.getTypeOf(rhs).getRank() > 1;
  unsigned batch = result.getRank() - rows - columns;
  if (q.dim + 2 < rank)
    return DimFlow::alongside(type, q.dim, result, q.dim + batch + 2 - rank);
  if (q.operand == lhs)
    return q.dim + 1 == rank ? DimFlow::reduced() : DimFlow::same(batch);
  return q.dim + 1 == rank ? DimFlow::same(batch + rows) : DimFlow::reduced();
}

/// A scale or zero point of one dimension, one for each index of the result's.
static DimFlow flowParameter(FlowQuery q, int64_t toDim) {
  if (toDim < 0)
    return DimFlow::mixed(0);
  return DimFlow::alongside(q.getOperandType(), q.dim, q.getResultType(), unsigned(toDim));
}

static DimFlow flowMatMul(Operation *, FlowQuery q) { return flowProduct(q, 0, 1); }

static DimFlow flowMatMulInteger(MatMulIntegerOp op, FlowQuery q) {
  if (q.operand < 2)
    return flowProduct(q, 0, 1);
  return flowParameter(q, q.getResultType().getRank() - (q.asks(op.getAZeroPoint()) ? 2 : 1));
}

static DimFlow flowQLinearMatMul(QLinearMatMulOp op, FlowQuery q) {
  if (q.operand == 0 || q.operand == 3)
    return flowProduct(q, 0, 3);
  return flowParameter(q, q.getResultType().getRank() - (q.operand == 4 || q.operand == 5 ? 1 : 2));
}

static DimFlow flowGemm(GemmOp op, FlowQuery q) {
  if (q.operand > 1)
    return DimFlow::broadcast(q.getOperandType(), q.dim, q.getResultType());
  unsigned kept = q.operand == 0 ? op.getTransA() != 0 : op.getTransB() == 0;
  return q.dim == kept ? DimFlow::same(q.operand) : DimFlow::reduced();
}

/// The operand's letters against the output's; dimensions of an ellipsis are aligned at the
/// innermost one.
static DimFlow flowEinsum(EinsumOp op, FlowQuery q) {
  std::string equation;
  for (char c : op.getEquation())
    if (c != ' ')
      equation += c;
  auto [inputs, output] = StringRef(equation).split("->");
  SmallVector<StringRef> terms;
  inputs.split(terms, ',');
  if (q.operand >= terms.size())
    return DimFlow::mixed(0);
  std::string implicit;
  if (!StringRef(equation).contains("->")) {
    implicit = inputs.contains("...") ? "..." : "";
    for (int c = 'A'; c <= 'z'; ++c)
      if (llvm::isAlpha(char(c)) && inputs.count(char(c)) == 1)
        implicit += char(c);
    output = implicit;
  }
  // The place of a letter, or of a dimension counted from the ellipsis's end, in a tensor of `rank`
  // dimensions.
  auto width = [](StringRef term, int64_t rank) { return rank - int64_t(term.size()) + 3; };
  StringRef term = terms[q.operand];
  int64_t rank = q.getOperandType().getRank(), outRank = q.getResultType().getRank();
  int64_t hole = term.contains("...") ? int64_t(term.find("...")) : -1, dim = q.dim;
  size_t outHole = output.find("...");
  if (hole >= 0 && dim >= hole && dim < hole + width(term, rank)) {
    if (outHole == StringRef::npos)
      return DimFlow::reduced();
    int64_t fromEnd = hole + width(term, rank) - dim;
    int64_t place = int64_t(outHole) + width(output, outRank) - fromEnd;
    return place < 0 ? DimFlow::mixed(0) : flowParameter(q, place);
  }
  size_t index = size_t(hole >= 0 && dim >= hole ? dim - width(term, rank) + 3 : dim);
  if (index >= term.size())
    return DimFlow::mixed(0);
  size_t place = output.find(term[index]);
  if (place == StringRef::npos)
    return DimFlow::reduced();
  if (term.count(term[index]) > 1)
    return DimFlow::mixed(0);
  if (outHole != StringRef::npos && place > outHole)
    place = place - 3 + size_t(width(output, outRank));
  return int64_t(place) < outRank ? flowParameter(q, int64_t(place)) : DimFlow::mixed(0);
}

/// GRU, LSTM, RNN: results Y [T, D, B, H] and Y_h, Y_c [D, B, H]; with layout 1 [B, T, D, H] and
/// [B, D, H].
template <typename OpT>
static DimFlow flowRecurrent(OpT op, FlowQuery q) {
  bool batchFirst = op.getLayout(), sequence = op->getResult(q.result) == op.getY();
  unsigned direction = batchFirst ? 1 + sequence : sequence, batch = batchFirst ? 0 : 1 + sequence;
  unsigned hidden = 2 + sequence;
  unsigned group = 0; // number of the operand as ONNX counts them, absent ones included
  for (;; ++group) {
    auto [start, length] = op.getODSOperandIndexAndLength(group);
    if (length && start == q.operand)
      break;
  }
  constexpr unsigned kX = 0, kB = 3, kLengths = 4, kInitialH = 5, kInitialC = 6;
  if (group == kX) {
    if (q.dim == 2)
      return DimFlow::reduced();
    if (q.dim == unsigned(!batchFirst))
      return DimFlow::same(batch);
    return sequence ? DimFlow::mixed(batchFirst ? 1 : 0) : DimFlow::reduced();
  }
  if (group == kLengths)
    return DimFlow::same(batch);
  if (group == kInitialH || group == kInitialC) {
    if (q.dim == 2) // the product with R mixes h; c is only scaled
      return group == kInitialC ? DimFlow::same(hidden) : DimFlow::mixed(hidden);
    return DimFlow::same(q.dim == unsigned(batchFirst) ? direction : batch);
  }
  if (q.dim == 0)
    return DimFlow::same(direction);
  // Gates lie one behind the other along the second dimension of W, R, B and P.
  return q.dim == 1 || group == kB ? DimFlow::split(hidden) : DimFlow::none();
}

void onnx::attachContractionDimFlow(MLIRContext *context) {
  attachFlow<flowMatMul, MatMulOp>(context);
  attachFlow<flowMatMulInteger, MatMulIntegerOp>(context);
  attachFlow<flowQLinearMatMul, QLinearMatMulOp>(context);
  attachFlow<flowGemm, GemmOp>(context);
  attachFlow<flowEinsum, EinsumOp>(context);
  attachFlow<flowRecurrent<GRUOp>, GRUOp>(context);
  attachFlow<flowRecurrent<LSTMOp>, LSTMOp>(context);
  attachFlow<flowRecurrent<RNNOp>, RNNOp>(context);
}

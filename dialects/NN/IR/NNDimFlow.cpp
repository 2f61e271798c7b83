//===- NNDimFlow.cpp - Where the dimensions of nn ops' operands go --------===//
#include "dialects/NN/IR/NNDialect.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::nn;

static ShapedType shapeOf(Value value) { return cast<ShapedType>(value.getType()); }

/// What the ops with an epilogue share: extras broadcast to the result, the destination is the
/// result.
template <typename OpT>
static DimFlow flowOfExtra(OpT op, unsigned operand, unsigned dim) {
  Value value = op->getOperand(operand);
  return value == op.getInit() ? DimFlow::same(dim)
                               : DimFlow::broadcast(shapeOf(value), dim, op.getResultShapedType());
}

DimFlow LinearOp::getDimFlow(unsigned operand, unsigned dim, unsigned) {
  ShapedType weight = shapeOf(getWeight());
  unsigned last = getResultShapedType().getRank() - 1;
  if (operand == 0)
    return dim == last ? DimFlow::reduced() : DimFlow::same(dim);
  // Scales and offsets have the weight's columns where it has them.
  if (operand > 1u + bool(getScales()) + bool(getOffsets()))
    return flowOfExtra(*this, operand, dim);
  if (weight.getRank() == 2)
    return dim == 1 ? DimFlow::same(last) : DimFlow::none();
  return dim == 0 || dim == 2 ? DimFlow::split(last) : DimFlow::none(); // panels [N/n0, K, n0(, 4)]
}

DimFlow SparseLinearOp::getDimFlow(unsigned operand, unsigned dim, unsigned) {
  unsigned last = getResultShapedType().getRank() - 1;
  if (operand == 0)
    return dim == last ? DimFlow::reduced() : DimFlow::same(dim);
  return operand < 4 ? DimFlow::none() : flowOfExtra(*this, operand, dim);
}

DimFlow MatMulOp::getDimFlow(unsigned operand, unsigned dim, unsigned) {
  if (operand > 1)
    return flowOfExtra(*this, operand, dim);
  ShapedType type = shapeOf(getOperand(operand)), result = getResultShapedType();
  unsigned matrix = operand == 1 && getPacked() ? 3 : 2, batch = type.getRank() - matrix,
           last = result.getRank() - 1;
  if (dim < batch)
    return DimFlow::alongside(type, dim, result, dim + result.getRank() - 2 - batch);
  unsigned place = dim - batch;
  if (operand == 0)
    return place == 0 ? DimFlow::same(last - 1) : DimFlow::reduced();
  if (matrix == 3)
    return place == 1 ? DimFlow::reduced() : DimFlow::split(last);
  return place == 0 ? DimFlow::reduced() : DimFlow::same(last);
}

DimFlow ConvOp::getDimFlow(unsigned operand, unsigned dim, unsigned) {
  if (operand > 1)
    return flowOfExtra(*this, operand, dim);
  ShapedType weight = shapeOf(getWeight());
  bool packed = weight.getRank() != 4;
  if (operand == 1) {
    if (packed)
      return dim == 0 || dim == 4 ? DimFlow::split(3) : DimFlow::none();
    return dim == 3 ? DimFlow::same(3) : DimFlow::none();
  }
  if (dim == 0)
    return DimFlow::same(0);
  if (dim < 3) {
    unsigned i = dim - 1;
    bool pointwise = weight.getDimSize(packed + i) == 1 && getStrides()[i] == 1 && !getPads()[i] &&
                     !getPads()[i + 2];
    return pointwise ? DimFlow::same(dim) : DimFlow::windowed(dim);
  }
  if (getGroup() == 1)
    return DimFlow::reduced();
  // A depthwise convolution keeps its channels; groups of several ones combine them group by group.
  int64_t channels = shapeOf(getInput()).getDimSize(3),
          outputs = getResultShapedType().getDimSize(3);
  return channels == int64_t(getGroup()) && outputs == channels ? DimFlow::same(3)
                                                                : DimFlow::mixed(3);
}

DimFlow PoolOp::getDimFlow(unsigned operand, unsigned dim, unsigned) {
  return operand == 0 && (dim == 1 || dim == 2) ? DimFlow::windowed(dim) : DimFlow::same(dim);
}

DimFlow AttentionOp::getDimFlow(unsigned operand, unsigned dim, unsigned) {
  Value of = getOperand(operand);
  ShapedType type = shapeOf(of), result = getResultShapedType();
  unsigned heads = getHeadsFirst() ? 1 : 2, tokens = 3 - heads;
  if (operand > 2) {
    if (of == getInit())
      return DimFlow::same(dim);
    unsigned place = dim + 4 - type.getRank(); // in [B, Hq, Sq, Skv]
    if (place == 3)
      return DimFlow::reduced();
    return DimFlow::alongside(type, dim, result, place == 0 ? 0 : place == 1 ? heads : tokens);
  }
  if (dim == 0)
    return DimFlow::alongside(type, 0, result, 0);
  if (operand == 0)
    return dim == 3 ? DimFlow::reduced() : DimFlow::same(dim);
  unsigned kvHeads = getKvHeadsFirst() ? 1 : 2;
  if (dim == kvHeads)
    return type.getDimSize(dim) == result.getDimSize(heads) ? DimFlow::same(heads)
                                                            : DimFlow::split(heads);
  return operand == 2 && dim == 3 ? DimFlow::same(3) : DimFlow::reduced();
}

DimFlow NormOp::getDimFlow(unsigned operand, unsigned dim, unsigned) {
  Value of = getOperand(operand);
  unsigned last = getResultShapedType().getRank() - 1;
  if (operand > 0)
    return DimFlow::same(of == getInit() ? dim : last);
  return dim == last ? DimFlow::mixed(last) : DimFlow::same(dim);
}

DimFlow SoftmaxOp::getDimFlow(unsigned operand, unsigned dim, unsigned) {
  bool last = operand == 0 && int64_t(dim) + 1 == getResultShapedType().getRank();
  return last ? DimFlow::mixed(dim) : DimFlow::same(dim);
}

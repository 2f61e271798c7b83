//===- SizeBounds.cpp - Bounds of sizes that are computed at run time -----===//
#include "passes/Codegen/Common/SizeBounds.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "passes/Codegen/Common/LoopValues.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::codegen;

using Bounds = SizeBounds::Bounds;

int64_t codegen::getElementBytes(Type type) {
  if (type.isIndex())
    return 8;
  if (auto vector = dyn_cast<VectorType>(type))
    return vector.getNumElements() * getElementBytes(vector.getElementType());
  return llvm::divideCeil(type.getIntOrFloatBitWidth(), 8u);
}

static Bounds add(Bounds a, Bounds b) { return {a.lower + b.lower, a.upper + b.upper}; }

static Bounds multiply(Bounds a, Bounds b) {
  auto [low, high] = std::minmax({a.lower * b.lower, a.lower * b.upper, a.upper * b.lower, a.upper * b.upper});
  return {low, high};
}

/// Division by a positive range, rounded as `divide` does.
static std::optional<Bounds> divideBy(Bounds a, Bounds b, int64_t (*divide)(int64_t, int64_t)) {
  if (b.lower <= 0)
    return std::nullopt;
  auto [low, high] = std::minmax(
      {divide(a.lower, b.lower), divide(a.lower, b.upper), divide(a.upper, b.lower), divide(a.upper, b.upper)});
  return Bounds{low, high};
}

static int64_t floorDiv(int64_t a, int64_t b) { return llvm::divideFloorSigned(a, b); }
static int64_t ceilDiv(int64_t a, int64_t b) { return llvm::divideCeilSigned(a, b); }
static int64_t truncDiv(int64_t a, int64_t b) { return a / b; }

std::optional<Bounds> SizeBounds::evaluate(AffineExpr expr, ArrayRef<Bounds> dims, ArrayRef<Bounds> symbols) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return Bounds{constant.getValue(), constant.getValue()};
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return dims[dim.getPosition()];
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
    return symbols[symbol.getPosition()];
  auto binary = cast<AffineBinaryOpExpr>(expr);
  auto a = evaluate(binary.getLHS(), dims, symbols), b = evaluate(binary.getRHS(), dims, symbols);
  if (!a || !b)
    return std::nullopt;
  switch (expr.getKind()) {
  case AffineExprKind::Add:
    return add(*a, *b);
  case AffineExprKind::Mul:
    return multiply(*a, *b);
  case AffineExprKind::FloorDiv:
    return divideBy(*a, *b, floorDiv);
  case AffineExprKind::CeilDiv:
    return divideBy(*a, *b, ceilDiv);
  default: // Mod
    return Bounds{0, std::max<int64_t>(b->upper - 1, 0)};
  }
}

std::optional<SmallVector<Bounds>> SizeBounds::getAll(ValueRange values) {
  SmallVector<Bounds> ranges;
  for (Value value : values) {
    std::optional<Bounds> range = get(value);
    if (!range)
      return std::nullopt;
    ranges.push_back(*range);
  }
  return ranges;
}

std::optional<Bounds> SizeBounds::getArgumentDim(BlockArgument argument, int64_t dim) {
  unsigned index = argument.getArgNumber();
  if (argument.getOwner() != &main.getBody().front() || index >= signature.inputs.size() ||
      size_t(dim) >= signature.inputs[index].shape.size())
    return std::nullopt;
  int64_t symbol = -1 - signature.inputs[index].shape[dim];
  if (symbol < 0 || size_t(symbol) >= signature.dims.size())
    return std::nullopt;
  return Bounds{signature.dims[symbol].lower, signature.dims[symbol].upper};
}

std::optional<Bounds> SizeBounds::getDim(Value memref, int64_t dim) {
  auto type = cast<MemRefType>(memref.getType());
  if (!type.isDynamicDim(dim))
    return Bounds{type.getDimSize(dim), type.getDimSize(dim)};
  if (auto argument = dyn_cast<BlockArgument>(memref)) {
    if (argument.getOwner() == &main.getBody().front())
      return getArgumentDim(argument, dim);
    Value initial = getInitial(argument);
    return initial ? getDim(initial, dim) : std::nullopt;
  }
  Operation *op = memref.getDefiningOp();
  if (auto alloc = dyn_cast<memref::AllocOp>(op))
    return get(alloc.getDynamicSizes()[type.getDynamicDimIndex(dim)]);
  if (auto view = dyn_cast<memref::ViewOp>(op))
    return get(view.getSizes()[type.getDynamicDimIndex(dim)]);
  if (auto cast = dyn_cast<memref::CastOp>(op); cast && isa<MemRefType>(cast.getSource().getType()))
    return getDim(cast.getSource(), dim);
  if (auto expand = dyn_cast<memref::ExpandShapeOp>(op))
    return get(expand.getMixedOutputShape()[dim]);
  if (auto collapse = dyn_cast<memref::CollapseShapeOp>(op)) {
    Bounds product{1, 1};
    SmallVector<ReassociationIndices> groups = collapse.getReassociationIndices();
    for (int64_t source : groups[dim]) {
      std::optional<Bounds> size = getDim(collapse.getSrc(), source);
      if (!size)
        return std::nullopt;
      product = multiply(product, *size);
    }
    return product;
  }
  if (auto subview = dyn_cast<memref::SubViewOp>(op); subview && subview.getSourceType().getRank() == type.getRank())
    return get(subview.getMixedSizes()[dim]);
  if (Value initial = getInitial(memref))
    return getDim(initial, dim);
  return std::nullopt;
}

std::optional<Bounds> SizeBounds::get(OpFoldResult value) {
  if (auto attr = dyn_cast<Attribute>(value)) {
    int64_t constant = cast<IntegerAttr>(attr).getInt();
    return Bounds{constant, constant};
  }
  return get(cast<Value>(value));
}

std::optional<Bounds> SizeBounds::get(Value value) {
  if (auto it = known.find(value); it != known.end())
    return it->second;
  std::optional<Bounds> range = compute(value);
  return known[value] = range;
}

/// The result of an op whose operands are within `ranges`.
std::optional<Bounds> SizeBounds::computeArithmetic(Operation *op, ArrayRef<Bounds> ranges) {
  if (auto apply = dyn_cast<affine::AffineApplyOp>(op)) {
    AffineMap map = apply.getAffineMap();
    return evaluate(map.getResult(0), ranges.take_front(map.getNumDims()), ranges.drop_front(map.getNumDims()));
  }
  if (isa<affine::AffineMinOp, affine::AffineMaxOp>(op)) {
    AffineMap map = cast<AffineMapAttr>(op->getAttr("map")).getValue();
    bool isMin = isa<affine::AffineMinOp>(op);
    std::optional<Bounds> result;
    for (AffineExpr expr : map.getResults()) {
      auto range = evaluate(expr, ranges.take_front(map.getNumDims()), ranges.drop_front(map.getNumDims()));
      if (!range)
        return std::nullopt;
      if (!result)
        result = range;
      else if (isMin)
        result = Bounds{std::min(result->lower, range->lower), std::min(result->upper, range->upper)};
      else
        result = Bounds{std::max(result->lower, range->lower), std::max(result->upper, range->upper)};
    }
    return result;
  }
  if (isa<arith::AddIOp>(op))
    return add(ranges[0], ranges[1]);
  if (isa<arith::SubIOp>(op))
    return Bounds{ranges[0].lower - ranges[1].upper, ranges[0].upper - ranges[1].lower};
  if (isa<arith::MulIOp>(op))
    return multiply(ranges[0], ranges[1]);
  if (isa<arith::FloorDivSIOp>(op))
    return divideBy(ranges[0], ranges[1], floorDiv);
  if (isa<arith::CeilDivSIOp, arith::CeilDivUIOp>(op))
    return divideBy(ranges[0], ranges[1], ceilDiv);
  if (isa<arith::DivSIOp, arith::DivUIOp>(op))
    return divideBy(ranges[0], ranges[1], truncDiv);
  if (isa<arith::RemSIOp, arith::RemUIOp>(op))
    return Bounds{0, std::max<int64_t>(ranges[1].upper - 1, 0)};
  if (isa<arith::MinSIOp, arith::MinUIOp>(op))
    return Bounds{std::min(ranges[0].lower, ranges[1].lower), std::min(ranges[0].upper, ranges[1].upper)};
  if (isa<arith::MaxSIOp, arith::MaxUIOp>(op))
    return Bounds{std::max(ranges[0].lower, ranges[1].lower), std::max(ranges[0].upper, ranges[1].upper)};
  if (isa<arith::IndexCastOp, arith::IndexCastUIOp, arith::ExtSIOp, arith::ExtUIOp, arith::TruncIOp>(op))
    return ranges[0];
  return std::nullopt;
}

/// The induction variable of a loop.
std::optional<Bounds> SizeBounds::computeArgument(BlockArgument argument) {
  auto loop = dyn_cast<scf::ForOp>(argument.getOwner()->getParentOp());
  if (!loop || argument != loop.getInductionVar())
    return std::nullopt;
  auto lower = get(loop.getLowerBound()), upper = get(loop.getUpperBound());
  if (!lower || !upper)
    return std::nullopt;
  return Bounds{lower->lower, std::max(lower->lower, upper->upper - 1)};
}

std::optional<Bounds> SizeBounds::compute(Value value) {
  APInt constant;
  if (matchPattern(value, m_ConstantInt(&constant)))
    return Bounds{constant.getSExtValue(), constant.getSExtValue()};
  if (auto argument = dyn_cast<BlockArgument>(value))
    return computeArgument(argument);
  Operation *op = value.getDefiningOp();
  if (auto dim = dyn_cast<memref::DimOp>(op)) {
    std::optional<int64_t> index = dim.getConstantIndex();
    return index && isa<MemRefType>(dim.getSource().getType()) ? getDim(dim.getSource(), *index) : std::nullopt;
  }
  if (auto dim = dyn_cast<tensor::DimOp>(op)) { // before bufferization
    std::optional<int64_t> index = dim.getConstantIndex();
    auto argument = dyn_cast<BlockArgument>(dim.getSource());
    return index && argument ? getArgumentDim(argument, *index) : std::nullopt;
  }
  if (isa<arith::SelectOp>(op)) {
    auto a = get(op->getOperand(1)), b = get(op->getOperand(2));
    if (!a || !b)
      return std::nullopt;
    return Bounds{std::min(a->lower, b->lower), std::max(a->upper, b->upper)};
  }
  std::optional<SmallVector<Bounds>> operands = getAll(op->getOperands());
  if (operands)
    return computeArithmetic(op, *operands);
  // A smaller value bounds a minimum even if the others are unknown.
  if (auto minimum = dyn_cast<arith::MinSIOp>(op)) {
    auto a = get(minimum.getLhs()), b = get(minimum.getRhs());
    if (a || b)
      return Bounds{0, a ? a->upper : b->upper};
  }
  return std::nullopt;
}

std::optional<int64_t> SizeBounds::getBytes(MemRefType type, ValueRange sizes) {
  int64_t bytes = getElementBytes(type.getElementType());
  for (int64_t size : type.getShape())
    if (!ShapedType::isDynamic(size))
      if (llvm::MulOverflow(bytes, size, bytes))
        return INT64_MAX;
  for (Value size : sizes) {
    std::optional<Bounds> range = get(size);
    if (!range)
      return std::nullopt;
    if (llvm::MulOverflow(bytes, std::max<int64_t>(range->upper, 0), bytes))
      return INT64_MAX;
  }
  return bytes;
}

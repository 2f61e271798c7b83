//===- LoopNest.cpp - In which order loops run, and which in parallel -----===//
#include "passes/Codegen/Common/LoopNest.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "passes/Codegen/Common/TaskWork.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::codegen;

/// Coefficient of loop `dim` in an index expression; kDynamic if it is not linear in it.
static int64_t getCoefficient(AffineExpr expr, unsigned dim) {
  if (!expr.isFunctionOfDim(dim))
    return 0;
  if (isa<AffineDimExpr>(expr))
    return 1;
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (binary && expr.getKind() == AffineExprKind::Add) {
    int64_t a = getCoefficient(binary.getLHS(), dim), b = getCoefficient(binary.getRHS(), dim);
    return ShapedType::isDynamic(a) || ShapedType::isDynamic(b) ? ShapedType::kDynamic : a + b;
  }
  if (binary && expr.getKind() == AffineExprKind::Mul)
    if (auto factor = dyn_cast<AffineConstantExpr>(binary.getRHS())) {
      int64_t a = getCoefficient(binary.getLHS(), dim);
      return ShapedType::isDynamic(a) ? a : a * factor.getValue();
    }
  return ShapedType::kDynamic;
}

/// How far apart consecutive iterations of loop `dim` are in the operand, in elements; kDynamic if
/// unknown.
static int64_t getStride(MemRefType type, AffineMap map, unsigned dim) {
  SmallVector<int64_t> strides;
  int64_t offset;
  if (failed(type.getStridesAndOffset(strides, offset)))
    return ShapedType::kDynamic;
  int64_t total = 0;
  for (auto [expr, stride] : llvm::zip(map.getResults(), strides)) {
    int64_t coefficient = getCoefficient(expr, dim);
    if (coefficient == 0)
      continue;
    if (ShapedType::isDynamic(coefficient) || ShapedType::isDynamic(stride))
      return ShapedType::kDynamic;
    total += coefficient * stride;
  }
  return total;
}

/// What it costs to have `dim` innermost: accesses that are not contiguous, stores above loads, and
/// short loops.
static unsigned getInnermostCost(linalg::GenericOp op, unsigned dim, int64_t size) {
  unsigned cost = 0;
  for (OpOperand &operand : op->getOpOperands()) {
    auto type = dyn_cast<MemRefType>(operand.get().getType());
    if (!type)
      continue;
    int64_t stride = getStride(type, op.getMatchingIndexingMap(&operand), dim);
    if (stride != 0 && stride != 1)
      cost += op.isDpsInit(&operand) ? 4 : 2;
  }
  return cost + (!ShapedType::isDynamic(size) && size < 4 ? 3 : 0);
}

/// Work of one iteration, of which those of loop `innermost` are neighbours.
static int64_t getWork(linalg::GenericOp op, unsigned innermost) {
  constexpr int64_t kPerFunction = 16; // an exponential, a logarithm...
  int64_t work = 0;
  for (OpOperand &operand : op->getOpOperands()) {
    auto type = dyn_cast<MemRefType>(operand.get().getType());
    if (!type || (op.isDpsInit(&operand) && linalg::isReductionIterator(op.getIteratorTypesArray()[innermost])))
      continue;
    int64_t stride = getStride(type, op.getMatchingIndexingMap(&operand), innermost);
    if (stride != 0)
      work += stride == 1 ? codegen::kWorkPerElement : codegen::kWorkPerScatteredElement;
  }
  for (Operation &inner : op.getBody()->without_terminator())
    work += inner.getDialect()->getNamespace() == math::MathDialect::getDialectNamespace() ? kPerFunction : 1;
  return std::max<int64_t>(work, 1);
}

LoopNest codegen::chooseNest(linalg::GenericOp op, int64_t parallelThreshold) {
  SmallVector<int64_t> sizes = op.getStaticLoopRanges();
  auto iterators = op.getIteratorTypesArray();
  unsigned numLoops = op.getNumLoops();
  LoopNest nest;
  if (!numLoops)
    return nest;
  unsigned innermost = numLoops - 1, best = ~0u;
  for (unsigned dim = numLoops; dim-- > 0;)
    if (unsigned cost = getInnermostCost(op, dim, sizes[dim]); cost < best)
      best = cost, innermost = dim;
  for (bool parallel : {true, false})
    for (unsigned dim = 0; dim < numLoops; ++dim)
      if (dim != innermost && linalg::isParallelIterator(iterators[dim]) == parallel)
        nest.order.push_back(dim);
  nest.order.push_back(innermost);

  int64_t work = nest.work = getWork(op, innermost);
  bool isDynamic = false;
  for (int64_t size : sizes) {
    isDynamic |= ShapedType::isDynamic(size);
    work *= ShapedType::isDynamic(size) ? 1 : size;
  }
  if (!isDynamic && work < parallelThreshold)
    return nest;
  auto rank = [&](unsigned dim) { return ShapedType::isDynamic(sizes[dim]) ? kTypicalLoopSize : sizes[dim]; };
  unsigned *outermost = nullptr;
  for (unsigned &dim : MutableArrayRef(nest.order).drop_back())
    if (linalg::isParallelIterator(iterators[dim]) &&
        (!outermost || (rank(*outermost) < 16 && rank(dim) > rank(*outermost))))
      outermost = &dim;
  if (outermost && rank(*outermost) > 1) {
    std::rotate(nest.order.data(), outermost, outermost + 1);
    nest.isParallel = true;
  } else if (linalg::isParallelIterator(iterators[innermost])) {
    nest.isParallel = numLoops == 1;
    nest.isBlocked = !nest.isParallel && rank(innermost) >= 2 * kLoopBlock;
  }
  return nest;
}

LoopNest codegen::chooseThreads(linalg::GenericOp op) {
  LoopNest nest;
  auto iterators = op.getIteratorTypesArray();
  SmallVector<int64_t> sizes = op.getStaticLoopRanges();
  unsigned best = ~0u;
  unsigned *innermost = nullptr;
  for (unsigned dim = 0; dim < op.getNumLoops(); ++dim)
    if (linalg::isParallelIterator(iterators[dim]))
      nest.order.push_back(dim);
  for (unsigned &dim : llvm::reverse(nest.order))
    if (unsigned cost = getInnermostCost(op, dim, sizes[dim]); cost < best)
      best = cost, innermost = &dim;
  if (innermost)
    std::rotate(innermost, innermost + 1, nest.order.end());
  nest.threads = nest.order.size();
  for (unsigned dim = 0; dim < op.getNumLoops(); ++dim)
    if (!linalg::isParallelIterator(iterators[dim]))
      nest.order.push_back(dim);
  return nest;
}

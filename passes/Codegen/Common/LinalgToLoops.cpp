//===- LinalgToLoops.cpp - linalg ops on memrefs become loops -------------===//
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "passes/Codegen/Common/Signature.h"
#include "passes/Codegen/Common/TargetKind.h"
#include "passes/Codegen/Common/TaskWork.h"
#include "passes/Codegen/Passes.h"
#include "llvm/Support/MathExtras.h"

namespace lathe {
#define GEN_PASS_DEF_LINALGTOLOOPSPASS
#include "passes/Codegen/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

/// A parallel innermost loop below sequential ones is cut into blocks of this many iterations, one
/// task each.
static constexpr int64_t kBlock = 256;
/// What a dynamic dimension is taken for where its size matters at compile time.
static constexpr int64_t kTypicalSize = 64;

//===----------------------------------------------------------------------===//
// Collapsing
//===----------------------------------------------------------------------===//

/// Whether loops `dim` and `dim + 1` of the op can be one: every operand has both side by side and
/// contiguous, or none.
static bool canCollapse(linalg::GenericOp op, unsigned dim) {
  if (op.getIteratorTypesArray()[dim] != op.getIteratorTypesArray()[dim + 1])
    return false;
  for (OpOperand &operand : op->getOpOperands()) {
    AffineMap map = op.getMatchingIndexingMap(&operand);
    if (!map.isProjectedPermutation() || !linalg::isDimSequencePreserved(map, {dim, dim + 1}))
      return false;
    auto type = dyn_cast<MemRefType>(operand.get().getType());
    if (!type)
      continue;
    for (unsigned result = 0; result + 1 < map.getNumResults(); ++result) {
      if (map.getDimPosition(result) != dim)
        continue;
      SmallVector<ReassociationIndices> groups;
      for (int64_t position = 0; position < type.getRank(); ++position) {
        if (position == int64_t(result) + 1)
          groups.back().push_back(position);
        else
          groups.push_back({position});
      }
      if (!memref::CollapseShapeOp::isGuaranteedCollapsible(type, groups))
        return false;
    }
  }
  return true;
}

/// Takes the dimensions that are read at 0 only, those that broadcast, from the operands' memrefs.
static void dropConstantIndices(RewriterBase &rewriter, linalg::GenericOp op) {
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  rewriter.setInsertionPoint(op);
  for (auto [operand, map] : llvm::zip(op->getOpOperands(), maps)) {
    auto type = dyn_cast<MemRefType>(operand.get().getType());
    if (!type)
      continue;
    SmallVector<OpFoldResult> sizes = memref::getMixedSizes(rewriter, op.getLoc(), operand.get());
    SmallVector<AffineExpr> kept;
    SmallVector<int64_t> shape;
    for (auto [dim, expr] : llvm::enumerate(map.getResults())) {
      if (expr == rewriter.getAffineConstantExpr(0)) {
        sizes[dim] = rewriter.getIndexAttr(1);
        continue;
      }
      kept.push_back(expr);
      shape.push_back(type.getDimSize(dim));
    }
    if (kept.size() == sizes.size())
      continue;
    SmallVector<OpFoldResult> offsets(sizes.size(), rewriter.getIndexAttr(0)), strides(sizes.size(), rewriter.getIndexAttr(1));
    MemRefType reduced = memref::SubViewOp::inferRankReducedResultType(shape, type, offsets, sizes, strides);
    operand.set(memref::SubViewOp::create(rewriter, op.getLoc(), reduced, operand.get(), offsets, sizes, strides));
    map = AffineMap::get(map.getNumDims(), map.getNumSymbols(), kept, op.getContext());
  }
  op.setIndexingMapsAttr(rewriter.getAffineMapArrayAttr(maps));
}

static linalg::GenericOp collapse(RewriterBase &rewriter, linalg::GenericOp op) {
  if (op.hasIndexSemantics() || op.getNumLoops() < 2)
    return op;
  dropConstantIndices(rewriter, op);
  SmallVector<ReassociationIndices> groups{{0}};
  for (unsigned dim = 1; dim < op.getNumLoops(); ++dim) {
    if (canCollapse(op, dim - 1))
      groups.back().push_back(dim);
    else
      groups.push_back({dim});
  }
  if (groups.size() == op.getNumLoops())
    return op;
  rewriter.setInsertionPoint(op);
  FailureOr<linalg::CollapseResult> result = linalg::collapseOpIterationDims(op, groups, rewriter);
  if (failed(result))
    return op;
  rewriter.eraseOp(op);
  return cast<linalg::GenericOp>(result->collapsedOp.getOperation());
}

//===----------------------------------------------------------------------===//
// Loop order
//===----------------------------------------------------------------------===//

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

namespace {

/// Order of the loops, outermost first, and how the outermost is run.
struct Nest {
  SmallVector<unsigned> order;
  bool isParallel = false; ///< the outermost loop is
  bool isBlocked = false;  ///< the innermost loop is, in blocks
  int64_t work = 1;        ///< of one iteration
  std::optional<unsigned> threads = std::nullopt; ///< so many outermost loops are one loop over threads of a GPU
};

} // namespace

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

static Nest chooseNest(linalg::GenericOp op, int64_t parallelThreshold) {
  SmallVector<int64_t> sizes = op.getStaticLoopRanges();
  auto iterators = op.getIteratorTypesArray();
  unsigned numLoops = op.getNumLoops();
  Nest nest;
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
  auto rank = [&](unsigned dim) {
    return ShapedType::isDynamic(sizes[dim]) ? kTypicalSize : sizes[dim];
  };
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
    nest.isBlocked = !nest.isParallel && rank(innermost) >= 2 * kBlock;
  }
  return nest;
}

/// Every loop that nothing is summed over is spread over threads, whose neighbours are neighbours in memory; a thread
/// runs the others.
static Nest chooseThreads(linalg::GenericOp op) {
  Nest nest;
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

//===----------------------------------------------------------------------===//
// Emission
//===----------------------------------------------------------------------===//

namespace {

/// Emits the loops of one op.
class LoopEmitter {
public:
  LoopEmitter(OpBuilder &builder, linalg::GenericOp op, Nest nest, int64_t parallelThreshold)
      : builder(builder), loc(op.getLoc()), op(op), nest(std::move(nest)),
        parallelThreshold(parallelThreshold), indices(op.getNumLoops()) {
    zero = arith::ConstantIndexOp::create(builder, loc, 0);
    one = arith::ConstantIndexOp::create(builder, loc, 1);
    for (const Range &range :
         cast<linalg::LinalgOp>(op.getOperation()).createLoopRanges(builder, loc))
      sizes.push_back(getValueOrCreateConstantIndexOp(builder, loc, range.size));
  }

  void emit() {
    if (nest.threads)
      return emitThreads(*nest.threads);
    if (nest.isBlocked)
      return emitBlocks();
    if (!nest.isParallel)
      return emitLoops(0, zero, {});
    unsigned dim = nest.order.front();
    auto loop = scf::ParallelOp::create(builder, loc, ValueRange{zero}, ValueRange{sizes[dim]},
                                        ValueRange{one});
    setMinCount(loop, dim);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    indices[dim] = loop.getInductionVars()[0];
    emitLoops(1, zero, {});
  }

private:
  /// Waking threads for less work than the threshold costs more than it saves.
  void setMinCount(scf::ParallelOp loop, unsigned parallelDim) {
    int64_t work = nest.work;
    for (auto [dim, size] : llvm::enumerate(op.getStaticLoopRanges()))
      if (dim != parallelDim)
        work *= ShapedType::isDynamic(size) ? kTypicalSize : size;
    loop->setAttr(codegen::kMinCountAttr, builder.getI64IntegerAttr(llvm::divideCeil(
                                              parallelThreshold, std::max<int64_t>(work, 1))));
  }

  void emitThreads(unsigned count) {
    SmallVector<Value> upper;
    for (unsigned dim : ArrayRef(nest.order).take_front(count))
      upper.push_back(sizes[dim]);
    if (upper.empty())
      upper.push_back(one);
    SmallVector<Value> zeros(upper.size(), zero), ones(upper.size(), one);
    auto loop = scf::ParallelOp::create(builder, loc, zeros, upper, ones);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    for (auto [dim, iv] : llvm::zip(ArrayRef(nest.order).take_front(count), loop.getInductionVars()))
      indices[dim] = iv;
    emitLoops(count, zero, {});
  }

  void emitBlocks() {
    unsigned dim = nest.order.back();
    Value size = sizes[dim];
    Value block = arith::ConstantIndexOp::create(builder, loc, kBlock);
    Value count = arith::CeilDivUIOp::create(builder, loc, size, block);
    auto loop =
        scf::ParallelOp::create(builder, loc, ValueRange{zero}, ValueRange{count}, ValueRange{one});
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    Value begin = arith::MulIOp::create(builder, loc, loop.getInductionVars()[0], block);
    Value end = arith::AddIOp::create(builder, loc, begin, block);
    sizes[dim] = arith::MinUIOp::create(builder, loc, end, size);
    emitLoops(0, begin, {});
  }

  bool isReduction(unsigned dim) {
    return linalg::isReductionIterator(op.getIteratorTypesArray()[dim]);
  }

  /// Loops from `depth` on; the innermost begins at `begin`. Once only reductions are left, results
  /// are carried in `carried` and the final ones returned.
  SmallVector<Value> emitNest(unsigned depth, Value begin, SmallVector<Value> carried) {
    if (depth == nest.order.size())
      return emitBody(carried);
    unsigned dim = nest.order[depth];
    bool isInnermost = depth + 1 == nest.order.size();
    auto loop =
        scf::ForOp::create(builder, loc, isInnermost ? begin : zero, sizes[dim], one, carried);
    OpBuilder::InsertionGuard guard(builder);
    if (carried.empty())
      builder.setInsertionPoint(loop.getBody()->getTerminator());
    else
      builder.setInsertionPointToStart(loop.getBody());
    indices[dim] = loop.getInductionVar();
    SmallVector<Value> inner(loop.getRegionIterArgs());
    SmallVector<Value> results = startAccumulation(depth + 1) && carried.empty()
                                     ? accumulate(depth + 1, begin)
                                     : emitNest(depth + 1, begin, inner);
    if (!carried.empty())
      scf::YieldOp::create(builder, loc, results);
    return SmallVector<Value>(loop.getResults());
  }

  void emitLoops(unsigned depth, Value begin, SmallVector<Value> carried) {
    if (startAccumulation(depth))
      accumulate(depth, begin);
    else
      emitNest(depth, begin, carried);
  }

  /// Whether the loops from `depth` on are reductions, and there is at least one. An op that also stores an element in each of
  /// their iterations, as fusion makes them, keeps its accumulators in memory.
  bool startAccumulation(unsigned depth) {
    auto isAccumulated = [&](unsigned dim) {
      return isReduction(dim) && llvm::none_of(op.getDpsInitsMutable(), [&](OpOperand &init) {
               return op.getMatchingIndexingMap(&init).isFunctionOfDim(dim);
             });
    };
    return depth < nest.order.size() && llvm::all_of(ArrayRef(nest.order).drop_front(depth), isAccumulated);
  }

  SmallVector<Value> accumulate(unsigned depth, Value begin) {
    SmallVector<Value> initial;
    for (OpOperand &init : op.getDpsInitsMutable())
      initial.push_back(load(init));
    SmallVector<Value> results = emitNest(depth, begin, initial);
    store(results);
    return {};
  }

  SmallVector<Value> getIndices(OpOperand &operand) {
    SmallVector<Value> result;
    AffineMap map = op.getMatchingIndexingMap(&operand);
    for (AffineExpr expr : map.getResults()) {
      if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
        result.push_back(indices[dim.getPosition()]);
        continue;
      }
      AffineMap single = AffineMap::get(map.getNumDims(), 0, expr);
      SmallVector<OpFoldResult> operands(indices.begin(), indices.end());
      // Loops that are still to come do not occur in the expression; any index will do for them.
      for (OpFoldResult &index : operands)
        if (!cast<Value>(index))
          index = zero;
      result.push_back(getValueOrCreateConstantIndexOp(
          builder, loc, affine::makeComposedFoldedAffineApply(builder, loc, single, operands)));
    }
    return result;
  }

  Value load(OpOperand &operand) {
    if (!isa<MemRefType>(operand.get().getType()))
      return operand.get();
    return memref::LoadOp::create(builder, loc, operand.get(), getIndices(operand));
  }

  void store(ValueRange values) {
    for (auto [init, value] : llvm::zip(op.getDpsInitsMutable(), values))
      memref::StoreOp::create(builder, loc, value, init.get(), getIndices(init));
  }

  /// One iteration. Results are returned where they are carried, stored otherwise.
  SmallVector<Value> emitBody(ValueRange carried) {
    IRMapping mapping;
    for (OpOperand &operand : op->getOpOperands()) {
      BlockArgument argument = op.getMatchingBlockArgument(&operand);
      if (op.isDpsInit(&operand) && !carried.empty())
        mapping.map(argument, carried[operand.getOperandNumber() - op.getNumDpsInputs()]);
      else if (!argument.use_empty())
        mapping.map(argument, load(operand));
    }
    Block *body = op.getBody();
    for (Operation &inner : body->without_terminator()) {
      if (auto index = dyn_cast<linalg::IndexOp>(inner)) {
        mapping.map(index.getResult(), indices[index.getDim()]);
        continue;
      }
      Operation *clone = builder.clone(inner, mapping);
      clone->walk([&](linalg::IndexOp index) {
        index.getResult().replaceAllUsesWith(indices[index.getDim()]);
        index.erase();
      });
      if (!carried.empty())
        relaxReduction(clone, carried);
    }
    SmallVector<Value> results;
    for (Value value : body->getTerminator()->getOperands())
      results.push_back(mapping.lookupOrDefault(value));
    if (!carried.empty())
      return results;
    store(results);
    return {};
  }

  /// A sum that is carried may be reordered: its order is not part of ONNX, and LLVM vectorises it
  /// only then.
  void relaxReduction(Operation *inner, ValueRange carried) {
    if (!isa<arith::AddFOp, arith::MulFOp>(inner) ||
        llvm::none_of(inner->getOperands(),
                      [&](Value value) { return llvm::is_contained(carried, value); }))
      return;
    auto relax = [&](Operation *target, arith::FastMathFlags flags) {
      auto interface = dyn_cast<arith::ArithFastMathInterface>(target);
      arith::FastMathFlags old = interface.getFastMathFlagsAttr().getValue();
      target->setAttr(interface.getFastMathAttrName(),
                      arith::FastMathFlagsAttr::get(op.getContext(), old | flags));
    };
    relax(inner, arith::FastMathFlags::reassoc | arith::FastMathFlags::contract);
    for (Value operand : inner->getOperands())
      if (auto product = operand.getDefiningOp<arith::MulFOp>())
        relax(product, arith::FastMathFlags::contract);
  }

  OpBuilder &builder;
  Location loc;
  linalg::GenericOp op;
  Nest nest;
  int64_t parallelThreshold;
  SmallVector<Value> indices, sizes; ///< by loop
  Value zero, one;
};

struct LinalgToLoopsPass : lathe::impl::LinalgToLoopsPassBase<LinalgToLoopsPass> {
  using LinalgToLoopsPassBase::LinalgToLoopsPassBase;

  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    bool gpu = codegen::isGpu(nn::getTarget(getOperation()));
    SmallVector<linalg::LinalgOp> ops;
    getOperation().walk([&](linalg::LinalgOp op) { ops.push_back(op); });
    for (linalg::LinalgOp op : ops) {
      if (!op.hasPureBufferSemantics()) {
        op.emitError("expected a linalg op on memrefs");
        return signalPassFailure();
      }
      auto generic = dyn_cast<linalg::GenericOp>(op.getOperation());
      if (!generic) {
        rewriter.setInsertionPoint(op);
        FailureOr<linalg::GenericOp> general = linalg::generalizeNamedOp(rewriter, op);
        if (failed(general)) {
          op.emitError("expected a linalg op that can be written as linalg.generic");
          return signalPassFailure();
        }
        generic = *general;
      }
      generic = collapse(rewriter, generic);
      rewriter.setInsertionPoint(generic);
      Nest nest = gpu ? chooseThreads(generic) : chooseNest(generic, parallelThreshold);
      LoopEmitter(rewriter, generic, std::move(nest), parallelThreshold).emit();
      rewriter.eraseOp(generic);
    }
  }
};

} // namespace

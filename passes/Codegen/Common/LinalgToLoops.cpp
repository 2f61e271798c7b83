//===- LinalgToLoops.cpp - linalg ops on memrefs become loops -------------===//
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "passes/Codegen/Common/CollapseLoops.h"
#include "passes/Codegen/Common/LoopNest.h"
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

namespace {

/// Iterations of loops that are worth a vector, and that LLVM may yet unroll before its vectoriser runs.
constexpr uint64_t kLeastVectorized = 8, kMostUnrolled = 128;

/// Emits the loops of one op.
class LoopEmitter {
public:
  LoopEmitter(OpBuilder &builder, linalg::GenericOp op, codegen::LoopNest nest, int64_t parallelThreshold)
      : builder(builder), loc(op.getLoc()), op(op), nest(std::move(nest)), parallelThreshold(parallelThreshold),
        indices(op.getNumLoops()) {
    zero = arith::ConstantIndexOp::create(builder, loc, 0);
    one = arith::ConstantIndexOp::create(builder, loc, 1);
    for (const Range &range : cast<linalg::LinalgOp>(op.getOperation()).createLoopRanges(builder, loc))
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
    auto loop = scf::ParallelOp::create(builder, loc, ValueRange{zero}, ValueRange{sizes[dim]}, ValueRange{one});
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
        work *= ShapedType::isDynamic(size) ? codegen::kTypicalLoopSize : size;
    loop->setAttr(codegen::kMinCountAttr,
                  builder.getI64IntegerAttr(llvm::divideCeil(parallelThreshold, std::max<int64_t>(work, 1))));
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
    Value block = arith::ConstantIndexOp::create(builder, loc, codegen::kLoopBlock);
    Value count = arith::CeilDivUIOp::create(builder, loc, size, block);
    auto loop = scf::ParallelOp::create(builder, loc, ValueRange{zero}, ValueRange{count}, ValueRange{one});
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    Value begin = arith::MulIOp::create(builder, loc, loop.getInductionVars()[0], block);
    Value end = arith::AddIOp::create(builder, loc, begin, block);
    sizes[dim] = arith::MinUIOp::create(builder, loc, end, size);
    emitLoops(0, begin, {});
  }

  bool isReduction(unsigned dim) { return linalg::isReductionIterator(op.getIteratorTypesArray()[dim]); }

  /// Loops from `depth` on; the innermost begins at `begin`. Once only reductions are left, results
  /// are carried in `carried` and the final ones returned.
  SmallVector<Value> emitNest(unsigned depth, Value begin, SmallVector<Value> carried) {
    if (depth == nest.order.size())
      return emitBody(carried);
    unsigned dim = nest.order[depth];
    bool isInnermost = depth + 1 == nest.order.size();
    auto loop = scf::ForOp::create(builder, loc, isInnermost ? begin : zero, sizes[dim], one, carried);
    if (isInnermost && carried.empty())
      keepForVectorizer(loop);
    OpBuilder::InsertionGuard guard(builder);
    if (carried.empty())
      builder.setInsertionPoint(loop.getBody()->getTerminator());
    else
      builder.setInsertionPointToStart(loop.getBody());
    indices[dim] = loop.getInductionVar();
    SmallVector<Value> inner(loop.getRegionIterArgs());
    SmallVector<Value> results = startAccumulation(depth + 1) && carried.empty() ? accumulate(depth + 1, begin)
                                                                                 : emitNest(depth + 1, begin, inner);
    if (!carried.empty())
      scf::YieldOp::create(builder, loc, results);
    return SmallVector<Value>(loop.getResults());
  }

  /// Of a short loop that LLVM unrolls before it vectorises only the loop around it is left, whose iterations' elements
  /// lie apart: they would be gathered and scattered, or summed up one by one.
  void keepForVectorizer(scf::ForOp loop) {
    std::optional<llvm::APInt> count = loop.getStaticTripCount();
    if (nest.threads || !count || count->ult(kLeastVectorized) || count->ugt(kMostUnrolled))
      return;
    MLIRContext *context = builder.getContext();
    auto yes = builder.getBoolAttr(true);
    auto annotate = [&](LLVM::LoopVectorizeAttr vectorize, LLVM::LoopUnrollAttr unroll, BoolAttr isVectorized) {
      return LLVM::LoopAnnotationAttr::get(context, {}, vectorize, {}, unroll, {}, {}, {}, {}, {}, {}, {}, isVectorized,
                                           {}, {}, {});
    };
    // What is left of it then may be unrolled: sums of a few vectors stay in registers.
    auto vectorize =
        LLVM::LoopVectorizeAttr::get(context, {}, {}, {}, {}, {}, {}, /*followupAll=*/annotate({}, {}, yes));
    auto unroll = LLVM::LoopUnrollAttr::get(context, /*disable=*/yes, {}, {}, {}, {}, {}, {});
    // By the name that it has on the branch of LLVM's dialect to which it is copied.
    loop->setAttr("loop_annotation", annotate(vectorize, unroll, {}));
  }

  void emitLoops(unsigned depth, Value begin, SmallVector<Value> carried) {
    if (startAccumulation(depth))
      accumulate(depth, begin);
    else
      emitNest(depth, begin, carried);
  }

  /// Whether the loops from `depth` on are reductions, and there is at least one. An op that also stores an element in
  /// each of their iterations, as fusion makes them, keeps its accumulators in memory.
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
        llvm::none_of(inner->getOperands(), [&](Value value) { return llvm::is_contained(carried, value); }))
      return;
    auto relax = [&](Operation *target, arith::FastMathFlags flags) {
      auto interface = dyn_cast<arith::ArithFastMathInterface>(target);
      arith::FastMathFlags old = interface.getFastMathFlagsAttr().getValue();
      target->setAttr(interface.getFastMathAttrName(), arith::FastMathFlagsAttr::get(op.getContext(), old | flags));
    };
    relax(inner, arith::FastMathFlags::reassoc | arith::FastMathFlags::contract);
    for (Value operand : inner->getOperands())
      if (auto product = operand.getDefiningOp<arith::MulFOp>())
        relax(product, arith::FastMathFlags::contract);
  }

  OpBuilder &builder;
  Location loc;
  linalg::GenericOp op;
  codegen::LoopNest nest;
  int64_t parallelThreshold;
  SmallVector<Value> indices, sizes; ///< by loop
  Value zero, one;
};

struct LinalgToLoopsPass : lathe::impl::LinalgToLoopsPassBase<LinalgToLoopsPass> {
  using LinalgToLoopsPassBase::LinalgToLoopsPassBase;

  void runOnOperation() override {
    if (parallelThreshold < 0) {
      getOperation().emitError("expected a parallel threshold of at least 0, but got ") << parallelThreshold.getValue();
      return signalPassFailure();
    }
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
      generic = codegen::collapseLoops(rewriter, generic);
      rewriter.setInsertionPoint(generic);
      codegen::LoopNest nest = gpu ? codegen::chooseThreads(generic) : codegen::chooseNest(generic, parallelThreshold);
      LoopEmitter(rewriter, generic, std::move(nest), parallelThreshold).emit();
      rewriter.eraseOp(generic);
    }
  }
};

} // namespace

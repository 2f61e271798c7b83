//===- OutlineParallel.cpp - Parallel loops become task functions ---------===//
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/RegionUtils.h"
#include "passes/Codegen/Common/Signature.h"
#include "passes/Codegen/Passes.h"

namespace lathe {
#define GEN_PASS_DEF_OUTLINEPARALLELPASS
#include "passes/Codegen/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;
using namespace lathe::codegen;

/// Turns the loop into a nest of `scf.for`.
static void makeSequential(RewriterBase &rewriter, scf::ParallelOp loop) {
  rewriter.setInsertionPoint(loop);
  SmallVector<Value> ivs;
  for (auto [lower, upper, step] :
       llvm::zip(loop.getLowerBound(), loop.getUpperBound(), loop.getStep())) {
    auto inner = scf::ForOp::create(rewriter, loop.getLoc(), lower, upper, step);
    ivs.push_back(inner.getInductionVar());
    rewriter.setInsertionPoint(inner.getBody()->getTerminator());
  }
  rewriter.eraseOp(loop.getBody()->getTerminator());
  rewriter.inlineBlockBefore(loop.getBody(), &*rewriter.getInsertionPoint(), ivs);
  rewriter.eraseOp(loop);
}

/// The function's argument that a memref is a view of; null if it is none.
static BlockArgument findArgument(Value value, func::FuncOp function) {
  while (Operation *op = value.getDefiningOp()) {
    if (!isa<memref::SubViewOp, memref::CastOp, memref::CollapseShapeOp, memref::ExpandShapeOp,
             memref::ReinterpretCastOp, memref::TransposeOp>(op))
      return nullptr;
    value = op->getOperand(0);
  }
  auto argument = cast<BlockArgument>(value);
  return argument.getOwner()->getParentOp() == function ? argument : nullptr;
}

/// Captures that alias no other one: each is the only view of an argument that is noalias.
static BitVector findNoAlias(ArrayRef<Value> captures, func::FuncOp function) {
  SmallVector<BlockArgument> arguments;
  for (Value capture : captures)
    arguments.push_back(isa<MemRefType>(capture.getType()) ? findArgument(capture, function)
                                                           : nullptr);
  BitVector result(captures.size());
  for (auto [index, argument] : llvm::enumerate(arguments))
    result[index] = argument && function.getArgAttr(argument.getArgNumber(), kNoAliasAttr) &&
                    llvm::count(arguments, argument) == 1;
  return result;
}

namespace {

struct OutlineParallelPass : lathe::impl::OutlineParallelPassBase<OutlineParallelPass> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    SmallVector<scf::ParallelOp> outer, inner;
    WalkResult walk = getOperation().walk<WalkOrder::PreOrder>([&](scf::ParallelOp loop) {
      if (loop.getNumResults()) {
        loop.emitError("expected a parallel loop without reductions");
        return WalkResult::interrupt();
      }
      bool isNested = loop->getParentOfType<scf::ParallelOp>() != nullptr;
      (isNested || loop.getNumLoops() != 1 ? inner : outer).push_back(loop);
      return WalkResult::advance();
    });
    if (walk.wasInterrupted())
      return signalPassFailure();
    for (scf::ParallelOp loop : llvm::reverse(inner))
      makeSequential(rewriter, loop);
    llvm::DenseMap<func::FuncOp, unsigned> counters;
    for (scf::ParallelOp loop : outer) {
      auto function = loop->getParentOfType<func::FuncOp>();
      outline(rewriter, loop, function, counters[function]++);
    }
  }

  /// Moves the loop into a task: iteration i of the task is `lower + i * step` of the loop.
  void outline(RewriterBase &rewriter, scf::ParallelOp loop, func::FuncOp function,
               unsigned number) {
    Location loc = loop.getLoc();
    llvm::SetVector<Value> used;
    getUsedValuesDefinedAbove(loop.getRegion(), used);
    Value lower = loop.getLowerBound()[0], step = loop.getStep()[0];
    bool isPlain = matchPattern(lower, m_Zero()) && matchPattern(step, m_One());
    if (!isPlain)
      used.insert(lower), used.insert(step);
    SmallVector<Value> captures, constants;
    for (Value value : used)
      (matchPattern(value, m_Constant()) ? constants : captures).push_back(value);

    rewriter.setInsertionPoint(loop);
    Value zero = arith::ConstantIndexOp::create(rewriter, loc, 0);
    Value count = loop.getUpperBound()[0];
    if (!isPlain) {
      Value length = arith::SubIOp::create(rewriter, loc, count, lower);
      count = arith::CeilDivSIOp::create(rewriter, loc, length, step);
    }
    SmallVector<Value> operands(captures);
    operands.append({zero, count});
    std::string name = (function.getName() + "_task_" + Twine(number)).str();
    SmallVector<Type> types =
        llvm::map_to_vector(operands, [](Value value) { return value.getType(); });
    rewriter.setInsertionPointAfter(function);
    auto task = func::FuncOp::create(rewriter, loc, name, rewriter.getFunctionType(types, {}));
    task.setPrivate();
    for (unsigned index : findNoAlias(captures, function).set_bits())
      task.setArgAttr(index, kNoAliasAttr, rewriter.getUnitAttr());

    Block *body = task.addEntryBlock();
    rewriter.setInsertionPointToStart(body);
    IRMapping mapping;
    for (Value constant : constants)
      rewriter.clone(*constant.getDefiningOp(), mapping);
    for (auto [capture, argument] : llvm::zip(captures, body->getArguments()))
      mapping.map(capture, argument);
    Value one = arith::ConstantIndexOp::create(rewriter, loc, 1);
    unsigned numArguments = body->getNumArguments();
    auto inner = scf::ForOp::create(rewriter, loc, body->getArgument(numArguments - 2),
                                    body->getArgument(numArguments - 1), one);
    func::ReturnOp::create(rewriter, loc);
    rewriter.setInsertionPoint(inner.getBody()->getTerminator());
    Value iv = inner.getInductionVar();
    if (!isPlain) {
      iv = arith::MulIOp::create(rewriter, loc, iv, mapping.lookup(step));
      iv = arith::AddIOp::create(rewriter, loc, iv, mapping.lookup(lower));
    }
    mapping.map(loop.getInductionVars()[0], iv);
    for (Operation &op : loop.getBody()->without_terminator())
      rewriter.clone(op, mapping);
    // Stack memory of an iteration is reused by the next one; made in the loop, it would add up.
    inner.walk([&](memref::AllocaOp alloca) {
      if (alloca.getDynamicSizes().empty() && alloca.getSymbolOperands().empty())
        alloca->moveBefore(&body->front());
    });

    rewriter.setInsertionPoint(loop);
    auto call = func::CallOp::create(rewriter, loc, task, operands);
    call->setAttr(kParallelAttr, rewriter.getUnitAttr());
    if (Attribute minCount = loop->getAttr(kMinCountAttr))
      call->setAttr(kMinCountAttr, minCount);
    rewriter.eraseOp(loop);
  }
};

} // namespace

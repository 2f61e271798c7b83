//===- BlockFunction.cpp - A kernel as a function that runs one block -----===//
#include "passes/Codegen/GPU/BlockFunction.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::simt;

static bool hasBarrier(Operation *op) {
  return op->walk([](gpu::BarrierOp) { return WalkResult::interrupt(); }).wasInterrupted();
}

/// What can be computed again by each part that needs it.
static bool isCheap(Operation *op) {
  return op->getNumRegions() == 0 && isMemoryEffectFree(op) && !isa<memref::AllocaOp>(op);
}

func::FuncOp BlockFunction::emit() {
  std::optional<ArrayRef<int32_t>> sizes = kernel.getKnownBlockSize();
  if (!sizes) {
    kernel.emitError("expected a known block size");
    return nullptr;
  }
  if (!llvm::hasSingleElement(kernel.getBody())) {
    kernel.emitError("expected structured control flow");
    return nullptr;
  }
  WalkResult walk = kernel.getBody().walk([](Operation *op) -> WalkResult {
    if (isa_and_nonnull<gpu::GPUDialect>(op->getDialect()) &&
        !isa<gpu::BarrierOp, gpu::BlockDimOp, gpu::BlockIdOp, gpu::GridDimOp, gpu::ReturnOp, gpu::ThreadIdOp>(op))
      return op->emitError("'") << op->getName() << "' is not emulated";
    return WalkResult::advance();
  });
  if (walk.wasInterrupted())
    return nullptr;
  OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
  SmallVector<Type> types(kernel.getArgumentTypes());
  unsigned operands = types.size();
  types.append(6, builder.getIndexType());
  function = func::FuncOp::create(builder, kernel.getLoc(), kernel.getName(), builder.getFunctionType(types, {}));
  function.setPrivate();
  Block *body = function.addEntryBlock();
  builder.setInsertionPointToStart(body);
  codegen::LoopBuilder loops(func::ReturnOp::create(builder, kernel.getLoc()));
  k = &loops;
  for (auto [from, to] : llvm::zip(kernel.getArguments().take_front(operands), body->getArguments()))
    uniform.map(from, to);
  for (BlockArgument shared : kernel.getWorkgroupAttributions()) {
    auto type = cast<MemRefType>(shared.getType());
    auto plain = MemRefType::get(type.getShape(), type.getElementType());
    uniform.map(shared,
                memref::AllocaOp::create(k->builder, k->loc, plain, k->builder.getI64IntegerAttr(64)).getResult());
  }
  numThreads = 1;
  for (int axis = 0; axis < 3; ++axis) {
    blockIds[axis] = body->getArgument(operands + axis);
    gridSizes[axis] = body->getArgument(operands + 3 + axis);
    blockSizes[axis] = k->index((*sizes)[axis]);
    numThreads *= (*sizes)[axis];
  }
  return succeeded(emitOps(kernel.getBody().front())) ? function : nullptr;
}

void BlockFunction::forThreads(function_ref<void(Thread &)> body) {
  k->loop(k->index(0), k->index(numThreads), 1, [&](Value number) {
    SmallVector<Value> zyx = k->delinearize(number, {blockSizes[2], blockSizes[1], blockSizes[0]});
    Thread thread{number, {zyx[2], zyx[1], zyx[0]}, uniform};
    body(thread);
  });
}

LogicalResult BlockFunction::emitOps(Block &block) {
  SmallVector<Operation *> part;
  for (Operation &op : block.without_terminator()) {
    if (!hasBarrier(&op)) {
      part.push_back(&op);
      continue;
    }
    emitPart(part);
    part.clear();
    if (isa<gpu::BarrierOp>(op))
      continue;
    auto loop = dyn_cast<scf::ForOp>(op);
    auto branch = dyn_cast<scf::IfOp>(op);
    if (!loop && !branch)
      return op.emitError("'") << op.getName() << "' around a barrier is not emulated";
    if (failed(loop ? emitLoop(loop) : emitBranch(branch)))
      return failure();
  }
  emitPart(part);
  return success();
}

void BlockFunction::emitPart(ArrayRef<Operation *> ops) {
  // What is cheap is computed where it is used.
  if (llvm::all_of(ops, isCheap))
    return;
  llvm::SmallPtrSet<Operation *, 16> part(ops.begin(), ops.end());
  forThreads([&](Thread &thread) {
    for (Operation *op : ops) {
      if (isCheap(op))
        continue;
      cloneForThread(op, thread);
      for (Value result : op->getResults())
        if (isUsedLater(result, part))
          keep(result, thread, buffers[result] = makeBuffer(result.getType()));
    }
  });
}

bool BlockFunction::isUsedLater(Value value, const llvm::SmallPtrSetImpl<Operation *> &part) {
  return llvm::any_of(value.getUsers(), [&](Operation *user) {
    Operation *op = value.getParentBlock()->findAncestorOpInBlock(*user);
    if (!part.contains(op))
      return true;
    return isCheap(op) && llvm::any_of(op->getResults(), [&](Value result) { return isUsedLater(result, part); });
  });
}

LogicalResult BlockFunction::emitLoop(scf::ForOp loop) {
  auto results = [&](ValueRange values, ArrayRef<Value> kept) {
    forThreads([&](Thread &thread) {
      // All are read before the first is written: they may change places.
      SmallVector<Value> current = llvm::map_to_vector(values, [&](Value value) { return lookUp(value, thread); });
      for (auto [value, buffer] : llvm::zip(current, kept))
        memref::StoreOp::create(k->builder, k->loc, value, buffer, thread.number);
    });
  };
  SmallVector<Value> kept;
  for (Value init : loop.getInitArgs())
    kept.push_back(makeBuffer(init.getType()));
  if (!kept.empty())
    results(loop.getInitArgs(), kept);
  for (auto [argument, result, buffer] : llvm::zip(loop.getRegionIterArgs(), loop.getResults(), kept))
    buffers[argument] = buffers[result] = buffer;
  auto clone = scf::ForOp::create(k->builder, loop.getLoc(), lookUpUniform(loop.getLowerBound()),
                                  lookUpUniform(loop.getUpperBound()), lookUpUniform(loop.getStep()));
  OpBuilder::InsertionGuard guard(k->builder);
  k->builder.setInsertionPoint(clone.getBody()->getTerminator());
  uniform.map(loop.getInductionVar(), clone.getInductionVar());
  if (failed(emitOps(*loop.getBody())))
    return failure();
  if (!kept.empty())
    results(loop.getYieldedValues(), kept);
  return success();
}

LogicalResult BlockFunction::emitBranch(scf::IfOp branch) {
  if (branch.getNumResults())
    return branch.emitError("results of a branch around a barrier are not emulated");
  bool hasElse = !branch.getElseRegion().empty();
  auto clone = scf::IfOp::create(k->builder, branch.getLoc(), lookUpUniform(branch.getCondition()), hasElse);
  OpBuilder::InsertionGuard guard(k->builder);
  k->builder.setInsertionPoint(clone.thenBlock()->getTerminator());
  if (failed(emitOps(*branch.thenBlock())))
    return failure();
  if (!hasElse)
    return success();
  k->builder.setInsertionPoint(clone.elseBlock()->getTerminator());
  return emitOps(*branch.elseBlock());
}

void BlockFunction::cloneForThread(Operation *op, Thread &thread) {
  llvm::SetVector<Value> used(op->operand_begin(), op->operand_end());
  getUsedValuesDefinedAbove(op->getRegions(), used);
  for (Value value : used)
    (void)lookUp(value, thread);
  Operation *clone = k->builder.clone(*op, thread.values);
  clone->walk([&](Operation *inner) {
    if (Value known = findId(inner, thread)) {
      inner->getResult(0).replaceAllUsesWith(known);
      inner->erase();
    }
  });
}

Value BlockFunction::lookUp(Value value, Thread &thread) {
  if (Value known = thread.values.lookupOrNull(value))
    return known;
  Value found;
  if (Value buffer = buffers.lookup(value)) {
    found = memref::LoadOp::create(k->builder, k->loc, buffer, thread.number);
  } else {
    Operation *op = value.getDefiningOp();
    found = findId(op, thread);
    if (!found) {
      for (Value operand : op->getOperands())
        (void)lookUp(operand, thread);
      found = k->builder.clone(*op, thread.values)->getResult(cast<OpResult>(value).getResultNumber());
    }
  }
  thread.values.map(value, found);
  return found;
}

Value BlockFunction::lookUpUniform(Value value) {
  Value zero = k->index(0);
  Thread first{zero, {zero, zero, zero}, uniform};
  return lookUp(value, first);
}

Value BlockFunction::findId(Operation *op, Thread &thread) {
  if (auto id = dyn_cast<gpu::ThreadIdOp>(op))
    return thread.ids[unsigned(id.getDimension())];
  if (auto id = dyn_cast<gpu::BlockIdOp>(op))
    return blockIds[unsigned(id.getDimension())];
  if (auto size = dyn_cast<gpu::BlockDimOp>(op))
    return blockSizes[unsigned(size.getDimension())];
  if (auto size = dyn_cast<gpu::GridDimOp>(op))
    return gridSizes[unsigned(size.getDimension())];
  return {};
}

Value BlockFunction::makeBuffer(Type type) {
  OpBuilder::InsertionGuard guard(k->builder);
  k->builder.setInsertionPointToStart(&function.getBody().front());
  return memref::AllocaOp::create(k->builder, k->loc, MemRefType::get({numThreads}, type),
                                  k->builder.getI64IntegerAttr(64));
}

void BlockFunction::keep(Value value, Thread &thread, Value buffer) {
  memref::StoreOp::create(k->builder, k->loc, lookUp(value, thread), buffer, thread.number);
}

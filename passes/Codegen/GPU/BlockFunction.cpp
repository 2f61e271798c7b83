//===- BlockFunction.cpp - A kernel as a function that runs one block -----===//
#include "passes/Codegen/GPU/BlockFunction.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::simt;

/// Whether all threads have to come here, or those of a warp.
static bool hasBarrier(Operation *op) {
  return op
      ->walk([](Operation *inner) {
        return isa<gpu::BarrierOp>(inner) || isWarpOp(inner) ? WalkResult::interrupt() : WalkResult::advance();
      })
      .wasInterrupted();
}

/// What can be computed again by each part that needs it.
static bool isCheap(Operation *op) {
  return isa<NVVM::ConvertFloatToTF32Op>(op) ||
         (op->getNumRegions() == 0 && isMemoryEffectFree(op) && !isa<memref::AllocaOp>(op));
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
    if (isa_and_nonnull<gpu::GPUDialect, nvgpu::NVGPUDialect, NVVM::NVVMDialect>(op->getDialect()) && !isWarpOp(op) &&
        !isa<gpu::BarrierOp, gpu::BlockDimOp, gpu::BlockIdOp, gpu::GridDimOp, gpu::ReturnOp, gpu::ThreadIdOp,
             nvgpu::DeviceAsyncCopyOp, NVVM::CpAsyncCommitGroupOp, NVVM::CpAsyncWaitGroupOp,
             NVVM::ConvertFloatToTF32Op>(op))
      return op->emitError("'") << op->getName() << "' is not emulated";
    return WalkResult(checkWarpOp(op));
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
    Value memory = memref::AllocaOp::create(k->builder, k->loc, plain, k->builder.getI64IntegerAttr(64));
    uniform.map(shared, memory);
    if (failed(mapViews(shared, memory)))
      return nullptr;
  }
  numThreads = 1;
  for (int axis = 0; axis < 3; ++axis) {
    blockIds[axis] = body->getArgument(operands + axis);
    gridSizes[axis] = body->getArgument(operands + 3 + axis);
    blockSizes[axis] = k->index((*sizes)[axis]);
    numThreads *= (*sizes)[axis];
  }
  if (numThreads % kWarpThreads != 0 && hasBarrier(kernel) &&
      kernel.walk([](Operation *op) { return isWarpOp(op) ? WalkResult::interrupt() : WalkResult::advance(); })
          .wasInterrupted()) {
    kernel.emitError("expected whole warps");
    return nullptr;
  }
  llvm::MapVector<Value, int64_t> targets;
  WalkResult copying = kernel.walk([&](nvgpu::DeviceAsyncCopyOp op) -> WalkResult {
    Value memory = uniform.lookupOrNull(op.getDst());
    if (!memory || cast<MemRefType>(memory.getType()).getRank() != 1 || !op.getAsyncToken().use_empty())
      return op.emitError("expected memory of the block, of one dimension, and a group of the copies before");
    ++targets[memory];
    return WalkResult::advance();
  });
  if (copying.wasInterrupted())
    return nullptr;
  for (auto [memory, count] : targets)
    copies.emplace_back(*k, memory, numThreads, count);
  return succeeded(emitOps(kernel.getBody().front())) ? function : nullptr;
}

/// Views of memory of the block are made once. Not of other views.
LogicalResult BlockFunction::mapViews(Value shared, Value memory) {
  for (Operation *user : shared.getUsers()) {
    auto view = dyn_cast<memref::ViewOp>(user);
    if (!view)
      continue;
    int64_t shift = codegen::constantOr(view.getByteShift());
    if (shift < 0 || !view.getType().hasStaticShape())
      return view.emitError("expected a place and a size that are constant");
    auto type = MemRefType::get(view.getType().getShape(), view.getType().getElementType());
    uniform.map(view.getResult(),
                memref::ViewOp::create(k->builder, k->loc, type, memory, k->index(shift), ValueRange()).getResult());
  }
  return success();
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
    if (isWarpOp(&op)) {
      emitWarpOp(&op);
      continue;
    }
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

void BlockFunction::emitWarpOp(Operation *op) {
  if (auto mma = dyn_cast<NVVM::MmaOp>(op))
    return emitMma(mma);
  if (auto load = dyn_cast<nvgpu::LdMatrixOp>(op)) {
    Value addresses = getScratch(0, k->builder.getIndexType()), result = makeBuffer(load.getRes().getType());
    forThreads([&](Thread &thread) { keep(load.getIndices()[0], thread, addresses); });
    forThreads([&](Thread &thread) {
      Value memory = lookUp(load.getSrcMemref(), thread);
      Value fragment = emulateLdMatrix(*k, load, memory, addresses, thread.number);
      memref::StoreOp::create(k->builder, k->loc, fragment, result, thread.number);
    });
    buffers[load.getRes()] = result;
    return;
  }
  auto shuffle = cast<gpu::ShuffleOp>(op);
  Value mine = getScratch(0, shuffle.getValue().getType()), result = makeBuffer(shuffle.getValue().getType());
  forThreads([&](Thread &thread) { keep(shuffle.getValue(), thread, mine); });
  forThreads([&](Thread &thread) {
    OpBuilder &b = k->builder;
    Value offset = arith::IndexCastOp::create(b, k->loc, b.getIndexType(), lookUp(shuffle.getOffset(), thread));
    Value other = arith::XOrIOp::create(b, k->loc, thread.number, offset);
    memref::StoreOp::create(b, k->loc, k->loadScalar(mine, other), result, thread.number);
  });
  buffers[shuffle.getShuffleResult()] = result;
}

void BlockFunction::emitMma(NVVM::MmaOp op) {
  Type i32 = k->builder.getI32Type(), sumType = op.getOperandC()[0].getType();
  int64_t aWords = op.getOperandA().size(), bWords = op.getOperandB().size(), sums = op.getOperandC().size();
  Value a = getScratch(0, i32, aWords), b = getScratch(1, i32, bWords), c = getScratch(2, sumType, sums);
  forThreads([&](Thread &thread) {
    auto fill = [&](ValueRange values, Value target) {
      for (auto [place, value] : llvm::enumerate(values))
        memref::StoreOp::create(k->builder, k->loc,
                                target == c ? lookUp(value, thread) : toWord(*k, lookUp(value, thread)), target,
                                ValueRange{thread.number, k->index(place)});
    };
    fill(op.getOperandA(), a);
    fill(op.getOperandB(), b);
    fill(op.getOperandC(), c);
  });
  emulateMma(*k, module, op, a, b, c);
  // Sums that nobody else reads are replaced in place: there are many.
  SmallVector<Value> results;
  for (Value sum : op.getOperandC()) {
    Value own = sum.hasOneUse() ? buffers.lookup(sum) : Value();
    results.push_back(own ? own : makeBuffer(sumType));
  }
  forThreads([&](Thread &thread) {
    for (auto [place, target] : llvm::enumerate(results))
      memref::StoreOp::create(k->builder, k->loc, k->loadScalar(c, {thread.number, k->index(place)}), target,
                              thread.number);
  });
  for (Operation *user : op->getUsers())
    buffers[user->getResult(0)] = results[cast<LLVM::ExtractValueOp>(user).getPosition()[0]];
}

LogicalResult BlockFunction::emitLoop(scf::ForOp loop) {
  auto results = [&](ValueRange values, ArrayRef<Value> kept) {
    forThreads([&](Thread &thread) {
      // All are read before the first is written: they may change places.
      SmallVector<std::pair<Value, Value>> current;
      for (auto [value, buffer] : llvm::zip(values, kept))
        if (buffers.lookup(value) != buffer)
          current.emplace_back(lookUp(value, thread), buffer);
      for (auto [value, buffer] : current)
        memref::StoreOp::create(k->builder, k->loc, value, buffer, thread.number);
    });
  };
  SmallVector<Value> kept;
  for (Value init : loop.getInitArgs())
    kept.push_back(makeBuffer(init.getType()));
  if (!kept.empty())
    results(loop.getInitArgs(), kept);
  for (auto [argument, result, buffer] : llvm::zip(loop.getRegionIterArgs(), loop.getResults(), kept)) {
    buffers[argument] = buffer;
    buffers[result] = buffer;
  }
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
  clone->walk([&](Operation *inner) { lowerForThread(inner, thread); });
}

void BlockFunction::lowerForThread(Operation *op, Thread &thread) {
  codegen::LoopBuilder at(op);
  if (Value known = findId(op, thread)) {
    op->getResult(0).replaceAllUsesWith(known);
  } else if (auto round = dyn_cast<NVVM::ConvertFloatToTF32Op>(op)) {
    round.replaceAllUsesWith(emulateTF32(at, round.getSrc()));
  } else if (auto copy = dyn_cast<nvgpu::DeviceAsyncCopyOp>(op)) {
    auto queue = llvm::find_if(copies, [&](AsyncCopies &each) { return each.getMemory() == copy.getDst(); });
    queue->copy(at, copy, thread.number);
  } else if (isa<NVVM::CpAsyncCommitGroupOp>(op)) {
    for (AsyncCopies &queue : copies)
      queue.closeGroup(at, thread.number);
  } else if (auto wait = dyn_cast<NVVM::CpAsyncWaitGroupOp>(op)) {
    for (AsyncCopies &queue : copies)
      queue.wait(at, thread.number, wait.getN());
  } else {
    return;
  }
  op->erase();
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
    if (auto round = dyn_cast<NVVM::ConvertFloatToTF32Op>(op))
      found = emulateTF32(*k, lookUp(round.getSrc(), thread));
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

Value BlockFunction::makeBuffer(Type type, ArrayRef<int64_t> shape) {
  OpBuilder::InsertionGuard guard(k->builder);
  k->builder.setInsertionPointToStart(&function.getBody().front());
  SmallVector<int64_t> sizes = {numThreads};
  llvm::append_range(sizes, shape);
  return memref::AllocaOp::create(k->builder, k->loc, MemRefType::get(sizes, type), k->builder.getI64IntegerAttr(64));
}

Value BlockFunction::getScratch(unsigned role, Type type, ArrayRef<int64_t> shape) {
  SmallVector<int64_t> sizes = {numThreads};
  llvm::append_range(sizes, shape);
  Value &found = scratch[{role, MemRefType::get(sizes, type)}];
  if (!found)
    found = makeBuffer(type, shape);
  return found;
}

void BlockFunction::keep(Value value, Thread &thread, Value buffer) {
  memref::StoreOp::create(k->builder, k->loc, lookUp(value, thread), buffer, thread.number);
}

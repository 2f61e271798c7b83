//===- AsyncCopies.cpp - Copies that come late, on the host ---------------===//
#include "passes/Codegen/GPU/AsyncCopies.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::simt;

using codegen::LoopBuilder;

namespace {
/// Counts of one thread, and after them the ends of its last groups.
enum Slot : int64_t { Begun, Done, Groups, GroupsDone, GroupEnds };
constexpr int64_t kGroups = 8; ///< that can be in flight
} // namespace

AsyncCopies::AsyncCopies(LoopBuilder &k, Value memory, int64_t threads, int64_t copies)
    : memory(memory), capacity(2 * copies) {
  Type index = k.builder.getIndexType();
  auto allocate = [&](MemRefType type) {
    return memref::AllocaOp::create(k.builder, k.loc, type, k.builder.getI64IntegerAttr(64)).getResult();
  };
  auto type = cast<MemRefType>(memory.getType());
  late = allocate(type);
  places = allocate(MemRefType::get({threads, capacity, 2}, index));
  state = allocate(MemRefType::get({threads, GroupEnds + kGroups}, index));
  k.loop(k.index(0), k.index(threads), 1, [&](Value thread) {
    for (int64_t slot : {Begun, Done, Groups, GroupsDone})
      set(k, thread, slot, k.index(0));
  });
  k.loop(k.index(0), k.index(type.getDimSize(0)), 1,
         [&](Value i) { memref::StoreOp::create(k.builder, k.loc, garbage(k), memory, i); });
}

Value AsyncCopies::garbage(LoopBuilder &k) {
  Type type = cast<MemRefType>(memory.getType()).getElementType();
  return k.scalar(type, isa<FloatType>(type) ? std::numeric_limits<double>::quiet_NaN() : 0x55);
}

Value AsyncCopies::get(LoopBuilder &k, Value thread, int64_t slot) {
  return k.loadScalar(state, {thread, k.index(slot)});
}

void AsyncCopies::set(LoopBuilder &k, Value thread, int64_t slot, Value value) {
  memref::StoreOp::create(k.builder, k.loc, value, state, ValueRange{thread, k.index(slot)});
}

void AsyncCopies::copy(LoopBuilder &k, nvgpu::DeviceAsyncCopyOp op, Value thread) {
  OpBuilder &b = k.builder;
  int64_t count = op.getDstElements().getSExtValue();
  Value first = op.getDstIndices()[0], read = op.getSrcElements() ? op.getSrcElements() : k.index(count);
  Type element = cast<MemRefType>(memory.getType()).getElementType();
  for (int64_t i = 0; i < count; ++i) {
    Value at = k.add(first, i);
    memref::StoreOp::create(b, k.loc, garbage(k), memory, at);
    memref::StoreOp::create(b, k.loc, k.scalar(element, 0), late, at);
  }
  // Neighbours in memory: further than the last dimension where that is shorter than the copy.
  auto type = cast<MemRefType>(op.getSrc().getType());
  k.loop(k.index(0), read, 1, [&](Value i) {
    SmallVector<Value> from(op.getSrcIndices());
    Value rest = i;
    for (unsigned dim = from.size(); dim-- > 0;) {
      Value place = k.add(from[dim], rest);
      if (dim == 0 || count <= 1 || type.isDynamicDim(dim) || type.getDimSize(dim) >= count) {
        from[dim] = place;
        break;
      }
      from[dim] = k.rem(place, k.dim(op.getSrc(), dim));
      rest = k.div(place, k.dim(op.getSrc(), dim));
    }
    memref::StoreOp::create(b, k.loc, k.loadScalar(op.getSrc(), from), late, k.add(first, i));
  });
  Value begun = get(k, thread, Begun), place = k.rem(begun, k.index(capacity));
  memref::StoreOp::create(b, k.loc, first, places, ValueRange{thread, place, k.index(0)});
  memref::StoreOp::create(b, k.loc, k.index(count), places, ValueRange{thread, place, k.index(1)});
  set(k, thread, Begun, k.add(begun, 1));
}

void AsyncCopies::closeGroup(LoopBuilder &k, Value thread) {
  Value groups = get(k, thread, Groups);
  Value slot = k.add(k.rem(groups, k.index(kGroups)), GroupEnds);
  memref::StoreOp::create(k.builder, k.loc, get(k, thread, Begun), state, ValueRange{thread, slot});
  set(k, thread, Groups, k.add(groups, 1));
}

void AsyncCopies::wait(LoopBuilder &k, Value thread, int64_t groupsInFlight) {
  Value first = get(k, thread, GroupsDone);
  Value end = k.max(k.sub(get(k, thread, Groups), k.index(groupsInFlight)), first);
  k.loop(first, end, 1, [&](Value group) {
    Value slot = k.add(k.rem(group, k.index(kGroups)), GroupEnds), last = k.loadScalar(state, {thread, slot});
    k.loop(get(k, thread, Done), last, 1, [&](Value number) {
      Value place = k.rem(number, k.index(capacity));
      Value from = k.loadScalar(places, {thread, place, k.index(0)});
      k.loop(k.index(0), k.loadScalar(places, {thread, place, k.index(1)}), 1, [&](Value i) {
        Value at = k.add(from, i);
        memref::StoreOp::create(k.builder, k.loc, k.loadScalar(late, at), memory, at);
      });
    });
    set(k, thread, Done, last);
  });
  set(k, thread, GroupsDone, end);
}

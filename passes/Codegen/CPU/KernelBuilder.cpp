//===- KernelBuilder.cpp - Builds loops and vectors for one kernel --------===//
#include "passes/Codegen/CPU/KernelBuilder.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "passes/Codegen/Common/TaskWork.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/SaveAndRestore.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

int64_t cpu::evenBlock(int64_t count, int64_t most) {
  int64_t blocks = llvm::divideCeil(count, std::max<int64_t>(most, 1));
  return llvm::divideCeil(count, std::max<int64_t>(blocks, 1));
}

bool cpu::hasUnitInnermostStride(Value memref) { return cast<MemRefType>(memref.getType()).isLastDimUnitStride(); }

int64_t cpu::strideBytes(Value memref, unsigned dimension) {
  auto type = cast<MemRefType>(memref.getType());
  SmallVector<int64_t> strides;
  int64_t offset;
  if (failed(type.getStridesAndOffset(strides, offset)) || ShapedType::isDynamic(strides[dimension]))
    return -1;
  return strides[dimension] * llvm::divideCeil(type.getElementTypeBitWidth(), 8);
}

void KernelBuilder::withRegisters(int64_t count, function_ref<void()> body) {
  llvm::SaveAndRestore scope(registers, count);
  body();
}

Value KernelBuilder::splat(Type element, double value) {
  return arith::ConstantOp::create(
      builder, loc, DenseElementsAttr::get(vectorOf(element), Attribute(codegen::constantAttr(element, value))));
}

Value KernelBuilder::broadcast(Value value) {
  return vector::BroadcastOp::create(builder, loc, vectorOf(value.getType()), value);
}

Value KernelBuilder::load(Value memref, ValueRange indices, Value mask) {
  VectorType type = vectorOf(cast<MemRefType>(memref.getType()).getElementType());
  if (!mask)
    return vector::LoadOp::create(builder, loc, type, memref, indices);
  return vector::MaskedLoadOp::create(builder, loc, type, memref, indices, mask, splat(type.getElementType(), 0));
}

Value KernelBuilder::loadAny(Value memref, ValueRange indices, Value mask) {
  auto type = cast<MemRefType>(memref.getType());
  // A vector of i1 is packed in bits, a memref of i1 holds bytes; and strided rows have no vectors.
  if (!type.getElementType().isInteger(1) && hasUnitInnermostStride(memref))
    return load(memref, indices, mask);
  SmallVector<Value> elements, at(indices);
  Value column = at.back(), last = sub(dim(memref, type.getRank() - 1), index(1));
  for (int64_t lane = 0; lane < lanes(); ++lane) {
    at.back() = mask ? min(add(column, lane), last) : add(column, lane);
    elements.push_back(loadScalar(memref, at));
  }
  return vector::FromElementsOp::create(builder, loc, vectorOf(type.getElementType()), elements);
}

Value KernelBuilder::widen(Value vector) {
  auto type = cast<VectorType>(vector.getType());
  VectorType wide = type.clone(builder.getF32Type());
  if (type.getElementType().isF32())
    return vector;
  if (type.getElementType().isBF16()) { // the upper half of an f32
    VectorType words = type.clone(builder.getI32Type());
    Value bits = vector::BitCastOp::create(builder, loc, type.clone(builder.getI16Type()), vector);
    bits = arith::ExtUIOp::create(builder, loc, words, bits);
    bits = arith::ShLIOp::create(builder, loc, bits, splat(builder.getI32Type(), 16));
    return vector::BitCastOp::create(builder, loc, wide, bits);
  }
  if (type.getElementType().isF16())
    return arith::ExtFOp::create(builder, loc, wide, vector);
  return arith::SIToFPOp::create(builder, loc, wide,
                                 arith::ExtSIOp::create(builder, loc, type.clone(builder.getI32Type()), vector));
}

Value KernelBuilder::roundTo(Value vector, Value memref) {
  Type element = cast<MemRefType>(memref.getType()).getElementType();
  auto type = cast<VectorType>(vector.getType());
  return type.getElementType() == element ? vector : arith::TruncFOp::create(builder, loc, type.clone(element), vector);
}

void KernelBuilder::store(Value vector, Value memref, ValueRange indices, Value mask) {
  if (mask)
    vector::MaskedStoreOp::create(builder, loc, memref, indices, mask, vector);
  else
    vector::StoreOp::create(builder, loc, vector, memref, indices);
}

Value KernelBuilder::maskBelow(Value count) {
  return vector::CreateMaskOp::create(builder, loc, vectorOf(builder.getI1Type()), count);
}

Value KernelBuilder::scratch(ArrayRef<int64_t> shape, Type element) {
  OpBuilder::InsertionGuard guard(builder);
  Operation *parent = builder.getInsertionBlock()->getParentOp();
  if (!isa<scf::ParallelOp>(parent))
    if (auto task = parent->getParentOfType<scf::ParallelOp>())
      builder.setInsertionPointToStart(task.getBody());
  return memref::AllocaOp::create(builder, loc, MemRefType::get(shape, element), builder.getI64IntegerAttr(64));
}

void KernelBuilder::parallel(Value tasks, function_ref<void(Value)> body) {
  auto loop = scf::ParallelOp::create(builder, loc, ValueRange{index(0)}, ValueRange{tasks}, ValueRange{index(1)});
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(loop.getBody()->getTerminator());
  body(loop.getInductionVars().front());
}

void KernelBuilder::inBlock(Value block, int64_t size, Value total, function_ref<void(Value)> body) {
  if (size == 1) {
    body(block);
    return;
  }
  Value first = mul(block, size), end = add(first, size);
  int64_t constant = constantOr(total);
  if (constant < 0 || constant % size != 0)
    end = min(end, total);
  loop(first, end, 1, body);
}

void KernelBuilder::parallelItems(Value items, int64_t workPerItem, function_ref<void(Value)> body) {
  int64_t constant = constantOr(items), each = std::max<int64_t>(workPerItem, 1);
  int64_t perTask = std::max<int64_t>(codegen::workPerTask(constant >= 0 ? constant * each : -1) / each, 1);
  if (constant > 0)
    perTask = codegen::taskBlock(constant, perTask);
  parallel(ceilDiv(items, perTask), [&](Value task) { inBlock(task, perTask, items, body); });
}

void KernelBuilder::tiles(Value first, Value count, int64_t most, function_ref<void(Value, int64_t)> body) {
  Value whole = mul(div(count, index(most)), most);
  loop(first, add(first, whole), most, [&](Value start) { body(start, most); });
  restTiles(first, count, most, body);
}

void KernelBuilder::restTiles(Value first, Value count, int64_t most, function_ref<void(Value, int64_t)> body) {
  Value start = add(first, mul(div(count, index(most)), most));
  if (int64_t constant = constantOr(count); constant >= 0) {
    if (int64_t rest = constant % most)
      body(start, rest);
    return;
  }
  Value end = add(first, count);
  for (int64_t size = llvm::bit_floor(uint64_t(most - 1)); size >= 1; size /= 2) {
    Value stop = add(start, mul(div(sub(end, start), index(size)), size));
    loop(start, stop, size, [&](Value at) { body(at, size); });
    start = stop;
  }
}

KernelBuilder::Carried KernelBuilder::vectors(Value count, ValueRange init,
                                              function_ref<Carried(Value, Value, ValueRange)> body) {
  int64_t constant = constantOr(count);
  Value main = constant >= 0 ? index(constant - constant % lanes()) : mul(div(count, index(lanes())), lanes());
  Carried result = loop(index(0), main, lanes(), init,
                        [&](Value start, ValueRange carried) { return body(start, Value(), carried); });
  // A dynamic count may leave no rest; its mask is empty then.
  if (constant < 0 || constant % lanes() != 0)
    result = body(main, maskBelow(sub(count, main)), result);
  return result;
}

void KernelBuilder::vectors(Value count, function_ref<void(Value, Value)> body) {
  vectors(count, ValueRange(), [&](Value start, Value mask, ValueRange) {
    body(start, mask);
    return Carried();
  });
}

//===- KernelBuilder.cpp - Builds loops and vectors for one kernel --------===//
#include "passes/Codegen/CPU/KernelBuilder.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "passes/Codegen/Common/TaskWork.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

int64_t cpu::evenBlock(int64_t count, int64_t most) {
  int64_t blocks = llvm::divideCeil(count, std::max<int64_t>(most, 1));
  return llvm::divideCeil(count, std::max<int64_t>(blocks, 1));
}

int64_t cpu::constantOr(Value value, int64_t otherwise) {
  return getConstantIntValue(value).value_or(otherwise);
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

Value KernelBuilder::index(int64_t value) { return arith::ConstantIndexOp::create(builder, loc, value); }

Value KernelBuilder::add(Value a, Value b) { return builder.createOrFold<arith::AddIOp>(loc, a, b); }
Value KernelBuilder::sub(Value a, Value b) { return builder.createOrFold<arith::SubIOp>(loc, a, b); }
Value KernelBuilder::mul(Value a, Value b) { return builder.createOrFold<arith::MulIOp>(loc, a, b); }

Value KernelBuilder::div(Value a, Value b) {
  if (constantOr(b) == 1)
    return a;
  return builder.createOrFold<arith::DivUIOp>(loc, a, b);
}

Value KernelBuilder::rem(Value a, Value b) {
  if (constantOr(b) == 1)
    return index(0);
  return builder.createOrFold<arith::RemUIOp>(loc, a, b);
}

Value KernelBuilder::min(Value a, Value b) { return builder.createOrFold<arith::MinSIOp>(loc, a, b); }
Value KernelBuilder::max(Value a, Value b) { return builder.createOrFold<arith::MaxSIOp>(loc, a, b); }

Value KernelBuilder::equal(Value a, Value b) {
  return builder.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::eq, a, b);
}

Value KernelBuilder::dim(Value memref, unsigned dimension) {
  auto type = cast<MemRefType>(memref.getType());
  if (!type.isDynamicDim(dimension))
    return index(type.getDimSize(dimension));
  return builder.createOrFold<memref::DimOp>(loc, memref, int64_t(dimension));
}

static TypedAttr constantAttr(Type element, double value) {
  if (auto type = dyn_cast<FloatType>(element))
    return FloatAttr::get(type, value);
  return IntegerAttr::get(element, int64_t(value));
}

Value KernelBuilder::splat(Type element, double value) {
  return arith::ConstantOp::create(builder, loc,
                                   DenseElementsAttr::get(vectorOf(element), Attribute(constantAttr(element, value))));
}

Value KernelBuilder::scalar(Type element, double value) {
  return arith::ConstantOp::create(builder, loc, constantAttr(element, value));
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

Value KernelBuilder::loadScalar(Value memref, ValueRange indices) {
  return memref::LoadOp::create(builder, loc, memref, indices);
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

KernelBuilder::Carried KernelBuilder::loop(Value lower, Value upper, int64_t step, ValueRange init,
                                           function_ref<Carried(Value, ValueRange)> body) {
  int64_t first = constantOr(lower), last = constantOr(upper);
  if (lower == upper || (first >= 0 && last >= 0 && last <= first))
    return Carried(init);
  if (first >= 0 && last >= 0 && first + step >= last)
    return body(lower, init);
  auto loop = scf::ForOp::create(builder, loc, lower, upper, index(step), init);
  OpBuilder::InsertionGuard guard(builder);
  if (init.empty()) {
    builder.setInsertionPoint(loop.getBody()->getTerminator());
    body(loop.getInductionVar(), {});
    return {};
  }
  builder.setInsertionPointToEnd(loop.getBody());
  Carried carried = body(loop.getInductionVar(), loop.getRegionIterArgs());
  scf::YieldOp::create(builder, loc, carried);
  return Carried(loop.getResults());
}

void KernelBuilder::loop(Value lower, Value upper, int64_t step, function_ref<void(Value)> body) {
  loop(lower, upper, step, ValueRange(), [&](Value iv, ValueRange) {
    body(iv);
    return Carried();
  });
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

void KernelBuilder::branch(Value condition, function_ref<void()> body) {
  if (std::optional<int64_t> constant = getConstantIntValue(condition)) {
    if (*constant)
      body();
    return;
  }
  auto branch = scf::IfOp::create(builder, loc, condition, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(branch.thenBlock()->getTerminator());
  body();
}

SmallVector<Value> KernelBuilder::delinearize(Value flat, ArrayRef<Value> sizes) {
  SmallVector<Value> indices(sizes.size());
  for (unsigned i = sizes.size(); i-- > 0;) {
    bool outermost = llvm::all_of(sizes.take_front(i), [](Value size) { return constantOr(size) == 1; });
    indices[i] = outermost && constantOr(sizes[i]) != 1 ? flat : rem(flat, sizes[i]);
    if (outermost) {
      for (unsigned j = 0; j < i; ++j)
        indices[j] = index(0);
      break;
    }
    flat = div(flat, sizes[i]);
  }
  return indices;
}

Value KernelBuilder::collapse(Value memref, unsigned first, unsigned last) {
  if (first == last)
    return memref;
  auto type = cast<MemRefType>(memref.getType());
  SmallVector<ReassociationIndices> groups;
  for (unsigned i = 0; i < type.getRank(); ++i)
    if (i <= first || i > last)
      groups.push_back({int64_t(i)});
    else
      groups.back().push_back(i);
  if (!memref::CollapseShapeOp::isGuaranteedCollapsible(type, groups))
    return {};
  return memref::CollapseShapeOp::create(builder, loc, memref, groups);
}

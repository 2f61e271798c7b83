//===- ThreadBuilder.cpp - Builds the code of one thread ------------------===//
#include "passes/Codegen/GPU/ThreadBuilder.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/IRMapping.h"
#include "passes/Codegen/GPU/Device.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::simt;

bool simt::isComputedInF32(Type element) { return element.isF32() || element.isBF16() || element.isF16(); }

LogicalResult simt::checkFloats(Operation *op, ValueRange memrefs) {
  for (Value memref : memrefs)
    if (auto type = cast<MemRefType>(memref.getType()); !isComputedInF32(type.getElementType()))
      return op->emitOpError("expected f32, bf16 or f16, but got ") << type;
  return success();
}

static Type elementTypeOf(Value memref) { return cast<MemRefType>(memref.getType()).getElementType(); }

void ThreadBuilder::threads(ArrayRef<Value> sizes, function_ref<void(ValueRange)> body) {
  SmallVector<Value> upper(sizes);
  if (upper.empty())
    upper.push_back(index(1));
  SmallVector<Value> zeros(upper.size(), index(0)), ones(upper.size(), index(1));
  auto loop = scf::ParallelOp::create(builder, loc, zeros, upper, ones);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(loop.getBody()->getTerminator());
  body(ValueRange(loop.getInductionVars()).take_front(sizes.size()));
}

void ThreadBuilder::elements(Value memref, function_ref<void(ValueRange)> body) {
  SmallVector<Value> sizes;
  for (int64_t i = 0; i < cast<MemRefType>(memref.getType()).getRank(); ++i)
    sizes.push_back(dim(memref, i));
  threads(sizes, body);
}

SmallVector<Value> ThreadBuilder::leadingSizes(Value memref) {
  SmallVector<Value> sizes;
  for (int64_t i = 0; i + 1 < cast<MemRefType>(memref.getType()).getRank(); ++i)
    sizes.push_back(dim(memref, i));
  return sizes;
}

MergedDims ThreadBuilder::mergeLeading(Value memref, int64_t kept) {
  MergedDims dims;
  dims.size = index(1);
  for (int64_t i = 0; i + kept < cast<MemRefType>(memref.getType()).getRank(); ++i) {
    dims.sizes.push_back(dim(memref, i));
    dims.size = mul(dims.size, dims.sizes.back());
  }
  return dims;
}

SmallVector<Value> ThreadBuilder::indicesOf(const MergedDims &dims, Value merged, ValueRange kept) {
  SmallVector<Value> indices = delinearize(merged, dims.sizes);
  indices.append(kept.begin(), kept.end());
  return indices;
}

/// A block of `threads` threads, with `shared` memory, for each combination of indices below `sizes`.
static void emitLaunch(ThreadBuilder &k, ArrayRef<Value> sizes, int64_t threads, TypeRange shared,
                       function_ref<void(ValueRange indices, gpu::LaunchOp launch)> body) {
  OpBuilder &b = k.builder;
  Value total = k.index(1), one = k.index(1);
  for (Value size : sizes)
    total = k.mul(total, size);
  // A grid must not be empty.
  auto launch = gpu::LaunchOp::create(b, k.loc, k.max(total, one), one, one, k.index(threads), one, one, Value(),
                                      Type(), ValueRange(), shared);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(&launch.getBody().front());
  gpu::TerminatorOp end = gpu::TerminatorOp::create(b, k.loc);
  b.setInsertionPoint(end);
  Value block = launch.getBlockIds().x;
  auto run = [&] { body(k.delinearize(block, sizes), launch); };
  if (codegen::constantOr(total) > 0)
    run();
  else
    k.branch(k.compare(arith::CmpIPredicate::ult, block, total), run);
}

void ThreadBuilder::blocks(ArrayRef<Value> sizes, int64_t threads, Type element, int64_t count,
                           function_ref<void(ValueRange, Value, Value)> body, int64_t resident) {
  auto space = gpu::AddressSpaceAttr::get(builder.getContext(), gpu::AddressSpace::Workgroup);
  Type shared = MemRefType::get({count}, element, MemRefLayoutAttrInterface(), space);
  emitLaunch(*this, sizes, threads, shared, [&](ValueRange indices, gpu::LaunchOp launch) {
    if (resident > 0)
      launch->setAttr(kResidentBlocksAttr, builder.getI32IntegerAttr(int32_t(resident)));
    body(indices, launch.getThreadIds().x, launch.getWorkgroupAttributions().front());
  });
}

void ThreadBuilder::warps(ArrayRef<Value> sizes, function_ref<void(ValueRange, Value)> body) {
  emitLaunch(*this, sizes, kWarpThreads, {},
             [&](ValueRange indices, gpu::LaunchOp launch) { body(indices, launch.getThreadIds().x); });
}

Value ThreadBuilder::scratch(ArrayRef<Value> sizes, Type element) {
  SmallVector<int64_t> shape;
  SmallVector<Value> dynamic;
  for (Value size : sizes) {
    shape.push_back(codegen::constantOr(size, ShapedType::kDynamic));
    if (ShapedType::isDynamic(shape.back()))
      dynamic.push_back(size);
  }
  return memref::AllocOp::create(builder, loc, MemRefType::get(shape, element), dynamic);
}

void ThreadBuilder::barrier() { gpu::BarrierOp::create(builder, loc); }

void ThreadBuilder::store(Value value, Value memref, ValueRange indices) {
  Type element = elementTypeOf(memref);
  if (value.getType().isF32() && (element.isBF16() || element.isF16()))
    value = arith::TruncFOp::create(builder, loc, element, value);
  memref::StoreOp::create(builder, loc, value, memref, indices);
}

Value ThreadBuilder::loadBroadcast(Value memref, ValueRange indices) {
  auto type = cast<MemRefType>(memref.getType());
  ValueRange last = indices.take_back(type.getRank());
  SmallVector<Value> at;
  for (auto [position, size] : llvm::zip(last, type.getShape()))
    at.push_back(size == 1 ? index(0) : position);
  return loadScalar(memref, at);
}

Value ThreadBuilder::loadWide(Value memref, ValueRange indices, bool isSigned) {
  Value loaded = loadScalar(memref, indices);
  Type element = loaded.getType();
  if (element.isF32())
    return loaded;
  if (isa<FloatType>(element))
    return arith::ExtFOp::create(builder, loc, builder.getF32Type(), loaded);
  if (isSigned)
    return arith::ExtSIOp::create(builder, loc, builder.getI32Type(), loaded);
  return arith::ExtUIOp::create(builder, loc, builder.getI32Type(), loaded);
}

Value ThreadBuilder::reduceWarp(Value value, function_ref<Value(Value, Value)> combine) {
  for (int64_t mask = kWarpThreads / 2; mask >= 1; mask /= 2)
    value = combine(value, shuffleXor(value, mask));
  return value;
}

Value ThreadBuilder::shuffleXor(Value value, int64_t mask) {
  return gpu::ShuffleOp::create(builder, loc, value, mask, kWarpThreads, gpu::ShuffleMode::XOR).getShuffleResult();
}

Value ThreadBuilder::select(Value condition, Value a, Value b) {
  return arith::SelectOp::create(builder, loc, condition, a, b);
}
Value ThreadBuilder::compare(arith::CmpFPredicate predicate, Value a, Value b) {
  return arith::CmpFOp::create(builder, loc, predicate, a, b);
}
Value ThreadBuilder::compare(arith::CmpIPredicate predicate, Value a, Value b) {
  return arith::CmpIOp::create(builder, loc, predicate, a, b);
}
Value ThreadBuilder::addFloats(Value a, Value b) { return arith::AddFOp::create(builder, loc, a, b); }
Value ThreadBuilder::mulFloats(Value a, Value b) { return arith::MulFOp::create(builder, loc, a, b); }

Value ThreadBuilder::multiplyAdd(Value a, Value b, Value c) {
  if (isa<FloatType>(c.getType()))
    return math::FmaOp::create(builder, loc, a, b, c);
  return arith::AddIOp::create(builder, loc, c, arith::MulIOp::create(builder, loc, a, b));
}

Type ThreadBuilder::accumulatorType(Value lhs, Value rhs) {
  Type left = elementTypeOf(lhs), right = elementTypeOf(rhs);
  if (left.isInteger(8) && right.isInteger(8))
    return builder.getI32Type();
  return isComputedInF32(left) && isComputedInF32(right) ? Type(builder.getF32Type()) : Type();
}

Value ThreadBuilder::applyEpilogue(Region &epilogue, Value accumulator, ArrayRef<Value> extras) {
  Block &body = epilogue.front();
  IRMapping mapping;
  mapping.map(body.getArgument(0), accumulator);
  for (auto [argument, extra] : llvm::zip(body.getArguments().drop_front(), extras))
    if (extra)
      mapping.map(argument, extra);
  for (Operation &op : body.without_terminator())
    builder.clone(op, mapping);
  return mapping.lookupOrDefault(cast<nn::YieldOp>(body.getTerminator()).getValue());
}

void ThreadBuilder::storeEpilogue(Region &epilogue, ValueRange extras, Value accumulator, Value out,
                                  ValueRange indices) {
  if (epilogue.empty())
    return store(accumulator, out, indices);
  SmallVector<Value> elements;
  for (auto [argument, extra] : llvm::zip(epilogue.getArguments().drop_front(), extras))
    elements.push_back(argument.use_empty() ? Value() : loadBroadcast(extra, indices));
  store(applyEpilogue(epilogue, accumulator, elements), out, indices);
}

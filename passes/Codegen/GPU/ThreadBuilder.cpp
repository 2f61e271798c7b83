//===- ThreadBuilder.cpp - Builds the code of one thread ------------------===//
#include "passes/Codegen/GPU/ThreadBuilder.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::simt;

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

void ThreadBuilder::blocks(ArrayRef<Value> sizes, int64_t threads, Type element, int64_t count,
                           function_ref<void(ValueRange, Value, Value)> body) {
  Value total = index(1), one = index(1);
  for (Value size : sizes)
    total = mul(total, size);
  auto space = gpu::AddressSpaceAttr::get(builder.getContext(), gpu::AddressSpace::Workgroup);
  auto sharedType = MemRefType::get({count}, element, MemRefLayoutAttrInterface(), space);
  // A grid must not be empty.
  auto launch = gpu::LaunchOp::create(builder, loc, max(total, one), one, one, index(threads), one, one, Value(),
                                      Type(), ValueRange(), TypeRange(sharedType));
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(&launch.getBody().front());
  gpu::TerminatorOp end = gpu::TerminatorOp::create(builder, loc);
  builder.setInsertionPoint(end);
  Value block = launch.getBlockIds().x;
  auto run = [&] {
    body(delinearize(block, sizes), launch.getThreadIds().x, launch.getWorkgroupAttributions().front());
  };
  if (codegen::constantOr(total) > 0)
    run();
  else
    branch(arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult, block, total), run);
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
  auto isFloat = [](Type type) { return type.isF32() || type.isF16() || type.isBF16(); };
  return isFloat(left) && isFloat(right) ? Type(builder.getF32Type()) : Type();
}

void ThreadBuilder::storeEpilogue(Region &epilogue, ValueRange extras, Value accumulator, Value out,
                                  ValueRange indices) {
  if (epilogue.empty())
    return store(accumulator, out, indices);
  Block &body = epilogue.front();
  IRMapping mapping;
  mapping.map(body.getArgument(0), accumulator);
  for (auto [argument, extra] : llvm::zip(body.getArguments().drop_front(), extras))
    if (!argument.use_empty())
      mapping.map(argument, loadBroadcast(extra, indices));
  for (Operation &op : body.without_terminator())
    builder.clone(op, mapping);
  store(mapping.lookupOrDefault(cast<nn::YieldOp>(body.getTerminator()).getValue()), out, indices);
}

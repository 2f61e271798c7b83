//===- LoopBuilder.cpp - Builds scalar code and loops for one kernel ------===//
#include "passes/Codegen/Common/LoopBuilder.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "passes/Codegen/Common/Functions/Functions.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::codegen;

int64_t codegen::constantOr(Value value, int64_t otherwise) { return getConstantIntValue(value).value_or(otherwise); }

Value LoopBuilder::index(int64_t value) { return arith::ConstantIndexOp::create(builder, loc, value); }

Value LoopBuilder::add(Value a, Value b) { return builder.createOrFold<arith::AddIOp>(loc, a, b); }
Value LoopBuilder::sub(Value a, Value b) { return builder.createOrFold<arith::SubIOp>(loc, a, b); }
Value LoopBuilder::mul(Value a, Value b) { return builder.createOrFold<arith::MulIOp>(loc, a, b); }

Value LoopBuilder::div(Value a, Value b) {
  if (constantOr(b) == 1)
    return a;
  return builder.createOrFold<arith::DivUIOp>(loc, a, b);
}

Value LoopBuilder::rem(Value a, Value b) {
  if (constantOr(b) == 1)
    return index(0);
  return builder.createOrFold<arith::RemUIOp>(loc, a, b);
}

Value LoopBuilder::min(Value a, Value b) { return builder.createOrFold<arith::MinSIOp>(loc, a, b); }
Value LoopBuilder::max(Value a, Value b) { return builder.createOrFold<arith::MaxSIOp>(loc, a, b); }

Value LoopBuilder::equal(Value a, Value b) {
  return builder.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::eq, a, b);
}

Value LoopBuilder::dim(Value memref, unsigned dimension) {
  auto type = cast<MemRefType>(memref.getType());
  if (!type.isDynamicDim(dimension))
    return index(type.getDimSize(dimension));
  return builder.createOrFold<memref::DimOp>(loc, memref, int64_t(dimension));
}

TypedAttr codegen::constantAttr(Type element, double value) {
  if (auto type = dyn_cast<FloatType>(element))
    return FloatAttr::get(type, value);
  return IntegerAttr::get(element, int64_t(value));
}

Value LoopBuilder::scalar(Type element, double value) {
  return arith::ConstantOp::create(builder, loc, constantAttr(element, value));
}

Value LoopBuilder::loadScalar(Value memref, ValueRange indices) {
  return memref::LoadOp::create(builder, loc, memref, indices);
}

Value LoopBuilder::expNonPositive(Value x) {
  FloatBuilder b(builder, loc, getFloatTarget(target));
  return emitExpNonPositive(b, x);
}

Value LoopBuilder::exp2NonPositive(Value x) {
  FloatBuilder b(builder, loc, getFloatTarget(target));
  return emitExp2NonPositive(b, x);
}

LoopBuilder::Carried LoopBuilder::loop(Value lower, Value upper, int64_t step, ValueRange init,
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

void LoopBuilder::loop(Value lower, Value upper, int64_t step, function_ref<void(Value)> body) {
  loop(lower, upper, step, ValueRange(), [&](Value iv, ValueRange) {
    body(iv);
    return Carried();
  });
}

void LoopBuilder::branch(Value condition, function_ref<void()> body, function_ref<void()> otherwise) {
  if (std::optional<int64_t> constant = getConstantIntValue(condition)) {
    if (*constant)
      body();
    else if (otherwise)
      otherwise();
    return;
  }
  auto branch = scf::IfOp::create(builder, loc, condition, /*withElseRegion=*/bool(otherwise));
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(branch.thenBlock()->getTerminator());
  body();
  if (otherwise) {
    builder.setInsertionPoint(branch.elseBlock()->getTerminator());
    otherwise();
  }
}

SmallVector<Value> LoopBuilder::delinearize(Value flat, ArrayRef<Value> sizes) {
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

Value LoopBuilder::collapse(Value memref, unsigned first, unsigned last) {
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

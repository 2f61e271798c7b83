//===- Rows.cpp - nn.norm and nn.softmax, a thread a row ------------------===//
#include "mlir/Dialect/Math/IR/Math.h"
#include "passes/Codegen/GPU/Kernels.h"
#include "passes/Codegen/GPU/ThreadBuilder.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::simt;

namespace {

/// A walk over the row of one thread.
class Row {
public:
  Row(ThreadBuilder &k, Value memref, ValueRange outer)
      : k(k), memref(memref), outer(outer.begin(), outer.end()),
        size(k.dim(memref, cast<MemRefType>(memref.getType()).getRank() - 1)) {}

  SmallVector<Value> at(Value column) const {
    SmallVector<Value> indices(outer);
    indices.push_back(column);
    return indices;
  }

  /// Folds `step(carried, element)` over the row.
  Value reduce(Value init, function_ref<Value(Value, Value)> step) const {
    return k.loop(k.index(0), size, 1, init, [&](Value column, ValueRange carried) {
      return codegen::LoopBuilder::Carried{step(carried[0], k.loadScalar(memref, at(column)))};
    })[0];
  }

  /// Stores `map(element, column)` of each element.
  void map(Value out, function_ref<Value(Value, Value)> map) const {
    k.loop(k.index(0), size, 1,
           [&](Value column) { k.store(map(k.loadScalar(memref, at(column)), column), out, at(column)); });
  }

  Value count() const {
    Type i64 = k.builder.getI64Type();
    Value integer = arith::IndexCastOp::create(k.builder, k.loc, i64, size);
    return arith::SIToFPOp::create(k.builder, k.loc, k.builder.getF32Type(), integer);
  }

private:
  ThreadBuilder &k;
  Value memref;
  SmallVector<Value> outer;
  Value size;
};

} // namespace

static LogicalResult checkF32(Operation *op, Value memref) {
  Type element = cast<MemRefType>(memref.getType()).getElementType();
  return element.isF32() ? success() : op->emitOpError("expected f32, but got ") << element;
}

LogicalResult simt::emitNorm(nn::NormOp op) {
  if (failed(checkF32(op, op.getInput())))
    return failure();
  ThreadBuilder k(op);
  OpBuilder &b = k.builder;
  Type f32 = b.getF32Type();
  bool layer = op.getKind() == nn::NormKind::Layer;
  k.rows(op.getInit(), [&](ValueRange outer) {
    Row row(k, op.getInput(), outer);
    Value count = row.count(), zero = k.scalar(f32, 0), mean = zero;
    if (layer) {
      Value sum = row.reduce(zero, [&](Value carried, Value x) { return k.addFloats(carried, x); });
      mean = arith::DivFOp::create(b, k.loc, sum, count);
    }
    auto centered = [&](Value x) { return layer ? arith::SubFOp::create(b, k.loc, x, mean).getResult() : x; };
    // The second pass over differences keeps its digits where the mean is large.
    Value squares = row.reduce(zero, [&](Value carried, Value x) {
      Value difference = centered(x);
      return k.multiplyAdd(difference, difference, carried);
    });
    Value variance = arith::DivFOp::create(b, k.loc, squares, count);
    variance = k.addFloats(variance, k.scalar(f32, op.getEpsilon().convertToDouble()));
    Value deviation = math::SqrtOp::create(b, k.loc, variance);
    Value inverse = arith::DivFOp::create(b, k.loc, k.scalar(f32, 1), deviation);
    row.map(op.getInit(), [&](Value x, Value column) {
      Value result = k.mulFloats(centered(x), inverse);
      if (op.getScale())
        result = k.mulFloats(result, k.loadScalar(op.getScale(), column));
      if (op.getBias())
        result = k.addFloats(result, k.loadScalar(op.getBias(), column));
      return result;
    });
  });
  return success();
}

LogicalResult simt::emitSoftmax(nn::SoftmaxOp op) {
  if (failed(checkF32(op, op.getInput())))
    return failure();
  ThreadBuilder k(op);
  OpBuilder &b = k.builder;
  Type f32 = b.getF32Type();
  k.rows(op.getInit(), [&](ValueRange outer) {
    Row row(k, op.getInput(), outer);
    Value peak = row.reduce(k.scalar(f32, -std::numeric_limits<double>::infinity()), [&](Value carried, Value x) {
      return arith::MaximumFOp::create(b, k.loc, carried, x).getResult();
    });
    auto shifted = [&](Value x) { return arith::SubFOp::create(b, k.loc, x, peak).getResult(); };
    Value sum = row.reduce(k.scalar(f32, 0),
                           [&](Value carried, Value x) { return k.addFloats(carried, k.expNonPositive(shifted(x))); });
    if (op.getLog()) {
      Value logarithm = math::LogOp::create(b, k.loc, sum);
      row.map(op.getInit(), [&](Value x, Value) { return arith::SubFOp::create(b, k.loc, shifted(x), logarithm).getResult(); });
      return;
    }
    Value inverse = arith::DivFOp::create(b, k.loc, k.scalar(f32, 1), sum);
    row.map(op.getInit(), [&](Value x, Value) { return k.mulFloats(k.expNonPositive(shifted(x)), inverse); });
  });
  return success();
}

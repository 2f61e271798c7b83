//===- Rows.cpp - nn.norm and nn.softmax, a block a row -------------------===//
#include "mlir/Dialect/Math/IR/Math.h"
#include "passes/Codegen/GPU/Kernels.h"
#include "passes/Codegen/GPU/ThreadBuilder.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::simt;

/// Threads of a row's block: four warps.
static constexpr int64_t kThreads = 128;

namespace {

/// The row of one block. Threads walk over it side by side and share what they find.
class Row {
public:
  Row(ThreadBuilder &k, Value memref, ValueRange outer, Value thread, Value shared)
      : k(k), memref(memref), outer(outer.begin(), outer.end()), thread(thread), shared(shared),
        size(k.dim(memref, cast<MemRefType>(memref.getType()).getRank() - 1)) {}

  /// Folds `step(carried, element)` over the row, and the threads' results by `combine`, of which `init` is the neutral
  /// element. Every thread gets the result.
  Value reduce(Value init, function_ref<Value(Value, Value)> step, function_ref<Value(Value, Value)> combine) {
    Value part = k.loop(thread, size, kThreads, init, [&](Value column, ValueRange carried) {
      return codegen::LoopBuilder::Carried{step(carried[0], load(column))};
    })[0];
    k.store(part, shared, thread);
    k.barrier();
    for (int64_t width = kThreads / 2; width >= 1; width /= 2) {
      k.branch(arith::CmpIOp::create(k.builder, k.loc, arith::CmpIPredicate::ult, thread, k.index(width)), [&] {
        Value mine = k.loadScalar(shared, thread), other = k.loadScalar(shared, k.add(thread, width));
        k.store(combine(mine, other), shared, thread);
      });
      k.barrier();
    }
    Value result = k.loadScalar(shared, k.index(0));
    k.barrier(); // before the next reduction writes
    return result;
  }

  Value sum(function_ref<Value(Value, Value)> step) {
    return reduce(k.scalar(k.builder.getF32Type(), 0), step, [&](Value a, Value b) { return k.addFloats(a, b); });
  }

  /// Stores `map(element, column)` of each element.
  void map(Value out, function_ref<Value(Value, Value)> map) {
    k.loop(thread, size, kThreads, [&](Value column) { k.store(map(load(column), column), out, at(column)); });
  }

  Value count() const {
    Type i64 = k.builder.getI64Type();
    Value integer = arith::IndexCastOp::create(k.builder, k.loc, i64, size);
    return arith::SIToFPOp::create(k.builder, k.loc, k.builder.getF32Type(), integer);
  }

private:
  Value load(Value column) const { return k.loadWide(memref, at(column), /*isSigned=*/false); }

  SmallVector<Value> at(Value column) const {
    SmallVector<Value> indices(outer);
    indices.push_back(column);
    return indices;
  }

  ThreadBuilder &k;
  Value memref;
  SmallVector<Value> outer;
  Value thread, shared, size;
};

} // namespace

LogicalResult simt::emitNorm(nn::NormOp op) {
  if (failed(checkFloats(op, op.getInput())))
    return failure();
  ThreadBuilder k(op);
  OpBuilder &b = k.builder;
  Type f32 = b.getF32Type();
  bool layer = op.getKind() == nn::NormKind::Layer;
  k.blocks(k.leadingSizes(op.getInit()), kThreads, k.builder.getF32Type(), kThreads,
           [&](ValueRange outer, Value thread, Value shared) {
             Row row(k, op.getInput(), outer, thread, shared);
             Value count = row.count(), mean;
             if (layer)
               mean = arith::DivFOp::create(
                   b, k.loc, row.sum([&](Value carried, Value x) { return k.addFloats(carried, x); }), count);
             auto centered = [&](Value x) { return layer ? arith::SubFOp::create(b, k.loc, x, mean).getResult() : x; };
             // The second pass over differences keeps its digits where the mean is large.
             Value squares = row.sum([&](Value carried, Value x) {
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
  if (failed(checkFloats(op, op.getInput())))
    return failure();
  ThreadBuilder k(op);
  OpBuilder &b = k.builder;
  Type f32 = b.getF32Type();
  k.blocks(k.leadingSizes(op.getInit()), kThreads, k.builder.getF32Type(), kThreads,
           [&](ValueRange outer, Value thread, Value shared) {
             Row row(k, op.getInput(), outer, thread, shared);
             auto larger = [&](Value a, Value c) { return arith::MaximumFOp::create(b, k.loc, a, c).getResult(); };
             Value peak = row.reduce(k.scalar(f32, -std::numeric_limits<double>::infinity()), larger, larger);
             auto shifted = [&](Value x) { return arith::SubFOp::create(b, k.loc, x, peak).getResult(); };
             Value sum =
                 row.sum([&](Value carried, Value x) { return k.addFloats(carried, k.expNonPositive(shifted(x))); });
             if (op.getLog()) {
               Value logarithm = math::LogOp::create(b, k.loc, sum);
               row.map(op.getInit(), [&](Value x, Value) {
                 return arith::SubFOp::create(b, k.loc, shifted(x), logarithm).getResult();
               });
               return;
             }
             Value inverse = arith::DivFOp::create(b, k.loc, k.scalar(f32, 1), sum);
             row.map(op.getInit(), [&](Value x, Value) { return k.mulFloats(k.expNonPositive(shifted(x)), inverse); });
           });
  return success();
}

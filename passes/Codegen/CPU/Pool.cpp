//===- Pool.cpp - nn.pool, vectors over channels --------------------------===//
#include "passes/Codegen/CPU/KernelBuilder.h"
#include "passes/Codegen/CPU/Kernels.h"
#include "passes/Codegen/Common/Instructions.h"
#include "passes/Codegen/Common/TaskWork.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

namespace {

/// The taps of one window dimension that lie inside the input.
struct Taps {
  Value first, end;
};

struct Pool {
  nn::PoolOp op;
  KernelBuilder k;
  Value input, out;
  Type element;
  bool max, isSigned;

  explicit Pool(nn::PoolOp op)
      : op(op), k(op), input(op.getInput()), out(op.getInit()),
        element(cast<MemRefType>(op.getInput().getType()).getElementType()), max(op.getKind() == nn::PoolKind::Max),
        isSigned(codegen::getDotProduct(k.target).isLhsSigned()) {
    if (isNarrowFloat(element)) // computed on f32
      element = k.builder.getF32Type();
  }

  /// Taps t with 0 <= position * stride - pad + t * dilation < size.
  Taps inside(Value position, unsigned dimension) {
    int64_t taps = op.getKernel()[dimension], dilation = op.getDilations()[dimension];
    int64_t before = op.getPads()[dimension], after = op.getPads()[dimension + 2];
    if (before == 0 && after == 0)
      return {k.index(0), k.index(taps)};
    Value start = k.mul(position, op.getStrides()[dimension]), padding = k.index(before);
    Value size = k.dim(input, 1 + dimension);
    Value missing = k.max(k.sub(padding, start), k.index(0));
    Value left = k.max(k.sub(k.add(size, before), start), k.index(0));
    return {k.ceilDiv(missing, dilation), k.min(k.ceilDiv(left, dilation), k.index(taps))};
  }

  /// Input position of a tap; not negative for taps inside.
  Value at(Value position, Value tap, unsigned dimension) {
    Value padded = k.add(k.mul(position, op.getStrides()[dimension]), k.mul(tap, op.getDilations()[dimension]));
    return k.sub(padded, k.index(op.getPads()[dimension]));
  }

  Value combine(Value a, Value b) {
    if (!max)
      return arith::AddFOp::create(k.builder, k.loc, a, b);
    if (isa<FloatType>(element))
      return arith::MaximumFOp::create(k.builder, k.loc, a, b);
    if (isSigned)
      return arith::MaxSIOp::create(k.builder, k.loc, a, b);
    return arith::MaxUIOp::create(k.builder, k.loc, a, b);
  }

  /// `count` vectors of channels of one output pixel.
  void pixel(ValueRange position, Taps rows, Taps columns, Value inverse, Value channel, int64_t count, Value mask) {
    double least = isa<FloatType>(element) ? -std::numeric_limits<double>::infinity() : isSigned ? -128 : 0;
    Value start = k.splat(element, max ? least : 0);
    KernelBuilder::Carried init(count, start);
    auto result = k.loop(rows.first, rows.end, 1, init, [&](Value row, ValueRange outer) {
      return k.loop(columns.first, columns.end, 1, outer, [&](Value column, ValueRange carried) {
        KernelBuilder::Carried next;
        for (int64_t i = 0; i < count; ++i) {
          Value x = k.load(
              input, {position[0], at(position[1], row, 0), at(position[2], column, 1), k.add(channel, i * k.lanes())},
              mask);
          next.push_back(combine(carried[i], isa<FloatType>(element) ? k.widen(x) : x));
        }
        return next;
      });
    });
    for (int64_t i = 0; i < count; ++i) {
      Value value = max ? result[i] : Value(arith::MulFOp::create(k.builder, k.loc, result[i], inverse));
      k.store(isa<FloatType>(element) ? k.roundTo(value, out) : value, out,
              {position[0], position[1], position[2], k.add(channel, i * k.lanes())}, mask);
    }
  }

  /// One over the number of elements that an average counts.
  Value inverseCount(Taps rows, Taps columns) {
    Value count = op.getCountIncludePad() ? k.index(op.getKernel()[0] * op.getKernel()[1])
                                          : k.mul(k.sub(rows.end, rows.first), k.sub(columns.end, columns.first));
    Value integer = arith::IndexCastOp::create(k.builder, k.loc, k.builder.getI64Type(), count);
    Value real = arith::SIToFPOp::create(k.builder, k.loc, element, integer);
    return k.broadcast(arith::DivFOp::create(k.builder, k.loc, k.scalar(element, 1), real));
  }

  void emit() {
    constexpr int64_t together = 4; // vectors that share one walk over the window
    Value channels = k.dim(out, 3), width = k.dim(out, 2);
    SmallVector<Value> outerSizes = {k.dim(out, 0), k.dim(out, 1)};
    int64_t perElement = op.getKernel()[0] * op.getKernel()[1] + codegen::kWorkPerElement;
    int64_t perRow = constantOr(width, 32) * constantOr(channels, 64) * perElement;
    k.parallelItems(k.mul(outerSizes[0], outerSizes[1]), perRow, [&](Value unit) {
      SmallVector<Value> outer = k.delinearize(unit, outerSizes);
      Taps rows = inside(outer[1], 0);
      k.loop(k.index(0), width, 1, [&](Value x) {
        Taps columns = inside(x, 1);
        Value inverse = max ? Value() : inverseCount(rows, columns);
        SmallVector<Value> position = {outer[0], outer[1], x};
        int64_t step = together * k.lanes();
        Value whole = k.mul(k.div(channels, k.index(step)), step);
        k.loop(k.index(0), whole, step,
               [&](Value channel) { pixel(position, rows, columns, inverse, channel, together, {}); });
        k.vectors(k.sub(channels, whole), [&](Value start, Value mask) {
          pixel(position, rows, columns, inverse, k.add(whole, start), 1, mask);
        });
      });
    });
  }
};

} // namespace

LogicalResult cpu::emitPool(nn::PoolOp op) {
  Pool pool(op);
  if (!pool.element.isF32() && !(pool.max && (pool.element.isInteger(8) || pool.element.isInteger(16))))
    return op.emitOpError("expected f32, bf16 or f16, or i8 or i16 for a maximum, but got ") << pool.element;
  if (!hasUnitInnermostStride(pool.input) || !hasUnitInnermostStride(pool.out))
    return op.emitOpError("expected contiguous channels");
  pool.emit();
  return success();
}

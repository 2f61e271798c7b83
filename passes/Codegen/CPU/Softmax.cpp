//===- Softmax.cpp - nn.softmax over rows ---------------------------------===//
#include "passes/Codegen/CPU/Kernels.h"
#include "passes/Codegen/CPU/Rows.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

LogicalResult cpu::emitSoftmax(nn::SoftmaxOp op) {
  KernelBuilder k(op);
  auto type = cast<MemRefType>(op.getInput().getType());
  if (!type.getElementType().isF32())
    return op.emitOpError("expected f32, but got ") << type.getElementType();
  if (!hasUnitInnermostStride(op.getInput()) || !hasUnitInnermostStride(op.getInit()))
    return op.emitOpError("expected contiguous rows");
  OpBuilder &b = k.builder;
  Type f32 = b.getF32Type();
  Rows rows(k, op.getInput(), op.getInit());
  auto reassociate = arith::FastMathFlags::reassoc;
  // exp costs about ten multiply-adds.
  rows.forEach(/*passes=*/12, [&](ValueRange outer) {
    Value lowest = k.splat(f32, -std::numeric_limits<double>::infinity());
    auto largest = k.vectors(rows.size, {lowest}, [&](Value start, Value mask, ValueRange carried) {
      Value x = rows.load(outer, start, mask);
      if (mask)
        x = arith::SelectOp::create(b, k.loc, mask, x, lowest);
      return KernelBuilder::Carried{arith::MaximumFOp::create(b, k.loc, carried[0], x)};
    });
    Value peak = k.broadcast(vector::ReductionOp::create(b, k.loc, vector::CombiningKind::MAXIMUMF, largest[0]));
    auto sums = k.vectors(rows.size, {k.splat(f32, 0)}, [&](Value start, Value mask, ValueRange carried) {
      Value shifted = arith::SubFOp::create(b, k.loc, rows.load(outer, start, mask), peak);
      Value power = k.expNonPositive(shifted);
      rows.store(op.getLog() ? shifted : power, outer, start, mask);
      if (mask)
        power = arith::SelectOp::create(b, k.loc, mask, power, k.splat(f32, 0));
      return KernelBuilder::Carried{arith::AddFOp::create(b, k.loc, carried[0], power)};
    });
    Value sum = vector::ReductionOp::create(b, k.loc, vector::CombiningKind::ADD, sums[0], reassociate);
    Value last;
    if (op.getLog())
      last = k.broadcast(math::LogOp::create(b, k.loc, sum));
    else
      last = k.broadcast(arith::DivFOp::create(b, k.loc, k.scalar(f32, 1), sum));
    k.vectors(rows.size, [&](Value start, Value mask) {
      Value value = rows.loadFrom(rows.out, outer, start, mask);
      Value result = op.getLog() ? Value(arith::SubFOp::create(b, k.loc, value, last))
                                 : Value(arith::MulFOp::create(b, k.loc, value, last));
      rows.store(result, outer, start, mask);
    });
  });
  return success();
}

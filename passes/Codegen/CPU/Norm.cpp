//===- Norm.cpp - nn.norm over rows ---------------------------------------===//
#include "passes/Codegen/CPU/Kernels.h"
#include "passes/Codegen/CPU/Rows.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

LogicalResult cpu::emitNorm(nn::NormOp op) {
  KernelBuilder k(op);
  for (Value operand : {op.getInput(), op.getInit()})
    if (Type element = cast<MemRefType>(operand.getType()).getElementType();
        !element.isF32() && !isNarrowFloat(element))
      return op.emitOpError("expected f32, bf16 or f16, but got ") << element;
  for (Value operand : op->getOperands())
    if (!hasUnitInnermostStride(operand))
      return op.emitOpError("expected contiguous rows");
  OpBuilder &b = k.builder;
  Type f32 = b.getF32Type();
  bool layer = op.getKind() == nn::NormKind::Layer;
  Rows rows(k, op.getInput(), op.getInit());
  auto load = [&](ValueRange outer, Value start, Value mask) { return k.widen(rows.load(outer, start, mask)); };
  rows.forEach(/*passes=*/3, [&](ValueRange outer) {
    Value count = arith::SIToFPOp::create(
        b, k.loc, f32, arith::IndexCastOp::create(b, k.loc, b.getI64Type(), rows.size).getResult());
    auto mean = [&](Value vector) {
      Value sum = vector::ReductionOp::create(b, k.loc, vector::CombiningKind::ADD, vector,
                                              arith::FastMathFlags::reassoc);
      return arith::DivFOp::create(b, k.loc, sum, count).getResult();
    };
    Value center;
    if (layer) {
      auto sums = k.vectors(rows.size, {k.splat(f32, 0)}, [&](Value start, Value mask, ValueRange carried) {
        return KernelBuilder::Carried{arith::AddFOp::create(b, k.loc, carried[0], load(outer, start, mask))};
      });
      center = k.broadcast(mean(sums[0]));
    }
    auto centered = [&](Value start, Value mask) -> Value {
      Value x = load(outer, start, mask);
      return layer ? Value(arith::SubFOp::create(b, k.loc, x, center)) : x;
    };
    // The second pass over differences keeps its digits where the mean is large.
    auto squares = k.vectors(rows.size, {k.splat(f32, 0)}, [&](Value start, Value mask, ValueRange carried) {
      Value x = centered(start, mask);
      if (mask)
        x = arith::SelectOp::create(b, k.loc, mask, x, k.splat(f32, 0));
      return KernelBuilder::Carried{vector::FMAOp::create(b, k.loc, x, x, carried[0])};
    });
    Value variance = arith::AddFOp::create(b, k.loc, mean(squares[0]),
                                           k.scalar(f32, op.getEpsilon().convertToDouble()));
    Value deviation = math::SqrtOp::create(b, k.loc, variance);
    Value inverse = k.broadcast(arith::DivFOp::create(b, k.loc, k.scalar(f32, 1), deviation));
    k.vectors(rows.size, [&](Value start, Value mask) {
      Value x = arith::MulFOp::create(b, k.loc, centered(start, mask), inverse);
      Value scale = op.getScale() ? k.load(op.getScale(), {start}, mask) : Value();
      Value bias = op.getBias() ? k.load(op.getBias(), {start}, mask) : Value();
      if (scale && bias)
        x = vector::FMAOp::create(b, k.loc, x, scale, bias);
      else if (scale)
        x = arith::MulFOp::create(b, k.loc, x, scale);
      else if (bias)
        x = arith::AddFOp::create(b, k.loc, x, bias);
      rows.store(k.roundTo(x, op.getInit()), outer, start, mask);
    });
  });
  return success();
}

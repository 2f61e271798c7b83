//===- TokenRanks.cpp - Which tokens come first, in vectors ---------------===//
#include "passes/Codegen/CPU/TokenRanks.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

Value cpu::sequenceFrom(KernelBuilder &k, Value start) {
  OpBuilder &b = k.builder;
  Type i32 = b.getI32Type();
  auto lanes = llvm::map_to_vector(llvm::seq<int64_t>(0, k.lanes()),
                                   [&](int64_t lane) { return Attribute(b.getI32IntegerAttr(lane)); });
  Value offsets = arith::ConstantOp::create(b, k.loc, DenseElementsAttr::get(k.vectorOf(i32), lanes));
  Value first = k.broadcast(arith::IndexCastOp::create(b, k.loc, i32, start));
  return arith::AddIOp::create(b, k.loc, first, offsets);
}

Value cpu::countBefore(KernelBuilder &k, Value scores, Value count, Value position) {
  OpBuilder &b = k.builder;
  Type i32 = b.getI32Type();
  Value own = k.broadcast(k.loadScalar(scores, {position}));
  Value place = k.broadcast(arith::IndexCastOp::create(b, k.loc, i32, position));
  auto counts = k.vectors(count, {k.splat(i32, 0)}, [&](Value start, Value mask, ValueRange carried) {
    Value others = k.load(scores, {start}, mask);
    Value larger = arith::CmpFOp::create(b, k.loc, arith::CmpFPredicate::OGT, others, own);
    Value equal = arith::CmpFOp::create(b, k.loc, arith::CmpFPredicate::OEQ, others, own);
    Value earlier = arith::CmpIOp::create(b, k.loc, arith::CmpIPredicate::slt, sequenceFrom(k, start), place);
    Value before = arith::OrIOp::create(b, k.loc, larger, arith::AndIOp::create(b, k.loc, equal, earlier));
    if (mask)
      before = arith::AndIOp::create(b, k.loc, before, mask);
    Value ones = arith::ExtUIOp::create(b, k.loc, k.vectorOf(i32), before);
    return KernelBuilder::Carried{arith::AddIOp::create(b, k.loc, carried[0], ones)};
  });
  return vector::ReductionOp::create(b, k.loc, vector::CombiningKind::ADD, counts[0]);
}

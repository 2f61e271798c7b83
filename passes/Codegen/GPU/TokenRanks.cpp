//===- TokenRanks.cpp - Which tokens come first, in scalars ---------------===//
#include "passes/Codegen/GPU/TokenRanks.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::simt;

using Carried = codegen::LoopBuilder::Carried;

Value simt::countBefore(ThreadBuilder &k, Value scores, Value line, Value first, Value count, Value position) {
  OpBuilder &b = k.builder;
  Value own = k.loadScalar(scores, {line, position});
  return k.loop(first, count, 1, k.index(0), [&](Value other, ValueRange carried) {
    Value score = k.loadScalar(scores, {line, other});
    Value larger = k.compare(arith::CmpFPredicate::OGT, score, own);
    Value equal = k.compare(arith::CmpFPredicate::OEQ, score, own);
    Value earlier = k.compare(arith::CmpIPredicate::ult, other, position);
    Value before = arith::OrIOp::create(b, k.loc, larger, arith::AndIOp::create(b, k.loc, equal, earlier));
    return Carried{k.select(before, k.add(carried[0], 1), carried[0])};
  })[0];
}

Value simt::findMarked(ThreadBuilder &k, Value marks, Value line, Value first, Value count, Value number,
                       function_ref<Value(Value)> marked) {
  OpBuilder &b = k.builder;
  return k.loop(first, count, 1, {first, k.index(0)}, [&](Value at, ValueRange carried) {
    Value isMarked = marked(k.loadScalar(marks, {line, at}));
    Value found = arith::AndIOp::create(b, k.loc, isMarked, k.equal(carried[1], number));
    return Carried{k.select(found, at, carried[0]), k.select(isMarked, k.add(carried[1], 1), carried[1])};
  })[0];
}

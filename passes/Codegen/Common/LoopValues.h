//===- LoopValues.h - What loops carry ------------------------------------===//
#ifndef PASSES_CODEGEN_COMMON_LOOPVALUES_H
#define PASSES_CODEGEN_COMMON_LOOPVALUES_H

#include "mlir/Dialect/SCF/IR/SCF.h"

namespace lathe::codegen {

/// What a result of a loop, or an argument of its body, comes from outside: of `scf.for` what it
/// begins with, of `scf.while`, whose condition passes everything on, too. Null for other values,
/// and for the number of an iteration.
inline mlir::Value getInitial(mlir::Value value) {
  using namespace mlir;
  Operation *parent;
  unsigned number;
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    parent = argument.getOwner()->getParentOp();
    number = argument.getArgNumber();
    if (auto loop = dyn_cast<scf::ForOp>(parent))
      return number > 0 ? Value(loop.getInitArgs()[number - 1]) : Value();
    auto loop = dyn_cast<scf::WhileOp>(parent);
    if (loop && argument.getOwner() == loop.getBeforeBody())
      return loop.getInits()[number];
  } else {
    parent = value.getDefiningOp();
    number = cast<OpResult>(value).getResultNumber();
    if (auto loop = dyn_cast<scf::ForOp>(parent))
      return loop.getInitArgs()[number];
  }
  auto loop = dyn_cast<scf::WhileOp>(parent);
  return loop ? Value(loop.getConditionOp().getArgs()[number]) : Value();
}

} // namespace lathe::codegen

#endif // PASSES_CODEGEN_COMMON_LOOPVALUES_H

//===- DeclaredTypes.h - What the model declares of its values ------------===//
#ifndef PASSES_IMPORT_DECLAREDTYPES_H
#define PASSES_IMPORT_DECLAREDTYPES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace lathe {

/// What the model declares of a result holds for the operand of an op on each of its elements, too:
/// gives static types to results that have none.
void declareOperands(mlir::Block &block);

/// Gives the results of Range whose limit is only known at run time the one size, among those of the
/// function's results, with which all that the model declares follows. Where there is none, or more
/// than one, they stay as they are.
void declareRanges(mlir::func::FuncOp function);

} // namespace lathe

#endif // PASSES_IMPORT_DECLAREDTYPES_H

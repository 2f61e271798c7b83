//===- DeclaredTypes.h - What the model declares of its values ------------===//
#ifndef PASSES_IMPORT_DECLAREDTYPES_H
#define PASSES_IMPORT_DECLAREDTYPES_H

#include "mlir/IR/Block.h"

namespace lathe {

/// What the model declares of a result holds for the operand of an op on each of its elements, too:
/// gives static types to results that have none.
void declareOperands(mlir::Block &block);

} // namespace lathe

#endif // PASSES_IMPORT_DECLAREDTYPES_H

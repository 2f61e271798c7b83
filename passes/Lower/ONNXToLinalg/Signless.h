//===- Signless.h - Unsigned types and constants as signless ones ---------===//
#ifndef PASSES_LOWER_ONNXTOLINALG_SIGNLESS_H
#define PASSES_LOWER_ONNXTOLINALG_SIGNLESS_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"

namespace lathe {

/// The type with `ui8` replaced by `i8` and so on; other types as they are.
mlir::Type getSignless(mlir::Type type);

/// The same bits with the signless type. Resources keep their blob.
mlir::ElementsAttr getSignless(mlir::ElementsAttr attribute);

} // namespace lathe

#endif // PASSES_LOWER_ONNXTOLINALG_SIGNLESS_H

//===- Signless.h - Types and constants as kernels have them --------------===//
#ifndef PASSES_LOWER_ONNXTOLINALG_SIGNLESS_H
#define PASSES_LOWER_ONNXTOLINALG_SIGNLESS_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"

namespace lathe {

/// The type with `ui8` replaced by `i8` and so on, and narrow element types (`onnx::isNarrow`) by `i8`; other types as they
/// are.
mlir::Type getSignless(mlir::Type type);

/// The same elements with the signless type. Integers of 2 and 4 bits are extended, with their sign if they have one.
/// Resources of other types keep their blob.
mlir::ElementsAttr getSignless(mlir::ElementsAttr attribute);

} // namespace lathe

#endif // PASSES_LOWER_ONNXTOLINALG_SIGNLESS_H

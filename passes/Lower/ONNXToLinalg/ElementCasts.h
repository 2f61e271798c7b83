//===- ElementCasts.h - Conversion between element types ------------------===//
#ifndef PASSES_LOWER_ONNXTOLINALG_ELEMENTCASTS_H
#define PASSES_LOWER_ONNXTOLINALG_ELEMENTCASTS_H

#include "passes/Lower/ONNXToLinalg/NarrowFloats.h"

namespace lathe {

/// Converts an element as onnx.Cast does, between any two element types. `value` has the lowered form of `from` and the result
/// that of `to` (see `getSignless`): elements of narrow types are bytes. Of integers of 2 and 4 bits only these are read, and
/// the bits above them are written as copies of the sign or 0; out of range, they wrap around.
mlir::Value createElementCast(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value value, mlir::Type from, mlir::Type to,
                              const NarrowRounding &rounding = {});

} // namespace lathe

#endif // PASSES_LOWER_ONNXTOLINALG_ELEMENTCASTS_H

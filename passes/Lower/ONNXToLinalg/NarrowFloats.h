//===- NarrowFloats.h - Floats of at most 8 bits in software --------------===//
#ifndef PASSES_LOWER_ONNXTOLINALG_NARROWFLOATS_H
#define PASSES_LOWER_ONNXTOLINALG_NARROWFLOATS_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"

namespace lathe {

/// Rounding to float8e8m0, which holds powers of two only: to the larger or smaller neighbour, or to the nearer one, halves to
/// the larger.
enum class PowerRounding { Up, Down, Nearest };

/// What ONNX's Cast says about values that a narrow float does not have.
struct NarrowRounding {
  /// Out of range becomes the largest finite value; otherwise infinity or, without one, NaN.
  bool saturate = true;
  PowerRounding power = PowerRounding::Up;
};

/// The value, as f32, of the element of type `format` (f8E4M3FN, f8E4M3FNUZ, f8E5M2, f8E5M2FNUZ, f8E8M0FNU, f4E2M1FN) whose
/// bits are the low ones of `code`, an i8. Exact: f32 has every value of these types.
mlir::Value createNarrowDecode(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value code, mlir::FloatType format);

/// The i8 with the bits of the element of `format` that `value`, f32 or f64, is rounded to: to the nearest, halves to even
/// (float8e8m0: as `rounding` says). The bits above those of a smaller format are 0. NaN, infinities and what is out of range
/// follow the tables of ONNX's Cast (opset 25) and, where its test data differs from them, the data: with saturation,
/// infinity becomes the largest value of the FNUZ types, too, and NaN becomes -0 of float4e2m1. What Cast leaves open:
/// a negative number is NaN in float8e8m0.
mlir::Value createNarrowEncode(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value value, mlir::FloatType format,
                               const NarrowRounding &rounding);

} // namespace lathe

#endif // PASSES_LOWER_ONNXTOLINALG_NARROWFLOATS_H

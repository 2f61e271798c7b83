//===- QuantizedActivations.h - Activations of which 8 bits are kept ------===//
#ifndef PASSES_LOWER_QUANTIZEDACTIVATIONS_H
#define PASSES_LOWER_QUANTIZEDACTIVATIONS_H

#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/Builders.h"
#include <optional>

namespace lathe {

/// What `value` is before activations that bound it where saturation does: max(x, c) where c rounds to the least
/// number, as 0 often does, and min(x, c) where c rounds to the largest one.
mlir::Value skipImpliedBounds(mlir::Value value, mlir::quant::UniformQuantizedType type);

/// Lets the erf of a GELU be approximate: x / 2 * (1 + erf(x / sqrt(2))), of which 8 bits are kept. Its error is then
/// that of erf times x / 2, and x is hardly larger than the largest result.
void roundGelu(mlir::Value value);

/// x * clamp(slope * x + offset, 0, limit), all of them positive, as HardSwish is with 1/6, 1/2 and 1.
struct RampProduct {
  double slope, offset, limit;

  /// nullopt where `value` is not of that form, or something else reads x.
  static std::optional<RampProduct> find(mlir::Value value, mlir::Value x);

  /// What x is to be multiplied by for `create` to compute value / scale: with u = sqrt(slope / scale) * x that is
  /// u * clamp(u + o, 0, l), one product less.
  double getFactor(double scale) const;
  double getScaledOffset(double scale) const { return offset * getFactor(scale) / slope; }
  double getScaledLimit(double scale) const { return limit * getFactor(scale) / slope; }

  /// u * clamp(u + offset, 0, limit). Where negative results are of no concern, these are 0, also for a NaN: then u is
  /// bounded instead of the sum.
  static mlir::Value create(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value scaled, mlir::Value scaledOffset,
                            mlir::Value scaledLimit, bool isNonNegative);
};

} // namespace lathe

#endif // PASSES_LOWER_QUANTIZEDACTIVATIONS_H

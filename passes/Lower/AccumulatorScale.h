//===- AccumulatorScale.h - From integer accumulators to numbers ----------===//
#ifndef PASSES_LOWER_ACCUMULATORSCALE_H
#define PASSES_LOWER_ACCUMULATORSCALE_H

#include "dialects/NN/IR/NNDialect.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "passes/Lower/FloatSums.h"

namespace lathe {

/// What turns the i32 accumulator of a contraction into a number, for each output channel:
/// (accumulator + correction) * scale.
struct AccumulatorScale {
  mlir::SmallVector<double> scales;
  mlir::SmallVector<int32_t> corrections; ///< -zero point * sum of the channel's weights; empty if all are 0

  mlir::ElementsAttr getScales(mlir::MLIRContext *context) const;
  mlir::ElementsAttr getCorrections(mlir::MLIRContext *context) const; ///< null if all are 0
};

/// The scale of a product of quantized operands. Emits an error where the weight is to be a constant and is none.
mlir::FailureOr<AccumulatorScale> getAccumulatorScale(mlir::Operation *op, mlir::Value input, mlir::Value weight);

/// What the accumulator of each output channel of a constant weight can become; empty where the weight is none.
mlir::SmallVector<AccumulatorRange> getAccumulatorRanges(mlir::Operation *op, mlir::Value input, mlir::Value weight);

/// The elements of a constant f32 tensor [channels]; empty where `value` is none.
mlir::SmallVector<float> readChannels(mlir::Value value, int64_t channels);

/// What takes up a factor of a value: those of x that are multiplied by a constant c, if the value is x * f(c * x) or
/// c * x * f(c * x). With x multiplied by a factor, and each c by its inverse but for the outer one, the value is
/// multiplied by the factor.
struct ScaledFactors {
  mlir::SmallVector<mlir::OpOperand *> inverse; ///< each c in f

  /// nullopt where `value` is not of that form, or something else reads x.
  static std::optional<ScaledFactors> find(mlir::Value value, mlir::Value x);
};

} // namespace lathe

#endif // PASSES_LOWER_ACCUMULATORSCALE_H

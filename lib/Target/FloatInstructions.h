//===- FloatInstructions.h - What shortens elementary functions -----------===//
#ifndef LIB_TARGET_FLOATINSTRUCTIONS_H
#define LIB_TARGET_FLOATINSTRUCTIONS_H

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace lathe {

/// Instructions on vectors of f32, beside arithmetic, that reduce arguments of elementary functions and put results
/// together. A target has all of them or none.
class FloatInstructions {
public:
  virtual ~FloatInstructions();

  /// Whether they take vectors of this type.
  virtual bool take(mlir::Type type) const = 0;

  /// x * 2^floor(n), with a result that is infinite or 0 where it is too large or small. NaN * 2^-inf is 0, and
  /// NaN * 2^inf infinite.
  virtual mlir::Value scale(mlir::ImplicitLocOpBuilder &b, mlir::Value x, mlir::Value n) const = 0;

  /// x - floor(x), exactly, and 0 for infinities.
  virtual mlir::Value fraction(mlir::ImplicitLocOpBuilder &b, mlir::Value x) const = 0;

  /// 1 / x within a relative error of 2^-14, and 0 for infinities.
  virtual mlir::Value approximateReciprocal(mlir::ImplicitLocOpBuilder &b, mlir::Value x) const = 0;

  /// Whether a division holds up other arithmetic less than `approximateReciprocal` and a step of Newton's.
  virtual bool dividesFast() const = 0;

  /// Element `index` mod kTableSize of a table for each lane of a vector of i32.
  virtual mlir::Value lookUp(mlir::ImplicitLocOpBuilder &b, llvm::ArrayRef<float> table, mlir::Value index) const = 0;
  static constexpr int64_t kTableSize = 16;
};

} // namespace lathe

#endif // LIB_TARGET_FLOATINSTRUCTIONS_H

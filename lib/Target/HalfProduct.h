//===- HalfProduct.h - Products of f16 that are added up in f16 -----------===//
#ifndef LIB_TARGET_HALFPRODUCT_H
#define LIB_TARGET_HALFPRODUCT_H

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace lathe {

/// How a target that has multiply-adds of vectors of f16, by `vector.fma`, adds their sums to f32.
class HalfProduct {
public:
  virtual ~HalfProduct();

  /// Adds `half`, a vector of f16, to `sums`: vectors of f32 that have as many elements together, in the same order.
  /// By default extends the parts of `half` and adds these.
  virtual void addTo(mlir::ImplicitLocOpBuilder &b, mlir::Value half, mlir::MutableArrayRef<mlir::Value> sums) const;
};

} // namespace lathe

#endif // LIB_TARGET_HALFPRODUCT_H

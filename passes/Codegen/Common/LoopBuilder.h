//===- LoopBuilder.h - Builds scalar code and loops for one kernel --------===//
#ifndef PASSES_CODEGEN_COMMON_LOOPBUILDER_H
#define PASSES_CODEGEN_COMMON_LOOPBUILDER_H

#include "dialects/NN/IR/NNDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace lathe::codegen {

/// An OpBuilder at the place of one op, with the arithmetic on indices and the loops that kernels of any target are
/// made of. Index arithmetic folds constants, so static shapes leave static offsets.
class LoopBuilder {
public:
  explicit LoopBuilder(mlir::Operation *op) : builder(op), loc(op->getLoc()), target(nn::getTarget(op)) {}

  mlir::OpBuilder builder;
  mlir::Location loc;
  nn::TargetAttr target;

  mlir::Value index(int64_t value);
  mlir::Value add(mlir::Value a, mlir::Value b);
  mlir::Value add(mlir::Value a, int64_t b) { return add(a, index(b)); }
  mlir::Value sub(mlir::Value a, mlir::Value b);
  mlir::Value mul(mlir::Value a, mlir::Value b);
  mlir::Value mul(mlir::Value a, int64_t b) { return mul(a, index(b)); }
  /// Of values that are not negative.
  mlir::Value div(mlir::Value a, mlir::Value b);
  mlir::Value rem(mlir::Value a, mlir::Value b);
  mlir::Value ceilDiv(mlir::Value a, int64_t b) { return div(add(a, b - 1), index(b)); }
  mlir::Value min(mlir::Value a, mlir::Value b);
  mlir::Value max(mlir::Value a, mlir::Value b);
  mlir::Value equal(mlir::Value a, mlir::Value b);

  /// Size of a memref's dimension: a constant where it is static.
  mlir::Value dim(mlir::Value memref, unsigned dimension);
  mlir::Value scalar(mlir::Type element, double value);
  mlir::Value loadScalar(mlir::Value memref, mlir::ValueRange indices);
  /// e^x and 2^x for x <= 0, of a scalar or a vector: see codegen::emitExpNonPositive and emitExp2NonPositive.
  mlir::Value expNonPositive(mlir::Value x);
  mlir::Value exp2NonPositive(mlir::Value x);

  using Carried = mlir::SmallVector<mlir::Value>;
  /// A loop that carries values. Loops of one or no iteration are not made.
  Carried loop(mlir::Value lower, mlir::Value upper, int64_t step, mlir::ValueRange init,
               llvm::function_ref<Carried(mlir::Value, mlir::ValueRange)> body);
  void loop(mlir::Value lower, mlir::Value upper, int64_t step, llvm::function_ref<void(mlir::Value)> body);
  void branch(mlir::Value condition, llvm::function_ref<void()> body, llvm::function_ref<void()> otherwise = nullptr);

  /// Splits `flat` into indices below `sizes`, outermost first.
  mlir::SmallVector<mlir::Value> delinearize(mlir::Value flat, mlir::ArrayRef<mlir::Value> sizes);
  /// Merges the dimensions [first, last] of a memref; null where its layout forbids that.
  mlir::Value collapse(mlir::Value memref, unsigned first, unsigned last);
};

/// The constant that an index value holds, or -1.
int64_t constantOr(mlir::Value value, int64_t otherwise = -1);

/// A float or integer attribute of this value.
mlir::TypedAttr constantAttr(mlir::Type element, double value);

} // namespace lathe::codegen

#endif // PASSES_CODEGEN_COMMON_LOOPBUILDER_H

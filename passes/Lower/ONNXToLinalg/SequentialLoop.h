//===- SequentialLoop.h - Loops that run in order -------------------------===//
#ifndef PASSES_LOWER_ONNXTOLINALG_SEQUENTIALLOOP_H
#define PASSES_LOWER_ONNXTOLINALG_SEQUENTIALLOOP_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace lathe {

/// A loop over [0, size) that carries values: the body gets the index and the values, and returns the next ones.
inline llvm::SmallVector<mlir::Value> emitSequentialLoop(
    mlir::ImplicitLocOpBuilder &b, mlir::Value size, mlir::ValueRange inits,
    llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::ImplicitLocOpBuilder &, mlir::Value, mlir::ValueRange)> body) {
  mlir::Value zero = mlir::arith::ConstantIndexOp::create(b, 0), one = mlir::arith::ConstantIndexOp::create(b, 1);
  auto loop = mlir::scf::ForOp::create(
      b, zero, size, one, inits,
      [&](mlir::OpBuilder &nested, mlir::Location loc, mlir::Value index, mlir::ValueRange state) {
        mlir::ImplicitLocOpBuilder inner(loc, nested);
        mlir::scf::YieldOp::create(inner, body(inner, index, state));
      });
  return llvm::SmallVector<mlir::Value>(loop.getResults());
}

} // namespace lathe

#endif // PASSES_LOWER_ONNXTOLINALG_SEQUENTIALLOOP_H

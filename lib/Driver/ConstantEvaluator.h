//===- ConstantEvaluator.h - Constants folded by being run ----------------===//
#ifndef LIB_DRIVER_CONSTANTEVALUATOR_H
#define LIB_DRIVER_CONSTANTEVALUATOR_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinOps.h"

namespace lathe {

/// Compiles a module whose `@main` takes nothing for this machine, runs it and returns its results as resources. The module
/// is consumed: it is in the `llvm` phase afterwards.
mlir::LogicalResult evaluateConstants(mlir::ModuleOp module,
                                      llvm::SmallVectorImpl<mlir::ElementsAttr> &results);

} // namespace lathe

#endif // LIB_DRIVER_CONSTANTEVALUATOR_H

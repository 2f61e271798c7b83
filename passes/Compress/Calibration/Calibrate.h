//===- Calibrate.h - Statistics of a model's values on samples ------------===//
#ifndef PASSES_COMPRESS_CALIBRATION_CALIBRATE_H
#define PASSES_COMPRESS_CALIBRATION_CALIBRATE_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "passes/Compress/Calibration/CalibrationStatistics.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <functional>
#include <memory>
#include <string>

namespace lathe {

/// A value whose range compression wants to know, and the name it has in statistics.
struct ObservedValue {
  std::string key; ///< the producing node's name and result number, unique in the function
  mlir::Value value;
};

/// What sets the range of `value`: itself, or the input of the maximum poolings above it, whose results have no
/// other elements.
mlir::Value getRangeSource(mlir::Value value);

/// The f32 tensors that convolutions and matrix products read, and their range sources, in the order of the function.
/// Equal functions have equal keys, so that statistics survive in a file; take them in the form after the `fuse` phase.
llvm::SmallVector<ObservedValue> collectObservedValues(mlir::func::FuncOp function);

/// What the statistics say of the observed values of `function`.
llvm::DenseMap<mlir::Value, const ValueStatistics *> matchStatistics(mlir::func::FuncOp function,
                                                                     const CalibrationStatistics &statistics);

/// What a pass wants to know beyond ranges and moments.
struct CalibrationNeeds {
  bool gram = false; ///< X^T X of every input: K x K floats each
};

/// A copy of a module whose @main returns the observed values, and nothing else, in the order of `keys`. Its results
/// have the keys as `onnx.name`.
struct ObservedModule {
  mlir::OwningOpRef<mlir::ModuleOp> module;
  llvm::SmallVector<std::string> keys;
  llvm::SmallVector<int64_t> channels; ///< size of each value's last dimension; 0 where it is not known
};

/// Makes the copy; fails after an error if there is no @main or nothing to observe.
llvm::FailureOr<ObservedModule> createObservedModule(mlir::ModuleOp module);

/// Takes all elements of result `result` of one run.
using CalibrationRecorder = llvm::function_ref<void(unsigned result, llvm::ArrayRef<float> elements)>;

/// Compiles `observed` (as it is after the `fuse` phase; the runner may change it), runs its @main on all samples and
/// hands every result of every run to `record`. Supplied by those who can execute; fails after reporting why.
using CalibrationRunner = llvm::function_ref<llvm::LogicalResult(mlir::ModuleOp observed, CalibrationRecorder record)>;

/// Statistics of the observed values of `module` (in the form after the `fuse` phase) on the runner's samples.
llvm::FailureOr<CalibrationStatistics> calibrate(mlir::ModuleOp module, const CalibrationNeeds &needs,
                                                 CalibrationRunner runner);

/// Finds the statistics of a module as it is within the `compress` phase; fails after an error.
using Calibrator =
    std::function<llvm::FailureOr<CalibrationStatistics>(mlir::ModuleOp module, const CalibrationNeeds &needs)>;

/// What a pass was given, or else the contents of its file; fails after an error if there is neither.
llvm::FailureOr<std::shared_ptr<const CalibrationStatistics>>
takeStatistics(mlir::Location loc, std::shared_ptr<const CalibrationStatistics> given, llvm::StringRef file);

} // namespace lathe

#endif // PASSES_COMPRESS_CALIBRATION_CALIBRATE_H

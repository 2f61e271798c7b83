//===- Calibration.h - Statistics by running samples ----------------------===//
#ifndef LIB_DRIVER_CALIBRATION_H
#define LIB_DRIVER_CALIBRATION_H

#include "lib/Driver/Options.h"
#include "mlir/IR/BuiltinOps.h"
#include "passes/Compress/Calibration/Calibrate.h"

namespace lathe {

/// Statistics of a module that is within the `compress` phase: read from `options.calibration` if that is a .json
/// file, else observed while the model runs in float on its samples. Fails after an error.
llvm::FailureOr<CalibrationStatistics> findStatistics(mlir::ModuleOp module, const CompileOptions &options,
                                                      const CalibrationNeeds &needs = {});

} // namespace lathe

#endif // LIB_DRIVER_CALIBRATION_H

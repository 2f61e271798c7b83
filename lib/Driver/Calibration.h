//===- Calibration.h - Statistics by running samples ----------------------===//
#ifndef LIB_DRIVER_CALIBRATION_H
#define LIB_DRIVER_CALIBRATION_H

#include "lib/Driver/Options.h"
#include "mlir/IR/BuiltinOps.h"
#include "passes/Compress/Calibration/CalibrationStatistics.h"

namespace lathe {

/// Statistics of a module that is in the form after the `fuse` phase: read from `options.calibration` if that is a .json
/// file, else observed while the model runs in float on its samples. Fails after an error.
llvm::FailureOr<CalibrationStatistics> findStatistics(mlir::ModuleOp module,
                                                      const CompileOptions &options);

} // namespace lathe

#endif // LIB_DRIVER_CALIBRATION_H

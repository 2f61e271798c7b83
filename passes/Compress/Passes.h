//===- Passes.h - Passes of the compress phase -----------------===//
#ifndef PASSES_COMPRESS_PASSES_H
#define PASSES_COMPRESS_PASSES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"
#include "passes/Compress/Calibration/CalibrationStatistics.h"
#include <memory>
#include <string>
#include <vector>

namespace lathe {

#define GEN_PASS_DECL
#include "passes/Compress/Passes.h.inc"

/// `compress-quantize` with statistics at hand instead of in a file.
std::unique_ptr<mlir::Pass> createCompressQuantize(const CompressQuantizeOptions &options,
                                                   std::shared_ptr<const CalibrationStatistics> statistics);

/// What the compress phase needs to know.
struct CompressOptions {
  std::string quantize;                                     ///< "" or "int8"
  unsigned weightBits = 0;                                  ///< weight-only: 8 or 4; 0 for none
  int64_t weightGroup = 0;                                  ///< see `compress-quantize-weights`
  bool symmetricWeights = true;
  std::shared_ptr<const CalibrationStatistics> statistics;  ///< needed by int8; from `calibrate` or a file
  std::string calibration = "mse";                   ///< minmax, percentile or mse
  double percentile = 99.99;
  std::vector<std::string> skip;                            ///< names of nodes that stay f32, with * and ?
};

/// The passes of the compress phase in order.
void buildCompressPipeline(mlir::OpPassManager &passes, const CompressOptions &options);

#define GEN_PASS_REGISTRATION
#include "passes/Compress/Passes.h.inc"

} // namespace lathe

#endif // PASSES_COMPRESS_PASSES_H

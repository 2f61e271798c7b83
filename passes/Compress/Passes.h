//===- Passes.h - Passes of the compress phase -----------------===//
#ifndef PASSES_COMPRESS_PASSES_H
#define PASSES_COMPRESS_PASSES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"
#include "passes/Compress/Calibration/Calibrate.h"
#include "passes/Compress/Settings.h"
#include <memory>
#include <string>
#include <vector>

namespace lathe {

#define GEN_PASS_DECL
#include "passes/Compress/Passes.h.inc"

/// `compress-quantize` with statistics at hand instead of in a file.
std::unique_ptr<mlir::Pass> createCompressQuantize(const CompressQuantizeOptions &options,
                                                   std::shared_ptr<const CalibrationStatistics> statistics);

/// `compress-low-rank` with statistics at hand; null for none.
std::unique_ptr<mlir::Pass> createCompressLowRank(const CompressLowRankOptions &options,
                                                  std::shared_ptr<const CalibrationStatistics> statistics);

/// `compress-quantize-weights` with statistics at hand; null for none.
std::unique_ptr<mlir::Pass> createCompressQuantizeWeights(const CompressQuantizeWeightsOptions &options,
                                                          std::shared_ptr<const CalibrationStatistics> statistics);

/// `compress-prune-channels` with statistics at hand, or none if they are null.
std::unique_ptr<mlir::Pass> createCompressPruneChannels(const CompressPruneChannelsOptions &options,
                                                        std::shared_ptr<const CalibrationStatistics> statistics);

/// `compress-prune` with statistics at hand instead of in a file; null where no layer needs them.
std::unique_ptr<mlir::Pass> createCompressPrune(const CompressPruneOptions &options,
                                                std::shared_ptr<const CalibrationStatistics> statistics);

/// `compress-calibrate` that fills `result` when it runs.
std::unique_ptr<mlir::Pass> createCompressCalibrate(Calibrator calibrator, const CalibrationNeeds &needs,
                                                    std::shared_ptr<CalibrationStatistics> result);

/// What the compress phase needs to know.
struct CompressOptions {
  CompressionSettings settings;
  Calibrator calibrator; ///< null: asking for a transform that needs statistics is an error
  bool samples = false;  ///< the calibrator runs samples, so that it can tell about a changed module, too
};

/// The part of the compress phase that comes before weights and activations get other number formats.
void buildStructurePipeline(mlir::OpPassManager &passes, const CompressOptions &options);

/// The passes of the compress phase in order.
void buildCompressPipeline(mlir::OpPassManager &passes, const CompressOptions &options);

#define GEN_PASS_REGISTRATION
#include "passes/Compress/Passes.h.inc"

} // namespace lathe

#endif // PASSES_COMPRESS_PASSES_H

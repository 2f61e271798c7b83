//===- Calibrate.cpp - Statistics for the pass that follows ---------------===//
#include "passes/Compress/Calibration/Calibrate.h"
#include "passes/Compress/Passes.h"

namespace lathe {
#define GEN_PASS_DEF_COMPRESSCALIBRATE
#include "passes/Compress/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

namespace {
struct CompressCalibrate : lathe::impl::CompressCalibrateBase<CompressCalibrate> {
  CompressCalibrate() = default;
  CompressCalibrate(Calibrator calibrator, const CalibrationNeeds &needs, std::shared_ptr<CalibrationStatistics> result)
      : calibrator(std::move(calibrator)), needs(needs), result(std::move(result)) {}

  void runOnOperation() override {
    if (!calibrator) {
      getOperation().emitError("expected samples or statistics to compress by (--calibrate)");
      return signalPassFailure();
    }
    FailureOr<CalibrationStatistics> found = calibrator(getOperation(), needs);
    if (failed(found))
      return signalPassFailure();
    *result = std::move(*found);
    markAllAnalysesPreserved();
  }

private:
  Calibrator calibrator;
  CalibrationNeeds needs;
  std::shared_ptr<CalibrationStatistics> result;
};
} // namespace

std::unique_ptr<Pass> lathe::createCompressCalibrate(Calibrator calibrator, const CalibrationNeeds &needs,
                                                     std::shared_ptr<CalibrationStatistics> result) {
  return std::make_unique<CompressCalibrate>(std::move(calibrator), needs, std::move(result));
}

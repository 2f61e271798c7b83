//===- Calibrate.cpp - lathe calibrate ------------------------------------===//
#include "lib/Driver/Calibration.h"
#include "tools/lathe/Commands.h"
#include "tools/lathe/Session.h"

using namespace lathe;

namespace {
struct CalibrateFlags : ModelFlags {
  cl::opt<std::string> data{"data", cl::desc("samples, .npz or .npy"), cl::value_desc("file"),
                            cl::Required, cl::cat(category)};
  cl::opt<std::string> output{"o", cl::desc("statistics to write"), cl::value_desc("S.json"),
                              cl::init("calibration.json"), cl::cat(category)};
};
} // namespace

int lathe::runCalibrate(int argc, char **argv) {
  CalibrateFlags flags;
  flags.parse(argc, argv, "lathe calibrate: record what a model's activations are like on samples\n");
  CompileOptions options = flags.options();
  options.calibration = flags.data;
  // Statistics are of what quantization will find: without it, but after what changes the structure.
  options.compression.transforms.erase("quantize");
  Session session(flags, options);
  mlir::OwningOpRef<mlir::ModuleOp> module = session.compile(Phase::Compress);
  if (!module)
    return kFailure;
  llvm::FailureOr<CalibrationStatistics> statistics = findStatistics(*module, session.getOptions());
  if (failed(statistics))
    return kFailure;
  if (llvm::Error error = statistics->save(flags.output))
    return fail(textOf(std::move(error)));
  llvm::outs() << flags.output << ": statistics of " << statistics->size() << " values\n";
  return kSuccess;
}

//===- Calibration.cpp - Statistics by running samples --------------------===//
#include "lib/Driver/Calibration.h"

#include "lib/Driver/Diagnostics.h"
#include "lib/Driver/Pipeline.h"
#include "lib/Driver/Samples.h"
#include "lib/Target/Target.h"
#include "passes/Compress/Calibration/Calibrate.h"

using namespace mlir;
using namespace lathe;

/// The largest batch that the model takes, but no more samples than there are.
static int64_t batchOf(const lathe_model &model, int64_t samples) {
  constexpr int64_t kLargest = 8;
  if (!model.num_inputs || !model.inputs[0].rank)
    return 1;
  int64_t size = model.inputs[0].shape[0];
  return size >= 0 ? size : std::min({samples, kLargest, model.dims[-1 - size].upper});
}

/// Runs the observed model on all samples; those that do not fill a last batch are left out.
static llvm::Error runSamples(LoadedModel &loaded, const CompileOptions &options,
                              CalibrationRecorder record) {
  const lathe_model &model = loaded.getModel();
  llvm::Expected<Preprocess> preprocess = Preprocess::parse(options.preprocess);
  if (!preprocess)
    return preprocess.takeError();
  auto samples = readSamples(options.calibration, model, *preprocess);
  if (!samples)
    return samples.takeError();
  if (samples->empty())
    return llvm::createStringError("expected a model with inputs");
  int64_t count = (*samples)[0].shape[0], batch = batchOf(model, count);
  if (batch < 1 || count < batch)
    return llvm::createStringError("expected at least " + llvm::Twine(batch) + " samples, but got " +
                                   llvm::Twine(count));
  SmallVector<Tensor> outputs;
  for (int64_t begin = 0; begin + batch <= count; begin += batch) {
    std::vector<Tensor> inputs;
    for (const NpyArray &array : *samples)
      inputs.push_back(toTensor(array.rows(begin, begin + batch)));
    SmallVector<const Tensor *> pointers;
    for (const Tensor &input : inputs)
      pointers.push_back(&input);
    if (llvm::Error error = loaded.run(pointers, outputs))
      return error;
    for (auto [index, output] : llvm::enumerate(outputs))
      record(index, output.as<float>());
  }
  return llvm::Error::success();
}

llvm::FailureOr<CalibrationStatistics> lathe::findStatistics(ModuleOp module, const CompileOptions &options,
                                                             const CalibrationNeeds &needs) {
  Location loc = UnknownLoc::get(module.getContext());
  if (llvm::StringRef(options.calibration).ends_with(".json")) {
    llvm::Expected<CalibrationStatistics> loaded = CalibrationStatistics::load(options.calibration);
    if (!loaded)
      return emitError(loc) << textOf(loaded.takeError()), failure();
    return std::move(*loaded);
  }
  return calibrate(module, needs, [&](ModuleOp observed, CalibrationRecorder record) -> LogicalResult {
    CompileOptions plain = options.uncompressed();
    plain.releaseConstants = false; // `module` goes on to be compiled with the same weights
    plain.configure = nullptr;      // what watches the passes of `module` does not expect others within them
    plain.name = "observed";
    plain.triple.clear();
    // Samples run here, whatever machine the model is compiled for, and one variant is enough to see what flows.
    if (StringRef(plain.target).contains(',') || !runsHere(nn::getTarget(module))) {
      plain.target = "native";
      plain.cpu.clear();
      plain.emulate = false;
    }
    if (failed(runPhases(observed, plain, Phase::LLVM, Phase::Compress)))
      return failure();
    llvm::Expected<std::unique_ptr<LoadedModel>> loaded = loadModule(observed);
    if (!loaded)
      return emitError(loc) << "cannot calibrate: " << textOf(loaded.takeError());
    if (llvm::Error error = runSamples(**loaded, options, record))
      return emitError(loc) << "cannot calibrate: " << textOf(std::move(error));
    return success();
  });
}

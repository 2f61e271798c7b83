//===- Pipeline.cpp - The compress phase ------------------------===//
#include "mlir/Transforms/Passes.h"
#include "passes/Compress/Passes.h"

using namespace mlir;
using namespace lathe;

/// Whether the text asks for anything.
static bool isAsked(StringRef text) { return !text.empty() && text != "none"; }

/// What ops without settings of their own get.
static std::string getDefault(const CompressionSettings &settings, StringRef transform,
                              llvm::function_ref<bool(StringRef)> takes) {
  StringRef text = settings.get(transform);
  return takes(text) ? text.str() : "none";
}

/// Collects statistics at this point of the pipeline, for the pass that is added next.
static std::shared_ptr<const CalibrationStatistics> addCalibration(OpPassManager &passes, const CompressOptions &options,
                                                                   const CalibrationNeeds &needs) {
  auto statistics = std::make_shared<CalibrationStatistics>();
  passes.addPass(createCompressCalibrate(options.calibrator, needs, statistics));
  return statistics;
}

static void addOverrides(OpPassManager &passes, const CompressionSettings &settings) {
  CompressOverrideSettingsOptions overrides;
  for (const SettingsOverride &some : settings.overrides)
    for (const auto &[transform, text] : some.transforms)
      overrides.overrides.push_back(some.nodes + "=" + transform + "=" + text);
  if (!overrides.overrides.empty())
    passes.addNestedPass<func::FuncOp>(createCompressOverrideSettings(overrides));
}

void lathe::buildStructurePipeline(OpPassManager &passes, const CompressOptions &options) {
  addOverrides(passes, options.settings);
  passes.addNestedPass<func::FuncOp>(createCompressCleanChannels());
  if (isAsked(options.settings.get("token-merge"))) {
    CompressMergeTokensOptions merge;
    merge.spec = options.settings.get("token-merge").str();
    passes.addNestedPass<func::FuncOp>(createCompressMergeTokens(merge));
    passes.addPass(createCSEPass());
  }
}

void lathe::buildCompressPipeline(OpPassManager &passes, const CompressOptions &options) {
  buildStructurePipeline(passes, options);
  const CompressionSettings &settings = options.settings;
  auto isInt8 = [](StringRef text) { return text == "int8"; };
  if (settings.any("quantize", isInt8)) {
    CompressQuantizeOptions quantize;
    quantize.mode = getDefault(settings, "quantize", isInt8);
    quantize.calibration = settings.activationRange;
    passes.addNestedPass<func::FuncOp>(
        createCompressQuantize(quantize, addCalibration(passes, options, CalibrationNeeds())));
    // Equal casts become one, and casts nobody reads go.
    passes.addPass(createCSEPass());
  }
  auto isWeightOnly = [](StringRef text) { return text.starts_with("w"); };
  if (settings.any("quantize", isWeightOnly)) {
    CompressQuantizeWeightsOptions weights;
    weights.format = getDefault(settings, "quantize", isWeightOnly);
    passes.addNestedPass<func::FuncOp>(createCompressQuantizeWeights(weights));
  }
}

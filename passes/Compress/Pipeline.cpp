//===- Pipeline.cpp - The compress phase ------------------------===//
#include "mlir/Transforms/Passes.h"
#include "passes/Compress/Passes.h"
#include "passes/Compress/Prune/PruneSpec.h"
#include "passes/Compress/Quantize/WeightFormat.h"

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

/// Whether the text is a weight-only format that rounds so and would use statistics.
static bool asksRounding(StringRef text, Rounding rounding) {
  llvm::Expected<WeightFormat> format = WeightFormat::parse(text);
  if (!format) // int8, none, or what the pass will report
    return llvm::consumeError(format.takeError()), false;
  return format->rounding == rounding && format->wantsStatistics();
}

static void addOverrides(OpPassManager &passes, const CompressionSettings &settings) {
  CompressOverrideSettingsOptions overrides;
  for (const SettingsOverride &some : settings.overrides)
    for (const auto &[transform, text] : some.transforms)
      overrides.overrides.push_back(some.nodes + "=" + transform + "=" + text);
  if (!overrides.overrides.empty())
    passes.addNestedPass<func::FuncOp>(createCompressOverrideSettings(overrides));
}

static void addWeightPruning(OpPassManager &passes, const CompressOptions &options) {
  auto asks = [](StringRef text) {
    llvm::Expected<PruneSpec> spec = PruneSpec::parse(text.empty() ? "none" : text);
    if (!spec)
      llvm::consumeError(spec.takeError());
    return bool(spec) && spec->weights;
  };
  if (!options.settings.any("prune", asks))
    return;
  CompressPruneOptions prune;
  prune.spec = getDefault(options.settings, "prune", asks);
  passes.addNestedPass<func::FuncOp>(createCompressPrune(prune));
}

void lathe::buildStructurePipeline(OpPassManager &passes, const CompressOptions &options) {
  addOverrides(passes, options.settings);
  if (isAsked(options.settings.get("token-merge"))) {
    CompressMergeTokensOptions merge;
    merge.spec = options.settings.get("token-merge").str();
    passes.addNestedPass<func::FuncOp>(createCompressMergeTokens(merge));
    passes.addPass(createCSEPass());
  }
  addWeightPruning(passes, options);
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
    // Statistics that are not demanded are collected where there are samples.
    bool demanded = settings.any("quantize", [](StringRef text) { return asksRounding(text, Rounding::Gptq); });
    bool useful = options.calibrator && settings.any("quantize", [](StringRef text) {
      return asksRounding(text, Rounding::Default);
    });
    std::shared_ptr<const CalibrationStatistics> statistics;
    if (demanded || useful)
      statistics = addCalibration(passes, options, {/*gram=*/true});
    passes.addNestedPass<func::FuncOp>(createCompressQuantizeWeights(weights, statistics));
  }
  auto isPrecision = [](StringRef text) { return isAsked(text); };
  if (settings.any("precision", isPrecision)) {
    CompressReducePrecisionOptions precision;
    precision.format = getDefault(settings, "precision", isPrecision);
    passes.addNestedPass<func::FuncOp>(createCompressReducePrecision(precision));
  }
}

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

/// The largest group of rows that shares a scale later: ranks, which are rows of the second factor, divide by it.
static int64_t getGroup(const CompressionSettings &settings) {
  int64_t group = 0;
  settings.any("quantize", [&](StringRef text) {
    if (llvm::Expected<WeightFormat> format = WeightFormat::parse(text))
      group = std::max(group, format->group);
    else
      llvm::consumeError(format.takeError());
    return false;
  });
  return group;
}

static void addLowRank(OpPassManager &passes, const CompressOptions &options) {
  if (!options.settings.any("low-rank", isAsked))
    return;
  CompressLowRankOptions lowRank;
  lowRank.spec = getDefault(options.settings, "low-rank", isAsked);
  lowRank.multiple = getGroup(options.settings);
  std::shared_ptr<const CalibrationStatistics> statistics;
  if (options.calibrator)
    statistics = addCalibration(passes, options, {/*gram=*/true});
  passes.addNestedPass<func::FuncOp>(createCompressLowRank(lowRank, statistics));
}

/// Before anything that depends on widths. Every op shares one budget, so that only the model's text counts.
static void addChannelPruning(OpPassManager &passes, const CompressOptions &options) {
  StringRef text = options.settings.get("prune");
  llvm::Expected<PruneSpec> spec = PruneSpec::parse(text.empty() ? "none" : text);
  if (!spec)
    return llvm::consumeError(spec.takeError());
  if (!spec->channels)
    return;
  // What layers read changes with the layers before them: statistics are taken anew on the way.
  bool observes = options.calibrator || spec->channels->needsStatistics();
  CompressPruneChannelsOptions prune;
  prune.spec = text.str();
  prune.rounds = options.samples ? 3 : 1;
  for (prune.round = 1; prune.round <= prune.rounds; ++prune.round) {
    std::shared_ptr<const CalibrationStatistics> statistics;
    if (observes)
      statistics = addCalibration(passes, options, {/*gram=*/true});
    passes.addNestedPass<func::FuncOp>(createCompressPruneChannels(prune, statistics));
  }
}

/// How a text asks for single weights to be removed, if it does.
static std::optional<WeightPruning> getWeightPruning(StringRef text) {
  llvm::Expected<PruneSpec> spec = PruneSpec::parse(text.empty() ? "none" : text);
  if (spec)
    return spec->weights;
  llvm::consumeError(spec.takeError()); // reported where the text comes from
  return std::nullopt;
}

static void addWeightPruning(OpPassManager &passes, const CompressOptions &options) {
  auto asks = [](StringRef text) { return getWeightPruning(text).has_value(); };
  auto needsStatistics = [](StringRef text) {
    std::optional<WeightPruning> pruning = getWeightPruning(text);
    return pruning && pruning->needsStatistics();
  };
  auto needsGram = [](StringRef text) {
    std::optional<WeightPruning> pruning = getWeightPruning(text);
    return pruning && pruning->score == PruneScore::SparseGPT;
  };
  const CompressionSettings &settings = options.settings;
  if (!settings.any("prune", asks))
    return;
  CompressPruneOptions prune;
  prune.spec = getDefault(settings, "prune", asks);
  std::shared_ptr<const CalibrationStatistics> statistics;
  if (settings.any("prune", needsStatistics))
    statistics = addCalibration(passes, options, CalibrationNeeds{/*gram=*/settings.any("prune", needsGram)});
  passes.addNestedPass<func::FuncOp>(createCompressPrune(prune, statistics));
}

void lathe::buildStructurePipeline(OpPassManager &passes, const CompressOptions &options) {
  addOverrides(passes, options.settings);
  passes.addNestedPass<func::FuncOp>(createCompressAdoptWeights());
  passes.addNestedPass<func::FuncOp>(createCompressCleanChannels());
  const CompressionSettings &settings = options.settings;
  if (settings.any("token-merge", isAsked) || settings.any("token-prune", isAsked)) {
    CompressReduceTokensOptions tokens;
    tokens.merge = settings.get("token-merge").str();
    tokens.prune = settings.get("token-prune").str();
    passes.addNestedPass<func::FuncOp>(createCompressReduceTokens(tokens));
    passes.addPass(createCSEPass());
  }
  addChannelPruning(passes, options);
  addLowRank(passes, options);
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
    passes.addNestedPass<func::FuncOp>(createCompressReduceActivations());
  }
}

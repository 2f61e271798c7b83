//===- Experiment.cpp - Builds of a model, compared on data ---------------===//
#include "tools/lathe/Experiment.h"

#include "lib/Artifact/Artifact.h"
#include "lib/Driver/MachineLimits.h"
#include "tools/lathe/Commands.h"
#include "tools/lathe/Profile.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"

using namespace lathe;

ExperimentFlags::ExperimentFlags(cl::OptionCategory &category)
    : report("report",
             cl::desc("compare the builds on the evaluation data, transform by transform and layer by layer; "
                      "to a file as JSON"),
             cl::value_desc("F.json"), cl::ValueOptional, cl::cat(category)),
      maxDrop("max-drop",
              cl::desc("most that compression may cost on the evaluation data, in points of accuracy or percent of "
                       "perplexity; what costs most is reverted, layer by layer"),
              cl::value_desc("points"), cl::cat(category)),
      saveRecipe("save-recipe", cl::desc("write the settings that --max-drop left as a recipe"),
                 cl::value_desc("R.yaml"), cl::cat(category)) {}

double lathe::dropOf(const EvaluationFlags &data, const Evaluation &evaluation, const Evaluation &reference) {
  return data.classifies() ? 100 * (reference.accuracy - evaluation.accuracy)
                           : 100 * (evaluation.perplexity / reference.perplexity - 1);
}

llvm::Expected<Build> Experiment::build(const CompileOptions &options) {
  Build build;
  build.options = options;
  Session session(flags, options, &build.remarks);
  build.model = session.load();
  if (!build.model)
    return llvm::createStringError("the model was not compiled");
  if (!set) {
    llvm::Expected<EvaluationSet> read = EvaluationSet::read(data, build.model->getModel(), options.preprocess);
    if (!read)
      return read.takeError();
    set = std::move(*read);
  }
  llvm::Expected<Evaluation> evaluation = set->evaluate({*build.model, executor.get()});
  if (!evaluation)
    return evaluation.takeError();
  build.evaluation = std::move(*evaluation);
  build.codeBytes = session.getCodeBytes();
  build.weightBytes = build.model->getModel().weight_bytes;
  build.workspaceBytes = build.model->getModel().workspace_bytes;
  return std::move(build);
}

//===----------------------------------------------------------------------===//
// --max-drop
//===----------------------------------------------------------------------===//

namespace {
/// Something that a transform did to one node.
struct Change {
  std::string transform, node;
  double gain = 0; ///< how much lower the loss is without it

  void revert(CompileOptions &options) const {
    std::string pattern;
    for (char c : node) {
      if (llvm::StringRef("*?[]{}\\").contains(c))
        pattern += '\\';
      pattern += c;
    }
    options.compression.overrides.push_back({pattern, {{transform, "none"}}});
  }
};
} // namespace

/// What the transforms did in a build, each node once.
static std::vector<Change> findChanges(llvm::ArrayRef<CollectedRemark> remarks) {
  std::vector<Change> changes;
  for (const CollectedRemark &remark : remarks) {
    llvm::StringRef transform = getTransformOf(remark);
    auto isSame = [&](const Change &change) { return change.transform == transform && change.node == remark.node; };
    if (remark.passed && !remark.node.empty() && llvm::is_contained(kTransforms, transform) &&
        llvm::none_of(changes, isSame))
      changes.push_back({transform.str(), remark.node});
  }
  return changes;
}

llvm::Expected<CompileOptions> Experiment::limitDrop(const CompileOptions &options, const Build &reference,
                                                     double maxDrop, std::vector<std::string> &reverted) {
  auto isGood = [&](const Build &build) {
    return dropOf(data, build.evaluation, reference.evaluation) <= maxDrop;
  };
  llvm::Expected<Build> all = build(options);
  if (!all)
    return all.takeError();
  if (isGood(*all))
    return options;
  std::vector<Change> changes = findChanges(all->remarks);
  llvm::errs() << "lathe: measuring what each of " << changes.size() << " changes costs\n";
  for (Change &change : changes) {
    CompileOptions without = options;
    change.revert(without);
    llvm::Expected<Build> one = build(without);
    if (!one)
      return one.takeError();
    change.gain = all->evaluation.loss - one->evaluation.loss;
  }
  llvm::sort(changes, [](const Change &a, const Change &b) {
    return std::tie(b.gain, a.transform, a.node) < std::tie(a.gain, b.transform, b.node);
  });

  // The fewest of the worst changes whose reversal suffices.
  size_t few = 0, many = changes.size() + 1;
  auto revertWorst = [&](size_t count) {
    CompileOptions fewer = options;
    for (const Change &change : llvm::ArrayRef(changes).take_front(count))
      change.revert(fewer);
    return fewer;
  };
  while (few + 1 < many) {
    size_t middle = (few + many) / 2;
    llvm::Expected<Build> tried = build(revertWorst(middle));
    if (!tried)
      return tried.takeError();
    (isGood(*tried) ? many : few) = middle;
  }
  if (many > changes.size()) {
    reverted.push_back("everything: no layer's settings suffice");
    return options.uncompressed();
  }
  for (const Change &change : llvm::ArrayRef(changes).take_front(many))
    reverted.push_back(change.transform + " of " + change.node);
  return revertWorst(many);
}

//===----------------------------------------------------------------------===//
// --report
//===----------------------------------------------------------------------===//

/// The options with the first `count` of the transforms that they name, in the order of the compress phase.
static CompileOptions takeTransforms(const CompileOptions &options, llvm::ArrayRef<std::string> transforms) {
  CompileOptions fewer = options;
  auto keep = [&](TransformTexts &texts) {
    for (llvm::StringRef transform : kTransforms)
      if (!llvm::is_contained(transforms, transform))
        texts.erase(transform.str());
  };
  keep(fewer.compression.transforms);
  for (SettingsOverride &some : fewer.compression.overrides)
    keep(some.transforms);
  llvm::erase_if(fewer.compression.overrides, [](const SettingsOverride &some) { return some.transforms.empty(); });
  return fewer;
}

/// Medians of runs that take turns, so that all builds see the same machine.
llvm::Error Experiment::timeInterleaved(llvm::ArrayRef<Build> builds, CompressionReport &report) {
  constexpr double kBudgetMs = 1500;
  constexpr int kRounds = 15;
  std::vector<std::vector<double>> times(builds.size());
  llvm::SmallVector<Tensor> outputs;
  for (int round = 0; round < kRounds; ++round)
    for (auto [build, spent] : llvm::zip(builds, times)) {
      std::vector<Tensor> inputs = set->getFirstInputs(build.model->getModel());
      std::vector<const Tensor *> pointers;
      for (const Tensor &input : inputs)
        pointers.push_back(&input);
      int runs = std::clamp(int(kBudgetMs / kRounds / std::max(build.evaluation.times.minimum, 1e-4)), 1, 1000);
      for (int run = 0; run < runs; ++run) {
        double begin = now();
        if (llvm::Error error = build.model->run(pointers, outputs, executor.get()))
          return error;
        spent.push_back(now() - begin);
      }
    }
  for (auto [step, spent] : llvm::zip(report.steps, times))
    step.figures.latencyMs = summarize(spent).median;
  return llvm::Error::success();
}

llvm::Expected<std::vector<std::pair<std::string, LayerFigures>>>
Experiment::profile(const CompileOptions &given, CompressionReport &report) {
  CompileOptions options = given;
  options.profile = true;
  Session session(flags, options);
  std::unique_ptr<LoadedModel> model = session.load();
  if (!model)
    return llvm::createStringError("the model was not compiled");
  llvm::Expected<double> peak = measurePeak(session.getContext(), options, executor.get());
  if (!peak)
    return peak.takeError();
  report.peakGflops = std::max(report.peakGflops, *peak);
  std::vector<Tensor> inputs = set->getFirstInputs(model->getModel());
  std::vector<const Tensor *> pointers;
  for (const Tensor &input : inputs)
    pointers.push_back(&input);
  llvm::SmallVector<Tensor> outputs;
  constexpr int kRuns = 50;
  llvm::Expected<Profile> measured = Profile::measure(session.getProfileLayout(), *model, kRuns,
                                                      [&] { return model->run(pointers, outputs, executor.get()); });
  if (!measured)
    return measured.takeError();
  std::vector<std::pair<std::string, LayerFigures>> rows;
  for (const Profile::Layer &layer : measured->getLayers()) {
    int64_t macs = layer.call.macs < 0 ? -1 : layer.call.macs * layer.count;
    rows.push_back({layer.call.name, {layer.call.op, macs, layer.call.weightBytes, layer.microseconds}});
  }
  return std::move(rows);
}

llvm::Expected<CompressionReport> Experiment::compare(const CompileOptions &asked, const CompileOptions &final,
                                                      std::vector<std::string> reverted) {
  CompressionReport report;
  std::vector<CompileOptions> wanted{asked.uncompressed()};
  report.steps.push_back({"float", {}});
  std::vector<std::string> transforms;
  for (llvm::StringRef transform : kTransforms)
    if (asked.compression.any(transform, [](llvm::StringRef text) { return text != "none"; })) {
      transforms.push_back(transform.str());
      llvm::StringRef text = asked.compression.get(transform);
      report.steps.push_back({((transforms.size() > 1 ? "+ " : "") + transform + "=" +
                               (text.empty() ? llvm::StringRef("(some)") : text)).str(), {}});
      wanted.push_back(takeTransforms(asked, transforms));
    }
  if (!reverted.empty()) {
    report.steps.push_back({"with --max-drop", {}});
    wanted.push_back(final);
  }
  report.reverted = std::move(reverted);

  std::vector<Build> builds;
  std::vector<std::vector<std::pair<std::string, LayerFigures>>> layers;
  for (auto [options, step] : llvm::zip(wanted, report.steps)) {
    llvm::Expected<Build> made = build(options);
    if (!made)
      return made.takeError();
    auto profiled = profile(options, report);
    if (!profiled)
      return profiled.takeError();
    const Evaluation &evaluation = made->evaluation;
    step.figures = {data.classifies() ? 100 * evaluation.accuracy : evaluation.perplexity, evaluation.loss, 0, 0,
                    int64_t(made->codeBytes), int64_t(made->weightBytes), int64_t(made->workspaceBytes)};
    for (const auto &[node, figures] : *profiled)
      step.figures.macs += std::max<int64_t>(figures.macs, 0);
    builds.push_back(std::move(*made));
    layers.push_back(std::move(*profiled));
  }
  report.model = asked.name;
  report.classifies = data.classifies();
  report.samples = builds.front().evaluation.samples;
  report.addLayers(layers.front(), layers.back(), builds.back().remarks);
  if (llvm::Error error = timeInterleaved(builds, report))
    return std::move(error);
  return std::move(report);
}

//===----------------------------------------------------------------------===//
// The command line
//===----------------------------------------------------------------------===//

std::optional<CompileOptions> lathe::runExperiment(const ModelFlags &flags, const EvaluationFlags &data,
                                                   const ExperimentFlags &wanted, const CompileOptions &options) {
  auto failWith = [](llvm::Error error) {
    fail(llvm::toString(std::move(error)));
    return std::nullopt;
  };
  Experiment experiment(flags, data);
  CompileOptions final = options;
  std::vector<std::string> reverted;
  if (wanted.maxDrop.getNumOccurrences()) {
    llvm::Expected<Build> reference = experiment.build(options.uncompressed());
    if (!reference)
      return failWith(reference.takeError());
    llvm::Expected<CompileOptions> limited = experiment.limitDrop(options, *reference, wanted.maxDrop, reverted);
    if (!limited)
      return failWith(limited.takeError());
    final = std::move(*limited);
  }
  if (!wanted.saveRecipe.empty()) {
    Recipe recipe{final.compression, final.calibration, final.preprocess};
    if (llvm::Error error = writeFile(wanted.saveRecipe, [&](llvm::raw_ostream &stream) { writeRecipe(recipe, stream); }))
      return failWith(std::move(error));
  }
  if (wanted.report.getNumOccurrences()) {
    llvm::Expected<CompressionReport> report = experiment.compare(options, final, reverted);
    if (!report)
      return failWith(report.takeError());
    if (wanted.report.empty())
      report->print(llvm::outs());
    else if (llvm::Error error = writeFile(wanted.report, [&](llvm::raw_ostream &stream) {
               stream << llvm::formatv("{0:2}\n", llvm::json::Value(report->toJSON()));
             }))
      return failWith(std::move(error));
  } else {
    for (const std::string &text : reverted)
      llvm::outs() << "reverted: " << text << "\n";
  }
  return final;
}

//===- Experiment.h - Builds of a model, compared on data -----------------===//
#ifndef TOOLS_LATHE_EXPERIMENT_H
#define TOOLS_LATHE_EXPERIMENT_H

#include "lib/Report/CompressionReport.h"
#include "tools/lathe/Evaluation.h"
#include <optional>

namespace lathe {

/// The flags of commands that compare a compressed model with its float form.
struct ExperimentFlags {
  cl::opt<std::string> report;
  ToleranceFlag maxDrop;
  cl::opt<std::string> saveRecipe;

  explicit ExperimentFlags(cl::OptionCategory &category);

  bool areGiven() const {
    return report.getNumOccurrences() || maxDrop.getNumOccurrences() || saveRecipe.getNumOccurrences();
  }
};

/// One build of the model and its figures on the evaluation data.
struct Build {
  CompileOptions options;
  std::unique_ptr<LoadedModel> model;
  Evaluation evaluation;
  std::vector<CollectedRemark> remarks;
  uint64_t codeBytes = 0, weightBytes = 0, workspaceBytes = 0;
};

/// Builds a model with different options and compares the builds.
class Experiment {
public:
  Experiment(const ModelFlags &flags, const EvaluationFlags &data)
      : flags(flags), data(data), executor(makeExecutor(data.threads)) {}

  /// Compiles, loads and evaluates.
  llvm::Expected<Build> build(const CompileOptions &options);

  /// The options with as many transforms of single nodes reverted as it takes to lose at most `maxDrop` (percentage points
  /// of accuracy, or percent of perplexity) against `reference`. Those go first whose own reversal lowers the loss
  /// most; what was reverted is appended to `reverted`.
  llvm::Expected<CompileOptions> limitDrop(const CompileOptions &options, const Build &reference, double maxDrop,
                                           std::vector<std::string> &reverted);

  /// Compares the float build, each transform added to those before it, and, if something was reverted, `final`.
  llvm::Expected<CompressionReport> compare(const CompileOptions &asked, const CompileOptions &final,
                                            std::vector<std::string> reverted);

private:
  llvm::Error timeInterleaved(llvm::ArrayRef<Build> builds, CompressionReport &report);
  llvm::Expected<std::vector<std::pair<std::string, LayerFigures>>> profile(const CompileOptions &options,
                                                                            CompressionReport &report);
  const ModelFlags &flags;
  const EvaluationFlags &data;
  ExecutorPtr executor;
  std::optional<EvaluationSet> set;
};

/// Percentage points of accuracy, or percent of perplexity, that `build` is worse than `reference`.
double dropOf(const EvaluationFlags &data, const Evaluation &evaluation, const Evaluation &reference);

/// Does what the flags ask: lowers `options` to those that --max-drop allows, writes the recipe and the report. Null after
/// an error that was printed.
std::optional<CompileOptions> runExperiment(const ModelFlags &flags, const EvaluationFlags &data,
                                            const ExperimentFlags &wanted, const CompileOptions &options);

} // namespace lathe

#endif // TOOLS_LATHE_EXPERIMENT_H

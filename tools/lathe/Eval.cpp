//===- Eval.cpp - lathe eval ----------------------------------------------===//
#include "tools/lathe/Commands.h"
#include "tools/lathe/Experiment.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"

using namespace lathe;

namespace {
struct EvalFlags : ModelFlags {
  EvaluationFlags data{category};
  ExperimentFlags experiment{category};
  cl::opt<bool> noDrift{"no-drift", cl::desc("do not compare a compressed model with its float form"),
                        cl::cat(category)};
  cl::opt<bool> json{"json", cl::desc("print results as JSON"), cl::cat(category)};
};
} // namespace

static llvm::json::Object toJSON(const EvalFlags &flags, const Build &figures) {
  const Evaluation &evaluation = figures.evaluation;
  llvm::json::Object object{{"samples", evaluation.samples},
                            {"loss", evaluation.loss},
                            {"latency_ms", evaluation.times.median},
                            {"latency_min_ms", evaluation.times.minimum},
                            {"code_bytes", int64_t(figures.codeBytes)},
                            {"weight_bytes", int64_t(figures.weightBytes)},
                            {"workspace_bytes", int64_t(figures.workspaceBytes)}};
  if (flags.data.classifies())
    object["accuracy"] = evaluation.accuracy;
  else
    object["perplexity"] = evaluation.perplexity;
  return object;
}

static void print(const EvalFlags &flags, llvm::StringRef title, const Build &figures) {
  const Evaluation &evaluation = figures.evaluation;
  llvm::outs() << title << ": ";
  if (flags.data.classifies())
    llvm::outs() << "accuracy " << llvm::format("%.2f", 100 * evaluation.accuracy) << " % of "
                 << evaluation.samples << " samples";
  else
    llvm::outs() << "perplexity " << llvm::format("%.4f", evaluation.perplexity) << " over "
                 << evaluation.samples << " predictions";
  llvm::outs() << ", loss " << llvm::format("%.4f", evaluation.loss) << ", latency "
               << llvm::format("%.4f", evaluation.times.median) << " ms (minimum "
               << llvm::format("%.4f", evaluation.times.minimum) << "), code " << figures.codeBytes
               << ", weights " << figures.weightBytes << ", workspace " << figures.workspaceBytes
               << " bytes\n";
}

/// " (quantize=int8, token-merge=r:3)", or nothing.
static std::string describeCompression(const CompileOptions &options) {
  llvm::SmallVector<std::string> parts;
  for (const auto &[transform, text] : options.compression.transforms)
    parts.push_back(transform + "=" + text);
  return parts.empty() ? "" : " (" + llvm::join(parts, ", ") + ")";
}

int lathe::runEval(int argc, char **argv) {
  EvalFlags flags;
  flags.parse(argc, argv, "lathe eval: measure accuracy or perplexity on labelled data\n");
  if (!flags.data.areGiven()) {
    llvm::errs() << "lathe eval: error: expected --inputs and --labels, or --tokens\n";
    return kUsage;
  }
  CompileOptions options = flags.options();
  if (flags.experiment.areGiven())
    return runExperiment(flags, flags.data, flags.experiment, options) ? kSuccess : kFailure;
  Experiment experiment(flags, flags.data);
  llvm::Expected<Build> figures = experiment.build(options);
  if (!figures)
    return fail(textOf(figures.takeError()));
  llvm::json::Object report = toJSON(flags, *figures);
  report["model"] = options.name;
  if (!flags.json)
    print(flags, options.name + describeCompression(options), *figures);

  if (options.compresses() && !flags.noDrift) {
    CompileOptions plain = options.uncompressed();
    llvm::Expected<Build> reference = experiment.build(plain);
    if (!reference)
      return fail(textOf(reference.takeError()));
    Drift drift = driftOf(figures->evaluation, reference->evaluation);
    report["float"] = toJSON(flags, *reference);
    report["drift"] = llvm::json::Object{{"agreement", drift.agreement},
                                         {"mean_absolute", drift.meanAbsolute},
                                         {"largest_absolute", drift.largestAbsolute},
                                         {"signal_to_noise_db", drift.signalToNoise}};
    if (!flags.json) {
      print(flags, options.name + " (float)", *reference);
      llvm::outs() << "drift: same answer for " << llvm::format("%.2f", 100 * drift.agreement)
                   << " %, mean difference " << llvm::format("%.4f", drift.meanAbsolute)
                   << ", largest " << llvm::format("%.4f", drift.largestAbsolute) << ", "
                   << llvm::format("%.1f", drift.signalToNoise) << " dB signal to noise\n";
    }
  }
  if (flags.json)
    llvm::outs() << llvm::json::Value(std::move(report)) << "\n";
  return kSuccess;
}

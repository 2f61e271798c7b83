//===- Eval.cpp - lathe eval ----------------------------------------------===//
#include "tools/lathe/Commands.h"
#include "tools/lathe/Evaluation.h"
#include "tools/lathe/Session.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"

using namespace lathe;

namespace {
struct EvalFlags : ModelFlags {
  cl::opt<std::string> inputs{"inputs", cl::desc("samples along the outermost dimension"),
                              cl::value_desc("X.npy"), cl::cat(category)};
  cl::opt<std::string> labels{"labels", cl::desc("the class of every sample"),
                              cl::value_desc("Y.npy"), cl::cat(category)};
  cl::opt<std::string> tokens{
      "tokens", cl::desc("windows of tokens, one a row, for the perplexity of a language model"),
      cl::value_desc("T.npy"), cl::cat(category)};
  cl::opt<int> batch{"batch", cl::desc("samples in one run, if the model's batch is symbolic"),
                     cl::init(1), cl::cat(category)};
  cl::opt<int> threads{"threads", cl::desc("threads to run on; 0: all of the machine"), cl::init(1),
                       cl::cat(category)};
  cl::opt<bool> noDrift{"no-drift", cl::desc("do not compare a compressed model with its float form"),
                        cl::cat(category)};
  cl::opt<bool> json{"json", cl::desc("print results as JSON"), cl::cat(category)};
};

/// A compiled model's figures.
struct Figures {
  Evaluation evaluation;
  uint64_t codeBytes = 0, weightBytes = 0, workspaceBytes = 0;
};
} // namespace

static llvm::Expected<Figures> evaluate(const EvalFlags &flags, const CompileOptions &options) {
  Session session(flags, options);
  std::unique_ptr<LoadedModel> loaded = session.load();
  if (!loaded)
    return llvm::createStringError("the model was not compiled");
  ExecutorPtr executor = makeExecutor(flags.threads);
  Runner runner{*loaded, executor.get()};
  Figures figures;
  if (!flags.tokens.empty()) {
    llvm::Expected<NpyArray> tokens = readNpy(flags.tokens);
    if (!tokens)
      return tokens.takeError();
    llvm::Expected<Evaluation> evaluation = evaluatePerplexity(runner, *tokens);
    if (!evaluation)
      return evaluation.takeError();
    figures.evaluation = std::move(*evaluation);
  } else {
    llvm::Expected<Preprocess> preprocess = Preprocess::parse(flags.preprocess);
    if (!preprocess)
      return preprocess.takeError();
    auto samples = readSamples(flags.inputs, loaded->getModel(), *preprocess);
    if (!samples)
      return samples.takeError();
    llvm::Expected<NpyArray> labels = readNpy(flags.labels);
    if (!labels)
      return labels.takeError();
    auto evaluation = evaluateAccuracy(runner, *samples, *labels, flags.batch);
    if (!evaluation)
      return evaluation.takeError();
    figures.evaluation = std::move(*evaluation);
  }
  figures.codeBytes = session.getCodeBytes();
  figures.weightBytes = loaded->getModel().weight_bytes;
  figures.workspaceBytes = loaded->getModel().workspace_bytes;
  return figures;
}

static llvm::json::Object toJSON(const EvalFlags &flags, const Figures &figures) {
  const Evaluation &evaluation = figures.evaluation;
  llvm::json::Object object{{"samples", evaluation.samples},
                            {"loss", evaluation.loss},
                            {"latency_ms", evaluation.times.median},
                            {"latency_min_ms", evaluation.times.minimum},
                            {"code_bytes", int64_t(figures.codeBytes)},
                            {"weight_bytes", int64_t(figures.weightBytes)},
                            {"workspace_bytes", int64_t(figures.workspaceBytes)}};
  if (flags.tokens.empty())
    object["accuracy"] = evaluation.accuracy;
  else
    object["perplexity"] = evaluation.perplexity;
  return object;
}

static void print(const EvalFlags &flags, llvm::StringRef title, const Figures &figures) {
  const Evaluation &evaluation = figures.evaluation;
  llvm::outs() << title << ": ";
  if (flags.tokens.empty())
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
  bool classifies = !flags.inputs.empty() && !flags.labels.empty();
  if (classifies == !flags.tokens.empty()) {
    llvm::errs() << "lathe eval: error: expected --inputs and --labels, or --tokens\n";
    return kUsage;
  }
  CompileOptions options = flags.options();
  llvm::Expected<Figures> figures = evaluate(flags, options);
  if (!figures)
    return fail(textOf(figures.takeError()));
  llvm::json::Object report = toJSON(flags, *figures);
  report["model"] = options.name;
  if (!flags.json)
    print(flags, options.name + describeCompression(options), *figures);

  if (options.compresses() && !flags.noDrift) {
    CompileOptions plain = options.uncompressed();
    llvm::Expected<Figures> reference = evaluate(flags, plain);
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

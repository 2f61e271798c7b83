//===- Tuner.h - Measures what is fastest for the kernels of a model ------===//
#ifndef TOOLS_LATHE_TUNER_H
#define TOOLS_LATHE_TUNER_H

#include "passes/Lower/TuningChoices.h"
#include "tools/lathe/Inputs.h"
#include "tools/lathe/Session.h"
#include <map>
#include <mutex>

namespace lathe {

struct TunerOptions {
  int threads = 1;
  double seconds = 1;              ///< of measuring, for each build
  unsigned alternatives = 8;       ///< of a kernel to try in each stage
  bool verbose = false;            ///< tell each measurement
  double rtol = 1e-3, atol = 1e-4; ///< by which outputs may differ from those of the first build
};

/// Builds a model again and again, each time with another choice for every kernel at once, and runs each build by turns
/// with the best one so far. A kernel's time is that of its layers in the profile, so that one build measures a choice
/// of every kernel.
class Tuner {
public:
  /// What is known of one kernel.
  struct Kernel {
    TuningKey key;
    std::vector<std::string> nodes;         ///< of its layers, by name
    std::vector<std::string> expansions;    ///< of those that may be fused with it, where that is an alternative
    std::vector<TuningChoice> alternatives; ///< of the current stage
    TuningChoice choice;                    ///< the best one so far; empty for that of cost models
    std::string usual;                      ///< what these choose
    bool isKnown = false;                   ///< the file that was given has it
    /// Microseconds of all its layers in one run, with the choices of cost models and with `choice`.
    double before = 0, after = 0;
  };

  Tuner(const ModelFlags &flags, const InputFlags &inputs, const TunerOptions &options)
      : flags(flags), inputFlags(inputs), options(options), executor(makeExecutor(options.threads)) {}

  /// Finds a choice for each kernel. Errors: code that cannot run here, runs that fail, and outputs that differ between
  /// builds.
  llvm::Error run();

  /// What was given, and the choices that gain.
  TuningFile getFile() const;

  /// A table with one line for each kernel, and what the model gains.
  void print(llvm::raw_ostream &stream) const;

private:
  /// The model with some choices, ready to run.
  struct Build {
    std::unique_ptr<LoadedModel> model;
    ProfileLayout layout;
  };
  /// How two builds compare over several turns: of each turn the ratio of the medians.
  struct Comparison {
    double before = 0, after = 0; ///< medians, in ticks or milliseconds
    double ratio = 1, upperQuartile = 1;

    bool gains() const;
  };
  using Choices = std::vector<TuningChoice>;

  llvm::Expected<Build> build(const Choices &choices, bool profile, std::optional<TuningStage> stage = {});
  TuningFile makeFile(const Choices &choices) const;
  void observe(mlir::Operation *op, const TuningKey &key, TuningStage stage);
  void describeUsual(llvm::ArrayRef<CollectedRemark> remarks);
  void separateKernels();
  llvm::Error checkOutputs(Build &build);
  llvm::Error runOnce(Build &build);
  int countRuns(double milliseconds) const;

  llvm::Error runStage(TuningStage stage);
  llvm::Error confirm();
  llvm::Error compareModels();
  /// Two equal builds, whose times differ by where their code and weights happen to lie: a choice must be faster than
  /// the faster one.
  llvm::Expected<std::vector<Build>> buildTwice(const Choices &choices, bool profile,
                                                std::optional<TuningStage> stage = {});
  /// Of each kernel; nullopt where no layer of it was timed.
  llvm::Expected<std::vector<std::optional<Comparison>>> compareKernels(std::vector<Build> &bases, Build &tried);
  llvm::Expected<std::vector<double>> timeKernels(Build &build, int runs);
  std::vector<llvm::StringRef> getTimedNodes(const Kernel &kernel) const;
  llvm::Error measureTicks(Build &build);

  Choices getChoices() const;

  const ModelFlags &flags;
  const InputFlags &inputFlags;
  TunerOptions options;
  ExecutorPtr executor;
  std::vector<Kernel> kernels; ///< in the order of the model
  std::mutex mutex;            ///< of `kernels`, while passes run
  nn::TargetAttr target;       ///< of `targets`
  std::unique_ptr<mlir::MLIRContext> targets;
  std::vector<Tensor> inputs;
  std::vector<const Tensor *> inputPointers;
  llvm::SmallVector<Tensor> outputs;
  std::vector<NpyArray> reference;
  double once = 1, ticksPerMicrosecond = 1; ///< milliseconds of a run; of the machine's counter
  Comparison whole;                         ///< of the model, with all choices and without
  bool isWholeFaster = false;
};

} // namespace lathe

#endif // TOOLS_LATHE_TUNER_H

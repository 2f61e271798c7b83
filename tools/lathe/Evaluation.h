//===- Evaluation.h - Scores of a model on data ---------------------------===//
#ifndef TOOLS_LATHE_EVALUATION_H
#define TOOLS_LATHE_EVALUATION_H

#include "lib/Driver/Samples.h"
#include "tools/lathe/Session.h"

namespace lathe {

/// A model and what runs it.
struct Runner {
  LoadedModel &model;
  const lathe_executor *executor;
};

/// A model's scores, and the outputs that they come from.
struct Evaluation {
  int64_t samples = 0;                 ///< or predicted tokens
  double accuracy = 0, perplexity = 0; ///< one of them, by what was evaluated
  double loss = 0;                     ///< mean negative log-likelihood
  Times times;                         ///< of one run
  int64_t classes = 0;
  std::vector<float> scores; ///< samples x classes
};

/// The flags that name evaluation data.
struct EvaluationFlags {
  cl::opt<std::string> inputs, labels, tokens;
  cl::opt<int, false, IntegerParser<int, 1, 1'000'000>> batch;
  ThreadsFlag threads;

  explicit EvaluationFlags(cl::OptionCategory &category);

  bool classifies() const { return !inputs.empty() && !labels.empty(); }
  /// Whether the flags name exactly one data set.
  bool areGiven() const { return classifies() ? tokens.empty() : inputs.empty() && labels.empty() && !tokens.empty(); }
};

/// Labelled data as a model reads it.
class EvaluationSet {
public:
  /// Reads the files that the flags name; the model says what its inputs are like.
  static llvm::Expected<EvaluationSet> read(const EvaluationFlags &flags, const lathe_model &model,
                                            llvm::StringRef preprocess);

  /// Runs all of it: samples are classified by the largest score of the model's first output; of tokens, every one of a
  /// window but the first is predicted from those before, each window on its own.
  llvm::Expected<Evaluation> evaluate(const Runner &runner) const;
  /// The inputs of the first run.
  std::vector<Tensor> getFirstInputs(const lathe_model &model) const;

private:
  std::vector<NpyArray> samples; ///< one array for each input; the windows of tokens
  NpyArray labels;
  bool classifies = true;
  int64_t batch = 1;
};

/// How far one evaluation is from another of the same data.
struct Drift {
  double agreement = 0; ///< share of samples with the same answer
  double meanAbsolute = 0, largestAbsolute = 0, signalToNoise = 0;
};
Drift driftOf(const Evaluation &actual, const Evaluation &reference);

} // namespace lathe

#endif // TOOLS_LATHE_EVALUATION_H

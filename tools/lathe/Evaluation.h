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

/// Classifies samples by the largest score of the model's first output.
llvm::Expected<Evaluation> evaluateAccuracy(const Runner &runner, llvm::ArrayRef<NpyArray> samples,
                                            const NpyArray &labels, int64_t batch);

/// Predicts the tokens of every window but the first from those before, each window on its own.
llvm::Expected<Evaluation> evaluatePerplexity(const Runner &runner, const NpyArray &windows);

/// How far one evaluation is from another of the same data.
struct Drift {
  double agreement = 0; ///< share of samples with the same answer
  double meanAbsolute = 0, largestAbsolute = 0, signalToNoise = 0;
};
Drift driftOf(const Evaluation &actual, const Evaluation &reference);

} // namespace lathe

#endif // TOOLS_LATHE_EVALUATION_H

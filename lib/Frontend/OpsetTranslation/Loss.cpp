//===- Loss.cpp - Losses in smaller operators -----------------------------===//
#include "lib/Frontend/OpsetTranslation/Translation.h"

using namespace llvm;

namespace lathe {

namespace {

/// -weight[target] * logProbabilities[target], zero where the target is to be ignored, for logarithms of
/// probabilities [N, C, d1, ...] and targets [N, d1, ...]; then the reduction over all of them.
class LossExpander {
public:
  LossExpander(Translation &t, std::string logProbabilities)
      : t(t), input(t.getInput(0).str()), logProbabilities(std::move(logProbabilities)), target(t.getInput(1).str()),
        weight(t.getInput(2).str()) {}

  Error run() {
    std::string reduction = t.takeString("reduction", "mean");
    std::optional<int64_t> ignored = t.takeInt("ignore_index");
    std::string channel = t.makeInts({1}), isIgnored, taken = target;
    if (ignored) {
      isIgnored = t.addBefore("Equal", {target, t.makeIntLike(*ignored, target)});
      taken = t.addBefore("Where", {isIgnored, t.makeIntLike(0, target), target});
    }
    std::string column = t.addBefore("Unsqueeze", {taken, channel});
    std::string chosen = t.addBefore("GatherElements", {logProbabilities, column}, {{"axis", 1}});
    std::string loss = t.addBefore("Neg", {t.addBefore("Squeeze", {chosen, channel})});
    std::string zero = t.makeFloatLike(0, input), weights;
    if (!weight.empty())
      weights = t.addBefore("Gather", {weight, taken}, {{"axis", 0}});
    else if (ignored && reduction == "mean")
      weights = t.makeFloatLike(1, input);
    if (!isIgnored.empty() && !weights.empty())
      weights = t.addBefore("Where", {isIgnored, zero, weights}); // has the shape of the targets
    else if (!isIgnored.empty())
      loss = t.addBefore("Where", {isIgnored, zero, loss});
    if (!weights.empty())
      loss = t.addBefore("Mul", {loss, weights});
    return reduce(reduction, loss, weights);
  }

private:
  Error reduce(StringRef reduction, const std::string &loss, const std::string &weights) {
    if (reduction == "none") {
      t.replace("Identity", {loss});
    } else if (reduction == "sum") {
      t.replace("ReduceSum", {loss});
      t.setInt("keepdims", 0);
    } else if (reduction == "mean" && weights.empty()) {
      t.replace("ReduceMean", {loss});
      t.setInt("keepdims", 0);
    } else if (reduction == "mean") {
      std::string sum = t.addBefore("ReduceSum", {loss}, {{"keepdims", 0}});
      t.replace("Div", {sum, t.addBefore("ReduceSum", {weights}, {{"keepdims", 0}})});
    } else {
      return createStringError("expected reduction none, sum or mean, but got " + reduction);
    }
    return Error::success();
  }

  Translation &t;
  std::string input, logProbabilities, target, weight;
};

} // namespace

static Error expandNegativeLogLikelihoodLoss(Translation &t) { return LossExpander(t, t.getInput(0).str()).run(); }

/// The same of log(softmax(scores)), which is a result, too.
static Error expandSoftmaxCrossEntropyLoss(Translation &t) {
  std::string logProbabilities = t.addBefore("LogSoftmax", {t.getInput(0).str()}, {{"axis", 1}});
  if (t.hasOutput(1))
    t.addAfter("Identity", {logProbabilities}, t.node.output(1));
  return LossExpander(t, logProbabilities).run();
}

ArrayRef<TranslationRule> getLossTranslations() {
  static const TranslationRule rules[] = {
      {"NegativeLogLikelihoodLoss", 12, kAnyOpset, expandNegativeLogLikelihoodLoss},
      {"SoftmaxCrossEntropyLoss", 12, kAnyOpset, expandSoftmaxCrossEntropyLoss},
  };
  return rules;
}

} // namespace lathe

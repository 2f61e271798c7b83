//===- Evaluation.cpp - Scores of a model on data -------------------------===//
#include "tools/lathe/Evaluation.h"

#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <cmath>

using namespace lathe;

/// The negative log-likelihood of `label` under the softmax of scores.
static double lossOf(llvm::ArrayRef<float> scores, int64_t label) {
  double largest = *std::max_element(scores.begin(), scores.end()), sum = 0;
  for (float score : scores)
    sum += std::exp(score - largest);
  return std::log(sum) + largest - scores[label];
}

static int64_t argmax(llvm::ArrayRef<float> scores) {
  return std::max_element(scores.begin(), scores.end()) - scores.begin();
}

/// Runs once, timed, and appends the first output's rows as floats.
static llvm::Error runOnce(const Runner &runner, llvm::ArrayRef<Tensor> inputs, int64_t rows, Evaluation &result,
                           std::vector<double> &times) {
  std::vector<const Tensor *> pointers;
  for (const Tensor &input : inputs)
    pointers.push_back(&input);
  llvm::SmallVector<Tensor> outputs;
  double begin = now();
  if (llvm::Error error = runner.model.run(pointers, outputs, runner.executor))
    return error;
  times.push_back(now() - begin);
  if (outputs.empty() || outputs[0].getShape().empty() || outputs[0].getShape().back() == 0)
    return llvm::createStringError("expected scores of classes in the model's first output");
  NpyArray scores = toArray(outputs[0]);
  result.classes = scores.shape.back();
  if (scores.size() < rows * result.classes)
    return llvm::createStringError("expected scores for " + llvm::Twine(rows) + " samples, but got shape " +
                                   formatShape(scores.shape));
  for (int64_t i = 0; i < rows * result.classes; ++i)
    result.scores.push_back(float(scores.at(i)));
  return llvm::Error::success();
}

/// Scores the collected outputs against labels.
static llvm::Error score(Evaluation &result, llvm::ArrayRef<int64_t> labels, std::vector<double> times) {
  int64_t right = 0;
  for (auto [index, label] : llvm::enumerate(labels)) {
    if (label < 0 || label >= result.classes)
      return llvm::createStringError("expected labels below " + llvm::Twine(result.classes) + ", but got " +
                                     llvm::Twine(label));
    auto scores = llvm::ArrayRef(result.scores).slice(index * result.classes, result.classes);
    result.loss += lossOf(scores, label);
    right += argmax(scores) == label;
  }
  result.samples = int64_t(labels.size());
  result.loss /= std::max<double>(1, double(labels.size()));
  result.accuracy = double(right) / std::max<double>(1, double(labels.size()));
  result.perplexity = std::exp(result.loss);
  result.times = summarize(std::move(times));
  return llvm::Error::success();
}

/// The rows of an array, with the last one repeated if there are fewer than `count`.
static Tensor batchOf(const NpyArray &samples, int64_t begin, int64_t count) {
  int64_t end = std::min(begin + count, samples.shape[0]);
  NpyArray part = samples.rows(begin, end);
  size_t row = part.bytes.size() / (end - begin);
  while (part.shape[0] < count) {
    part.bytes.insert(part.bytes.end(), part.bytes.end() - row, part.bytes.end());
    ++part.shape[0];
  }
  return toTensor(part);
}

EvaluationFlags::EvaluationFlags(cl::OptionCategory &category)
    : inputs("inputs", cl::desc("evaluation samples along the outermost dimension"), cl::value_desc("X.npy"),
             cl::cat(category)),
      labels("labels", cl::desc("the class of every sample"), cl::value_desc("Y.npy"), cl::cat(category)),
      tokens("tokens", cl::desc("windows of tokens, one a row, for the perplexity of a language model"),
             cl::value_desc("T.npy"), cl::cat(category)),
      batch("batch", cl::desc("samples in one run, if the model's batch is symbolic"), cl::init(1), cl::cat(category)),
      threads("threads", cl::desc("threads to run on; 0: all of the machine"), cl::init(1), cl::cat(category)) {}

llvm::Expected<EvaluationSet> EvaluationSet::read(const EvaluationFlags &flags, const lathe_model &model,
                                                  llvm::StringRef preprocess) {
  EvaluationSet set;
  set.classifies = flags.classifies();
  set.batch = flags.batch;
  if (!set.classifies) {
    llvm::Expected<NpyArray> tokens = readNpy(flags.tokens);
    if (!tokens)
      return tokens.takeError();
    if (tokens->shape.size() != 2 || tokens->shape[0] < 1 || tokens->shape[1] < 2)
      return llvm::createStringError("expected tokens of shape [windows, length], at least [1, 2], but got " +
                                     formatShape(tokens->shape));
    if (model.num_inputs != 1 || model.inputs[0].rank != 2)
      return llvm::createStringError("expected a model with one input of shape [1, tokens]");
    set.samples.push_back(std::move(*tokens));
    return std::move(set);
  }
  llvm::Expected<Preprocess> map = Preprocess::parse(preprocess);
  if (!map)
    return map.takeError();
  auto samples = readSamples(flags.inputs, model, *map);
  if (!samples)
    return samples.takeError();
  llvm::Expected<NpyArray> labels = readNpy(flags.labels);
  if (!labels)
    return labels.takeError();
  if (samples->empty())
    return llvm::createStringError("expected a model with inputs");
  int64_t count = (*samples)[0].shape[0];
  if (labels->size() != count)
    return llvm::createStringError("expected " + llvm::Twine(count) + " labels, but got " +
                                   llvm::Twine(labels->size()));
  if (count == 0)
    return llvm::createStringError("expected at least one sample");
  set.samples = std::move(*samples);
  set.labels = std::move(*labels);
  if (model.inputs[0].rank > 0 && model.inputs[0].shape[0] >= 0)
    set.batch = std::max<int64_t>(model.inputs[0].shape[0], 1);
  return std::move(set);
}

/// The tokens of a window without the last, as a model's only input.
static Tensor tokensOf(const NpyArray &windows, int64_t window, const lathe_model &model) {
  int64_t length = windows.shape[1] - 1;
  NpyArray ids(lathe_dtype(model.inputs[0].dtype), {1, length});
  for (int64_t i = 0; i < length; ++i)
    ids.set(i, windows.at(window * (length + 1) + i));
  return toTensor(ids);
}

std::vector<Tensor> EvaluationSet::getFirstInputs(const lathe_model &model) const {
  std::vector<Tensor> inputs;
  if (!classifies)
    inputs.push_back(tokensOf(samples[0], 0, model));
  else
    for (const NpyArray &array : samples)
      inputs.push_back(batchOf(array, 0, batch));
  return inputs;
}

llvm::Expected<Evaluation> EvaluationSet::evaluate(const Runner &runner) const {
  const lathe_model &model = runner.model.getModel();
  Evaluation result;
  std::vector<double> times;
  std::vector<int64_t> classes;
  if (!classifies) {
    const NpyArray &windows = samples[0];
    int64_t length = windows.shape[1] - 1;
    for (int64_t window = 0; window < windows.shape[0]; ++window) {
      for (int64_t i = 0; i < length; ++i)
        classes.push_back(int64_t(windows.at(window * (length + 1) + i + 1)));
      std::vector<Tensor> inputs;
      inputs.push_back(tokensOf(windows, window, model));
      if (llvm::Error error = runOnce(runner, inputs, length, result, times))
        return std::move(error);
    }
  } else {
    bool fixed = model.inputs[0].rank > 0 && model.inputs[0].shape[0] >= 0;
    int64_t count = samples[0].shape[0];
    for (int64_t begin = 0; begin < count; begin += batch) {
      int64_t rows = std::min(batch, count - begin);
      std::vector<Tensor> inputs;
      for (const NpyArray &array : samples)
        inputs.push_back(batchOf(array, begin, fixed ? batch : rows));
      if (llvm::Error error = runOnce(runner, inputs, rows, result, times))
        return std::move(error);
    }
    for (int64_t i = 0; i < count; ++i)
      classes.push_back(int64_t(labels.at(i)));
  }
  if (llvm::Error error = score(result, classes, std::move(times)))
    return std::move(error);
  return result;
}

Drift lathe::driftOf(const Evaluation &actual, const Evaluation &reference) {
  Drift drift;
  if (actual.scores.size() != reference.scores.size() || actual.scores.empty())
    return drift;
  int64_t same = 0;
  for (int64_t i = 0; i < actual.samples; ++i) {
    auto row = [&](const Evaluation &evaluation) {
      return llvm::ArrayRef(evaluation.scores).slice(i * actual.classes, actual.classes);
    };
    same += argmax(row(actual)) == argmax(row(reference));
  }
  double signal = 0, noise = 0, sum = 0;
  for (auto [a, b] : llvm::zip(actual.scores, reference.scores)) {
    double difference = std::fabs(double(a) - b);
    sum += difference;
    noise += difference * difference;
    signal += double(b) * b;
    drift.largestAbsolute = std::max(drift.largestAbsolute, difference);
  }
  drift.agreement = double(same) / double(actual.samples);
  drift.meanAbsolute = sum / double(actual.scores.size());
  drift.signalToNoise = noise > 0 ? 10 * std::log10(signal / noise) : 200;
  return drift;
}

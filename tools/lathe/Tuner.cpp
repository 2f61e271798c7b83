//===- Tuner.cpp - Measures what is fastest for the kernels of a model ----===//
#include "tools/lathe/Tuner.h"

#include "passes/Codegen/Common/Signature.h"
#include "passes/Lower/Decisions.h"
#include "tools/lathe/Profile.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include <algorithm>

using namespace lathe;

/// Builds take so many turns; medians and quartiles are of as many ratios.
static constexpr int kTurns = 15;
/// What a choice must gain to be kept, of the kernel's time and of the model's: less is within the noise of equal
/// builds, or not worth a record.
static constexpr double kLeastGain = 0.02, kLeastGainOfModel = 0.0005;

bool Tuner::Comparison::gains() const { return ratio <= 1 - kLeastGain && upperQuartile < 1; }

/// The value below which `share` of the values are.
static double quantile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  return values[std::min(size_t(share * double(values.size())), values.size() - 1)];
}

//===----------------------------------------------------------------------===//
// Builds
//===----------------------------------------------------------------------===//

Tuner::Choices Tuner::getChoices() const {
  Choices choices;
  for (const Kernel &kernel : kernels)
    choices.push_back(kernel.choice);
  return choices;
}

TuningFile Tuner::makeFile(const Choices &choices) const {
  TuningFile file;
  if (std::shared_ptr<const TuningRequest> given = flags.options().tuning)
    file = *given->file;
  auto machine = llvm::find_if(file.machines, [&](const TunedMachine &known) { return known.isFor(target); });
  if (machine == file.machines.end()) {
    file.machines.push_back({target.getTriple().str(),
                             target.getCpu().str(),
                             target.getFeatures().str(),
                             LATHE_VERSION,
                             options.threads,
                             {}});
    machine = std::prev(file.machines.end());
  }
  for (auto [kernel, choice] : llvm::zip(kernels, choices))
    if (!choice.empty())
      machine->records.push_back({kernel.key, choice, kernel.before, kernel.after});
  return file;
}

TuningFile Tuner::getFile() const { return makeFile(getChoices()); }

/// Notes a kernel and what may be tried for it.
void Tuner::observe(mlir::Operation *op, const TuningKey &key, TuningStage stage) {
  std::lock_guard<std::mutex> lock(mutex);
  auto kernel = llvm::find_if(kernels, [&](const Kernel &known) { return known.key == key; });
  if (kernel == kernels.end()) {
    kernels.push_back({key, {}, {}, {}, {}, {}, false, 0, 0});
    kernel = std::prev(kernels.end());
    if (std::shared_ptr<const TuningRequest> given = flags.options().tuning)
      if (const TunedMachine *machine = given->file->find(target))
        kernel->isKnown = machine->find(key) != nullptr;
  }
  auto addNode = [](std::vector<std::string> &nodes, llvm::StringRef name) {
    if (!name.empty() && !llvm::is_contained(nodes, name))
      nodes.push_back(name.str());
  };
  addNode(kernel->nodes, codegen::findNodeName(op->getLoc()));
  if (kernel->isKnown)
    return;
  if (kernel->alternatives.empty())
    kernel->alternatives = findAlternatives(op, stage, flags.options().winograd);
  if (!kernel->alternatives.empty() && kernel->alternatives.front().fuse)
    if (nn::ConvOp expand = decideFusion(llvm::cast<nn::ConvOp>(op)).expand)
      addNode(kernel->expansions, codegen::findNodeName(expand.getLoc()));
}

llvm::Expected<Tuner::Build> Tuner::build(const Choices &choices, bool profile, std::optional<TuningStage> stage) {
  CompileOptions compile = flags.options();
  compile.profile = profile;
  TuningRequest request{std::make_shared<TuningFile>(makeFile(choices)), {}};
  if (stage)
    request.observe = [this, stage](mlir::Operation *op, const TuningKey &key) { observe(op, key, *stage); };
  compile.tuning = std::make_shared<TuningRequest>(std::move(request));
  std::vector<CollectedRemark> remarks;
  Session session(flags, compile, &remarks);
  Build build{session.load(), session.getProfileLayout()};
  if (!build.model)
    return llvm::createStringError("the model was not compiled");
  if (stage == TuningStage::Algorithm)
    describeUsual(remarks);
  if (llvm::Error error = checkOutputs(build))
    return std::move(error);
  return std::move(build);
}

/// What cost models chose, by the names of a file, from what passes say about it.
void Tuner::describeUsual(llvm::ArrayRef<CollectedRemark> remarks) {
  static constexpr std::tuple<llvm::StringLiteral, llvm::StringLiteral, llvm::StringLiteral> sources[] = {
      {"Winograd", "TileSize", "winograd"},      {"PackedWeight", "PanelWidth", "panel-width"},
      {"RegisterTile", "TileRows", "tile-rows"}, {"RegisterTile", "Share", "share"},
      {"FuseDepthwise", "SavedBytes", "fuse"},
  };
  for (Kernel &kernel : kernels)
    for (const auto &[name, key, parameter] : sources)
      for (const CollectedRemark &remark : remarks)
        if (remark.passed && remark.name == name && llvm::is_contained(kernel.nodes, remark.node)) {
          kernel.usual += (kernel.usual.empty() ? "" : " ") + parameter.str() + "=" +
                          (name == "FuseDepthwise" ? "true" : remark.get(key).str());
          break;
        }
}

llvm::Error Tuner::runOnce(Build &build) { return build.model->run(inputPointers, outputs, executor.get()); }

/// Runs a build, whose outputs must be those of the first one.
llvm::Error Tuner::checkOutputs(Build &build) {
  if (inputs.empty()) {
    llvm::Expected<std::vector<Tensor>> read = inputFlags.read(build.model->getModel(), /*fill=*/true);
    if (!read)
      return read.takeError();
    inputs = std::move(*read);
    for (const Tensor &input : inputs)
      inputPointers.push_back(&input);
  }
  if (llvm::Error error = runOnce(build))
    return error;
  if (reference.empty()) {
    for (const Tensor &output : outputs)
      reference.push_back(toArray(output));
    return llvm::Error::success();
  }
  for (auto [index, output] : llvm::enumerate(outputs)) {
    Difference difference = compare(toArray(output), reference[index], options.rtol, options.atol);
    if (!difference.agrees)
      return llvm::createStringError("output '%s' differs between builds: %.9g at %lld, but %.9g without tuning",
                                     build.model->getModel().outputs[index].name, difference.actual,
                                     (long long)difference.index, difference.expected);
  }
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Comparisons
//===----------------------------------------------------------------------===//

/// Runs of one build in one turn, of three builds.
int Tuner::countRuns(double milliseconds) const {
  return std::clamp(int(milliseconds / (3 * kTurns) / std::max(once, 1e-4)), 1, 1000);
}

/// The milliseconds of a run, and how fast the counter of profiles is.
llvm::Error Tuner::measureTicks(Build &build) {
  constexpr double leastMs = 50;
  std::vector<double> times;
  uint64_t firstTicks = 0, lastTicks = 0;
  double first = now(), last = first;
  while (times.size() < 3 || last - first < leastMs) {
    last = now();
    if (llvm::Error error = runOnce(build))
      return error;
    times.push_back(now() - last);
    lastTicks = readProfile(build.layout, build.model->getWorkspace()).begin;
    if (times.size() == 1)
      firstTicks = lastTicks;
  }
  once = summarize(times).median;
  ticksPerMicrosecond = std::max(double(lastTicks - firstTicks) / ((last - first) * 1000), 1e-9);
  return llvm::Error::success();
}

/// The nodes whose layers are a kernel's time: where fusing is compared with not fusing, those of both.
std::vector<llvm::StringRef> Tuner::getTimedNodes(const Kernel &kernel) const {
  std::vector<llvm::StringRef> nodes(kernel.nodes.begin(), kernel.nodes.end());
  bool isCompared =
      kernel.alternatives.empty() ? kernel.choice.fuse.has_value() : kernel.alternatives.front().fuse.has_value();
  if (isCompared)
    nodes.insert(nodes.end(), kernel.expansions.begin(), kernel.expansions.end());
  return nodes;
}

/// The median of each kernel's ticks over some runs.
llvm::Expected<std::vector<double>> Tuner::timeKernels(Build &build, int runs) {
  std::vector<std::vector<double>> ticks(kernels.size());
  for (int run = 0; run < runs; ++run) {
    if (llvm::Error error = runOnce(build))
      return std::move(error);
    ProfiledRun profiled = readProfile(build.layout, build.model->getWorkspace());
    std::map<llvm::StringRef, double> nodes;
    for (auto [call, measured] : llvm::zip(build.layout.calls, profiled.calls))
      nodes[call.name] += double(measured.ticks);
    for (auto [kernel, values] : llvm::zip(kernels, ticks)) {
      double sum = 0;
      for (llvm::StringRef node : getTimedNodes(kernel))
        if (auto found = nodes.find(node); found != nodes.end())
          sum += found->second;
      values.push_back(sum);
    }
  }
  std::vector<double> medians;
  for (std::vector<double> &values : ticks)
    medians.push_back(quantile(std::move(values), 0.5));
  return medians;
}

llvm::Expected<std::vector<Tuner::Build>> Tuner::buildTwice(const Choices &choices, bool profile,
                                                            std::optional<TuningStage> stage) {
  std::vector<Build> builds;
  for (std::optional<TuningStage> observed : {stage, std::optional<TuningStage>()}) {
    llvm::Expected<Build> made = build(choices, profile, observed);
    if (!made)
      return made.takeError();
    builds.push_back(std::move(*made));
  }
  return std::move(builds);
}

llvm::Expected<std::vector<std::optional<Tuner::Comparison>>> Tuner::compareKernels(std::vector<Build> &bases,
                                                                                    Build &tried) {
  int runs = countRuns(options.seconds * 1000);
  std::vector<std::vector<double>> before(kernels.size()), after(kernels.size()), ratios(kernels.size());
  for (int turn = 0; turn < kTurns; ++turn) {
    // Who comes first takes turns, too.
    std::vector<std::vector<double>> times(bases.size() + 1);
    for (size_t place = 0; place < times.size(); ++place) {
      size_t which = (place + turn) % times.size();
      llvm::Expected<std::vector<double>> measured = timeKernels(which < bases.size() ? bases[which] : tried, runs);
      if (!measured)
        return measured.takeError();
      times[which] = std::move(*measured);
    }
    for (size_t index = 0; index < kernels.size(); ++index) {
      double least = times.front()[index], own = times.back()[index];
      for (size_t base = 1; base < bases.size(); ++base)
        least = std::min(least, times[base][index]);
      if (least <= 0 || own <= 0)
        continue;
      before[index].push_back(least);
      after[index].push_back(own);
      ratios[index].push_back(own / least);
    }
  }
  std::vector<std::optional<Comparison>> comparisons(kernels.size());
  for (size_t index = 0; index < kernels.size(); ++index)
    if (!ratios[index].empty())
      comparisons[index] = Comparison{quantile(before[index], 0.5), quantile(after[index], 0.5),
                                      quantile(ratios[index], 0.5), quantile(ratios[index], 0.75)};
  return comparisons;
}

//===----------------------------------------------------------------------===//
// Stages
//===----------------------------------------------------------------------===//

/// Kernels that share a node cannot be told apart by their times: of such, none is tuned in this stage.
void Tuner::separateKernels() {
  std::map<llvm::StringRef, std::vector<Kernel *>> users;
  for (Kernel &kernel : kernels)
    if (!kernel.alternatives.empty())
      for (llvm::StringRef node : getTimedNodes(kernel))
        users[node].push_back(&kernel);
  for (auto &[node, sharing] : users)
    if (sharing.size() > 1)
      for (Kernel *kernel : sharing)
        kernel->alternatives.clear();
}

llvm::Error Tuner::runStage(TuningStage stage) {
  for (Kernel &kernel : kernels)
    kernel.alternatives.clear();
  llvm::Expected<std::vector<Build>> bases = buildTwice(getChoices(), /*profile=*/true, stage);
  if (!bases)
    return bases.takeError();
  separateKernels();
  if (llvm::Error error = measureTicks(bases->front()))
    return error;
  size_t builds = 0;
  for (const Kernel &kernel : kernels)
    builds = std::max(builds, kernel.alternatives.size());
  builds = std::min<size_t>(builds, options.alternatives);
  std::vector<std::pair<double, TuningChoice>> best(kernels.size(), {1, {}});
  for (size_t number = 0; number < builds; ++number) {
    Choices choices = getChoices();
    for (auto [kernel, choice] : llvm::zip(kernels, choices))
      if (number < kernel.alternatives.size())
        choice = choice.with(kernel.alternatives[number]);
    llvm::Expected<Build> tried = build(choices, /*profile=*/true);
    if (!tried)
      return tried.takeError();
    auto comparisons = compareKernels(*bases, *tried);
    if (!comparisons)
      return comparisons.takeError();
    size_t faster = 0, candidates = 0;
    for (size_t index = 0; index < kernels.size(); ++index) {
      const std::optional<Comparison> &comparison = (*comparisons)[index];
      if (number >= kernels[index].alternatives.size())
        continue;
      ++candidates;
      if (comparison && options.verbose)
        llvm::errs() << llvm::format("%9.2f us %7.1f %%  ", comparison->before / ticksPerMicrosecond,
                                     100 * (comparison->ratio - 1))
                     << toString(kernels[index].alternatives[number]) << ": " << kernels[index].key.op << " "
                     << kernels[index].key.types << " " << kernels[index].key.attributes << "\n";
      if (!comparison || !comparison->gains())
        continue;
      ++faster;
      if (comparison->ratio < best[index].first)
        best[index] = {comparison->ratio, choices[index]};
    }
    llvm::errs() << "lathe tune: " << nameOf(stage) << ", build " << number + 1 << " of " << builds << ": " << faster
                 << " of " << candidates << " kernels are faster\n";
  }
  for (auto [kernel, found] : llvm::zip(kernels, best))
    if (found.first < 1)
      kernel.choice = found.second;
  return llvm::Error::success();
}

/// Of many choices, some are best by chance: measured again, all at once, against none, only what gains again stays.
llvm::Error Tuner::confirm() {
  for (Kernel &kernel : kernels)
    kernel.alternatives.clear();
  llvm::Expected<std::vector<Build>> bases = buildTwice(Choices(kernels.size()), /*profile=*/true);
  if (!bases)
    return bases.takeError();
  llvm::Expected<Build> tried = build(getChoices(), /*profile=*/true);
  if (!tried)
    return tried.takeError();
  auto comparisons = compareKernels(*bases, *tried);
  if (!comparisons)
    return comparisons.takeError();
  for (auto [kernel, comparison] : llvm::zip(kernels, *comparisons)) {
    if (!comparison)
      continue;
    kernel.before = comparison->before / ticksPerMicrosecond;
    kernel.after = comparison->after / ticksPerMicrosecond;
    if (comparison->gains() && kernel.before - kernel.after >= kLeastGainOfModel * once * 1000)
      continue;
    kernel.choice = TuningChoice();
    kernel.after = kernel.before;
  }
  return llvm::Error::success();
}

/// The model without timers, with all choices against none. What is faster alone may slow others down.
llvm::Error Tuner::compareModels() {
  llvm::Expected<std::vector<Build>> builds = buildTwice(Choices(kernels.size()), /*profile=*/false);
  if (!builds)
    return builds.takeError();
  llvm::Expected<Build> tried = build(getChoices(), /*profile=*/false);
  if (!tried)
    return tried.takeError();
  builds->push_back(std::move(*tried));
  int runs = countRuns(options.seconds * 1000);
  std::vector<double> all[2], ratios;
  for (int turn = 0; turn < 2 * kTurns; ++turn) {
    std::vector<double> medians(builds->size());
    for (size_t place = 0; place < medians.size(); ++place) {
      size_t which = (place + turn) % medians.size();
      std::vector<double> times;
      for (int run = 0; run < runs; ++run) {
        double begin = now();
        if (llvm::Error error = runOnce((*builds)[which]))
          return error;
        times.push_back(now() - begin);
      }
      medians[which] = quantile(std::move(times), 0.5);
    }
    double least = std::min(medians[0], medians[1]);
    all[0].push_back(least);
    all[1].push_back(medians[2]);
    ratios.push_back(medians[2] / least);
  }
  whole = {quantile(all[0], 0.5), quantile(all[1], 0.5), quantile(ratios, 0.5), quantile(ratios, 0.75)};
  isWholeFaster = whole.ratio < 1;
  return llvm::Error::success();
}

llvm::Error Tuner::run() {
  CompileOptions compile = flags.options();
  targets = std::make_unique<mlir::MLIRContext>(getRegistry());
  targets->getOrLoadDialect<nn::NNDialect>();
  llvm::Expected<nn::TargetAttr> host = resolveTarget(*targets, "native");
  if (!host)
    return host.takeError();
  target = *host;
  llvm::Expected<llvm::SmallVector<NamedTarget>> asked = resolveTargets(*targets, compile.target, compile.cpu);
  if (!asked)
    return asked.takeError();
  if (asked->size() != 1 || asked->front().target != target)
    return llvm::createStringError("expected the target to be this machine, which is measured, but got '" +
                                   (compile.cpu.empty() ? compile.target : compile.cpu) + "'");
  for (TuningStage stage : kTuningStages)
    if (llvm::Error error = runStage(stage))
      return error;
  auto isTuned = [](const Kernel &kernel) { return !kernel.choice.empty(); };
  if (llvm::Error error = confirm())
    return error;
  if (llvm::none_of(kernels, isTuned))
    return llvm::Error::success();
  if (llvm::Error error = compareModels())
    return error;
  if (!isWholeFaster)
    for (Kernel &kernel : kernels)
      kernel.choice = TuningChoice();
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// The report
//===----------------------------------------------------------------------===//

void Tuner::print(llvm::raw_ostream &stream) const {
  stream << "  before us    after us   gain %  layers  default -> chosen, kernel\n";
  size_t tuned = 0;
  for (const Kernel &kernel : kernels) {
    tuned += !kernel.choice.empty();
    if (kernel.before == 0) // it has become a part of another one
      continue;
    double gain = kernel.before > 0 ? 100 * (1 - kernel.after / kernel.before) : 0;
    stream << llvm::format("%11.2f %11.2f %8.1f %7d  ", kernel.before, kernel.after, gain, int(kernel.nodes.size()))
           << (kernel.usual.empty() ? "-" : kernel.usual);
    if (kernel.isKnown)
      stream << " -> as in the file";
    else if (!kernel.choice.empty())
      stream << " -> " << toString(kernel.choice);
    stream << "\n" << std::string(43, ' ') << kernel.key.op << " " << kernel.key.types;
    if (!kernel.key.attributes.empty())
      stream << " " << kernel.key.attributes;
    stream << "\n";
  }
  if (whole.before == 0) {
    stream << "nothing is faster than what cost models choose\n";
    return;
  }
  stream << llvm::format("model: %.4f ms -> %.4f ms, %.1f %% less (upper quartile %.1f %%)", whole.before, whole.after,
                         100 * (1 - whole.ratio), 100 * (1 - whole.upperQuartile));
  if (isWholeFaster)
    stream << "; " << tuned << " of " << kernels.size() << " kernels are tuned\n";
  else
    stream << "; it is not faster, so nothing is tuned\n";
}

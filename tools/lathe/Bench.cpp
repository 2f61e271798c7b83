//===- Bench.cpp - lathe bench --------------------------------------------===//
#include "lib/Artifact/Artifact.h"
#include "tools/lathe/Commands.h"
#include "tools/lathe/Inputs.h"
#include "tools/lathe/Profile.h"
#include "tools/lathe/Session.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"
#include <iostream>
#include <string>

using namespace lathe;

namespace {
struct BenchFlags : ModelFlags {
  InputFlags inputs{category};
  cl::opt<std::string> variant{"variant", cl::desc("run the code for this target, instead of the best one of several"),
                               cl::value_desc("target"), cl::cat(category)};
  ThreadsFlag threads{"threads", cl::desc("threads to run on; 0: all of the machine"), cl::init(1), cl::cat(category)};
  RunsFlag runs{"runs", cl::desc("measured runs (default: about two seconds of them)"), cl::init(0), cl::cat(category)};
  RunsFlag warmup{"warmup", cl::desc("runs before the measured ones"), cl::init(5), cl::cat(category)};
  cl::opt<bool> json{"json", cl::desc("print results as JSON"), cl::cat(category)};
  cl::opt<std::string> profile{
      "profile", cl::desc("time each layer; with a file, write the fastest run there as a Chrome trace, too"),
      cl::value_desc("trace.json"), cl::ValueOptional, cl::cat(category)};
  cl::opt<bool> interactive{
      "interactive",
      cl::desc("after 'ready', measure N runs for every line 'run N' of stdin, and print a line of "
               "JSON: for interleaving with other programs"),
      cl::cat(category)};
};

/// A loaded model with inputs that can be run again and again.
struct Bench {
  LoadedModel &model;
  std::vector<Tensor> inputs;
  ExecutorPtr executor;
  std::vector<const Tensor *> pointers;
  llvm::SmallVector<Tensor> outputs;

  /// The times of `runs` runs.
  llvm::Expected<std::vector<double>> measure(int runs) {
    std::vector<double> times;
    for (int run = 0; run < runs; ++run) {
      double begin = now();
      if (llvm::Error error = runOnce())
        return std::move(error);
      times.push_back(now() - begin);
    }
    return times;
  }

  llvm::Error runOnce() { return model.run(pointers, outputs, executor.get()); }
};
} // namespace

static llvm::json::Object toJSON(const BenchFlags &flags, const Bench &bench, int runs, const Times &times) {
  const lathe_model &model = bench.model.getModel();
  return llvm::json::Object{{"model", model.name},
                            {"threads", int(flags.threads)},
                            {"runs", runs},
                            {"min_ms", times.minimum},
                            {"median_ms", times.median},
                            {"mean_ms", times.mean},
                            {"p90_ms", times.p90},
                            {"weight_bytes", int64_t(model.weight_bytes)},
                            {"workspace_bytes", int64_t(model.workspace_bytes)}};
}

/// Serves "run N" lines until stdin ends.
static int serve(const BenchFlags &flags, Bench &bench) {
  llvm::outs() << "ready\n";
  llvm::outs().flush();
  std::string line;
  while (std::getline(std::cin, line)) {
    llvm::StringRef text = line;
    int runs;
    if (!text.consume_front("run ") || text.getAsInteger(10, runs) || runs < 1)
      return fail("expected 'run N', but got '" + line + "'");
    auto times = bench.measure(runs);
    if (!times)
      return fail(textOf(times.takeError()));
    llvm::outs() << llvm::json::Value(toJSON(flags, bench, runs, summarize(*times))) << "\n";
    llvm::outs().flush();
  }
  return kSuccess;
}

/// Prints where the time of `runs` runs goes, and writes the trace if one was asked for.
static int profileLayers(const BenchFlags &flags, Session &session, Bench &bench, int runs) {
  if (session.getProfileLayout().offset < 0)
    return fail("expected a model to compile with --profile, but got the object '" + flags.model + "'");
  llvm::Expected<Roofline> roofline =
      measureReadRates(session.getContext(), session.getOptions(), bench.model.getModel(), bench.executor.get());
  if (!roofline)
    return fail(textOf(roofline.takeError()));
  llvm::Expected<PeakMeter> meter = PeakMeter::create(session.getContext(), session.getOptions(), bench.executor.get());
  if (!meter)
    return fail(textOf(meter.takeError()));
  // The peak is measured in between, a tenth of the time at most: its share is of what the machine did just then.
  std::vector<double> peaks;
  double next = 0;
  auto runAndMeasurePeak = [&]() -> llvm::Error {
    if (llvm::Error error = bench.runOnce())
      return error;
    double begin = now();
    if (begin < next)
      return llvm::Error::success();
    llvm::Expected<double> peak = meter->measure();
    if (!peak)
      return peak.takeError();
    peaks.push_back(*peak);
    next = now() + 10 * (now() - begin);
    return llvm::Error::success();
  };
  llvm::Expected<Profile> profile = Profile::measure(session.getProfileLayout(), bench.model, runs, runAndMeasurePeak);
  if (!profile)
    return fail(textOf(profile.takeError()));
  roofline->gflops = summarize(peaks).median;
  if (flags.json) {
    llvm::json::Object result = profile->toJSON(*roofline);
    result["model"] = bench.model.getModel().name;
    result["threads"] = int(flags.threads);
    llvm::outs() << llvm::json::Value(std::move(result)) << "\n";
  } else {
    profile->print(llvm::outs(), *roofline);
  }
  if (flags.profile.empty())
    return kSuccess;
  if (llvm::Error error =
          writeFile(flags.profile, [&](llvm::raw_ostream &stream) { stream << profile->toTrace() << "\n"; }))
    return fail(textOf(std::move(error)));
  return kSuccess;
}

int lathe::runBench(int argc, char **argv) {
  BenchFlags flags;
  flags.parse(argc, argv, "lathe bench: measure a model's latency\n");
  bool profiles = flags.profile.getNumOccurrences() > 0;
  if (profiles && flags.interactive)
    return fail("expected only one of --profile and --interactive");
  CompileOptions options = flags.options();
  options.profile = profiles;
  Session session(flags, options);
  std::unique_ptr<LoadedModel> loaded = session.load();
  if (!loaded)
    return kFailure;
  if (!flags.variant.empty())
    if (llvm::Error error = loaded->setVariant(flags.variant))
      return fail(textOf(std::move(error)));
  llvm::Expected<std::vector<Tensor>> inputs = flags.inputs.read(loaded->getModel(), /*fill=*/true);
  if (!inputs)
    return fail(textOf(inputs.takeError()));
  Bench bench{*loaded, std::move(*inputs), makeExecutor(flags.threads), {}, {}};
  for (const Tensor &input : bench.inputs)
    bench.pointers.push_back(&input);
  auto warm = bench.measure(std::max<int>(flags.warmup, 1));
  if (!warm)
    return fail(textOf(warm.takeError()));
  if (flags.interactive)
    return serve(flags, bench);

  constexpr double kBudgetMs = 2000;
  double once = std::max(summarize(*warm).minimum, 1e-4);
  int runs = flags.runs > 0 ? int(flags.runs) : int(std::min(std::max(kBudgetMs / once, 10.0), 100000.0));
  if (profiles)
    return profileLayers(flags, session, bench, runs);
  auto measured = bench.measure(runs);
  if (!measured)
    return fail(textOf(measured.takeError()));
  Times times = summarize(*measured);
  if (flags.json) {
    llvm::outs() << llvm::json::Value(toJSON(flags, bench, runs, times)) << "\n";
    return kSuccess;
  }
  const lathe_model &model = loaded->getModel();
  llvm::outs() << model.name << ": median " << llvm::format("%.4f", times.median) << " ms, minimum "
               << llvm::format("%.4f", times.minimum) << " ms, 90 % below " << llvm::format("%.4f", times.p90)
               << " ms (" << runs << " runs, " << flags.threads << (flags.threads == 1 ? " thread" : " threads")
               << "); weights " << model.weight_bytes << " bytes, workspace " << model.workspace_bytes << " bytes\n";
  return kSuccess;
}

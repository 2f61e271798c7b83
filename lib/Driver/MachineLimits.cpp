//===- MachineLimits.cpp - The most that any kernel can reach -------------===//
#include "lib/Driver/MachineLimits.h"

#include "lib/Driver/Pipeline.h"
#include "lib/Target/Target.h"
#include "mlir/Parser/Parser.h"
#include <array>
#include <chrono>
#include <cstring>
#include <unistd.h>

using namespace mlir;
using namespace lathe;

namespace {

/// A model of one loop that each of its tasks runs `repeats * chunk / step` times, over vectors of sums: enough of them
/// to hide the latency of an instruction.
struct LoopModel {
  int64_t lanes, sums, tasks, chunk, step, repeats;
  int64_t inputs; ///< elements of %x, the model's input
  /// Prints MLIR that computes the vector %tN, which is added up as %sN is, in the iteration %i; %a and %b are the
  /// first two elements of %x in all lanes.
  llvm::function_ref<void(llvm::raw_ostream &, int64_t)> printSum;

  std::string getVector() const { return "vector<" + std::to_string(lanes) + "xf32>"; }

  std::string print() const {
    std::string text, vector = getVector();
    std::string n = std::to_string(tasks), out = "memref<" + n + "xf32>", x = std::to_string(inputs);
    std::string in = "memref<" + x + "xf32>", arguments = "(%x: " + in + ", %y: " + out + ", ";
    llvm::raw_string_ostream os(text);
    auto each = [&](auto print) {
      for (int64_t i = 0; i < sums; ++i)
        print(i, i + 1 < sums ? ", " : "");
    };
    os << "module attributes {lathe.dims = [], lathe.workspace_bytes = 64 : i64, lathe.inputs = [{dims = \"" << x
       << "\", dtype = 1 : i32, name = \"x\", shape = array<i64: " << x << ">}], lathe.outputs = [{dims = \"" << n
       << "\", dtype = 1 : i32, name = \"y\", shape = array<i64: " << n << ">}]} {\n"
       << "func.func @main" << arguments << "%arena: memref<64xi8>, %executor: !llvm.ptr) {\n"
       << "call @kernel_loop_0(%x, %y, %executor) : (" << in << ", " << out << ", !llvm.ptr) -> ()\nreturn\n}\n"
       << "func.func private @kernel_loop_0" << arguments << "%executor: !llvm.ptr) {\n"
       << "%c0 = arith.constant 0 : index\n%c1 = arith.constant 1 : index\n%tasks = arith.constant " << n
       << " : index\n%chunk = arith.constant " << chunk << " : index\n%step = arith.constant " << step
       << " : index\n%repeats = arith.constant " << repeats << " : index\n"
       << "scf.parallel (%task) = (%c0) to (%tasks) step (%c1) {\n"
       << "%begin = arith.muli %task, %chunk : index\n%end = arith.addi %begin, %chunk : index\n"
       << "%sa = memref.load %x[%c0] : " << in << "\n%sb = memref.load %x[%c1] : " << in << "\n"
       << "%a = vector.broadcast %sa : f32 to " << vector << "\n%b = vector.broadcast %sb : f32 to " << vector << "\n";
    // Sums that begin alike would be one.
    each([&](int64_t i, const char *) {
      os << "%i" << i << " = arith.constant dense<" << i << ".0> : " << vector << "\n";
    });
    // A loop over vectors that begin as %<from>N and end as %<result>#N.
    auto loop = [&](const char *result, const char *head, const char *sum, const char *from, auto body,
                    const char *yielded) {
      os << "%" << result << ":" << sums << " = scf.for " << head << " iter_args(";
      each([&](int64_t i, const char *comma) { os << "%" << sum << i << " = %" << from << i << comma; });
      os << ") -> (";
      each([&](int64_t, const char *comma) { os << vector << comma; });
      os << ") {\n";
      body();
      os << "scf.yield ";
      each([&](int64_t i, const char *comma) { os << yielded << i << comma; });
      os << " : ";
      each([&](int64_t, const char *comma) { os << vector << comma; });
      os << "\n}\n";
    };
    loop(
        "r", "%k = %c0 to %repeats step %c1", "q", "i",
        [&] {
          loop(
              "p", "%i = %begin to %end step %step", "s", "q",
              [&] { each([&](int64_t i, const char *) { printSum(os, i); }); }, "%t");
        },
        "%p#");
    each([&](int64_t i, const char *) {
      os << "%u" << i << " = arith.addf %r#" << i << ", " << (i ? "%u" + std::to_string(i - 1) : "%a") << " : "
         << vector << "\n";
    });
    os << "%sum = vector.reduction <add>, %u" << sums - 1 << " : " << vector << " into f32\n"
       << "memref.store %sum, %y[%task] : " << out << "\n}\nreturn\n}\n}\n";
    return text;
  }
};

} // namespace

static llvm::Expected<std::unique_ptr<LoadedModel>> compile(MLIRContext &context, const CompileOptions &given,
                                                            const LoopModel &loop) {
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(loop.print(), &context);
  CompileOptions options;
  options.name = "limits";
  options.target = given.target;
  options.cpu = given.cpu;
  options.foldConstants = false;
  if (!module || failed(runPhases(*module, options, Phase::LLVM, Phase::Bufferize)))
    return llvm::createStringError("cannot compile the measurement of the machine's limits");
  return loadModule(*module);
}

/// Nanoseconds of a run.
static llvm::Expected<double> timeRun(LoadedModel &loop, const Tensor &input, const lathe_executor *executor) {
  SmallVector<Tensor> outputs;
  auto begin = std::chrono::steady_clock::now();
  if (llvm::Error error = loop.run({&input}, outputs, executor))
    return std::move(error);
  std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - begin;
  return std::max(spent.count(), 1.0);
}

static int64_t countTasks(const lathe_executor *executor) { return executor ? std::max(executor->threads, 1) : 1; }

llvm::Expected<PeakMeter> PeakMeter::create(MLIRContext &context, const CompileOptions &options,
                                            const lathe_executor *executor) {
  llvm::Expected<nn::TargetAttr> target = resolveTarget(context, options.target, options.cpu);
  if (!target)
    return target.takeError();
  constexpr int64_t kIterations = 100'000;
  LoopModel loop{target->getVectorBits() / 32,
                 target->getVectorRegisters() * 3 / 4,
                 countTasks(executor),
                 kIterations,
                 /*step=*/1,
                 /*repeats=*/1,
                 /*inputs=*/2,
                 {}};
  auto printSum = [&](llvm::raw_ostream &os, int64_t i) {
    os << "%t" << i << " = vector.fma %s" << i << ", %a, %b : " << loop.getVector() << "\n";
  };
  loop.printSum = printSum;
  llvm::Expected<std::unique_ptr<LoadedModel>> compiled = compile(context, options, loop);
  if (!compiled)
    return compiled.takeError();
  return PeakMeter(std::move(*compiled), 2 * kIterations * loop.lanes * loop.sums * loop.tasks, executor);
}

llvm::Expected<double> PeakMeter::measure() {
  static constexpr float kFactors[] = {0.5f, 0.25f}; // the sums tend to 0.5
  Tensor factors = Tensor::borrow(LATHE_FLOAT32, {2}, kFactors);
  // The first run after another program's finds nothing in the caches, and takes up to twice as long.
  std::array<double, 3> times;
  for (int run = -1; run < int(times.size()); ++run) {
    llvm::Expected<double> nanoseconds = timeRun(*loop, factors, executor);
    if (!nanoseconds)
      return nanoseconds.takeError();
    if (run >= 0)
      times[run] = *nanoseconds;
  }
  llvm::sort(times);
  return double(operations) / times[1];
}

llvm::Expected<double> lathe::measurePeak(MLIRContext &context, const CompileOptions &options,
                                          const lathe_executor *executor) {
  llvm::Expected<PeakMeter> meter = PeakMeter::create(context, options, executor);
  if (!meter)
    return meter.takeError();
  constexpr int kRuns = 10;
  double best = 0;
  for (int run = 0; run < kRuns; ++run) {
    llvm::Expected<double> rate = meter->measure();
    if (!rate)
      return rate.takeError();
    best = std::max(best, *rate);
  }
  return best;
}

int64_t lathe::chooseUncachedBytes() {
  constexpr int64_t kLeast = 128 << 20, kMost = 1 << 30;
  int64_t cache =
      std::max({sysconf(_SC_LEVEL2_CACHE_SIZE), sysconf(_SC_LEVEL3_CACHE_SIZE), sysconf(_SC_LEVEL4_CACHE_SIZE), 0L});
  int64_t memory = int64_t(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE);
  return std::min(std::clamp(2 * cache, kLeast, kMost), memory / 4);
}

llvm::Expected<double> lathe::measureReadRate(MLIRContext &context, const CompileOptions &options, int64_t bytes,
                                              const lathe_executor *executor) {
  llvm::Expected<nn::TargetAttr> target = resolveTarget(context, options.target, options.cpu);
  if (!target)
    return target.takeError();
  // A run reads a part of a large buffer once, or a small one again and again: about a millisecond either way.
  constexpr int64_t kBytesPerRun = 16 << 20, kRuns = 40;
  bytes = std::min(bytes, chooseUncachedBytes());
  LoopModel loop{target->getVectorBits() / 32, /*sums=*/8, countTasks(executor), 0, 0, 0, 0, {}};
  loop.step = loop.lanes * loop.sums;
  loop.chunk = std::max<int64_t>(std::min(bytes, kBytesPerRun) / 4 / loop.tasks / loop.step, 1) * loop.step;
  loop.inputs = loop.chunk * loop.tasks;
  int64_t bytesPerPass = 4 * loop.inputs, parts = std::max<int64_t>(bytes / bytesPerPass, 1);
  loop.repeats = std::max<int64_t>(kBytesPerRun / bytesPerPass, 1);
  auto printSum = [&](llvm::raw_ostream &os, int64_t i) {
    os << "%o" << i << " = arith.constant " << i * loop.lanes << " : index\n%a" << i << " = arith.addi %i, %o" << i
       << " : index\n%v" << i << " = vector.load %x[%a" << i << "] : memref<" << loop.inputs << "xf32>, "
       << loop.getVector() << "\n%t" << i << " = arith.addf %s" << i << ", %v" << i << " : " << loop.getVector()
       << "\n";
  };
  loop.printSum = printSum;
  Tensor buffer(LATHE_FLOAT32, {parts * loop.inputs});
  std::memset(buffer.getData(), 0, buffer.getNumBytes()); // memory that nobody wrote is one page of zeros
  llvm::Expected<std::unique_ptr<LoadedModel>> compiled = compile(context, options, loop);
  if (!compiled)
    return compiled.takeError();
  std::vector<double> times;
  for (int64_t run = 0; run < std::max(2 * parts, kRuns); ++run) {
    const float *part = buffer.as<float>().slice(run % parts * loop.inputs).data();
    llvm::Expected<double> time = timeRun(**compiled, Tensor::borrow(LATHE_FLOAT32, {loop.inputs}, part), executor);
    if (!time)
      return time.takeError();
    times.push_back(*time);
  }
  // Of the second time around: the first finds what is in a cache from before.
  std::vector<double> settled(times.begin() + parts, times.end());
  auto median = settled.begin() + settled.size() / 2;
  std::nth_element(settled.begin(), median, settled.end());
  return double(bytesPerPass * loop.repeats) / *median;
}

llvm::Expected<Roofline> lathe::measureReadRates(MLIRContext &context, const CompileOptions &options,
                                                 const lathe_model &model, const lathe_executor *executor) {
  Roofline roofline;
  for (auto [rate, bytes] :
       {std::pair(&roofline.weightGbs, model.weight_bytes), std::pair(&roofline.workspaceGbs, model.workspace_bytes)}) {
    llvm::Expected<double> measured = measureReadRate(context, options, int64_t(bytes), executor);
    if (!measured)
      return measured.takeError();
    *rate = *measured;
  }
  return roofline;
}

double Roofline::leastMicroseconds(double macs, double weightBytes, double otherBytes) const {
  return std::max(2 * macs / gflops, weightBytes / weightGbs + otherBytes / workspaceGbs) / 1000;
}

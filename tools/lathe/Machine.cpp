//===- Machine.cpp - lathe machine ----------------------------------------===//
#include "lib/Driver/MachineLimits.h"
#include "tools/lathe/Commands.h"
#include "tools/lathe/Session.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"

using namespace lathe;

namespace {
struct MachineFlags {
  cl::OptionCategory category{"Options"};
  ThreadsFlag threads{"threads", cl::desc("threads to run on; 0: all of the machine"), cl::init(1), cl::cat(category)};
  cl::opt<bool> json{"json", cl::desc("print results as JSON"), cl::cat(category)};
};
} // namespace

int lathe::runMachine(int argc, char **argv) {
  MachineFlags flags;
  parseFlags(flags.category, argc, argv, "lathe machine: measure what no kernel can exceed on this machine\n");
  mlir::MLIRContext context(getRegistry());
  CompileOptions options;
  ExecutorPtr executor = makeExecutor(flags.threads);
  llvm::Expected<double> peak = measurePeak(context, options, executor.get());
  if (!peak)
    return fail(textOf(peak.takeError()));
  int64_t bytes = chooseUncachedBytes();
  llvm::Expected<double> rate = measureReadRate(context, options, bytes, executor.get());
  if (!rate)
    return fail(textOf(rate.takeError()));
  if (flags.json)
    llvm::outs() << llvm::json::Value(llvm::json::Object{{"threads", int(flags.threads)},
                                                         {"peak_gflops", *peak},
                                                         {"memory_gbs", *rate},
                                                         {"memory_buffer_bytes", bytes}})
                 << "\n";
  else
    llvm::outs() << llvm::format("multiply-adds of f32: %.1f GFLOP/s; memory: %.1f GB/s read, of a buffer of %.0f MB\n",
                                 *peak, *rate, double(bytes) / 1e6);
  return kSuccess;
}

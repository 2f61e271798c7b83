//===- Tune.cpp - lathe tune ----------------------------------------------===//
#include "lib/Artifact/Artifact.h"
#include "tools/lathe/Commands.h"
#include "tools/lathe/Tuner.h"

using namespace lathe;

namespace {
struct TuneFlags : ModelFlags {
  InputFlags inputs{category};
  cl::opt<std::string> output{"o", cl::desc("file to write, for --tuning; - is stdout"), cl::value_desc("T.yaml"),
                              cl::init("tuning.yaml"), cl::cat(category)};
  ThreadsFlag threads{"threads", cl::desc("threads to run on; 0: all of the machine"), cl::init(1), cl::cat(category)};
  SecondsFlag seconds{"seconds", cl::desc("time to measure each build for (default 1); there are about 30 at most"),
                      cl::init(1), cl::value_desc("s"), cl::cat(category)};
  cl::opt<unsigned, false, IntegerParser<unsigned, 1, 1000>> alternatives{
      "alternatives", cl::desc("most alternatives of a kernel to try in each of three stages (default 8)"), cl::init(8),
      cl::value_desc("n"), cl::cat(category)};
  cl::opt<bool> verbose{"verbose", cl::desc("tell the time of each kernel before, and how much more each choice takes"),
                        cl::cat(category)};
  ToleranceFlag rtol{"rtol", cl::desc("relative difference that outputs of two builds may have (default 1e-3)"),
                     cl::init(1e-3), cl::cat(category)};
  ToleranceFlag atol{"atol", cl::desc("absolute difference that outputs of two builds may have (default 1e-4)"),
                     cl::init(1e-4), cl::cat(category)};
};
} // namespace

int lathe::runTune(int argc, char **argv) {
  TuneFlags flags;
  flags.parse(argc, argv, "lathe tune: measure what is fastest for the kernels of a model on this machine\n");
  Tuner tuner(flags, flags.inputs,
              {flags.threads, flags.seconds, flags.alternatives, flags.verbose, flags.rtol, flags.atol});
  if (llvm::Error error = tuner.run())
    return fail(textOf(std::move(error)));
  tuner.print(flags.output == "-" ? llvm::errs() : llvm::outs());
  if (llvm::Error error =
          writeFile(flags.output, [&](llvm::raw_ostream &stream) { writeTuning(tuner.getFile(), stream); }))
    return fail(textOf(std::move(error)));
  return kSuccess;
}

//===- Run.cpp - lathe run ------------------------------------------------===//
#include "lib/Artifact/Artifact.h"
#include "tools/lathe/Commands.h"
#include "tools/lathe/Inputs.h"
#include "tools/lathe/Session.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Path.h"
#include <cmath>

using namespace lathe;

namespace {
struct RunFlags : ModelFlags {
  InputFlags inputs{category};
  cl::opt<std::string> variant{"variant", cl::desc("run the code for this target, instead of the best one of several"),
                               cl::value_desc("target"), cl::cat(category)};
  cl::opt<std::string> outputDir{"output-dir", cl::desc("write every output to <folder>/<name>.npy"),
                                 cl::value_desc("folder"), cl::cat(category)};
  cl::list<std::string> checks{"check",
                               cl::desc("compare an output with a file; the exit code is 0 "
                                        "exactly when all agree"),
                               cl::value_desc("NAME=F.npy"), cl::cat(category)};
  ToleranceFlag rtol{"rtol", cl::desc("relative tolerance of --check"), cl::init(1e-3), cl::cat(category)};
  ToleranceFlag atol{"atol", cl::desc("absolute tolerance of --check"), cl::init(1e-4), cl::cat(category)};
  ThreadsFlag threads{"threads", cl::desc("threads to run on; 0: all of the machine"), cl::init(1), cl::cat(category)};
  cl::opt<bool> json{"json", cl::desc("print results as JSON"), cl::cat(category)};
};
} // namespace

/// A file name for an output; names of ONNX values may hold slashes.
static std::string fileNameOf(llvm::StringRef output) {
  std::string name = output.str();
  for (char &c : name)
    if (c == '/' || c == '\\' || c == '\0')
      c = '_';
  return name + ".npy";
}

static llvm::Error writeOutputs(const lathe_model &model, llvm::ArrayRef<NpyArray> outputs, llvm::StringRef folder) {
  if (std::error_code error = llvm::sys::fs::create_directories(folder))
    return llvm::createStringError("cannot make folder " + folder + ": " + error.message());
  for (auto [index, output] : llvm::enumerate(outputs)) {
    llvm::SmallString<128> path(folder);
    llvm::sys::path::append(path, fileNameOf(model.outputs[index].name));
    std::string contents = formatNpy(output);
    if (llvm::Error error = writeFile(path, [&](llvm::raw_ostream &stream) { stream << contents; }))
      return error;
  }
  return llvm::Error::success();
}

/// Compares outputs with files; prints a line or a JSON object for each, and clears `agree` at the first that differs.
static llvm::Error check(const RunFlags &flags, const lathe_model &model, llvm::ArrayRef<NpyArray> outputs,
                         llvm::json::Array &report, bool &agree) {
  for (const std::string &flag : flags.checks) {
    auto split = splitAssignment("--check", flag);
    if (!split)
      return split.takeError();
    size_t index = 0;
    while (index < outputs.size() && split->first != model.outputs[index].name)
      ++index;
    if (index == outputs.size())
      return llvm::createStringError("the model has no output '" + split->first + "'");
    llvm::Expected<NpyArray> expected = readNpy(split->second);
    if (!expected)
      return expected.takeError();
    expected->nameBytes(outputs[index].type);
    Difference difference = compare(outputs[index], *expected, flags.rtol, flags.atol);
    agree &= difference.agrees;
    if (flags.json) {
      report.push_back(llvm::json::Object{{"output", split->first},
                                          {"agrees", difference.agrees},
                                          {"mismatches", difference.mismatches},
                                          {"largest_absolute", difference.largestAbsolute},
                                          {"largest_relative", difference.largestRelative}});
      continue;
    }
    llvm::outs() << split->first << ": " << (difference.agrees ? "agrees" : "DIFFERS");
    if (!difference.sameShape)
      llvm::outs() << ", expected shape " << formatShape(expected->shape) << ", but got "
                   << formatShape(outputs[index].shape) << "\n";
    else
      llvm::outs() << ", largest difference " << llvm::format("%.3g", difference.largestAbsolute) << " at "
                   << difference.index << " (" << llvm::format("%.9g", difference.actual) << ", expected "
                   << llvm::format("%.9g", difference.expected) << "), " << difference.mismatches << " of "
                   << expected->size() << " outside the tolerance\n";
  }
  return llvm::Error::success();
}

static void printOutputs(const lathe_model &model, llvm::ArrayRef<NpyArray> outputs) {
  for (auto [index, output] : llvm::enumerate(outputs)) {
    llvm::outs() << model.outputs[index].name << ": " << nameOf(output.type).str() << " " << formatShape(output.shape);
    int64_t count = output.size(), shown = std::min<int64_t>(count, 8);
    for (int64_t i = 0; i < shown; ++i)
      llvm::outs() << (i ? " " : " = ") << llvm::format("%.6g", output.at(i));
    llvm::outs() << (shown < count ? " ...\n" : "\n");
  }
}

int lathe::runRun(int argc, char **argv) {
  RunFlags flags;
  flags.parse(argc, argv, "lathe run: run a model once\n");
  Session session(flags, flags.options());
  std::unique_ptr<LoadedModel> loaded = session.load();
  if (!loaded)
    return kFailure;
  if (!flags.variant.empty())
    if (llvm::Error error = loaded->setVariant(flags.variant))
      return fail(textOf(std::move(error)));
  const lathe_model &model = loaded->getModel();
  llvm::Expected<std::vector<Tensor>> inputs = flags.inputs.read(model, /*fill=*/false);
  if (!inputs)
    return fail(textOf(inputs.takeError()));
  std::vector<const Tensor *> pointers;
  for (const Tensor &input : *inputs)
    pointers.push_back(&input);
  llvm::SmallVector<Tensor> tensors;
  ExecutorPtr executor = makeExecutor(flags.threads);
  if (llvm::Error error = loaded->run(pointers, tensors, executor.get()))
    return fail(textOf(std::move(error)));

  std::vector<NpyArray> outputs;
  for (const Tensor &tensor : tensors)
    outputs.push_back(toArray(tensor));
  if (!flags.outputDir.empty())
    if (llvm::Error error = writeOutputs(model, outputs, flags.outputDir))
      return fail(textOf(std::move(error)));
  if (!flags.json && flags.checks.empty())
    printOutputs(model, outputs);
  llvm::json::Array report;
  bool agree = true;
  if (llvm::Error error = check(flags, model, outputs, report, agree))
    return fail(textOf(std::move(error)));
  if (flags.json)
    llvm::outs() << llvm::json::Value(
                        llvm::json::Object{{"model", model.name}, {"agree", agree}, {"checks", std::move(report)}})
                 << "\n";
  return agree ? kSuccess : kFailure;
}

//===- Session.cpp - One compilation of the command line ------------------===//
#include "tools/lathe/Session.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>
#include <chrono>
#include <numeric>

using namespace lathe;

const mlir::DialectRegistry &lathe::getRegistry() {
  static mlir::DialectRegistry *registry = [] {
    auto *made = new mlir::DialectRegistry();
    registerDialects(*made);
    return made;
  }();
  return *registry;
}

Session::Session(const ModelFlags &flags, CompileOptions given, std::vector<CollectedRemark> *remarks)
    : context(getRegistry()), options(std::move(given)), file(flags.model), diagnostics(context, file, llvm::errs()) {
  if (flags.jobs)
    context.disableMultithreading();
  if (flags.jobs > 1) {
    threads.emplace(llvm::hardware_concurrency(flags.jobs));
    context.setThreadPool(*threads);
  }
  // An operation's text is the whole function in MLIR: no help to the user of a model.
  context.printOpOnDiagnostic(false);
  mlir::applyDefaultTimingManagerCLOptions(timing);
  root = timing.getRootScope();
  options.timing = &root;
  options.configure = [this](mlir::PassManager &passes) {
    (void)mlir::applyPassManagerCLOptions(passes);
    passes.enableTiming(root);
  };
  if (flags.remarks || remarks) {
    mlir::remark::RemarkCategories categories;
    categories.passed = categories.missed = categories.failed = categories.analysis = ".*";
    (void)mlir::remark::enableOptimizationRemarks(
        context, remarks ? std::make_unique<RemarkCollector>(*remarks) : nullptr,
        std::make_unique<mlir::remark::RemarkEmittingPolicyAll>(), categories, /*printAsEmitRemarks=*/flags.remarks);
  }
}

mlir::OwningOpRef<mlir::ModuleOp> Session::compile(Phase last) {
  unsigned before = diagnostics.getNumErrors();
  mlir::OwningOpRef<mlir::ModuleOp> module = compileFile(file, context, options, last);
  if (!module && diagnostics.getNumErrors() == before)
    llvm::errs() << file << ": error: the compilation failed in phase '" << nameOf(last)
                 << "' or before; this is a bug of lathe\n";
  return module;
}

std::unique_ptr<LoadedModel> Session::load() {
  llvm::StringRef extension = llvm::sys::path::extension(file);
  if (extension == ".o" || extension == ".so") {
    llvm::Expected<std::unique_ptr<LoadedModel>> opened = LoadedModel::open(file);
    if (opened)
      return std::move(*opened);
    llvm::errs() << file << ": error: " << textOf(opened.takeError()) << "\n";
    return nullptr;
  }
  mlir::OwningOpRef<mlir::ModuleOp> module = compile(Phase::LLVM);
  if (!module)
    return nullptr;
  profile = readProfileLayout(*module);
  llvm::Expected<std::unique_ptr<LoadedModel>> loaded = loadModule(*module, &codeBytes, &root);
  if (!loaded) {
    llvm::errs() << file << ": error: " << textOf(loaded.takeError()) << "\n";
    return nullptr;
  }
  return std::move(*loaded);
}

ExecutorPtr lathe::makeExecutor(int threads) {
  return threads == 1 ? nullptr : ExecutorPtr(lathe_executor_create(threads));
}

Times lathe::summarize(std::vector<double> milliseconds) {
  Times times;
  if (milliseconds.empty())
    return times;
  std::sort(milliseconds.begin(), milliseconds.end());
  size_t count = milliseconds.size();
  times.minimum = milliseconds.front();
  times.median = (milliseconds[(count - 1) / 2] + milliseconds[count / 2]) / 2;
  times.mean = std::accumulate(milliseconds.begin(), milliseconds.end(), 0.0) / double(count);
  times.p90 = milliseconds[(count * 9) / 10 < count ? (count * 9) / 10 : count - 1];
  return times;
}

double lathe::now() {
  using namespace std::chrono;
  return duration<double, std::milli>(steady_clock::now().time_since_epoch()).count();
}

//===- lathe-conformance.cpp - ONNX's backend tests through objects -------===//
//
// Compiles each case to an object, loads it, runs it on the given inputs and compares with ONNX's expected outputs. A
// list of expected failures makes the run fail on unexpected passes as well. --variant runs changed models on the same
// data.
//
//===----------------------------------------------------------------------===//
#include "TestCase.h"
#include "Variant.h"
#include "lib/Artifact/Artifact.h"
#include "lib/Driver/Pipeline.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/CrashRecoveryContext.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Regex.h"
#include "llvm/Support/ThreadPool.h"
#include "llvm/Support/Threading.h"
#include <cstring>
#include <map>
#include <set>

using namespace lathe;
namespace cl = llvm::cl;
namespace fs = llvm::sys::fs;

static cl::list<std::string> clFolders(cl::Positional, cl::OneOrMore,
                                       cl::desc("folders in ONNX's backend-test layout"));
static cl::opt<unsigned> clJobs("jobs", cl::desc("cases at a time (default: processors)"), cl::init(0));
static cl::opt<std::string> clJson("json", cl::desc("write results to this file"));
static cl::opt<std::string> clExpected("expected-failures", cl::desc("file of lines 'case: reason'"));
static cl::opt<std::string> clWriteExpected("write-expected-failures", cl::desc("write that file from this run"));
static cl::opt<std::string> clFilter("filter", cl::desc("only cases whose name matches this regular expression"));
static cl::bits<Variant>
    clVariant("variant", cl::CommaSeparated, cl::desc("what is different from the models of the cases"),
              cl::values(clEnumValN(Variant::kDynamic, "dynamic", "sizes of inputs above 1 are symbols"),
                         clEnumValN(Variant::kUndeclared, "undeclared", "shapes of outputs are not declared"),
                         clEnumValN(Variant::kConstant, "constant", "inputs are constants"),
                         clEnumValN(Variant::kParameters, "parameters", "inputs but the first are")));
static cl::opt<double> clRtol("rtol", cl::desc("relative tolerance"), cl::init(1e-3));
static cl::opt<double> clAtol("atol", cl::desc("absolute tolerance"), cl::init(1e-7));
static cl::opt<bool> clVerbose("verbose", cl::desc("print every case"));

/// Test data of ONNX before 1.13 has the bits of bfloat16 as uint16.
static void restoreBFloat16(llvm::MutableArrayRef<Tensor> tensors, const lathe_tensor *declared, unsigned count) {
  for (unsigned i = 0; i < count && i < tensors.size(); ++i)
    if (declared[i].dtype == LATHE_BFLOAT16 && tensors[i].getType() == LATHE_UINT16) {
      Tensor bits(LATHE_BFLOAT16, tensors[i].getShape());
      std::memcpy(bits.getData(), tensors[i].getData(), tensors[i].getNumBytes());
      tensors[i] = std::move(bits);
    }
}

/// Puts the path of a changed model in the place of `path`, if one is asked for, says which inputs it has as constants,
/// and bounds its symbols in `dims`.
static llvm::Error applyVariant(llvm::StringRef folder, TestInterface &interface, std::string &path,
                                std::vector<std::string> &dims, llvm::FileRemover &remover) {
  if (!clVariant.getBits())
    return llvm::Error::success();
  llvm::SmallString<128> file;
  if (std::error_code code = fs::createTemporaryFile("lathe-conformance", "onnx", file))
    return llvm::createStringError(code, "cannot make a file for the changed model");
  remover.setFile(file);
  if (llvm::Error error = writeVariant(folder, clVariant.getBits(), file))
    return error;
  path = file.str();
  llvm::Expected<TestInterface> changed = readInterface(path);
  if (!changed)
    return changed.takeError();
  std::set<std::string> bounds;
  for (TestValue &input : interface.inputs) {
    auto left = llvm::find_if(changed->inputs, [&](const TestValue &value) { return value.name == input.name; });
    input.isConstant = left == changed->inputs.end();
    if (!input.isConstant)
      for (llvm::StringRef name : left->dims)
        if (llvm::StringRef size = name; size.consume_front(kSizePrefix))
          bounds.insert((name + "=1.." + size).str());
  }
  dims.insert(dims.end(), bounds.begin(), bounds.end());
  return llvm::Error::success();
}

/// Compiles and runs one case; the empty string, or why it fails.
static std::string runCase(llvm::StringRef folder, const mlir::DialectRegistry &registry) {
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  context.loadAllAvailableDialects();
  std::string message;
  context.getDiagEngine().registerHandler([&](mlir::Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error && message.empty())
      message = diagnostic.str();
    return mlir::success();
  });
  std::string path = (folder + "/model.onnx").str();
  llvm::Expected<TestInterface> interface = readInterface(path);
  if (!interface)
    return llvm::toString(interface.takeError());
  CompileOptions options;
  llvm::FileRemover changed;
  if (llvm::Error error = applyVariant(folder, *interface, path, options.dims, changed))
    return llvm::toString(std::move(error));
  llvm::Expected<TestData> first = readTestData((folder + "/test_data_set_0").str(), *interface);
  if (first) {
    options.elements = first->elements;
    options.constants = first->constants;
    llvm::append_range(options.dims, first->dims);
  } else {
    // The compiler says more about types that are not supported.
    llvm::consumeError(first.takeError());
  }
  mlir::OwningOpRef<mlir::ModuleOp> module = compileFile(path, context, options, Phase::LLVM);
  if (!module)
    return message.empty() ? "does not compile" : message;
  llvm::Expected<std::unique_ptr<LoadedModel>> model = loadModule(*module);
  if (!model)
    return llvm::toString(model.takeError());

  // Constants are those of the first set.
  bool hasConstants =
      llvm::any_of(interface->inputs, [](const TestValue &input) { return input.isConstant || input.isDeclared; });
  for (unsigned set = 0;; ++set) {
    std::string data = (folder + "/test_data_set_" + llvm::Twine(set)).str();
    if (!fs::is_directory(data) || (set && hasConstants))
      return set ? "" : "has no test data";
    llvm::Expected<TestData> test = readTestData(data, *interface);
    if (!test)
      return llvm::toString(test.takeError());
    const lathe_model &compiled = (*model)->getModel();
    restoreBFloat16(test->inputs, compiled.inputs, compiled.num_inputs);
    restoreBFloat16(test->outputs, compiled.outputs, compiled.num_outputs);
    llvm::SmallVector<const Tensor *> inputs;
    for (const Tensor &input : test->inputs)
      inputs.push_back(&input);
    llvm::SmallVector<Tensor> outputs;
    if (llvm::Error error = (*model)->run(inputs, outputs))
      return llvm::toString(std::move(error));
    if (llvm::Error error = compareOutputs(outputs, test->outputs, interface->isRandom, clRtol, clAtol))
      return llvm::toString(std::move(error));
  }
}

static std::string runCaseSafely(llvm::StringRef folder, const mlir::DialectRegistry &registry) {
  std::string result = "crashes";
  llvm::CrashRecoveryContext recovery;
  recovery.RunSafelyOnThread([&] { result = runCase(folder, registry); }, /*RequestedStackSize=*/16 << 20);
  return result;
}

/// Lines "case: reason"; '#' starts a comment line.
static llvm::Expected<std::map<std::string, std::string>> readExpectedFailures(llvm::StringRef path) {
  std::map<std::string, std::string> expected;
  if (path.empty())
    return expected;
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/true);
  if (!buffer)
    return llvm::createStringError("cannot read '" + path + "'");
  llvm::SmallVector<llvm::StringRef> lines;
  (*buffer)->getBuffer().split(lines, '\n', -1, /*KeepEmpty=*/false);
  for (llvm::StringRef line : lines)
    if (!line.starts_with("#"))
      expected[line.split(':').first.trim().str()] = line.split(':').second.trim().str();
  return expected;
}

/// One line of an expected failure: the reason without what follows in a long message, in whole words.
static std::string shorten(llvm::StringRef reason) {
  constexpr size_t kLength = 120;
  reason = reason.split(": operands").first.split(" (opset ").first.split('\n').first;
  return (reason.size() > kLength ? reason.take_front(kLength).rsplit(' ').first : reason).str();
}

/// Every folder below the given ones that has a model.onnx, sorted by name.
static std::vector<std::string> findCases() {
  llvm::Regex filter(clFilter);
  std::map<std::string, std::string> byName;
  for (const std::string &folder : clFolders) {
    std::error_code error;
    for (fs::recursive_directory_iterator it(folder, error), end; it != end && !error; it.increment(error))
      if (llvm::sys::path::filename(it->path()) == "model.onnx") {
        llvm::StringRef parent = llvm::sys::path::parent_path(it->path());
        if (clFilter.empty() || filter.match(llvm::sys::path::filename(parent)))
          byName[llvm::sys::path::filename(parent).str()] = parent.str();
      }
  }
  std::vector<std::string> cases;
  for (auto &[name, path] : byName)
    cases.push_back(path);
  return cases;
}

int main(int argc, char **argv) {
  cl::ParseCommandLineOptions(argc, argv, "Runs ONNX's backend tests through compiled objects\n");
  llvm::Expected<std::map<std::string, std::string>> expected = readExpectedFailures(clExpected);
  if (!expected)
    return llvm::errs() << "lathe-conformance: " << llvm::toString(expected.takeError()) << "\n", 1;
  llvm::CrashRecoveryContext::Enable();
  mlir::DialectRegistry registry;
  registerDialects(registry);

  std::vector<std::string> cases = findCases();
  std::vector<std::string> results(cases.size());
  llvm::DefaultThreadPool pool(llvm::hardware_concurrency(clJobs));
  for (size_t i = 0; i < cases.size(); ++i)
    pool.async([&, i] { results[i] = runCaseSafely(cases[i], registry); });
  pool.wait();

  unsigned passed = 0, failed = 0, wrong = 0;
  llvm::json::Object json;
  for (size_t i = 0; i < cases.size(); ++i) {
    std::string name = llvm::sys::path::filename(cases[i]).str();
    bool good = results[i].empty(), wanted = !expected->count(name);
    ++(good ? passed : failed);
    wrong += good != wanted;
    if (good != wanted || clVerbose)
      llvm::outs() << (good ? (wanted ? "pass" : "UNEXPECTED PASS") : (wanted ? "FAIL" : "expected failure")) << ": "
                   << name << (good ? "" : ": ") << results[i] << "\n";
    json[name] = results[i];
  }
  llvm::outs() << cases.size() << " cases: " << passed << " pass, " << failed << " fail (" << expected->size()
               << " expected), " << wrong << " not as expected\n";
  auto write = [](llvm::StringRef path, llvm::function_ref<void(llvm::raw_ostream &)> print) {
    llvm::Error error = path.empty() ? llvm::Error::success() : writeFile(path, print);
    if (error)
      llvm::errs() << "lathe-conformance: " << llvm::toString(std::move(error)) << "\n", std::exit(1);
  };
  write(clJson, [&](llvm::raw_ostream &stream) { stream << llvm::json::Value(std::move(json)) << "\n"; });
  write(clWriteExpected, [&](llvm::raw_ostream &stream) {
    stream << "# Cases of ONNX's backend tests that Lathe does not pass yet, and why. An unexpected pass or failure "
              "fails the\n"
              "# run. Written by lathe-conformance --write-expected-failures.\n";
    for (size_t i = 0; i < cases.size(); ++i)
      if (!results[i].empty())
        stream << llvm::sys::path::filename(cases[i]) << ": " << shorten(results[i]) << "\n";
  });
  return wrong != 0 || cases.empty();
}

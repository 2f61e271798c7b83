//===- Flags.cpp - Command-line flags shared by the subcommands -----------===//
#include "tools/lathe/Flags.h"

#include "lib/Driver/Samples.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Support/Timing.h"
#include "tools/lathe/Commands.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include <cstdlib>

using namespace lathe;

ModelFlags::ModelFlags() {
  mlir::registerAsmPrinterCLOptions();
  mlir::registerMLIRContextCLOptions();
  mlir::registerPassManagerCLOptions();
  mlir::registerDefaultTimingManagerCLOptions();
}

void lathe::parseFlags(cl::OptionCategory &category, int argc, char **argv, const char *overview) {
  cl::HideUnrelatedOptions(category);
  // An empty text means that a flag was not given, so nobody may give one.
  for (llvm::StringRef argument : llvm::ArrayRef(argv, argc).drop_front())
    if (argument.size() > 2 && argument.starts_with("-") && argument.find('=') == argument.size() - 1) {
      llvm::errs() << argv[0] << ": error: expected a value after '" << argument << "'\n";
      std::exit(kUsage);
    }
  std::string messages;
  llvm::raw_string_ostream stream(messages);
  if (!cl::ParseCommandLineOptions(argc, argv, overview, &stream)) {
    llvm::errs() << messages;
    std::exit(kUsage);
  }
}

void ModelFlags::parse(int argc, char **argv, const char *overview) {
  parseFlags(category, argc, argv, overview);
  auto require = [&](llvm::StringRef flag, llvm::Error error) {
    if (!error)
      return;
    llvm::errs() << argv[0] << ": error: --" << flag << ": " << llvm::toString(std::move(error)) << "\n";
    std::exit(kUsage);
  };
  for (auto &[transform, text] : transforms())
    require(transform, checkTransform(transform, text));
  require("activation-range", checkActivationRange(activationRange));
  require("preprocess", Preprocess::parse(preprocess).takeError());
  if (!tuning.empty()) {
    llvm::Expected<TuningFile> read = readTuning(tuning);
    if (!read)
      std::exit(fail(llvm::toString(read.takeError())));
    measured = std::make_shared<TuningRequest>(TuningRequest{std::make_shared<TuningFile>(std::move(*read)), {}});
  }
  if (recipe.empty())
    return;
  llvm::Expected<Recipe> read = readRecipe(recipe);
  if (!read)
    std::exit(fail(llvm::toString(read.takeError())));
  settings = std::move(*read);
}

TransformTexts ModelFlags::transforms() const {
  TransformTexts texts;
  for (const cl::opt<std::string> *flag : {&tokenMerge, &tokenPrune, &lowRank, &prune, &quantize, &precision})
    if (!flag->empty())
      texts[flag->ArgStr.str()] = *flag;
  return texts;
}

std::string lathe::symbolNameOf(llvm::StringRef path) {
  std::string name = llvm::sys::path::stem(path).str();
  for (char &c : name)
    if (!llvm::isAlnum(c))
      c = '_';
  if (name.empty() || llvm::isDigit(name[0]))
    name = "model_" + name;
  return name;
}

CompileOptions ModelFlags::options() const {
  CompileOptions options;
  options.name = symbolNameOf(model);
  options.target = target;
  options.cpu = cpu;
  options.emulate = emulate;
  options.hostTarget = hostTarget;
  options.dims.assign(dims.begin(), dims.end());
  options.elements.assign(elements.begin(), elements.end());
  options.constants.assign(constants.begin(), constants.end());
  options.compression = settings.settings;
  for (auto &[transform, text] : transforms())
    options.compression.transforms[transform] = text;
  for (const std::string &pattern : quantizeSkip)
    options.compression.overrides.push_back({pattern, {{"quantize", "none"}}});
  if (activationRange.getNumOccurrences())
    options.compression.activationRange = activationRange;
  options.calibration = calibrate.empty() ? settings.calibration : calibrate;
  options.preprocess = preprocess.empty() ? settings.preprocess : preprocess;
  options.winograd = !noWinograd;
  options.tuning = measured;
  return options;
}

int lathe::fail(const llvm::Twine &message) {
  llvm::errs() << "lathe: error: " << message << "\n";
  return kFailure;
}

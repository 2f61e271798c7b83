//===- Flags.cpp - Command-line flags shared by the subcommands -----------===//
#include "tools/lathe/Flags.h"

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

/// What --quantize asks for; false if it cannot be read.
static bool readQuantization(llvm::StringRef text, CompileOptions &options) {
  if (text.empty())
    return true;
  llvm::SmallVector<llvm::StringRef> parts;
  text.split(parts, ':');
  if (text == "int8")
    return options.quantizeInt8 = true;
  if (parts[0] != "w8" && parts[0] != "w4")
    return false;
  options.weightBits = parts[0] == "w8" ? 8 : 4;
  for (llvm::StringRef part : llvm::drop_begin(parts)) {
    if (part == "asymmetric")
      options.symmetricWeights = false;
    else if (!part.consume_front("group=") || part.getAsInteger(10, options.weightGroup) ||
             !llvm::is_contained({32, 64, 128}, options.weightGroup))
      return false;
  }
  return true;
}

ModelFlags::ModelFlags() {
  mlir::registerAsmPrinterCLOptions();
  mlir::registerMLIRContextCLOptions();
  mlir::registerPassManagerCLOptions();
  mlir::registerDefaultTimingManagerCLOptions();
}

void ModelFlags::parse(int argc, char **argv, const char *overview) {
  cl::HideUnrelatedOptions(category);
  std::string messages;
  llvm::raw_string_ostream stream(messages);
  if (!cl::ParseCommandLineOptions(argc, argv, overview, &stream)) {
    llvm::errs() << messages;
    std::exit(kUsage);
  }
  CompileOptions unused;
  if (!readQuantization(quantize, unused)) {
    llvm::errs() << argv[0] << ": error: expected --quantize=int8, or w8 or w4 with :group=32, 64 or 128 and :asymmetric, "
                 << "but got '" << quantize << "'\n";
    std::exit(kUsage);
  }
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
  options.dims.assign(dims.begin(), dims.end());
  readQuantization(quantize, options);
  options.calibration = calibrate;
  options.preprocess = preprocess;
  options.activationRange = activationRange;
  options.quantizeSkip.assign(quantizeSkip.begin(), quantizeSkip.end());
  return options;
}

int lathe::fail(const llvm::Twine &message) {
  llvm::errs() << "lathe: error: " << message << "\n";
  return kFailure;
}

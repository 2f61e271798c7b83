//===- lathe.cpp - The command-line driver --------------------------------===//
#include "tools/lathe/Commands.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/raw_ostream.h"
#include <string>
#include <vector>

using namespace lathe;

namespace {
struct CommandEntry {
  llvm::StringLiteral name;
  Command run;
  const char *summary;
};
} // namespace

static constexpr CommandEntry kCommands[] = {
    {"compile", runCompile, "compile a model to an object file and a C header"},
    {"run", runRun, "run a model once on given or random inputs"},
    {"bench", runBench, "measure a model's latency"},
    {"eval", runEval, "measure accuracy or perplexity on labelled data"},
    {"calibrate", runCalibrate, "record the ranges of activations for quantization"},
    {"tune", runTune, "measure what is fastest for a model's kernels on this machine"},
    {"machine", runMachine, "measure what no kernel can exceed on this machine"},
    {"inspect", runInspect, "show operators, shapes, sizes and what is unsupported"},
};

static void printHelp(llvm::raw_ostream &stream) {
  stream << "OVERVIEW: ahead-of-time compiler for ONNX models\n\n"
            "USAGE: lathe <command> MODEL.onnx [options]\n\nCOMMANDS:\n";
  for (const CommandEntry &command : kCommands)
    stream << "  " << llvm::left_justify(command.name, 10) << " " << command.summary << "\n";
  stream << "\n'lathe <command> --help' lists the options of a command.\n";
}

/// Takes the flags that LLVM's libraries register by themselves off the command line: their names clash with ours
/// (--threads), and they are no part of this program. Those of MLIR are registered later, by `ModelFlags`.
static void removeLibraryFlags() {
  llvm::SmallVector<llvm::cl::Option *> flags;
  for (auto &entry : llvm::cl::getRegisteredOptions())
    if (llvm::is_contained(entry.second->Categories, &llvm::cl::getGeneralCategory()))
      flags.push_back(entry.second);
  for (llvm::cl::Option *flag : flags)
    flag->removeArgument();
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  llvm::StringRef name = argc > 1 ? argv[1] : "";
  if (name == "--help" || name == "-h" || name == "help") {
    printHelp(llvm::outs());
    return kSuccess;
  }
  if (name == "--version") {
    llvm::outs() << "lathe " LATHE_VERSION "\n";
    return kSuccess;
  }
  for (const CommandEntry &command : kCommands) {
    if (command.name != name)
      continue;
    std::string program = "lathe " + name.str();
    std::vector<char *> arguments = {program.data()};
    arguments.insert(arguments.end(), argv + 2, argv + argc);
    arguments.push_back(nullptr);
    removeLibraryFlags();
    return command.run(argc - 1, arguments.data());
  }
  if (name.empty())
    llvm::errs() << "lathe: error: expected a command\n\n";
  else
    llvm::errs() << "lathe: error: unknown command '" << name << "'\n\n";
  printHelp(llvm::errs());
  return kUsage;
}

//===- Compile.cpp - lathe compile ----------------------------------------===//
#include "lib/Artifact/Artifact.h"
#include "passes/Codegen/Common/TargetKind.h"
#include "tools/lathe/Commands.h"
#include "tools/lathe/Experiment.h"
#include "tools/lathe/Session.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/TargetParser/Triple.h"

using namespace mlir;
using namespace lathe;

namespace {
enum class Emit { Object, Shared, Executable, Wasm, LLVMIR, Assembly, MLIR, Header, Ptx };

struct CompileFlags : ModelFlags {
  cl::opt<std::string> output{"o", cl::desc("file to write; - is stdout"), cl::value_desc("file"), cl::cat(category)};
  cl::opt<Emit> emit{
      "emit", cl::desc("what to write:"), cl::init(Emit::Object), cl::cat(category),
      cl::values(clEnumValN(Emit::Object, "obj", "relocatable object, and the header beside it"),
                 clEnumValN(Emit::Shared, "shared", "shared object, and the header beside it"),
                 clEnumValN(Emit::Executable, "exe", "program that runs the model on .npy files"),
                 clEnumValN(Emit::Wasm, "wasm", "WebAssembly module, and an ES module with its types beside it"),
                 clEnumValN(Emit::LLVMIR, "llvm", "optimised LLVM IR"), clEnumValN(Emit::Assembly, "asm", "assembly"),
                 clEnumValN(Emit::MLIR, "mlir", "the LLVM dialect of MLIR"),
                 clEnumValN(Emit::Header, "header", "only the C header"),
                 clEnumValN(Emit::Ptx, "ptx", "kernels of a GPU, as PTX"))};
  cl::opt<std::string> compileTo{
      "compile-to",
      cl::desc("stop after a phase and write its MLIR: import, shapes, fuse, compress, lower, "
               "bufferize, codegen, llvm"),
      cl::value_desc("phase"), cl::cat(category)};
  cl::opt<std::string> triple{"triple",
                              cl::desc("system of the target, as LLVM names it: aarch64-linux-android29, "
                                       "arm64-apple-macos13 (default: its Linux with glibc)"),
                              cl::value_desc("triple"), cl::cat(category)};
  cl::opt<bool> exportBlocks{
      "export-blocks", cl::desc("with --emulate: make single blocks of kernels callable, for tests without a GPU"),
      cl::Hidden, cl::cat(category)};
  cl::opt<bool> externalWeights{
      "external-weights",
      cl::desc(
          "write the weights of a WebAssembly module to a file beside it, .weights, which several modules can share"),
      cl::cat(category)};
  cl::opt<bool> fullConstants{"full-constants", cl::desc("write large constants in MLIR too"), cl::cat(category)};
  cl::opt<std::string> name{"name", cl::desc("prefix of the object's symbols (default: the file)"),
                            cl::value_desc("identifier"), cl::cat(category)};
  EvaluationFlags data{category};
  ExperimentFlags experiment{category};
};
} // namespace

static void printModule(ModuleOp module, llvm::raw_ostream &stream, bool fullConstants) {
  OpPrintingFlags flags;
  if (!fullConstants)
    // The local scope never visits the bytes of resources.
    flags.useLocalScope().elideLargeElementsAttrs(32);
  module.print(stream, flags);
  stream << "\n";
}

static int write(StringRef path, StringRef contents) {
  if (llvm::Error error = writeFile(path, [&](llvm::raw_ostream &stream) { stream << contents; }))
    return fail(textOf(std::move(error)));
  return kSuccess;
}

static int writeModule(ModuleOp module, const CompileFlags &flags, StringRef path) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  printModule(module, stream, flags.fullConstants);
  return write(path, text);
}

/// Where the build keeps liblathe_rt.a and liblathe_main.a: beside the folder of this program.
static std::string getLibraryFolder() {
  static char anchor;
  SmallString<128> folder(llvm::sys::fs::getMainExecutable("lathe", &anchor));
  llvm::sys::path::remove_filename(folder);
  llvm::sys::path::append(folder, "..", "lib");
  return folder.str().str();
}

static llvm::Error writeCode(const CompiledObject &object, nn::TargetAttr target, StringRef path, Emit emit) {
  if (emit == Emit::Shared)
    return linkShared(object, target, path, getLibraryFolder());
  if (emit == Emit::Executable)
    return linkExecutable(object, target, path, getLibraryFolder());
  llvm::Error inner = llvm::Error::success();
  llvm::Error outer = writeFile(path, [&](llvm::raw_ostream &stream) {
    inner = llvm::joinErrors(std::move(inner), writeObject(object, stream));
  });
  return llvm::joinErrors(std::move(outer), std::move(inner));
}

/// Writes the object and, beside it, the header: both or none. A program has no header.
static int writeArtifact(ModuleOp module, StringRef path, Emit emit, TimingScope *timing) {
  SmallString<128> header(path);
  llvm::sys::path::replace_extension(header, ".h");
  if (header == path)
    return fail("expected an output that is not a header, but got '" + path + "'");
  FailureOr<CompiledObject> object = compileObject(module, nn::getTarget(module), timing);
  if (failed(object))
    return kFailure;
  if (llvm::Error error = writeCode(*object, nn::getTarget(module), path, emit))
    return fail(textOf(std::move(error)));
  if (emit == Emit::Executable)
    return kSuccess;
  llvm::sys::fs::file_status kind;
  if (path == "-" || (!llvm::sys::fs::status(path, kind) && llvm::sys::fs::is_other(kind)))
    return kSuccess;
  int status = write(header, generateHeader(module));
  if (status != kSuccess)
    llvm::sys::fs::remove(path);
  return status;
}

/// Writes the WebAssembly module and, beside it, the ES module and its types, and external weights: all or none.
static int writeWasm(ModuleOp module, StringRef path, bool externalWeights, TimingScope *timing) {
  if (llvm::sys::path::extension(path) != ".wasm")
    return fail("expected an output that ends in .wasm, but got '" + path + "'");
  auto beside = [&](StringRef extension) {
    SmallString<128> file(path);
    llvm::sys::path::replace_extension(file, extension);
    return file.str().str();
  };
  std::string script = beside(".mjs"), types = beside(".d.mts"), weights = beside(".weights");
  FailureOr<CompiledObject> object = compileObject(module, nn::getTarget(module), timing, externalWeights);
  if (failed(object))
    return kFailure;
  llvm::Expected<uint64_t> memoryPages = linkWasm(*object, nn::getTarget(module), path);
  if (!memoryPages)
    return fail(textOf(memoryPages.takeError()));
  WebFiles files;
  files.wasm = llvm::sys::path::filename(path);
  files.memoryPages = *memoryPages;
  if (externalWeights && object->weightBytes) {
    files.weights = llvm::sys::path::filename(weights);
    files.weightsHash = hashWeights(*object);
  }
  int status = kSuccess;
  if (!files.weights.empty())
    if (llvm::Error error = writeFile(weights, [&](llvm::raw_ostream &stream) { writeWeights(*object, stream); }))
      status = fail(textOf(std::move(error)));
  if (status == kSuccess)
    status = write(script, generateWebModule(module, files));
  if (status == kSuccess)
    status = write(types, generateWebTypes(module));
  if (status != kSuccess)
    for (StringRef file : {path, StringRef(script), StringRef(types), StringRef(weights)})
      llvm::sys::fs::remove(file);
  return status;
}

/// A program and a shared object are ELF files, a module is for an engine.
static llvm::Error checkTarget(Emit emit, nn::TargetAttr target) {
  bool isWasm = llvm::Triple(target.getTriple()).isWasm();
  if (emit == Emit::Wasm && !isWasm)
    return llvm::createStringError("--emit=wasm needs --target=wasm32 or another of WebAssembly's, but the target is " +
                                   target.getTriple());
  if ((emit == Emit::Shared || emit == Emit::Executable) && isWasm)
    return llvm::createStringError("WebAssembly has no shared objects and programs: use --emit=wasm or --emit=obj");
  if ((emit == Emit::Shared || emit == Emit::Executable) && llvm::Triple(target.getTriple()).isOSBinFormatMachO())
    return llvm::createStringError("shared objects and programs of " + target.getTriple() +
                                   " are not supported: use --emit=obj and link it there");
  return llvm::Error::success();
}

static StringRef defaultExtension(Emit emit) {
  switch (emit) {
  case Emit::Object:
    return ".o";
  case Emit::Shared:
    return ".so";
  case Emit::Executable:
    return "";
  case Emit::Wasm:
    return ".wasm";
  case Emit::LLVMIR:
    return ".ll";
  case Emit::Assembly:
    return ".s";
  case Emit::MLIR:
    return ".mlir";
  case Emit::Header:
    return ".h";
  case Emit::Ptx:
    return ".ptx";
  }
  return ".o";
}

int lathe::runCompile(int argc, char **argv) {
  CompileFlags flags;
  flags.parse(argc, argv, "lathe compile: compile a model to an object file and a C header\n");
  CompileOptions options = flags.options();
  if (!flags.name.empty()) {
    if (symbolNameOf(flags.name) != flags.name)
      return fail("expected --name to be a C identifier, but got '" + flags.name + "'");
    options.name = flags.name;
  }

  options.exportBlocks = flags.exportBlocks;
  options.triple = flags.triple;
  Phase last = flags.emit == Emit::Ptx ? Phase::Codegen : Phase::LLVM;
  bool stops = !flags.compileTo.empty();
  if (stops) {
    std::optional<Phase> phase = parsePhase(flags.compileTo);
    if (!phase || *phase == Phase::Object)
      return fail("expected --compile-to=import, shapes, fuse, compress, lower, bufferize, codegen "
                  "or llvm, but got '" +
                  flags.compileTo + "'");
    last = *phase;
  }
  Emit emit = flags.emit;
  if (!flags.emit.getNumOccurrences() && StringRef(flags.output).ends_with(".wasm"))
    emit = Emit::Wasm;
  std::string path = flags.output;
  if (path.empty())
    path = stops ? std::string("-") : (llvm::sys::path::stem(flags.model) + defaultExtension(emit)).str();

  if (flags.experiment.areGiven()) {
    if (!flags.data.areGiven()) {
      llvm::errs()
          << "lathe compile: error: expected evaluation data for --report, --max-drop and --save-recipe: --inputs and "
             "--labels, or --tokens\n";
      return kUsage;
    }
    std::optional<CompileOptions> limited = runExperiment(flags, flags.data, flags.experiment, options);
    if (!limited)
      return kFailure;
    options = std::move(*limited);
  }

  Session session(flags, options);
  OwningOpRef<ModuleOp> module = session.compile(last);
  if (!module)
    return kFailure;
  if (stops)
    return writeModule(*module, flags, path);
  if (llvm::Error error = checkTarget(emit, nn::getTarget(*module)))
    return fail(textOf(std::move(error)));
  if (flags.externalWeights && emit != Emit::Wasm)
    return fail("--external-weights goes with --emit=wasm alone");
  TimingScope *timing = session.getOptions().timing;
  switch (emit) {
  case Emit::Object:
  case Emit::Shared:
  case Emit::Executable:
    return writeArtifact(*module, path, emit, timing);
  case Emit::Wasm:
    return writeWasm(*module, path, flags.externalWeights, timing);
  case Emit::LLVMIR:
  case Emit::Assembly: {
    FailureOr<Bytes> code = generateCode(*module, nn::getTarget(*module),
                                         emit == Emit::LLVMIR ? CodeKind::LLVMIR : CodeKind::Assembly, timing);
    return failed(code) ? kFailure : write(path, StringRef(code->data(), code->size()));
  }
  case Emit::MLIR:
    return writeModule(*module, flags, path);
  case Emit::Header:
    return write(path, generateHeader(*module));
  case Emit::Ptx: {
    if (!codegen::isGpu(nn::getTarget(*module)))
      return fail("expected a GPU target for --emit=ptx, and no --emulate");
    FailureOr<Bytes> code = generateKernels(*module, session.getOptions());
    return failed(code) ? kFailure : write(path, StringRef(code->data(), code->size()));
  }
  }
  return kFailure;
}

//===- Link.cpp - lld in process ------------------------------------------===//
#include "lib/Artifact/Link.h"
#include "lib/Artifact/Artifact.h"
#include "lib/Target/TargetFamily.h"
#include "lld/Common/Driver.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Object/ObjectFile.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include <mutex>

LLD_HAS_DRIVER(elf)
LLD_HAS_DRIVER(wasm)

using namespace lathe;

namespace {
/// Takes this program's options out of LLVM's command line: wasm-ld resets and parses it, even for no -mllvm options.
class HiddenOptions {
public:
  HiddenOptions() { swap(); }
  ~HiddenOptions() { swap(); }

private:
  void swap() {
    llvm::cl::SubCommand &command = llvm::cl::SubCommand::getTopLevel();
    std::swap(command.PositionalOpts, positional);
    std::swap(command.SinkOpts, sinks);
    std::swap(command.OptionsMap, named);
    std::swap(command.ConsumeAfterOpt, last);
  }

  decltype(llvm::cl::SubCommand::PositionalOpts) positional;
  decltype(llvm::cl::SubCommand::SinkOpts) sinks;
  decltype(llvm::cl::SubCommand::OptionsMap) named;
  llvm::cl::Option *last = nullptr;
};
} // namespace

llvm::Error lathe::link(const char *program, llvm::ArrayRef<std::string> arguments) {
  // lld keeps its state in globals.
  static std::mutex mutex;
  static bool usable = true;
  std::lock_guard<std::mutex> lock(mutex);
  if (!usable)
    return llvm::createStringError("the linker crashed before in this process");
  llvm::SmallVector<const char *> raw{program};
  for (const std::string &argument : arguments)
    raw.push_back(argument.c_str());
  std::string messages;
  llvm::raw_string_ostream stream(messages);
  const lld::DriverDef drivers[] = {{lld::Gnu, &lld::elf::link}, {lld::Wasm, &lld::wasm::link}};
  HiddenOptions hidden;
  lld::Result result = lld::lldMain(raw, stream, stream, drivers);
  usable = result.canRunAgain;
  if (result.retCode != 0)
    return llvm::createStringError("linking failed: " + messages);
  return llvm::Error::success();
}

llvm::Expected<TemporaryFile> TemporaryFile::create(llvm::StringRef suffix) {
  TemporaryFile file;
  if (std::error_code error = llvm::sys::fs::createTemporaryFile("lathe", suffix, file.path))
    return llvm::createStringError(error, "cannot create a temporary file: " + error.message());
  return file;
}

TemporaryFile::~TemporaryFile() {
  if (!path.empty())
    (void)llvm::sys::fs::remove(path);
}

llvm::Expected<TemporaryFile> lathe::toFile(const CompiledObject &object) {
  llvm::Expected<TemporaryFile> file = TemporaryFile::create("o");
  if (!file)
    return file.takeError();
  llvm::Error inner = llvm::Error::success();
  llvm::Error outer = writeFile(file->path, [&](llvm::raw_ostream &stream) {
    inner = llvm::joinErrors(std::move(inner), writeObject(object, stream));
  });
  if (llvm::Error error = llvm::joinErrors(std::move(outer), std::move(inner)))
    return std::move(error);
  return file;
}

/// Large weights are aligned to the pages that Linux maps them in where its file system has such (2 MB on x86-64): each
/// run reads all of them, and looks up fewer pages.
static std::vector<std::string> pageArguments(const CompiledObject &object) {
  if (!prefersLargePages(object.weightBytes))
    return {};
  return {"-z", "max-page-size=" + std::to_string(kLargePageBytes)};
}

/// Links to `path`. lld maps what it writes and touches it page by page, so a file system like ext4 caches such a file
/// in small pages. Written at once, it is cached in large ones, of which a program maps far fewer.
static llvm::Error linkToFile(llvm::ArrayRef<std::string> arguments, llvm::StringRef path) {
  llvm::Expected<TemporaryFile> linked = TemporaryFile::create("elf");
  if (!linked)
    return linked.takeError();
  std::vector<std::string> all(arguments);
  all.insert(all.end(), {"-o", linked->path.str().str()});
  if (llvm::Error error = link("ld.lld", all))
    return error;
  auto bytes = llvm::MemoryBuffer::getFile(linked->path, /*IsText=*/false, /*RequiresNullTerminator=*/true,
                                           /*IsVolatile=*/true);
  if (!bytes)
    return llvm::createStringError(bytes.getError(), "cannot read " + linked->path + ": " + bytes.getError().message());
  return writeFile(
      path, [&](llvm::raw_ostream &stream) { stream << (*bytes)->getBuffer(); }, /*executable=*/true);
}

/// Whether the code calls functions of libm: those on f64 that it does not write out.
static llvm::Expected<bool> callsMath(const CompiledObject &object) {
  llvm::StringRef code(object.code.data(), object.code.size());
  auto file = llvm::object::ObjectFile::createELFObjectFile(llvm::MemoryBufferRef(code, object.name));
  if (!file)
    return file.takeError();
  for (const llvm::object::SymbolRef &symbol : (*file)->symbols()) {
    llvm::Expected<uint32_t> flags = symbol.getFlags();
    if (!flags)
      return flags.takeError();
    llvm::Expected<llvm::StringRef> name = symbol.getName();
    if (!name)
      return name.takeError();
    bool isMissing = (*flags & llvm::object::SymbolRef::SF_Undefined) && !(*flags & llvm::object::SymbolRef::SF_Weak);
    bool isOther =
        name->empty() || name->starts_with("mem") || name->starts_with("lathe_") || *name == object.name + "_weights";
    if (isMissing && !isOther)
      return true;
  }
  return false;
}

namespace {
/// Where what is linked with a model lies.
struct LinkFolders {
  ProgramParts parts;
  std::string system;  ///< the C library
  std::string runtime; ///< liblathe_rt.a
};
} // namespace

/// Finds the C library of the target and, if asked for, the runtime; errors begin with `what` needs them.
static llvm::Expected<LinkFolders> findFolders(nn::TargetAttr target, llvm::StringRef libraries, llvm::StringRef what,
                                               bool needsRuntime) {
  const TargetFamily *family = findTargetFamily(target);
  std::optional<ProgramParts> parts = family ? family->getProgramParts(target) : std::nullopt;
  if (!parts)
    return llvm::createStringError("programs for " + target.getTriple() +
                                   " are not supported; link the object yourself");
  auto system =
      llvm::find_if(parts->system, [](const std::string &folder) { return llvm::sys::fs::exists(folder + "/crt1.o"); });
  if (system == parts->system.end())
    return llvm::createStringError(what + " needs the C library's " + parts->system.front() + "/crt1.o; install " +
                                   parts->package);
  std::string runtime = libraries.str() + "/" + parts->runtime;
  if (needsRuntime && !llvm::sys::fs::exists(runtime + "/liblathe_rt.a"))
    return llvm::createStringError(what + " needs Lathe's runtime for " + target.getTriple() + ", " + runtime +
                                   "/liblathe_rt.a; install " + parts->package + " and build Lathe again");
  return LinkFolders{*parts, *system, runtime};
}

/// The C library, of which libm only if something calls it.
static std::vector<std::string> libraryArguments(const LinkFolders &folders) {
  return {"-L" + folders.system, "--as-needed", "-lm", "--no-as-needed", "-lc"};
}

llvm::Error lathe::linkShared(const CompiledObject &object, nn::TargetAttr target, llvm::StringRef path,
                              llvm::StringRef libraries) {
  llvm::Expected<TemporaryFile> in = toFile(object);
  if (!in)
    return in.takeError();
  std::vector<std::string> arguments = {"-shared",
                                        "--build-id=none",
                                        "-z",
                                        "noexecstack",
                                        "--soname=" + llvm::sys::path::filename(path).str(),
                                        in->path.str().str()};
  llvm::Expected<bool> callsLibm = callsMath(object);
  if (!callsLibm)
    return callsLibm.takeError();
  if (object.callsRuntime || *callsLibm) {
    llvm::StringRef what = object.callsRuntime ? "a shared object for a GPU" : "a shared object with functions on f64";
    llvm::Expected<LinkFolders> folders = findFolders(target, libraries, what, object.callsRuntime);
    if (!folders)
      return folders.takeError();
    if (object.callsRuntime)
      llvm::append_range(arguments,
                         llvm::ArrayRef<std::string>{"--exclude-libs=ALL", folders->runtime + "/liblathe_rt.a"});
    // With the C library, so that references carry its versions.
    llvm::append_range(arguments, libraryArguments(*folders));
  }
  llvm::append_range(arguments, pageArguments(object));
  return linkToFile(arguments, path);
}

llvm::Error lathe::linkExecutable(const CompiledObject &object, nn::TargetAttr target, llvm::StringRef path,
                                  llvm::StringRef libraries) {
  llvm::Expected<LinkFolders> folders = findFolders(target, libraries, "a program", /*needsRuntime=*/true);
  if (!folders)
    return folders.takeError();
  llvm::Expected<TemporaryFile> in = toFile(object);
  if (!in)
    return in.takeError();
  const std::string &system = folders->system, &runtime = folders->runtime;
  std::vector<std::string> arguments = {"--build-id=none",
                                        "-z",
                                        "noexecstack",
                                        "--gc-sections",
                                        "--dynamic-linker=" + folders->parts.loader,
                                        "--defsym=lathe_main_model=" + object.name + "_model",
                                        system + "/crt1.o",
                                        system + "/crti.o",
                                        in->path.str().str(),
                                        runtime + "/liblathe_main.a",
                                        runtime + "/liblathe_rt.a"};
  llvm::append_range(arguments, libraryArguments(*folders));
  arguments.push_back(system + "/crtn.o");
  llvm::append_range(arguments, pageArguments(object));
  return linkToFile(arguments, path);
}

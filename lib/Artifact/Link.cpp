//===- Link.cpp - lld in process ------------------------------------------===//
#include "lib/Artifact/Link.h"
#include "lib/Artifact/Artifact.h"
#include "lld/Common/Driver.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include <mutex>

LLD_HAS_DRIVER(elf)

using namespace lathe;

llvm::Error lathe::link(llvm::ArrayRef<std::string> arguments) {
  // lld keeps its state in globals.
  static std::mutex mutex;
  static bool usable = true;
  std::lock_guard<std::mutex> lock(mutex);
  if (!usable)
    return llvm::createStringError("the linker crashed before in this process");
  llvm::SmallVector<const char *> raw{"ld.lld"};
  for (const std::string &argument : arguments)
    raw.push_back(argument.c_str());
  std::string messages;
  llvm::raw_string_ostream stream(messages);
  const lld::DriverDef drivers[] = {{lld::Gnu, &lld::elf::link}};
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

llvm::Error lathe::linkShared(const CompiledObject &object, llvm::StringRef path) {
  llvm::Expected<TemporaryFile> in = TemporaryFile::create("o");
  if (!in)
    return in.takeError();
  if (llvm::Error error =
          writeFile(in->path, [&](llvm::raw_ostream &stream) { llvm::cantFail(writeObject(object, stream)); }))
    return error;
  // lld writes to a temporary of its own and renames it.
  return link({"-shared", "--build-id=none", "-z", "noexecstack", "--soname=" + llvm::sys::path::filename(path).str(), "-o",
               path.str(), in->path.str().str()});
}

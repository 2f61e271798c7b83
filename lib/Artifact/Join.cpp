//===- Join.cpp - One object of a module that was compiled in parts -------===//
#include "lib/Artifact/Artifact.h"
#include "lib/Artifact/Link.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ObjCopy/ConfigManager.h"
#include "llvm/ObjCopy/ObjCopy.h"
#include "llvm/Object/Binary.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace lathe;

/// Makes the hidden symbols local: only the parts are to see each other's.
static llvm::Expected<Bytes> localizeHidden(llvm::MemoryBufferRef object) {
  llvm::Expected<std::unique_ptr<llvm::object::Binary>> binary = llvm::object::createBinary(object);
  if (!binary)
    return binary.takeError();
  llvm::objcopy::ConfigManager config;
  config.ELF.LocalizeHidden = true;
  Bytes bytes;
  llvm::raw_svector_ostream stream(bytes);
  if (llvm::Error error = llvm::objcopy::executeObjcopyOnBinary(config, **binary, stream))
    return std::move(error);
  return bytes;
}

llvm::Expected<Bytes> lathe::joinObjects(llvm::ArrayRef<Bytes> objects) {
  if (objects.size() == 1)
    return objects.front();
  llvm::Expected<TemporaryFile> joined = TemporaryFile::create("o");
  if (!joined)
    return joined.takeError();
  std::vector<std::string> arguments = {"-r", "--threads=1", "-o", joined->path.str().str()};
  llvm::SmallVector<TemporaryFile> files;
  for (const Bytes &object : objects) {
    llvm::Expected<TemporaryFile> file = TemporaryFile::create("o");
    if (!file)
      return file.takeError();
    if (llvm::Error error =
            writeFile(file->path, [&](llvm::raw_ostream &stream) { stream.write(object.data(), object.size()); }))
      return std::move(error);
    arguments.push_back(file->path.str().str());
    files.push_back(std::move(*file));
  }
  if (llvm::Error error = link("ld.lld", arguments))
    return std::move(error);
  auto bytes = llvm::MemoryBuffer::getFile(joined->path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!bytes)
    return llvm::createStringError(bytes.getError(), "cannot read " + joined->path + ": " + bytes.getError().message());
  return localizeHidden(**bytes);
}

//===- YamlFile.h - Files of LLVM's YAML I/O ------------------------------===//
#ifndef LIB_SUPPORT_YAMLFILE_H
#define LIB_SUPPORT_YAMLFILE_H

#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/YAMLTraits.h"

namespace lathe {

/// What the file holds, or an error with all that is wrong with it, by line and column.
template <typename T>
llvm::Expected<T> readYaml(llvm::StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/true);
  if (!buffer)
    return llvm::createStringError(buffer.getError(), "cannot read '" + path + "': " + buffer.getError().message());
  std::string messages;
  auto note = [](const llvm::SMDiagnostic &diagnostic, void *messages) {
    llvm::raw_string_ostream stream(*static_cast<std::string *>(messages));
    diagnostic.print(/*ProgName=*/nullptr, stream, /*ShowColors=*/false);
  };
  llvm::yaml::Input input((*buffer)->getMemBufferRef(), /*Ctxt=*/nullptr, note, &messages);
  T value;
  input >> value;
  if (input.error() && messages.empty()) // there is nothing to read: no line has anything wrong
    return llvm::createStringError("expected a YAML document in '" + path + "', but got none");
  if (input.error())
    return llvm::createStringError(llvm::StringRef(messages).rtrim());
  return value;
}

} // namespace lathe

#endif // LIB_SUPPORT_YAMLFILE_H

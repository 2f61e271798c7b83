//===- Link.h - lld in process --------------------------------------------===//
#ifndef LIB_ARTIFACT_LINK_H
#define LIB_ARTIFACT_LINK_H

#include "lib/Artifact/Artifact.h"
#include "llvm/ADT/SmallString.h"

namespace lathe {

/// Runs lld as `program`, "ld.lld" or "wasm-ld", with these arguments; its messages are the error's text. Only one link runs
/// at a time.
llvm::Error link(const char *program, llvm::ArrayRef<std::string> arguments);

/// A file in the system's temporary folder that lives as long as the object.
struct TemporaryFile {
  llvm::SmallString<128> path;

  static llvm::Expected<TemporaryFile> create(llvm::StringRef suffix);
  TemporaryFile() = default;
  TemporaryFile(TemporaryFile &&other) : path(other.path) { other.path.clear(); }
  ~TemporaryFile();
};

/// The object in a temporary file, which is where lld reads from.
llvm::Expected<TemporaryFile> toFile(const CompiledObject &object);

} // namespace lathe

#endif // LIB_ARTIFACT_LINK_H

//===- ModelFile.h - The mapped file of a model ---------------------------===//
#ifndef LIB_FRONTEND_MODELFILE_H
#define LIB_FRONTEND_MODELFILE_H

#include "lib/Frontend/OnnxProto.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"
#include <memory>
#include <string>

namespace lathe {

/// Bytes of a file, mapped read-only. It stays mapped as long as somebody holds a reference.
using MappedBytes = std::shared_ptr<llvm::ArrayRef<char>>;

/// An ONNX file whose weights were left in the mapping: tensors that had `raw_data` have external
/// data at location "" instead, which is this file.
class ModelFile {
public:
  /// Maps and parses the file; errors say what is wrong with it as a whole.
  static llvm::Expected<std::unique_ptr<ModelFile>> open(llvm::StringRef path);

  const ::onnx::ModelProto &getModel() const { return model; }
  ::onnx::ModelProto &getModel() { return model; }
  llvm::StringRef getPath() const { return path; }

  /// Maps the file that a tensor's external data names, once. "" is the model file itself.
  /// Everything that could lead out of the model's folder is refused: absolute paths, `..`,
  /// symbolic links to the outside, files with several hard links.
  llvm::Expected<MappedBytes> getExternalFile(llvm::StringRef location);

  /// Gives back the memory of what was read of the files; it is read again where it is needed. Tensors that are not aligned
  /// in their file have been copied, and parsing has seen all of it.
  void releasePages();

private:
  std::string path;
  ::onnx::ModelProto model;
  MappedBytes self;
  llvm::StringMap<MappedBytes> externalFiles;
};

} // namespace lathe

#endif // LIB_FRONTEND_MODELFILE_H

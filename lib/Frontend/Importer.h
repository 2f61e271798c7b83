//===- Importer.h - ONNX files to the onnx dialect ------------------------===//
#ifndef LIB_FRONTEND_IMPORTER_H
#define LIB_FRONTEND_IMPORTER_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/StringMap.h"
#include <string>
#include <vector>

namespace lathe {

inline constexpr int64_t kAbsent = -1;

/// What a caller says of an input that is a sequence or optional.
struct ContainerContents {
  int64_t count = 0; ///< tensors in it; kAbsent for an optional that has nothing
  /// The shape of each, numbers or names of symbolic dimensions. Where there are none, the model
  /// has to declare one for all.
  std::vector<std::vector<std::string>> shapes;
};

/// What a caller may choose about reading a model.
struct ImporterOptions {
  std::string functionName = "main"; ///< name of the function made from the model's graph
  unsigned maxDepth = 24;            ///< how deep subgraphs and model-local functions may nest
  uint64_t maxNodes = 1 << 22;       ///< how many nodes there may be after functions are inlined
  /// What inputs that are sequences or optionals hold, by name.
  llvm::StringMap<ContainerContents> contents = {};
  /// Inputs of rank 0 or 1 that are constants, and their elements: numbers, "true" or "false".
  llvm::StringMap<std::vector<std::string>> constants = {};
};

/// The oldest and newest opset of the ONNX domain that is read. Those after 21 only add: types,
/// operators and attributes, all of which are reported where they are not known.
inline constexpr int64_t kOldestOpset = 1;
inline constexpr int64_t kNewestOpset = 28;

/// Reads an ONNX model: `module { func.func @main }` of `onnx` ops in the form of the newest opset,
/// model-local functions inlined, with unranked results where the file does not tell a shape. Graph
/// inputs that have an initialiser are constants. An input that is a sequence is one for each of
/// its tensors, `name_0` and so on. Large weights stay in the mapped file, which lives as long as
/// `context`. Null after errors: all that is wrong with the model's nodes, one diagnostic each,
/// located at the node's name.
mlir::OwningOpRef<mlir::ModuleOp> importOnnx(llvm::StringRef path, mlir::MLIRContext &context,
                                             const ImporterOptions &options = {});

} // namespace lathe

#endif // LIB_FRONTEND_IMPORTER_H

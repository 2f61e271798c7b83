//===- Artifact.h - What a compilation writes -----------------------------===//
#ifndef LIB_ARTIFACT_ARTIFACT_H
#define LIB_ARTIFACT_ARTIFACT_H

#include "lib/Target/Target.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <functional>
#include <string>

namespace lathe {

/// Attributes of a module in the `llvm` phase; set by codegen-to-llvm, read by the artifact writers.
inline constexpr llvm::StringLiteral kModelNameAttr = "lathe.name";
inline constexpr llvm::StringLiteral kWeightsAttr = "lathe.weights";             // ArrayAttr of ElementsAttr
inline constexpr llvm::StringLiteral kWeightOffsetsAttr = "lathe.weight_offsets"; // array<i64>
inline constexpr llvm::StringLiteral kWeightBytesAttr = "lathe.weight_bytes";
inline constexpr llvm::StringLiteral kWorkspaceBytesAttr = "lathe.workspace_bytes";
inline constexpr llvm::StringLiteral kInputsAttr = "lathe.inputs";   // array of {name, dtype, shape}
inline constexpr llvm::StringLiteral kOutputsAttr = "lathe.outputs"; // array of {name, dtype, shape}
inline constexpr llvm::StringLiteral kModelDimsAttr = "lathe.dims";      // array of {name, lower, upper}

/// The C header of a model: input and output structs, workspace size, `<name>_run` and `<name>_model`. C11 and C++.
std::string generateHeader(mlir::ModuleOp module);

/// The relocatable object of a model: code and the read-only section `<name>_weights`, joined. `module` is in the `llvm`
/// phase. Weights are written as section bytes, never as LLVM constants. Fails after an error.
mlir::FailureOr<Bytes> generateObject(mlir::ModuleOp module, nn::TargetAttr target);

/// Code and weights apart, for loading in process without a copy: the code object leaves `<name>_weights` undefined and
/// `weights` holds what it should point to.
struct ObjectParts {
  Bytes code;
  std::unique_ptr<llvm::WritableMemoryBuffer> weights; ///< 64-byte aligned; null if there are none
};
mlir::FailureOr<ObjectParts> generateParts(mlir::ModuleOp module, nn::TargetAttr target);

/// Links a relocatable object to a shared object with lld in process.
llvm::Expected<Bytes> linkShared(llvm::ArrayRef<char> object, llvm::StringRef soname);

/// Writes a file as a whole or not at all: to a temporary beside it, then renamed. "-" is stdout.
llvm::Error writeFile(llvm::StringRef path, llvm::function_ref<void(llvm::raw_ostream &)> write);

} // namespace lathe

#endif // LIB_ARTIFACT_ARTIFACT_H

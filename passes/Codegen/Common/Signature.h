//===- Signature.h - Attributes that describe a model's interface ---------===//
#ifndef PASSES_CODEGEN_COMMON_SIGNATURE_H
#define PASSES_CODEGEN_COMMON_SIGNATURE_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/SmallVector.h"
#include <string>

namespace lathe::codegen {

inline constexpr llvm::StringLiteral kMainName = "main";
inline constexpr llvm::StringLiteral kOutputSizesName = "output_sizes";
inline constexpr llvm::StringLiteral kUnsignedAttr =
    "onnx.unsigned"; ///< on arguments and results, set by lowering
inline constexpr llvm::StringLiteral kDTypeAttr =
    "onnx.dtype"; ///< the same, of elements whose type does not tell it: ONNX's number
inline constexpr llvm::StringLiteral kInputsAttr = "lathe.inputs";
inline constexpr llvm::StringLiteral kOutputsAttr = "lathe.outputs";
inline constexpr llvm::StringLiteral kSymbolsAttr = "lathe.dims";
inline constexpr llvm::StringLiteral kWorkspaceAttr = "lathe.workspace_bytes";
inline constexpr llvm::StringLiteral kProfileAttr = "lathe.profile";
inline constexpr llvm::StringLiteral kProfileOffsetAttr = "lathe.profile_offset";
inline constexpr llvm::StringLiteral kBytesAttr =
    "lathe.bytes"; ///< on views of the arena: their largest size
inline constexpr llvm::StringLiteral kNoAliasAttr = "lathe.noalias";   ///< on arguments of kernels
inline constexpr llvm::StringLiteral kParallelAttr = "lathe.parallel"; ///< on calls of tasks
inline constexpr llvm::StringLiteral kMinCountAttr =
    "lathe.min_count"; ///< on parallel loops and calls of tasks: fewer
                       ///< iterations are run by the caller itself
inline constexpr llvm::StringLiteral kKernelPrefix = "kernel_";

/// An input or output of the model, as in `lathe.inputs`.
struct TensorInfo {
  std::string name;
  int32_t dtype = 0;
  llvm::SmallVector<int64_t> shape;
};

/// A symbolic dimension, as in `lathe.dims`.
struct DimInfo {
  std::string name;
  int64_t lower = 1, upper = 512;
};

/// The interface that `codegen-signature` wrote on the module; all empty where it did not run.
struct Signature {
  llvm::SmallVector<TensorInfo> inputs, outputs;
  llvm::SmallVector<DimInfo> dims;
};
Signature readSignature(mlir::ModuleOp module);

/// The model's function, or null after an error.
mlir::func::FuncOp getMain(mlir::ModuleOp module);

} // namespace lathe::codegen

#endif // PASSES_CODEGEN_COMMON_SIGNATURE_H

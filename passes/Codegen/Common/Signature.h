//===- Signature.h - Attributes that describe a model's interface ---------===//
#ifndef PASSES_CODEGEN_COMMON_SIGNATURE_H
#define PASSES_CODEGEN_COMMON_SIGNATURE_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/SmallVector.h"
#include <string>

namespace lathe::codegen {

inline constexpr llvm::StringLiteral kMainName = "main";
inline constexpr llvm::StringLiteral kOutputSizesName = "output_sizes";
inline constexpr llvm::StringLiteral kUnsignedAttr = "onnx.unsigned"; ///< on arguments and results, set by lowering
inline constexpr llvm::StringLiteral kDTypeAttr =
    "onnx.dtype"; ///< the same, of elements whose type does not tell it: ONNX's number
inline constexpr llvm::StringLiteral kInputsAttr = "lathe.inputs";
inline constexpr llvm::StringLiteral kOutputsAttr = "lathe.outputs";
inline constexpr llvm::StringLiteral kSymbolsAttr = "lathe.dims";
inline constexpr llvm::StringLiteral kConditionsAttr = "lathe.size_conditions"; ///< `onnx.size_conditions` of @main
inline constexpr llvm::StringLiteral kWorkspaceAttr = "lathe.workspace_bytes";
inline constexpr llvm::StringLiteral kProfileAttr = "lathe.profile";
inline constexpr llvm::StringLiteral kProfileOffsetAttr = "lathe.profile_offset";
inline constexpr llvm::StringLiteral kBytesAttr = "lathe.bytes";        ///< on views of the arena: their largest size
inline constexpr llvm::StringLiteral kNoAliasAttr = "lathe.noalias";    ///< on arguments of kernels
inline constexpr llvm::StringLiteral kParallelAttr = "lathe.parallel";  ///< on calls of tasks
inline constexpr llvm::StringLiteral kMinCountAttr = "lathe.min_count"; ///< on parallel loops and calls of tasks: fewer
                                                                        ///< iterations are run by the caller itself
inline constexpr llvm::StringLiteral kKernelPrefix = "kernel_";

/// What stands for a size that is not constant in the shape of an output: one that `output_shapes` computes, and one
/// that depends on data, of which `output_shapes` tells the largest and the run the actual one.
inline constexpr int64_t kComputedSize = -1, kDataSize = -2;

/// An input or output of the model, as in `lathe.inputs`.
struct TensorInfo {
  std::string name;
  int32_t dtype = 0;
  llvm::SmallVector<int64_t> shape;

  /// Of an output: whether data decides a size.
  bool dependsOnData() const { return llvm::is_contained(shape, kDataSize); }
};

/// A symbolic dimension, as in `lathe.dims`.
struct DimInfo {
  std::string name;
  int64_t lower = 1, upper = 512;
};

/// The interface that `codegen-signature` wrote on the module; all empty where it did not run. Where there is something
/// for a run to tell, @main has one result more, of i64: the sizes of all dimensions of the outputs that
/// `dependsOnData`, and a lathe_status if data can be refused.
struct Signature {
  llvm::SmallVector<TensorInfo> inputs, outputs;
  llvm::SmallVector<DimInfo> dims;
  llvm::SmallVector<mlir::AffineExpr> conditions; ///< of `dims`, which are the symbols; none may be negative
};
Signature readSignature(mlir::ModuleOp module);

/// The name of the node that an op was made from; empty if its location has none.
llvm::StringRef findNodeName(mlir::Location location);

/// The model's function, or null after an error.
mlir::func::FuncOp getMain(mlir::ModuleOp module);

} // namespace lathe::codegen

#endif // PASSES_CODEGEN_COMMON_SIGNATURE_H

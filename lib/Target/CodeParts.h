//===- CodeParts.h - A module in parts that are compiled apart ------------===//
#ifndef LIB_TARGET_CODEPARTS_H
#define LIB_TARGET_CODEPARTS_H

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/SmallVector.h"

namespace lathe {

/// The functions of a module of the LLVM dialect in modules of their own, about equal in size, as long as this lives;
/// then they are back in their places.
///
/// A part has all that its functions refer to, but for kernels (`kKernelAttr`): such a one is declared in other parts,
/// and hidden instead of internal. What is only declared in the module is declared in each part. How a module is
/// divided depends on nothing but the module, and a small module stays whole.
class CodeParts {
public:
  explicit CodeParts(mlir::ModuleOp module);
  ~CodeParts();
  CodeParts(const CodeParts &) = delete;
  CodeParts &operator=(const CodeParts &) = delete;

  /// The parts; the module itself if it is whole.
  llvm::ArrayRef<mlir::ModuleOp> get() const { return parts; }

private:
  /// Declares in `part` what lies elsewhere.
  void declare(mlir::Operation *symbol, mlir::ModuleOp part);

  mlir::ModuleOp module;
  llvm::SmallVector<mlir::Operation *> order; ///< the symbols, as they lay
  llvm::SmallVector<mlir::OwningOpRef<mlir::ModuleOp>> owned;
  llvm::SmallVector<mlir::ModuleOp> parts;
  llvm::SmallVector<mlir::LLVM::LLVMFuncOp> shared; ///< called from other parts
};

} // namespace lathe

#endif // LIB_TARGET_CODEPARTS_H

//===- Variants.h - A model's code for several kinds of machines ----------===//
#ifndef PASSES_CODEGEN_COMMON_VARIANTS_H
#define PASSES_CODEGEN_COMMON_VARIANTS_H

#include "dialects/NN/IR/NNDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/SmallVector.h"
#include <string>

namespace lathe::codegen {

/// On a module of several variants: array of {name, main, target, workspace_bytes, weight_bytes}, the best first. The last of
/// these is known after codegen-to-llvm.
inline constexpr llvm::StringLiteral kVariantsAttr = "lathe.variants";
/// On a module of one variant: its name.
inline constexpr llvm::StringLiteral kVariantNameAttr = "lathe.variant";
/// On a module: the object asks the machine what it can run, by functions that the target's family defines.
inline constexpr llvm::StringLiteral kTestsMachineAttr = "lathe.tests_machine";
/// On an external function () -> i1: the `nn.target` that the family is to test the machine for.
inline constexpr llvm::StringLiteral kMachineTestAttr = "lathe.machine_test";
/// On functions that run before the machine is known, or whatever it is.
inline constexpr llvm::StringLiteral kAnyMachineAttr = "lathe.any_machine";

/// The functions of a module that are compiled for one target.
struct Variant {
  std::string name; ///< as lathe_variant::target has it
  std::string main; ///< its main function
  nn::TargetAttr target;
  int64_t workspaceBytes = 0, weightBytes = 0;

  /// The name as part of a symbol: "x86_64_v3".
  std::string getSuffix() const;
};

/// The variants that `codegen-join-variants` wrote down, or the module as the only one.
llvm::SmallVector<Variant> readVariants(mlir::ModuleOp module);
void writeVariants(mlir::ModuleOp module, llvm::ArrayRef<Variant> variants);

/// The functions by which a model is called, on any machine.
struct Dispatch {
  mlir::LLVM::LLVMFuncOp run, supported;
  llvm::SmallVector<mlir::LLVM::LLVMFuncOp> variantRuns;
};

/// Makes `<name>_run` and the like call `entries`, one for each variant, on machines that can run them: the first call asks the
/// machine. Where the module has no `lathe.tests_machine`, its one entry is what is called.
Dispatch addDispatch(mlir::ModuleOp module, llvm::StringRef name, llvm::ArrayRef<Variant> variants,
                     llvm::ArrayRef<mlir::LLVM::LLVMFuncOp> entries);

} // namespace lathe::codegen

#endif // PASSES_CODEGEN_COMMON_VARIANTS_H

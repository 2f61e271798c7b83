//===- Target.h - Machines that Lathe compiles for ------------------------===//
#ifndef LIB_TARGET_TARGET_H
#define LIB_TARGET_TARGET_H

#include "dialects/NN/IR/NNDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/Error.h"
#include "llvm/Target/TargetMachine.h"
#include <memory>

namespace lathe {

/// What a target's code generator writes.
enum class CodeKind { Object, Assembly, LLVMIR };

/// The description of `--target=` (native, or a name of one of the target families) and `--cpu=` (an LLVM CPU name, or empty).
/// An unknown name is an error that lists the known ones.
llvm::Expected<nn::TargetAttr> resolveTarget(mlir::MLIRContext &context, llvm::StringRef target, llvm::StringRef cpu = "");

/// True if this process can run what is compiled for `target`.
bool runsHere(nn::TargetAttr target);

/// Code generator of LLVM for `target`; each thread needs its own.
llvm::Expected<std::unique_ptr<llvm::TargetMachine>> createTargetMachine(nn::TargetAttr target);

using Bytes = llvm::SmallVector<char, 0>;

/// Translates a module of the LLVM dialect, or a gpu.module of its NVVM dialect, optimises it at O3 and writes it as `kind`;
/// assembly of a GPU is PTX. Diagnostics go to the module's context; fails after an error. The same module gives the same bytes.
/// `complete` may change the code after it is optimised.
mlir::FailureOr<Bytes> generateCode(mlir::Operation *module, nn::TargetAttr target, CodeKind kind,
                                    llvm::function_ref<void(llvm::Module &)> complete = {});

} // namespace lathe

#endif // LIB_TARGET_TARGET_H

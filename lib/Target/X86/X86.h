//===- X86.h - x86-64 levels and CPUs -------------------------------------===//
#ifndef LIB_TARGET_X86_X86_H
#define LIB_TARGET_X86_X86_H

#include "dialects/NN/IR/NNDialect.h"
#include <string>

namespace lathe {

/// Registers LLVM's x86 code generator; may be called from several threads.
void initializeX86();

/// True for native and the x86-64 levels.
bool isX86Target(llvm::StringRef target);

/// The known names, for diagnostics.
std::string getX86TargetNames();

/// Null if the target or the CPU is unknown.
nn::TargetAttr resolveX86Target(mlir::MLIRContext &context, llvm::StringRef target, llvm::StringRef cpu);

/// True if the host has every feature that `target` uses.
bool x86RunsHere(nn::TargetAttr target);

} // namespace lathe

#endif // LIB_TARGET_X86_X86_H

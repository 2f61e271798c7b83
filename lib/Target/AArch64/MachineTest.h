//===- MachineTest.h - Which instructions an AArch64 machine has ----------===//
#ifndef LIB_TARGET_AARCH64_MACHINETEST_H
#define LIB_TARGET_AARCH64_MACHINETEST_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/IR/Function.h"

namespace lathe::aarch64 {

/// A set of instructions, by LLVM's name, and the field of an identification register that tells of it.
struct Feature {
  llvm::StringRef name;
  llvm::StringRef field; ///< the register, as MRS takes it
  unsigned bit;          ///< the lowest of its four
  unsigned least;        ///< the least number there that means the machine has it
};

/// Those beyond Armv8-A with Advanced SIMD that LLVM uses of its own accord, or kernels do, ordered by register.
llvm::ArrayRef<Feature> getFeatures();

/// Gives `test`, a function () -> i1, a body: true where the machine has all of `features`, which are some of
/// getFeatures() in order.
void defineMachineTest(llvm::Function &test, llvm::ArrayRef<Feature> features);

} // namespace lathe::aarch64

#endif // LIB_TARGET_AARCH64_MACHINETEST_H

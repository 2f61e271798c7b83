//===- MachineTest.h - Which instructions an x86-64 machine has -----------===//
#ifndef LIB_TARGET_X86_MACHINETEST_H
#define LIB_TARGET_X86_MACHINETEST_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/IR/Function.h"
#include <cstdint>

namespace lathe::x86 {

/// The words that CPUID returns.
enum Word : unsigned { EAX, EBX, ECX, EDX };

/// A set of instructions, by LLVM's name, and the bit of CPUID that tells of it.
struct Feature {
  llvm::StringRef name;
  uint32_t leaf, subleaf;
  Word word;
  unsigned bit;
  uint32_t state = 0; ///< of XCR0: the registers that the system has to save
};

/// Those beyond x86-64 itself that LLVM uses of its own accord, ordered by leaf and word. Instructions that take an intrinsic,
/// such as those of the system, are none of a model's.
llvm::ArrayRef<Feature> getFeatures();

/// Gives `test`, a function () -> i1, a body: true where the machine has all of `features`, which are some of getFeatures() in
/// order, and the system saves their registers.
void defineMachineTest(llvm::Function &test, llvm::ArrayRef<Feature> features);

} // namespace lathe::x86

#endif // LIB_TARGET_X86_MACHINETEST_H

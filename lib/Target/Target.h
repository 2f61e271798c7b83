//===- Target.h - Machines that Lathe compiles for ------------------------===//
#ifndef LIB_TARGET_TARGET_H
#define LIB_TARGET_TARGET_H

#include "dialects/NN/IR/NNDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Support/Timing.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/Error.h"
#include "llvm/Target/TargetMachine.h"
#include <memory>
#include <string>

namespace lathe {

/// What a target's code generator writes.
enum class CodeKind { Object, Assembly, LLVMIR };

/// The description of `--target=` (native, or a name of one of the target families), `--cpu=` (an LLVM CPU name, or
/// empty) and `--triple=` (as LLVM has it, for another system than the family's; or empty). An unknown name is an error
/// that lists the known ones, and so is a triple of another family, or of a system whose objects are not written.
llvm::Expected<nn::TargetAttr> resolveTarget(mlir::MLIRContext &context, llvm::StringRef target,
                                             llvm::StringRef cpu = "", llvm::StringRef triple = "");

/// The least machine of the kind that this process runs on: the first that its family names.
llvm::Expected<nn::TargetAttr> resolveBaseline(mlir::MLIRContext &context);

/// One of the targets of an object.
struct NamedTarget {
  std::string name; ///< for people: as it was given, or the CPU's
  nn::TargetAttr target;
};

/// The targets that `--target=` lists, by commas, the best first: with wider vectors, then with more features. An
/// unknown name, one that is listed twice, several with a `cpu`, of several families, or of a family that cannot tell
/// machines apart are errors.
llvm::Expected<llvm::SmallVector<NamedTarget>> resolveTargets(mlir::MLIRContext &context, llvm::StringRef targets,
                                                              llvm::StringRef cpu = "", llvm::StringRef triple = "");

/// True if objects for `target` can ask the machine whether it runs them.
bool testsMachine(nn::TargetAttr target);

/// Attributes of functions in the `llvm` phase; set by codegen-to-llvm.
inline constexpr llvm::StringLiteral kMachineTestAttr =
    "lathe.machine_test"; // nn.target that a declared () -> i1 tests for
inline constexpr llvm::StringLiteral kAnyMachineAttr = "lathe.any_machine"; // runs before the machine is known
inline constexpr llvm::StringLiteral kKernelAttr = "lathe.kernel";          // called by @main, never inlined

/// True if this process can run what is compiled for `target`.
bool runsHere(nn::TargetAttr target);

/// Code generator of LLVM for `target`; each thread needs its own.
llvm::Expected<std::unique_ptr<llvm::TargetMachine>> createTargetMachine(nn::TargetAttr target);

using Bytes = llvm::SmallVector<char, 0>;

/// Translates a module of the LLVM dialect, or a gpu.module of its NVVM dialect, optimises it at O3 and writes it as
/// `kind`; assembly of a GPU is PTX. `target` is the module's; functions may have an `nn.target` of their own.
/// Diagnostics go to the module's context; fails after an error. The same module gives the same bytes. `complete` may
/// change the code after it is optimised. LLVM's time is accounted below `timing`.
mlir::FailureOr<Bytes> generateCode(mlir::Operation *module, nn::TargetAttr target, CodeKind kind,
                                    mlir::TimingScope *timing = nullptr,
                                    llvm::function_ref<void(llvm::Module &)> complete = {});

/// As `generateCode`, but the objects of a module in the parts of `CodeParts`, at once on the threads of the module's
/// context. What they are does not depend on how many those are.
mlir::FailureOr<llvm::SmallVector<Bytes>> generateObjects(mlir::ModuleOp module, nn::TargetAttr target,
                                                          mlir::TimingScope *timing = nullptr);

} // namespace lathe

#endif // LIB_TARGET_TARGET_H

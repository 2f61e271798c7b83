//===- TargetFamily.h - What a folder of lib/Target adds ------------------===//
//
// Each folder lib/Target/<Family> implements this interface once and defines `lathe::get<Family>Family()`; the list in
// lib/Target/CMakeLists.txt makes the driver know it. docs/guides/AddTarget.md walks through one.
//
//===----------------------------------------------------------------------===//
#ifndef LIB_TARGET_TARGETFAMILY_H
#define LIB_TARGET_TARGETFAMILY_H

#include "dialects/NN/IR/NNDialect.h"
#include "lib/Target/DotProduct.h"
#include "lib/Target/FloatInstructions.h"
#include "lib/Target/HalfProduct.h"
#include "lib/Target/TileUnit.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/Support/CodeGen.h"
#include "llvm/TargetParser/Triple.h"
#include <memory>
#include <optional>
#include <string>

namespace llvm {
class Function;
class FunctionPass;
} // namespace llvm

namespace lathe {

/// What --emit=exe links with a model to make a program for Linux.
struct ProgramParts {
  /// Folder of liblathe_main.a and liblathe_rt.a below the one that has those of this machine; empty for that one.
  std::string runtime;
  /// Where the C library may be; the first folder with crt1.o is taken.
  llvm::SmallVector<std::string> system;
  /// Path of the dynamic loader where the program runs.
  std::string loader;
  /// The package of Debian that has the C library.
  std::string package;
};

/// What a GPU must be to run code: of this compute capability, times ten, or where `exact` is not set of a later one.
struct DeviceNeeds {
  uint32_t capability = 0;
  bool exact = false;
};

/// What runs the blocks of a kernel: how many multiprocessors a GPU has, and what each has for the blocks that are on
/// it at a time. None where a kernel is not made of blocks. `blockBytes` of shared memory are what one block may ask
/// for on every machine that runs the code, `cacheBytes` what the second cache gives each in a cycle when all of them
/// ask, and `productCycles` those in which a quarter of one takes the next product of 16 x 8 x 32 bytes (mma.sync).
struct Multiprocessors {
  int64_t count = 0, sharedBytes = 0, blockBytes = 0, threads = 0, registers = 0, cacheBytes = 0, productCycles = 0;
};

/// The machines of one instruction set.
class TargetFamily {
public:
  virtual ~TargetFamily();

  /// The values of `--target=` that mean this family, besides `native` on such a machine.
  virtual llvm::ArrayRef<llvm::StringLiteral> getNames() const = 0;

  virtual bool contains(const llvm::Triple &triple) const = 0;

  /// Registers LLVM's code generator. Called once, before anything else that asks LLVM.
  virtual void initialize() const = 0;

  /// The machine that `name`, one of getNames(), means, or `cpu`, a name of LLVM's, if it is not empty. Null for a CPU
  /// that is unknown.
  virtual nn::TargetAttr describe(mlir::MLIRContext &context, llvm::StringRef name, llvm::StringRef cpu) const = 0;

  /// The machine that this process runs on, or another CPU of its kind if `cpu` names one. Null if that is unknown.
  virtual nn::TargetAttr describeHost(mlir::MLIRContext &context, llvm::StringRef cpu) const = 0;

  /// The instructions that multiply bytes on `target`.
  virtual const DotProduct &getDotProduct(nn::TargetAttr target) const { return getPortableDotProduct(); }

  /// The instructions that multiply pairs of bf16 on `target`, in vectors. Null where those of f32 are as fast.
  virtual const DotProduct *getBf16DotProduct(nn::TargetAttr target) const { return nullptr; }

  /// LLVM's name of the feature that multiplies and adds twice as many f16 as f32 in a vector; empty for none.
  virtual llvm::StringRef getHalfFeature() const { return ""; }

  /// How sums of products of f16 are added to f32 on `target`. Null where it has not the feature above.
  virtual const HalfProduct *getHalfProduct(nn::TargetAttr target) const { return nullptr; }

  /// The instruction that multiplies two rows of `element`, i8 or bf16, by two columns on `target`. Null for none.
  virtual const PairProduct *getPairProduct(nn::TargetAttr target, mlir::Type element) const { return nullptr; }

  /// The unit that multiplies bf16 in tile registers on `target`. Null for none.
  virtual const TileUnit *getTileUnit(nn::TargetAttr target) const { return nullptr; }

  /// Whether a multiply-add of vectors of f32 is one instruction, which rounds once.
  virtual bool hasFma(nn::TargetAttr target) const = 0;

  /// The instructions that elementary functions use on vectors of f32, beside arithmetic. Null for none.
  virtual const FloatInstructions *getFloatInstructions(nn::TargetAttr target) const { return nullptr; }

  /// Whether a multiply-add takes one operand from any lane of a vector, so that nothing is broadcast.
  virtual bool multipliesByLane(nn::TargetAttr target) const { return false; }

  /// Whether vectors of half a register, of which there are as many, take half the time of whole ones.
  virtual bool splitsVectors(nn::TargetAttr target) const { return false; }

  /// Whether f16 becomes f32, and f32 f16, by one instruction.
  virtual bool hasHalfConversions(nn::TargetAttr target) const = 0;

  /// What programs for `target` are made of; none where --emit=exe is not supported.
  virtual std::optional<ProgramParts> getProgramParts(nn::TargetAttr target) const { return std::nullopt; }

  /// True if this process, which runs on a machine of the family, can run what is compiled for `target`.
  virtual bool runsHere(nn::TargetAttr target) const = 0;

  /// How code refers to data: independent of where both are loaded, or as the linker places them.
  virtual llvm::Reloc::Model getRelocationModel() const { return llvm::Reloc::PIC_; }

  /// Whether LLVM may unroll loops further than kernels are.
  virtual bool unrollsLoops() const { return true; }

  /// Which devices run kernels for `target`, of a family of GPUs.
  virtual DeviceNeeds getDeviceNeeds(nn::TargetAttr target) const { return {}; }

  /// How many blocks of a kernel run at a time on `target`, of a family of GPUs.
  virtual Multiprocessors getMultiprocessors(nn::TargetAttr target) const { return {}; }

  /// A pass over functions of LLVM IR that runs before instructions are selected; null for none.
  virtual llvm::FunctionPass *createSelectionPreparation() const { return nullptr; }

  /// LLVM's name of a CPU whose code every machine of the family runs. Empty, as it is by default, for a family that
  /// has no test of the machine, or none on the target's system: its objects then have code for one target and call it
  /// unasked.
  virtual llvm::StringRef getBaselineCpu(nn::TargetAttr target) const { return ""; }

  /// Gives `test`, a function () -> i1 without a body, one that tells whether the machine it runs on has what code for
  /// `target` may use. Called where there is a baseline, which the function is compiled for.
  virtual void defineMachineTest(llvm::Function &test, nn::TargetAttr target) const;
};

/// Every family that is built in, initialized.
llvm::ArrayRef<const TargetFamily *> getTargetFamilies();

/// The family of a triple. Null if none knows it.
const TargetFamily *findTargetFamily(const llvm::Triple &triple);
const TargetFamily *findTargetFamily(nn::TargetAttr target);

/// The features that a CPU's name and "+a,-b" give, as LLVM sees them. Null if LLVM does not know the triple.
std::unique_ptr<llvm::MCSubtargetInfo> getSubtarget(const llvm::Triple &triple, llvm::StringRef cpu,
                                                    llvm::StringRef features);

/// Whether `target` has a feature, by LLVM's name.
bool hasFeature(nn::TargetAttr target, llvm::StringRef feature);

/// Whether a host, of the same triple and with these features, has all that `target` has of `features`, LLVM's names.
bool hostHas(nn::TargetAttr target, llvm::StringRef hostFeatures, llvm::ArrayRef<llvm::StringRef> features);

/// "+a,-b" for every feature that the host has or lacks: LLVM's CPU name alone would assume what a hypervisor hides.
std::string getHostFeatures();

} // namespace lathe

#endif // LIB_TARGET_TARGETFAMILY_H

//===- TargetFamily.h - What a folder of lib/Target adds ------------------===//
//
// Each folder lib/Target/<Family> implements this interface once and defines `lathe::get<Family>Family()`; the list in
// lib/Target/CMakeLists.txt makes the driver know it. docs/guides/AddTarget.md walks through one.
//
//===----------------------------------------------------------------------===//
#ifndef LIB_TARGET_TARGETFAMILY_H
#define LIB_TARGET_TARGETFAMILY_H

#include "dialects/NN/IR/NNDialect.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/Support/CodeGen.h"
#include "llvm/TargetParser/Triple.h"
#include <memory>

namespace lathe {

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

  /// True if this process, which runs on a machine of the family, can run what is compiled for `target`.
  virtual bool runsHere(nn::TargetAttr target) const = 0;

  /// How code refers to data: independent of where both are loaded, or as the linker places them.
  virtual llvm::Reloc::Model getRelocationModel() const { return llvm::Reloc::PIC_; }
};

/// Every family that is built in, initialized.
llvm::ArrayRef<const TargetFamily *> getTargetFamilies();

/// The family of a triple. Null if none knows it.
const TargetFamily *findTargetFamily(const llvm::Triple &triple);

/// The features that a CPU's name and "+a,-b" give, as LLVM sees them. Null if LLVM does not know the triple.
std::unique_ptr<llvm::MCSubtargetInfo> getSubtarget(const llvm::Triple &triple, llvm::StringRef cpu, llvm::StringRef features);

/// "+a,-b" for every feature that the host has or lacks: LLVM's CPU name alone would assume what a hypervisor hides.
std::string getHostFeatures();

} // namespace lathe

#endif // LIB_TARGET_TARGETFAMILY_H

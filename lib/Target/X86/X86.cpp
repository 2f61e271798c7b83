//===- X86.cpp - x86-64 levels and CPUs -----------------------------------===//
#include "lib/Target/X86/X86.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/X86TargetParser.h"
#include <mutex>

using namespace mlir;
using namespace lathe;

static constexpr llvm::StringLiteral kTriple = "x86_64-unknown-linux-gnu";
static constexpr llvm::StringLiteral kLevels[] = {"x86-64-v2", "x86-64-v3", "x86-64-v4"};

void lathe::initializeX86() {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    LLVMInitializeX86AsmParser();
  });
}

bool lathe::isX86Target(StringRef target) { return target == "native" || llvm::is_contained(kLevels, target); }

std::string lathe::getX86TargetNames() { return llvm::join(ArrayRef(kLevels), ", "); }

/// The features that a CPU name and a feature string give, as LLVM's subtarget sees them.
static std::unique_ptr<llvm::MCSubtargetInfo> getSubtarget(StringRef cpu, StringRef features) {
  initializeX86();
  std::string error;
  llvm::Triple triple(kTriple);
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple, error);
  return std::unique_ptr<llvm::MCSubtargetInfo>(
      target ? target->createMCSubtargetInfo(triple, cpu, features) : nullptr);
}

/// Widest vectors, registers and dot product follow from the features.
static nn::TargetAttr describe(MLIRContext &context, StringRef cpu, StringRef features) {
  std::unique_ptr<llvm::MCSubtargetInfo> subtarget = getSubtarget(cpu, features);
  if (!subtarget)
    return nullptr;
  auto has = [&](StringRef feature) { return subtarget->checkFeatures(("+" + feature).str()); };
  bool avx512 = has("avx512f") && has("avx512vl") && has("avx512bw") && has("avx512dq"), avx2 = has("avx2") && has("fma");
  StringRef dot = avx512 && has("avx512vnni") ? "avx512vnni" : avx2 ? "avx2" : "none";
  return nn::TargetAttr::get(&context, kTriple, cpu, features, avx512 ? 512 : avx2 ? 256 : 128, avx512 ? 32 : 16, dot,
                             /*l1_bytes=*/32 << 10, /*l2_bytes=*/avx512 ? 1 << 20 : 256 << 10);
}

/// "+a,-b" for every feature that the host has or lacks: LLVM's CPU name alone would assume what a hypervisor hides.
static std::string getHostFeatures() {
  llvm::StringMap<bool> features = llvm::sys::getHostCPUFeatures();
  SmallVector<StringRef> names(features.keys());
  llvm::sort(names);
  std::string text;
  for (StringRef name : names)
    text += (text.empty() ? "" : ",") + std::string(features[name] ? "+" : "-") + name.str();
  return text;
}

nn::TargetAttr lathe::resolveX86Target(MLIRContext &context, StringRef target, StringRef cpu) {
  if (!isX86Target(target))
    return nullptr;
  if (!cpu.empty()) {
    SmallVector<StringRef> known;
    llvm::X86::fillValidCPUArchList(known, /*Only64Bit=*/true);
    if (!llvm::is_contained(known, cpu))
      return nullptr;
    return describe(context, cpu, "");
  }
  if (target == "native")
    return describe(context, llvm::sys::getHostCPUName(), getHostFeatures());
  return describe(context, target, "");
}

bool lathe::x86RunsHere(nn::TargetAttr target) {
  if (!llvm::Triple(llvm::sys::getProcessTriple()).isX86_64() || !llvm::Triple(target.getTriple()).isX86_64())
    return false;
  std::unique_ptr<llvm::MCSubtargetInfo> wanted = getSubtarget(target.getCpu(), target.getFeatures());
  std::unique_ptr<llvm::MCSubtargetInfo> host = getSubtarget(llvm::sys::getHostCPUName(), getHostFeatures());
  for (StringRef feature : {"sse4.2", "avx2", "fma", "bmi2", "f16c", "avx512f", "avx512bw", "avx512dq", "avx512vl",
                            "avx512vnni", "avx512bf16", "avx512vbmi"})
    if (wanted->checkFeatures(("+" + feature).str()) && !host->checkFeatures(("+" + feature).str()))
      return false;
  return true;
}

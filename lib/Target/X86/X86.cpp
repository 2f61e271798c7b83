//===- X86.cpp - x86-64 levels and CPUs -----------------------------------===//
#include "lib/Target/X86/X86.h"
#include "lib/Target/TargetFamily.h"
#include "lib/Target/X86/MachineTest.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/X86TargetParser.h"

using namespace mlir;
using namespace lathe;

static constexpr llvm::StringLiteral kTriple = "x86_64-unknown-linux-gnu";
static constexpr llvm::StringLiteral kLevels[] = {"x86-64-v2", "x86-64-v3", "x86-64-v4"};

/// Widest vectors, registers and dot product follow from the features.
static nn::TargetAttr describeFeatures(MLIRContext &context, StringRef cpu, StringRef features) {
  std::unique_ptr<llvm::MCSubtargetInfo> subtarget = getSubtarget(llvm::Triple(kTriple), cpu, features);
  auto has = [&](StringRef feature) { return subtarget->checkFeatures(("+" + feature).str()); };
  bool avx512 = has("avx512f") && has("avx512vl") && has("avx512bw") && has("avx512dq"), avx2 = has("avx2") && has("fma");
  StringRef dot = avx512 && has("avx512vnni") ? "avx512vnni" : avx2 ? "avx2" : "none";
  return nn::TargetAttr::get(&context, kTriple, cpu, features, avx512 ? 512 : avx2 ? 256 : 128, avx512 ? 32 : 16, dot,
                             /*l1_bytes=*/32 << 10, /*l2_bytes=*/avx512 ? 1 << 20 : 256 << 10);
}

namespace {
class X86Family final : public TargetFamily {
public:
  ArrayRef<llvm::StringLiteral> getNames() const override { return kLevels; }

  bool contains(const llvm::Triple &triple) const override { return triple.isX86_64(); }

  void initialize() const override {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    LLVMInitializeX86AsmParser();
  }

  nn::TargetAttr describe(MLIRContext &context, StringRef name, StringRef cpu) const override {
    SmallVector<StringRef> known;
    llvm::X86::fillValidCPUArchList(known, /*Only64Bit=*/true);
    if (!cpu.empty() && !llvm::is_contained(known, cpu))
      return nullptr;
    return describeFeatures(context, cpu.empty() ? name : cpu, "");
  }

  nn::TargetAttr describeHost(MLIRContext &context, StringRef cpu) const override {
    if (!cpu.empty())
      return describe(context, "", cpu);
    return describeFeatures(context, llvm::sys::getHostCPUName(), getHostFeatures());
  }

  const DotProduct &getDotProduct(nn::TargetAttr target) const override { return x86::getDotProduct(target); }

  // Every CPU with the 256-bit integers of AVX2 has FMA and F16C, too.
  bool hasFma(nn::TargetAttr target) const override { return target.getVectorBits() >= 256; }
  bool hasHalfConversions(nn::TargetAttr target) const override { return target.getVectorBits() >= 256; }

  std::optional<ProgramParts> getProgramParts() const override {
    ProgramParts parts;
    parts.system = {"/usr/lib/x86_64-linux-gnu"};
    parts.loader = "/lib64/ld-linux-x86-64.so.2";
    parts.package = "libc6-dev";
    return parts;
  }

  bool runsHere(nn::TargetAttr target) const override {
    llvm::Triple triple(kTriple);
    std::unique_ptr<llvm::MCSubtargetInfo> wanted = getSubtarget(triple, target.getCpu(), target.getFeatures());
    std::unique_ptr<llvm::MCSubtargetInfo> host = getSubtarget(triple, llvm::sys::getHostCPUName(), getHostFeatures());
    return llvm::all_of(x86::getFeatures(), [&](const x86::Feature &feature) {
      std::string flag = ("+" + feature.name).str();
      return !wanted->checkFeatures(flag) || host->checkFeatures(flag);
    });
  }

  StringRef getBaselineCpu() const override { return "x86-64"; }

  void defineMachineTest(llvm::Function &test, nn::TargetAttr target) const override {
    std::unique_ptr<llvm::MCSubtargetInfo> wanted =
        getSubtarget(llvm::Triple(kTriple), target.getCpu(), target.getFeatures());
    SmallVector<x86::Feature> needed;
    for (const x86::Feature &feature : x86::getFeatures())
      if (wanted->checkFeatures(("+" + feature.name).str()))
        needed.push_back(feature);
    x86::defineMachineTest(test, needed);
  }
};
} // namespace

namespace lathe {
const TargetFamily &getX86Family() {
  static const X86Family family;
  return family;
}
} // namespace lathe

//===- AArch64.cpp - Arm in 64 bits: Advanced SIMD and its extensions -----===//
#include "lib/Target/AArch64/AArch64.h"
#include "lib/Target/AArch64/MachineTest.h"
#include "lib/Target/TargetFamily.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/AArch64TargetParser.h"
#include "llvm/TargetParser/Host.h"

using namespace mlir;
using namespace lathe;

static constexpr llvm::StringLiteral kTriple = "aarch64-unknown-linux-gnu";

/// Armv8-A, Armv8.2-A with the extensions of its phones and servers (Cortex-A76, Neoverse N1), and Armv8.6-A.
static constexpr llvm::StringLiteral kNames[] = {"aarch64", "aarch64-dotprod", "aarch64-i8mm"};

static StringRef getFeaturesOf(StringRef name) {
  if (name == "aarch64-dotprod")
    return "+v8.2a,+dotprod,+fullfp16";
  if (name == "aarch64-i8mm")
    return "+v8.6a,+fullfp16,+fp16fml"; // Arm: from Armv8.4 on, FEAT_FP16 brings FEAT_FHM
  return "";
}

static nn::TargetAttr describeFeatures(MLIRContext &context, StringRef cpu, StringRef features) {
  std::unique_ptr<llvm::MCSubtargetInfo> subtarget = getSubtarget(llvm::Triple(kTriple), cpu, features);
  auto has = [&](StringRef feature) { return subtarget->checkFeatures(("+" + feature).str()); };
  StringRef dot = has("i8mm") ? "i8mm" : has("dotprod") ? "dotprod" : "none";
  // Cores with dot products have larger caches than those of 2013.
  bool recent = dot != "none";
  return nn::TargetAttr::get(&context, kTriple, cpu, features, /*vector_bits=*/128, /*vector_registers=*/32, dot,
                             /*l1_bytes=*/recent ? 64 << 10 : 32 << 10, /*l2_bytes=*/512 << 10,
                             /*bf16_product=*/has("bf16") ? "bfmmla" : "none");
}

namespace {
class AArch64Family final : public TargetFamily {
public:
  ArrayRef<llvm::StringLiteral> getNames() const override { return kNames; }

  bool contains(const llvm::Triple &triple) const override { return triple.isAArch64(64) && triple.isLittleEndian(); }

  void initialize() const override {
    LLVMInitializeAArch64TargetInfo();
    LLVMInitializeAArch64Target();
    LLVMInitializeAArch64TargetMC();
    LLVMInitializeAArch64AsmPrinter();
    LLVMInitializeAArch64AsmParser();
  }

  nn::TargetAttr describe(MLIRContext &context, StringRef name, StringRef cpu) const override {
    SmallVector<StringRef> known;
    llvm::AArch64::fillValidCPUArchList(known);
    if (!cpu.empty() && !llvm::is_contained(known, cpu))
      return nullptr;
    return describeFeatures(context, cpu.empty() ? "generic" : cpu, cpu.empty() ? getFeaturesOf(name) : "");
  }

  nn::TargetAttr describeHost(MLIRContext &context, StringRef cpu) const override {
    if (!cpu.empty())
      return describe(context, "", cpu);
    return describeFeatures(context, llvm::sys::getHostCPUName(), getHostFeatures());
  }

  const DotProduct &getDotProduct(nn::TargetAttr target) const override { return aarch64::getDotProduct(target); }

  const DotProduct *getBf16DotProduct(nn::TargetAttr target) const override {
    return aarch64::getBf16DotProduct(target);
  }

  StringRef getHalfFeature() const override { return "fullfp16"; }

  const HalfProduct *getHalfProduct(nn::TargetAttr target) const override {
    if (!hasFeature(target, getHalfFeature()))
      return nullptr;
    return &aarch64::getHalfProduct(/*hasWideningProduct=*/hasFeature(target, "fp16fml"));
  }

  const PairProduct *getPairProduct(nn::TargetAttr target, Type element) const override {
    return aarch64::getPairProduct(target, element);
  }

  bool multipliesByLane(nn::TargetAttr) const override { return true; }
  bool hasFma(nn::TargetAttr) const override { return true; }
  bool hasHalfConversions(nn::TargetAttr) const override { return true; }

  std::optional<ProgramParts> getProgramParts(nn::TargetAttr target) const override {
    if (target.getTriple() != kTriple)
      return std::nullopt;
    ProgramParts parts;
    parts.runtime = kTriple;
    parts.system = {"/usr/aarch64-linux-gnu/lib", "/usr/lib/aarch64-linux-gnu"};
    parts.loader = "/lib/ld-linux-aarch64.so.1";
    parts.package = "libc6-dev-arm64-cross";
    return parts;
  }

  bool runsHere(nn::TargetAttr target) const override {
    auto names = llvm::map_to_vector(aarch64::getFeatures(), [](const aarch64::Feature &each) { return each.name; });
    return hostHas(target, getHostFeatures(), names);
  }

  // Darwin stops programs that read the identification registers.
  StringRef getBaselineCpu(nn::TargetAttr target) const override {
    return llvm::Triple(target.getTriple()).isOSDarwin() ? "" : "generic";
  }

  void defineMachineTest(llvm::Function &test, nn::TargetAttr target) const override {
    std::unique_ptr<llvm::MCSubtargetInfo> wanted =
        getSubtarget(llvm::Triple(kTriple), target.getCpu(), target.getFeatures());
    SmallVector<aarch64::Feature> needed;
    for (const aarch64::Feature &feature : aarch64::getFeatures())
      if (wanted->checkFeatures(("+" + feature.name).str()))
        needed.push_back(feature);
    aarch64::defineMachineTest(test, needed);
  }
};
} // namespace

namespace lathe {
const TargetFamily &getAArch64Family() {
  static const AArch64Family family;
  return family;
}
} // namespace lathe

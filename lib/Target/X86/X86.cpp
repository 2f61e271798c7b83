//===- X86.cpp - x86-64 levels and CPUs -----------------------------------===//
#include "lib/Target/X86/X86.h"
#include "lib/Target/TargetFamily.h"
#include "lib/Target/X86/MachineTest.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/X86TargetParser.h"
#if defined(__linux__) && defined(__x86_64__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

using namespace mlir;
using namespace lathe;

static constexpr llvm::StringLiteral kTriple = "x86_64-unknown-linux-gnu";
static constexpr llvm::StringLiteral kLevels[] = {"x86-64-v2", "x86-64-v3", "x86-64-v4"};

/// Widest vectors, registers and dot product follow from the features.
static nn::TargetAttr describeFeatures(MLIRContext &context, StringRef cpu, StringRef features) {
  std::unique_ptr<llvm::MCSubtargetInfo> subtarget = getSubtarget(llvm::Triple(kTriple), cpu, features);
  auto has = [&](StringRef feature) { return subtarget->checkFeatures(("+" + feature).str()); };
  bool avx512 = has("avx512f") && has("avx512vl") && has("avx512bw") && has("avx512dq"),
       avx2 = has("avx2") && has("fma");
  StringRef dot = avx512 && has("avx512vnni") ? "avx512vnni" : avx2 ? "avx2" : "none";
  // Intel's cores take two cycles and more for a vdpbf16ps: FMAs add up as much or more. Zen 4 takes one.
  bool dots = avx512 && has("avx512bf16");
  StringRef bf16 = "none";
  if (dots && has("amx-tile") && has("amx-bf16"))
    bf16 = "amx";
  else if (dots && cpu.starts_with("znver"))
    bf16 = "avx512bf16";
  return nn::TargetAttr::get(&context, kTriple, cpu, features,
                             avx512 ? 512
                             : avx2 ? 256
                                    : 128,
                             avx512 ? 32 : 16, dot,
                             /*l1_bytes=*/32 << 10, /*l2_bytes=*/avx512 ? 1 << 20 : 256 << 10, bf16);
}

/// Whether Linux lets this process use tile registers. It saves them for those that ask only (arch_prctl(2)).
static bool mayUseTiles() {
#if defined(__linux__) && defined(__x86_64__)
  constexpr long requestPermission = 0x1023, tileData = 18; // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, requestPermission, tileData) == 0;
#else
  return false;
#endif
}

/// The host's features, but tile registers where the process gets none.
static std::string getUsableFeatures() {
  std::string features = getHostFeatures();
  if (!mayUseTiles())
    features += ",-amx-tile"; // and with it all that need it
  return features;
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
    return describeFeatures(context, llvm::sys::getHostCPUName(), getUsableFeatures());
  }

  const DotProduct &getDotProduct(nn::TargetAttr target) const override { return x86::getDotProduct(target); }
  const DotProduct *getBf16DotProduct(nn::TargetAttr target) const override { return x86::getBf16DotProduct(target); }

  StringRef getHalfFeature() const override { return "avx512fp16"; }

  const HalfProduct *getHalfProduct(nn::TargetAttr target) const override {
    static const HalfProduct extending;
    return target.getVectorBits() == 512 && hasFeature(target, getHalfFeature()) ? &extending : nullptr;
  }

  const TileUnit *getTileUnit(nn::TargetAttr target) const override { return x86::getTileUnit(target); }

  // Every CPU with the 256-bit integers of AVX2 has FMA and F16C, too.
  bool hasFma(nn::TargetAttr target) const override { return target.getVectorBits() >= 256; }
  const FloatInstructions *getFloatInstructions(nn::TargetAttr target) const override {
    return x86::getFloatInstructions(target);
  }

  // Zen 4 computes 512 bits in two halves; later ones of AMD's servers do not.
  bool splitsVectors(nn::TargetAttr target) const override {
    return target.getVectorBits() == 512 && target.getCpu() == "znver4";
  }

  bool hasHalfConversions(nn::TargetAttr target) const override { return target.getVectorBits() >= 256; }

  std::optional<ProgramParts> getProgramParts(nn::TargetAttr target) const override {
    if (target.getTriple() != kTriple)
      return std::nullopt;
    ProgramParts parts;
    parts.system = {"/usr/lib/x86_64-linux-gnu"};
    parts.loader = "/lib64/ld-linux-x86-64.so.2";
    parts.package = "libc6-dev";
    return parts;
  }

  bool runsHere(nn::TargetAttr target) const override {
    auto names = llvm::map_to_vector(x86::getFeatures(), [](const x86::Feature &feature) { return feature.name; });
    return hostHas(target, getUsableFeatures(), names);
  }

  StringRef getBaselineCpu(nn::TargetAttr) const override { return "x86-64"; }

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

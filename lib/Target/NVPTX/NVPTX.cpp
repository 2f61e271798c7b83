//===- NVPTX.cpp - NVIDIA GPUs --------------------------------------------===//
#include "lib/Target/TargetFamily.h"
#include "llvm/Support/TargetSelect.h"

using namespace mlir;
using namespace lathe;

static constexpr llvm::StringLiteral kTriple = "nvptx64-nvidia-cuda";
static constexpr llvm::StringLiteral kNames[] = {"sm_80", "sm_90"};

namespace {

class NVPTXFamily final : public TargetFamily {
public:
  ArrayRef<llvm::StringLiteral> getNames() const override { return kNames; }

  bool contains(const llvm::Triple &triple) const override { return triple.isNVPTX(); }

  void initialize() const override {
    LLVMInitializeNVPTXTargetInfo();
    LLVMInitializeNVPTXTarget();
    LLVMInitializeNVPTXTargetMC();
    LLVMInitializeNVPTXAsmPrinter();
  }

  /// A name says all: `cpu` must be empty. The version of PTX is the first that knows the machine and what is used of
  /// it; later drivers take it. "Caches" are the shared memory that one block can have, and the second cache (CUDA C++
  /// Programming Guide, "Compute Capabilities").
  nn::TargetAttr describe(MLIRContext &context, StringRef name, StringRef cpu) const override {
    if (!cpu.empty())
      return nullptr;
    bool hopper = name == "sm_90";
    return nn::TargetAttr::get(&context, kTriple, hopper ? "sm_90a" : "sm_80", hopper ? "+ptx80" : "+ptx70",
                               /*vector_bits=*/32, /*vector_registers=*/255, /*dot_product=*/"none",
                               /*l1_bytes=*/(hopper ? 227 : 163) << 10, /*l2_bytes=*/(hopper ? 50 : 40) << 20,
                               /*bf16_product=*/"mma");
  }

  nn::TargetAttr describeHost(MLIRContext &, StringRef) const override { return nullptr; }

  bool hasFma(nn::TargetAttr) const override { return true; }
  bool hasHalfConversions(nn::TargetAttr) const override { return true; }

  bool runsHere(nn::TargetAttr) const override { return false; }

  /// Code for an architecture with an `a` uses instructions that later ones need not have (PTX ISA, ".target").
  DeviceNeeds getDeviceNeeds(nn::TargetAttr target) const override {
    DeviceNeeds needs;
    StringRef name = target.getCpu();
    name.consume_front("sm_");
    needs.exact = name.consume_back("a");
    (void)name.getAsInteger(10, needs.capability);
    return needs;
  }

  /// Those of the largest product of each architecture: the A100 has 108 (NVIDIA A100 Tensor Core GPU Architecture,
  /// table 4), the H100 SXM and the H200 have 132 (NVIDIA H100 Tensor Core GPU Architecture, table 3). Others have
  /// fewer: their blocks take more turns. The A100's second cache gives 5120 bytes in a cycle (there, "A100 L2 cache");
  /// of the H100's no number is published, and benchmarks read about six terabytes in a second. Code for sm_80 runs
  /// on 8.6 and 8.9, too, where a block may have 99 KB (CUDA C++ Programming Guide, "Compute Capabilities"). The A100's
  /// tensor cores take 1024 multiply-adds of bf16 in a cycle; mma.sync reaches two thirds of what wgmma does on the
  /// H100, which is twice as much (ptxas issues one in eight cycles and one in six).
  Multiprocessors getMultiprocessors(nn::TargetAttr target) const override {
    bool hopper = target.getCpu().starts_with("sm_9");
    Multiprocessors result{108, 164 << 10, 99 << 10, 2048, 65536, /*cacheBytes=*/47, /*productCycles=*/8};
    if (hopper)
      result = {132, 228 << 10, 227 << 10, 2048, 65536, /*cacheBytes=*/26, /*productCycles=*/6};
    return result;
  }
};

} // namespace

namespace lathe {
const TargetFamily &getNVPTXFamily() {
  static const NVPTXFamily family;
  return family;
}
} // namespace lathe

//===- WebAssembly.cpp - wasm32 with 128-bit vectors ----------------------===//
#include "lib/Target/WebAssembly/WebAssembly.h"
#include "lib/Target/TargetFamily.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/TargetSelect.h"

using namespace mlir;
using namespace lathe;

static constexpr llvm::StringLiteral kTriple = "wasm32-unknown-unknown";
static constexpr llvm::StringLiteral kNames[] = {"wasm32", "wasm32-relaxed", "wasm32-threads",
                                                 "wasm32-relaxed-threads"};

/// What every engine has that has simd128.
static constexpr llvm::StringLiteral kFeatures =
    "+simd128,+bulk-memory,+bulk-memory-opt,+nontrapping-fptoint,+sign-ext,+mutable-globals";

namespace {
class WebAssemblyFamily final : public TargetFamily {
public:
  ArrayRef<llvm::StringLiteral> getNames() const override { return kNames; }

  bool contains(const llvm::Triple &triple) const override { return triple.isWasm(); }

  void initialize() const override {
    LLVMInitializeWebAssemblyTargetInfo();
    LLVMInitializeWebAssemblyTarget();
    LLVMInitializeWebAssemblyTargetMC();
    LLVMInitializeWebAssemblyAsmPrinter();
    LLVMInitializeWebAssemblyAsmParser();
  }

  /// Instruction sets are told apart by features alone; LLVM's other CPU names are sets of those.
  nn::TargetAttr describe(MLIRContext &context, StringRef name, StringRef cpu) const override {
    if (!cpu.empty() && cpu != "generic")
      return nullptr;
    std::string features = kFeatures.str();
    if (name.contains("-relaxed"))
      features += ",+relaxed-simd";
    if (name.ends_with("-threads"))
      features += ",+atomics";
    // The registers are those of an x86-64 engine without AVX-512, and of no engine fewer.
    return nn::TargetAttr::get(&context, kTriple, "generic", features, /*vector_bits=*/128, /*vector_registers=*/16,
                               /*dot_product=*/"dot_i16x8", /*l1_bytes=*/32 << 10, /*l2_bytes=*/256 << 10,
                               /*bf16_product=*/"none");
  }

  nn::TargetAttr describeHost(MLIRContext &context, StringRef cpu) const override {
    return describe(context, "wasm32", cpu);
  }

  /// An engine runs it, never this process.
  bool runsHere(nn::TargetAttr target) const override { return false; }

  const DotProduct &getDotProduct(nn::TargetAttr target) const override { return wasm::getDotProduct(target); }

  /// relaxed_madd rounds once or twice, as the engine likes.
  bool hasFma(nn::TargetAttr) const override { return false; }
  bool hasHalfConversions(nn::TargetAttr) const override { return false; }

  llvm::Reloc::Model getRelocationModel() const override { return llvm::Reloc::Static; }

  /// Engines keep the order of what they compile: unrolled steps would hold their operands in registers all at once.
  bool unrollsLoops() const override { return false; }

  llvm::FunctionPass *createSelectionPreparation() const override { return wasm::createPrepareSelectionPass(); }
};
} // namespace

bool wasm::hasThreads(nn::TargetAttr target) { return hasFeature(target, "atomics"); }

SmallVector<StringRef> wasm::getNeededFeatures(nn::TargetAttr target) {
  SmallVector<StringRef> needed;
  for (StringRef name : {"simd128", "relaxed-simd"})
    if (hasFeature(target, name))
      needed.push_back(name);
  return needed;
}

namespace lathe {
const TargetFamily &getWebAssemblyFamily() {
  static const WebAssemblyFamily family;
  return family;
}
} // namespace lathe

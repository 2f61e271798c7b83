//===- MachineTest.cpp - Which instructions an x86-64 machine has ---------===//
//
// Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, CPUID, and volume 1, 13.3 and 14.3; AMD64
// Architecture Programmer's Manual, volume 3, appendix E, for the leaves from 0x80000000 on.
//
//===----------------------------------------------------------------------===//
#include "lib/Target/X86/MachineTest.h"
#include "lib/Target/ConditionChain.h"
#include "llvm/IR/InlineAsm.h"

using namespace lathe;
using namespace lathe::x86;

/// Parts of XCR0: the registers of SSE and AVX; with those of masks and of AVX-512; tiles; those of APX.
static constexpr uint32_t kVectors = 0x6, kWideVectors = 0xe6, kTiles = 0x60000, kMoreRegisters = 1 << 19;
static constexpr uint32_t kExtended = 0x80000000;

static constexpr Feature kFeatures[] = {
    {"sse3", 1, 0, ECX, 0},
    {"pclmul", 1, 0, ECX, 1},
    {"ssse3", 1, 0, ECX, 9},
    {"fma", 1, 0, ECX, 12, kVectors},
    {"cx16", 1, 0, ECX, 13},
    {"sse4.1", 1, 0, ECX, 19},
    {"sse4.2", 1, 0, ECX, 20},
    {"movbe", 1, 0, ECX, 22},
    {"popcnt", 1, 0, ECX, 23},
    {"avx", 1, 0, ECX, 28, kVectors},
    {"f16c", 1, 0, ECX, 29, kVectors},
    {"bmi", 7, 0, EBX, 3},
    {"avx2", 7, 0, EBX, 5, kVectors},
    {"bmi2", 7, 0, EBX, 8},
    {"avx512f", 7, 0, EBX, 16, kWideVectors},
    {"avx512dq", 7, 0, EBX, 17, kWideVectors},
    {"adx", 7, 0, EBX, 19},
    {"avx512ifma", 7, 0, EBX, 21, kWideVectors},
    {"avx512cd", 7, 0, EBX, 28, kWideVectors},
    {"avx512bw", 7, 0, EBX, 30, kWideVectors},
    {"avx512vl", 7, 0, EBX, 31, kWideVectors},
    {"avx512vbmi", 7, 0, ECX, 1, kWideVectors},
    {"avx512vbmi2", 7, 0, ECX, 6, kWideVectors},
    {"gfni", 7, 0, ECX, 8},
    {"vpclmulqdq", 7, 0, ECX, 10, kVectors},
    {"avx512vnni", 7, 0, ECX, 11, kWideVectors},
    {"avx512bitalg", 7, 0, ECX, 12, kWideVectors},
    {"avx512vpopcntdq", 7, 0, ECX, 14, kWideVectors},
    {"avx512vp2intersect", 7, 0, EDX, 8, kWideVectors},
    {"amx-bf16", 7, 0, EDX, 22, kTiles},
    {"avx512fp16", 7, 0, EDX, 23, kWideVectors},
    {"amx-tile", 7, 0, EDX, 24, kTiles},
    {"avxvnni", 7, 1, EAX, 4, kVectors},
    {"avx512bf16", 7, 1, EAX, 5, kWideVectors},
    {"avxifma", 7, 1, EAX, 23, kVectors},
    {"avxvnniint8", 7, 1, EDX, 4, kVectors},
    {"avxneconvert", 7, 1, EDX, 5, kVectors},
    {"avxvnniint16", 7, 1, EDX, 10, kVectors},
    {"egpr", 7, 1, EDX, 21, kMoreRegisters},
    {"avx10.2", 0x24, 0, EBX, 1, kWideVectors}, // the version of AVX10, 2 or 3
    {"sahf", kExtended + 1, 0, ECX, 0},
    {"lzcnt", kExtended + 1, 0, ECX, 5},
    {"sse4a", kExtended + 1, 0, ECX, 6},
    {"xop", kExtended + 1, 0, ECX, 11, kVectors},
    {"fma4", kExtended + 1, 0, ECX, 16, kVectors},
    {"tbm", kExtended + 1, 0, ECX, 21},
};

llvm::ArrayRef<Feature> x86::getFeatures() { return kFeatures; }

namespace {

class MachineTestBuilder : ConditionChain {
public:
  using ConditionChain::ConditionChain;

  void build(llvm::ArrayRef<Feature> features) {
    uint32_t state = 0;
    for (const Feature &feature : features)
      state |= feature.state;
    if (state)
      requireState(state);
    while (!features.empty()) {
      const Feature &first = features.front();
      llvm::ArrayRef<Feature> leaf = features.take_while(
          [&](const Feature &feature) { return feature.leaf == first.leaf && feature.subleaf == first.subleaf; });
      requireLeaf(leaf);
      features = features.drop_front(leaf.size());
    }
    succeed();
  }

private:
  llvm::CallInst *callAsm(llvm::StringRef code, llvm::StringRef constraints, llvm::Type *result,
                          llvm::ArrayRef<llvm::Value *> operands, bool hasSideEffects) {
    llvm::SmallVector<llvm::Type *> types(operands.size(), builder.getInt32Ty());
    auto *type = llvm::FunctionType::get(result, types, /*isVarArg=*/false);
    return builder.CreateCall(llvm::InlineAsm::get(type, code, constraints, hasSideEffects), operands);
  }

  llvm::Value *readWord(uint32_t leaf, uint32_t subleaf, Word word) {
    llvm::Type *i32 = builder.getInt32Ty();
    llvm::CallInst *words = callAsm("cpuid", "={ax},={bx},={cx},={dx},{ax},{cx},~{dirflag},~{fpsr},~{flags}",
                                    llvm::StructType::get(i32, i32, i32, i32),
                                    {builder.getInt32(leaf), builder.getInt32(subleaf)}, /*hasSideEffects=*/false);
    words->setDoesNotAccessMemory(); // the same words again: one call is enough
    words->setDoesNotThrow();
    return builder.CreateExtractValue(words, word);
  }

  void requireBits(llvm::Value *word, uint32_t bits) {
    require(builder.CreateICmpEQ(builder.CreateAnd(word, bits), builder.getInt32(bits)));
  }

  /// The system saves these registers. XGETBV is only there where OSXSAVE says so.
  void requireState(uint32_t state) {
    constexpr uint32_t kOsxsave = 1 << 27;
    requireBits(readWord(1, 0, ECX), kOsxsave);
    llvm::Type *i32 = builder.getInt32Ty();
    llvm::Value *words = callAsm("xgetbv", "={ax},={dx},{cx},~{dirflag},~{fpsr},~{flags}",
                                 llvm::StructType::get(i32, i32), {builder.getInt32(0)}, /*hasSideEffects=*/true);
    requireBits(builder.CreateExtractValue(words, 0), state);
  }

  /// Of leaves and subleaves that a machine lacks, CPUID returns those of others.
  void requireLeaf(llvm::ArrayRef<Feature> features) {
    uint32_t leaf = features.front().leaf, subleaf = features.front().subleaf;
    if (leaf != 1)
      require(builder.CreateICmpUGE(readWord(leaf & kExtended, 0, EAX), builder.getInt32(leaf)));
    if (subleaf)
      require(builder.CreateICmpUGE(readWord(leaf, 0, EAX), builder.getInt32(subleaf)));
    uint32_t bits[4] = {};
    for (const Feature &feature : features)
      bits[feature.word] |= uint32_t(1) << feature.bit;
    for (Word word : {EAX, EBX, ECX, EDX})
      if (bits[word])
        requireBits(readWord(leaf, subleaf, word), bits[word]);
  }
};

} // namespace

void x86::defineMachineTest(llvm::Function &test, llvm::ArrayRef<Feature> features) {
  MachineTestBuilder(test).build(features);
}

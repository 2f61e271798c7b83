//===- MachineTest.cpp - Which instructions an AArch64 machine has --------===//
//
// Arm Architecture Reference Manual for A-profile architecture, D24.2, AArch64 identification registers. Programs of
// Linux may read them since 4.11, which says so by HWCAP_CPUID, and then see what all cores have
// (Documentation/arch/arm64/cpu-feature-registers.rst).
//
//===----------------------------------------------------------------------===//
#include "lib/Target/AArch64/MachineTest.h"
#include "lib/Target/ConditionChain.h"
#include "llvm/IR/InlineAsm.h"
#include "llvm/IR/Module.h"

using namespace lathe;
using namespace lathe::aarch64;

/// By number: assemblers know some of the names with some extensions only.
static constexpr llvm::StringLiteral kPfr0 = "S3_0_C0_C4_0", kZfr0 = "S3_0_C0_C4_4", kIsar0 = "S3_0_C0_C6_0",
                                     kIsar1 = "S3_0_C0_C6_1", kIsar2 = "S3_0_C0_C6_2";

static constexpr Feature kFeatures[] = {
    {"fullfp16", kPfr0, 20, 1}, // 15 where there is no Advanced SIMD, which the baseline has
    {"sve", kPfr0, 32, 1},      {"sve2", kZfr0, 0, 1},        {"lse", kIsar0, 20, 2},     {"rdm", kIsar0, 28, 1},
    {"sha3", kIsar0, 32, 1},    {"dotprod", kIsar0, 44, 1},   {"fp16fml", kIsar0, 48, 1}, {"flagm", kIsar0, 52, 1},
    {"altnzcv", kIsar0, 52, 2}, {"complxnum", kIsar1, 16, 1}, {"rcpc", kIsar1, 20, 1},    {"rcpc-immo", kIsar1, 20, 2},
    {"fptoint", kIsar1, 32, 1}, {"bf16", kIsar1, 44, 1},      {"i8mm", kIsar1, 52, 1},    {"mops", kIsar2, 16, 1},
    {"hbc", kIsar2, 20, 1},     {"cssc", kIsar2, 52, 1},
};

llvm::ArrayRef<Feature> aarch64::getFeatures() { return kFeatures; }

namespace {

class MachineTestBuilder : ConditionChain {
public:
  using ConditionChain::ConditionChain;

  void build(llvm::ArrayRef<Feature> features) {
    if (!features.empty())
      requireReadable();
    while (!features.empty()) {
      llvm::StringRef field = features.front().field;
      llvm::Value *word = readRegister(field);
      for (; !features.empty() && features.front().field == field; features = features.drop_front()) {
        llvm::Value *number = builder.CreateAnd(builder.CreateLShr(word, features.front().bit), 0xf);
        require(builder.CreateICmpUGE(number, builder.getInt64(features.front().least)));
      }
    }
    succeed();
  }

private:
  /// Linux before 4.11 stops a process that reads the registers. Where there is no getauxval to ask, as without an
  /// operating system or in a static program that nothing else pulls it into, they are read.
  void requireReadable() {
    constexpr uint64_t hardwareCapabilities = 16, mayReadRegisters = 1 << 11; // AT_HWCAP, HWCAP_CPUID
    llvm::Type *i64 = builder.getInt64Ty();
    auto *type = llvm::FunctionType::get(i64, {i64}, /*isVarArg=*/false);
    llvm::FunctionCallee getauxval = test.getParent()->getOrInsertFunction("getauxval", type);
    auto *symbol = llvm::cast<llvm::Function>(getauxval.getCallee());
    symbol->setLinkage(llvm::GlobalValue::ExternalWeakLinkage);
    llvm::BasicBlock *ask = makeBlock(), *read = makeBlock();
    builder.CreateCondBr(builder.CreateIsNull(symbol), read, ask);
    builder.SetInsertPoint(ask);
    llvm::Value *word = builder.CreateCall(getauxval, builder.getInt64(hardwareCapabilities));
    builder.CreateCondBr(builder.CreateIsNull(builder.CreateAnd(word, mayReadRegisters)), fail, read);
    builder.SetInsertPoint(read);
  }

  llvm::Value *readRegister(llvm::StringRef name) {
    auto *type = llvm::FunctionType::get(builder.getInt64Ty(), /*isVarArg=*/false);
    // Volatile: it must not run before the process is known to be allowed to.
    auto *code = llvm::InlineAsm::get(type, ("mrs $0, " + name).str(), "=r", /*hasSideEffects=*/true);
    llvm::CallInst *word = builder.CreateCall(code);
    word->setDoesNotThrow();
    return word;
  }
};

} // namespace

void aarch64::defineMachineTest(llvm::Function &test, llvm::ArrayRef<Feature> features) {
  MachineTestBuilder(test).build(features);
}

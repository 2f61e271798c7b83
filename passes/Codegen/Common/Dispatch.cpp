//===- Dispatch.cpp - Which code of a model the machine can run -----------===//
//
// The answer is a word with a bit for each variant, kept in a global after the first call. Whoever comes in between finds out
// the same, so a plain atomic store is enough, and a call costs one load and a branch that is always taken alike.
//
//===----------------------------------------------------------------------===//
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "passes/Codegen/Common/Variants.h"
#include "runtime/include/lathe/rt_abi.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::codegen;

namespace {

/// Of the word: the machine was asked.
constexpr int64_t kKnown = int64_t(1) << 31;

class DispatchBuilder {
public:
  DispatchBuilder(ModuleOp module, StringRef name, ArrayRef<Variant> variants, ArrayRef<LLVM::LLVMFuncOp> entries)
      : module(module), builder(module.getLoc(), module.getContext()), name(name), variants(variants), entries(entries),
        pointer(LLVM::LLVMPointerType::get(module.getContext())), i1(builder.getI1Type()), i32(builder.getI32Type()) {}

  /// The machine is not asked: it is known to run the only variant.
  Dispatch buildPlain() {
    Dispatch result;
    result.supported = makeFunction(name + "_supported", i32, {});
    LLVM::ReturnOp::create(builder, constant(1));
    result.run = entries.front();
    result.variantRuns.assign(entries.begin(), entries.end());
    return result;
  }

  Dispatch build() {
    builder.setInsertionPointToEnd(module.getBody());
    machine = LLVM::GlobalOp::create(builder, i32, /*isConstant=*/false, LLVM::Linkage::Internal, (name + "_machine").str(),
                                     builder.getI32IntegerAttr(0));
    LLVM::LLVMFuncOp ask = makeAsk();
    Dispatch result;
    result.supported = makeSupported(ask);
    auto all = llvm::to_vector(llvm::seq<unsigned>(0, variants.size()));
    result.run = makeRun(name + "_run", result.supported, all, LLVM::Linkage::External);
    if (variants.size() == 1) {
      result.variantRuns.push_back(result.run);
      return result;
    }
    for (auto [index, variant] : llvm::enumerate(variants))
      result.variantRuns.push_back(
          makeRun(name + "_run_" + variant.getSuffix(), result.supported, {unsigned(index)}, LLVM::Linkage::Internal));
    return result;
  }

private:
  Value constant(int64_t value) { return LLVM::ConstantOp::create(builder, i32, int64_t(int32_t(value))); }

  LLVM::LLVMFuncOp makeFunction(const Twine &symbol, Type result, ArrayRef<Type> arguments) {
    builder.setInsertionPointToEnd(module.getBody());
    auto function = LLVM::LLVMFuncOp::create(builder, symbol.str(), LLVM::LLVMFunctionType::get(result, arguments));
    function.setLinkage(LLVM::Linkage::Internal);
    function->setAttr(kAnyMachineAttr, builder.getUnitAttr());
    builder.setInsertionPointToStart(function.addEntryBlock(builder));
    return function;
  }

  /// Asks the machine about every variant and keeps the answer.
  LLVM::LLVMFuncOp makeAsk() {
    SmallVector<LLVM::LLVMFuncOp> tests;
    builder.setInsertionPointToEnd(module.getBody());
    for (const Variant &variant : variants) {
      tests.push_back(LLVM::LLVMFuncOp::create(builder, (name + "_can_run_" + variant.getSuffix()).str(),
                                               LLVM::LLVMFunctionType::get(i1, {})));
      tests.back()->setAttr(kMachineTestAttr, variant.target);
    }
    LLVM::LLVMFuncOp ask = makeFunction(name + "_ask_machine", i32, {});
    ask.setNoInline(true);
    Value word = constant(kKnown);
    for (auto [index, test] : llvm::enumerate(tests)) {
      Value yes = LLVM::CallOp::create(builder, test, ValueRange()).getResult();
      Value bit = LLVM::ShlOp::create(builder, LLVM::ZExtOp::create(builder, i32, yes), constant(index));
      word = LLVM::OrOp::create(builder, word, bit);
    }
    LLVM::StoreOp::create(builder, word, LLVM::AddressOfOp::create(builder, machine), /*alignment=*/4, /*isVolatile=*/false,
                          /*isNonTemporal=*/false, /*isInvariantGroup=*/false, LLVM::AtomicOrdering::monotonic);
    LLVM::ReturnOp::create(builder, word);
    return ask;
  }

  /// The bits of variants that the machine can run.
  LLVM::LLVMFuncOp makeSupported(LLVM::LLVMFuncOp ask) {
    LLVM::LLVMFuncOp supported = makeFunction(name + "_supported", i32, {});
    Block *entry = builder.getInsertionBlock();
    Block *first = builder.createBlock(&supported.getBody()), *done = builder.createBlock(&supported.getBody());
    Value word = done->addArgument(i32, builder.getLoc());

    builder.setInsertionPointToEnd(entry);
    Value kept = LLVM::LoadOp::create(builder, i32, LLVM::AddressOfOp::create(builder, machine), /*alignment=*/4,
                                      /*isVolatile=*/false, /*isNonTemporal=*/false, /*isInvariant=*/false,
                                      /*isInvariantGroup=*/false, LLVM::AtomicOrdering::monotonic);
    Value known = LLVM::ICmpOp::create(builder, LLVM::ICmpPredicate::ne, kept, constant(0));
    LLVM::CondBrOp::create(builder, known, done, ValueRange(kept), first, ValueRange());
    builder.setInsertionPointToEnd(first);
    LLVM::BrOp::create(builder, ValueRange(LLVM::CallOp::create(builder, ask, ValueRange()).getResult()), done);
    builder.setInsertionPointToEnd(done);
    LLVM::ReturnOp::create(builder, LLVM::AndOp::create(builder, word, constant(kKnown - 1)));
    return supported;
  }

  /// Calls the first of the entries that the machine can run.
  LLVM::LLVMFuncOp makeRun(const Twine &symbol, LLVM::LLVMFuncOp supported, ArrayRef<unsigned> choices,
                           LLVM::Linkage linkage) {
    LLVM::LLVMFuncOp run = makeFunction(symbol, i32, {pointer, pointer, pointer, pointer});
    run.setLinkage(linkage);
    Value word = LLVM::CallOp::create(builder, supported, ValueRange()).getResult();
    for (unsigned index : choices) {
      Value bit = LLVM::AndOp::create(builder, word, constant(int64_t(1) << index));
      Value can = LLVM::ICmpOp::create(builder, LLVM::ICmpPredicate::ne, bit, constant(0));
      Block *before = builder.getInsertionBlock();
      Block *call = builder.createBlock(&run.getBody());
      LLVM::ReturnOp::create(builder, LLVM::CallOp::create(builder, entries[index], run.getArguments()).getResult());
      Block *next = builder.createBlock(&run.getBody());
      builder.setInsertionPointToEnd(before);
      LLVM::CondBrOp::create(builder, can, call, next);
      builder.setInsertionPointToEnd(next);
    }
    LLVM::ReturnOp::create(builder, constant(LATHE_ERROR_UNSUPPORTED_CPU));
    return run;
  }

  ModuleOp module;
  ImplicitLocOpBuilder builder;
  StringRef name;
  ArrayRef<Variant> variants;
  ArrayRef<LLVM::LLVMFuncOp> entries;
  Type pointer, i1, i32;
  LLVM::GlobalOp machine;
};

} // namespace

Dispatch codegen::addDispatch(ModuleOp module, StringRef name, ArrayRef<Variant> variants,
                              ArrayRef<LLVM::LLVMFuncOp> entries) {
  DispatchBuilder builder(module, name, variants, entries);
  return module->hasAttr(kTestsMachineAttr) ? builder.build() : builder.buildPlain();
}

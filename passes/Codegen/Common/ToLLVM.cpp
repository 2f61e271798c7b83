//===- ToLLVM.cpp - Everything to the LLVM dialect ------------------------===//
#include "dialects/NN/IR/NNDialect.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/LoweringOptions.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Transforms/DialectConversion.h"
#include "passes/Codegen/Common/LLVMLowering.h"
#include "passes/Codegen/GPU/Device.h"
#include "passes/Codegen/Passes.h"
#include "llvm/ADT/StringExtras.h"

namespace lathe {
#define GEN_PASS_DEF_TOLLVMPASS
#include "passes/Codegen/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;
using namespace lathe::codegen;

/// Number of LLVM arguments that a value of this type is passed as: memrefs are passed as the
/// fields of a descriptor.
static unsigned countFields(Type type) {
  if (auto memref = dyn_cast<MemRefType>(type))
    return 3 + 2 * memref.getRank();
  return 1;
}

/// A boolean in memory is a byte of 0 or 1; of an i1, LLVM's vectoriser accesses each alone.
static void accessBooleansAsBytes(ModuleOp module) {
  auto byte = IntegerType::get(module.getContext(), 8), boolean = IntegerType::get(module.getContext(), 1);
  module.walk([&](Operation *op) {
    OpBuilder builder(op);
    if (auto load = dyn_cast<LLVM::LoadOp>(op); load && load.getType() == boolean) {
      auto wide = LLVM::LoadOp::create(builder, load.getLoc(), byte, load.getAddr());
      load.replaceAllUsesWith(LLVM::TruncOp::create(builder, load.getLoc(), boolean, wide).getResult());
      load.erase();
    } else if (auto store = dyn_cast<LLVM::StoreOp>(op); store && store.getValue().getType() == boolean) {
      Value wide = LLVM::ZExtOp::create(builder, store.getLoc(), byte, store.getValue());
      LLVM::StoreOp::create(builder, store.getLoc(), wide, store.getAddr());
      store.erase();
    }
  });
}

/// Whether symbols may begin with it, in a C header, too.
static bool isIdentifier(StringRef name) {
  return !name.empty() && !llvm::isDigit(name.front()) &&
         llvm::all_of(name, [](char c) { return llvm::isAlnum(c) || c == '_'; });
}

namespace {

struct ToLLVMPass : lathe::impl::ToLLVMPassBase<ToLLVMPass> {
  using ToLLVMPassBase::ToLLVMPassBase;

  void getDependentDialects(DialectRegistry &registry) const override {
    ToLLVMPassBase::getDependentDialects(registry);
    registry.insert<affine::AffineDialect, vector::VectorDialect, memref::MemRefDialect, nn::NNDialect>();
  }

  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (!isIdentifier(name)) {
      module.emitError("expected the name to be a C identifier, but got '") << name << "'";
      return signalPassFailure();
    }
    SmallVector<Variant> variants = readVariants(module);
    SmallVector<SmallVector<Type>> mainTypes;
    for (const Variant &variant : variants)
      if (auto main = module.lookupSymbol<func::FuncOp>(variant.main))
        mainTypes.emplace_back(main.getArgumentTypes());
    bool hasEntry = mainTypes.size() == variants.size() && module->hasAttr(kInputsAttr);
    collectNoAlias(module);
    unsigned indexBits = getIndexBits(nn::getTarget(module));
    FailureOr<WeightLayout> weights = layOutWeights(module);
    saturateIndices(module, indexBits);
    if (failed(weights) || failed(prepareForLLVM(module)) || failed(convert(module, *weights, indexBits)))
      return signalPassFailure();
    for (auto function : module.getOps<LLVM::LLVMFuncOp>())
      finish(function);
    accessBooleansAsBytes(module);
    if (module->hasAttr(simt::kDeviceAttr) && failed(useDeviceWeights(module)))
      return signalPassFailure();
    lowerParallelCalls(module);
    module->setAttr("lathe.name", StringAttr::get(&getContext(), name));
    if (!hasEntry)
      return;
    for (const Variant &variant : variants)
      markKernels(module, variant.main);
    addWeightBytes(module, variants, *weights);
    addEntryPoint(module, name, variants, mainTypes, IntegerType::get(&getContext(), indexBits), *weights);
  }

  /// Marks what @main calls and LLVM keeps as it is.
  static void markKernels(ModuleOp module, StringRef main) {
    SymbolTable symbols(module);
    symbols.lookup(main)->walk([&](LLVM::CallOp call) {
      auto callee = symbols.lookup<LLVM::LLVMFuncOp>(call.getCallee().value_or(""));
      if (callee && callee.getNoInline())
        callee->setAttr(kKernelAttr, UnitAttr::get(module.getContext()));
    });
  }

  /// Writes down how much each variant uses of the weights.
  void addWeightBytes(ModuleOp module, MutableArrayRef<Variant> variants, const WeightLayout &weights) {
    bool several = variants.size() > 1; // else functions have no target of their own
    int64_t sum = 0;
    for (Variant &variant : variants)
      sum += variant.weightBytes = weights.bytesOf.lookup(several ? variant.target : Attribute());
    if (!several)
      return;
    writeVariants(module, variants);
    remark::passed(module.getLoc(), remark::RemarkOpts::name("Variants").category("codegen"))
        << remark::metric("Variants", variants.size()) << remark::metric("WeightBytes", weights.bytes)
        << remark::metric("SharedWeightBytes", sum - weights.bytes);
  }

  /// Attributes of arguments have no meaning after conversion; which LLVM arguments are noalias is
  /// kept aside.
  void collectNoAlias(ModuleOp module) {
    noAlias.clear();
    for (auto function : module.getOps<func::FuncOp>()) {
      unsigned position = 0;
      for (auto [index, type] : llvm::enumerate(function.getArgumentTypes())) {
        if (isa<MemRefType>(type) && function.getArgAttr(index, kNoAliasAttr))
          noAlias[function.getName()].push_back(position + 1); // the aligned pointer
        position += countFields(type);
      }
      if (!function.isExternal())
        function.setAllArgAttrs(ArrayRef<DictionaryAttr>(
            SmallVector<DictionaryAttr>(function.getNumArguments(), DictionaryAttr::get(&getContext()))));
    }
  }

  LogicalResult convert(ModuleOp module, const WeightLayout &weights, unsigned indexBits) {
    LowerToLLVMOptions options(&getContext());
    options.overrideIndexBitwidth(indexBits);
    LLVMTypeConverter converter(&getContext(), options);
    RewritePatternSet patterns(&getContext());
    std::string symbol = name + "_weights";
    populateLLVMPatterns(converter, patterns);
    populateWeightPatterns(converter, weights, symbol, patterns);
    LLVMConversionTarget target(getContext());
    target.addLegalOp<ModuleOp>();
    if (weights.bytes) {
      OpBuilder builder = OpBuilder::atBlockBegin(module.getBody());
      auto type = LLVM::LLVMArrayType::get(builder.getI8Type(), weights.bytes);
      LLVM::GlobalOp::create(builder, module.getLoc(), type, /*isConstant=*/true, LLVM::Linkage::External, symbol,
                             Attribute(), /*alignment=*/64);
    }
    return applyFullConversion(module, target, std::move(patterns));
  }

  /// What launches kernels takes the addresses of weights from the run, its last argument: lathe_cuda_run begins with
  /// that of all of them on the device.
  LogicalResult useDeviceWeights(ModuleOp module) {
    std::string symbol = name + "_weights";
    auto pointer = LLVM::LLVMPointerType::get(&getContext());
    WalkResult walk = module.walk([&](LLVM::AddressOfOp address) {
      if (address.getGlobalName() != symbol)
        return WalkResult::advance();
      auto function = address->getParentOfType<LLVM::LLVMFuncOp>();
      if (!function || function.getNumArguments() == 0 || function.getArgumentTypes().back() != pointer)
        return WalkResult(address.emitError("expected weights in a function whose last argument is the run"));
      OpBuilder builder(address);
      auto base = LLVM::LoadOp::create(builder, address.getLoc(), pointer, function.getArguments().back());
      address.replaceAllUsesWith(base.getResult());
      address.erase();
      return WalkResult::advance();
    });
    return failure(walk.wasInterrupted());
  }

  void finish(LLVM::LLVMFuncOp function) {
    if (function.isExternal())
      return;
    function.setLinkage(LLVM::Linkage::Internal);
    if (function.getName() == kOutputSizesName)
      function->setAttr(kAnyMachineAttr, UnitAttr::get(&getContext()));
    // One copy of each kernel: inlining them into @main would only make it grow.
    if (function.getName().starts_with(kKernelPrefix))
      function.setNoInline(true);
    for (unsigned index : noAlias.lookup(function.getName()))
      function.setArgAttr(index, LLVM::LLVMDialect::getNoAliasAttrName(), UnitAttr::get(&getContext()));
  }

  llvm::StringMap<SmallVector<unsigned>> noAlias; ///< by function
};

} // namespace

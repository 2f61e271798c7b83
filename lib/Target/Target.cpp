//===- Target.cpp - From the LLVM dialect to code -------------------------===//
#include "lib/Target/Target.h"
#include "lib/Target/TargetFamily.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/TargetParser/Host.h"

using namespace mlir;
using namespace lathe;

/// "native, a, b, c" of all families.
static std::string listTargetNames() {
  std::string names = "native";
  for (const TargetFamily *family : getTargetFamilies())
    for (StringRef name : family->getNames())
      names += ", " + name.str();
  return names;
}

/// The family that this process runs on; null if none is built in for it.
static const TargetFamily *getHostFamily() { return findTargetFamily(llvm::Triple(llvm::sys::getProcessTriple())); }

llvm::Expected<nn::TargetAttr> lathe::resolveTarget(MLIRContext &context, StringRef target, StringRef cpu) {
  context.loadDialect<nn::NNDialect>();
  bool native = target == "native";
  const TargetFamily *family = native ? getHostFamily() : nullptr;
  if (!native)
    for (const TargetFamily *candidate : getTargetFamilies())
      if (llvm::is_contained(candidate->getNames(), target))
        family = candidate;
  if (!family)
    return llvm::createStringError("unknown target '" + target + "'; known: " + listTargetNames());
  if (nn::TargetAttr found = native ? family->describeHost(context, cpu) : family->describe(context, target, cpu))
    return found;
  return llvm::createStringError("unknown cpu '" + cpu + "' for target '" + target + "'");
}

bool lathe::runsHere(nn::TargetAttr target) {
  const TargetFamily *host = getHostFamily();
  return host && host->contains(llvm::Triple(target.getTriple())) && host->runsHere(target);
}

llvm::Expected<std::unique_ptr<llvm::TargetMachine>> lathe::createTargetMachine(nn::TargetAttr target) {
  llvm::Triple triple(target.getTriple());
  const TargetFamily *family = findTargetFamily(triple);
  if (!family)
    return llvm::createStringError("no target family for '" + target.getTriple() + "'");
  std::string error;
  const llvm::Target *found = llvm::TargetRegistry::lookupTarget(triple, error);
  if (!found)
    return llvm::createStringError(error);
  llvm::TargetOptions options;
  options.AllowFPOpFusion = llvm::FPOpFusion::Standard;
  return std::unique_ptr<llvm::TargetMachine>(
      found->createTargetMachine(triple, target.getCpu(), target.getFeatures(), options,
                                 family->getRelocationModel(), std::nullopt, llvm::CodeGenOptLevel::Aggressive));
}

/// Sets what passes read from functions instead of from the machine.
static void setFunctionAttributes(llvm::Module &module, nn::TargetAttr target) {
  for (llvm::Function &function : module) {
    if (function.isDeclaration())
      continue;
    function.addFnAttr("target-cpu", target.getCpu());
    if (!target.getFeatures().empty())
      function.addFnAttr("target-features", target.getFeatures());
    // Several CPUs are tuned for 256 bits; the register tiles are chosen for the full width.
    function.addFnAttr("prefer-vector-width", std::to_string(target.getVectorBits()));
    function.addFnAttr(llvm::Attribute::NoUnwind);
  }
}

static void optimize(llvm::Module &module, llvm::TargetMachine &machine, const TargetFamily &family) {
  llvm::PipelineTuningOptions tuning;
  tuning.SLPVectorization = false; // MLIR has unrolled to registers already
  tuning.LoopUnrolling = family.unrollsLoops();
  llvm::PassBuilder builder(&machine, tuning);
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager cgscc;
  llvm::ModuleAnalysisManager modules;
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(cgscc);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, cgscc, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O3).run(module, modules);
}

namespace {
/// The code generator's passes, with the family's own one where it belongs.
class CodeGenPasses : public llvm::legacy::PassManager {
public:
  explicit CodeGenPasses(const TargetFamily &family) : family(family) {}

  void add(llvm::Pass *pass) override {
    bool isLast = pass->getPassName() == "CodeGen Prepare"; // what it leaves is what is selected
    llvm::legacy::PassManager::add(pass);
    if (llvm::FunctionPass *own = isLast ? family.createSelectionPreparation() : nullptr)
      llvm::legacy::PassManager::add(own);
  }

private:
  const TargetFamily &family;
};
} // namespace

FailureOr<Bytes> lathe::generateCode(Operation *module, nn::TargetAttr target, CodeKind kind,
                                      llvm::function_ref<void(llvm::Module &)> complete) {
  llvm::Expected<std::unique_ptr<llvm::TargetMachine>> machine = createTargetMachine(target);
  if (!machine)
    return module->emitError(llvm::toString(machine.takeError())), failure();
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> code = translateModuleToLLVMIR(module, context);
  if (!code)
    return module->emitError("cannot be translated to LLVM IR"), failure();
  code->setTargetTriple((*machine)->getTargetTriple());
  code->setDataLayout((*machine)->createDataLayout());
  setFunctionAttributes(*code, target);
  const TargetFamily &family = *findTargetFamily((*machine)->getTargetTriple());
  optimize(*code, **machine, family);
  if (complete)
    complete(*code);

  Bytes bytes;
  llvm::raw_svector_ostream stream(bytes);
  if (kind == CodeKind::LLVMIR) {
    code->print(stream, nullptr);
    return bytes;
  }
  CodeGenPasses passes(family);
  auto file = kind == CodeKind::Object ? llvm::CodeGenFileType::ObjectFile : llvm::CodeGenFileType::AssemblyFile;
  if ((*machine)->addPassesToEmitFile(passes, stream, nullptr, file))
    return module->emitError("target '") << target.getTriple() << "' cannot emit this kind of file", failure();
  passes.run(*code);
  return bytes;
}

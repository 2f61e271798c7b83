//===- Target.cpp - From the LLVM dialect to code -------------------------===//
#include "lib/Target/Target.h"
#include "lib/Target/CodeParts.h"
#include "lib/Target/TargetFamily.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Threading.h"
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

/// The same machine with the system of another triple.
static llvm::Expected<nn::TargetAttr> withTriple(nn::TargetAttr machine, StringRef name, StringRef text) {
  llvm::Triple triple(llvm::Triple::normalize(text));
  if (!findTargetFamily(machine)->contains(triple))
    return llvm::createStringError("expected a triple of target '" + name + "', but got '" + text + "'");
  if ((!triple.isOSBinFormatELF() && !triple.isOSBinFormatMachO()) || triple.isX32())
    return llvm::createStringError("expected a triple whose objects are ELF or Mach-O of 64 bits, but got '" + text + "'");
  return nn::TargetAttr::get(machine.getContext(), triple.str(), machine.getCpu(), machine.getFeatures(),
                             machine.getVectorBits(), machine.getVectorRegisters(), machine.getDotProduct(),
                             machine.getL1Bytes(), machine.getL2Bytes(), machine.getBf16Product());
}

llvm::Expected<nn::TargetAttr> lathe::resolveTarget(MLIRContext &context, StringRef target, StringRef cpu,
                                                    StringRef triple) {
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
    return triple.empty() ? llvm::Expected<nn::TargetAttr>(found) : withTriple(found, target, triple);
  return llvm::createStringError("unknown cpu '" + cpu + "' for target '" + target + "'");
}

llvm::Expected<nn::TargetAttr> lathe::resolveBaseline(MLIRContext &context) {
  const TargetFamily *family = getHostFamily();
  if (!family)
    return llvm::createStringError("machines of this kind are not known");
  return resolveTarget(context, family->getNames().front());
}

/// Orders targets of one family: those with wider vectors, then with more features, are better.
static std::pair<unsigned, size_t> rank(nn::TargetAttr target) {
  std::unique_ptr<llvm::MCSubtargetInfo> subtarget =
      getSubtarget(llvm::Triple(target.getTriple()), target.getCpu(), target.getFeatures());
  return {target.getVectorBits(), subtarget ? subtarget->getFeatureBits().count() : 0};
}

llvm::Expected<SmallVector<NamedTarget>> lathe::resolveTargets(MLIRContext &context, StringRef targets, StringRef cpu,
                                                               StringRef triple) {
  constexpr size_t kMost = 31; // see lathe_model::supported
  SmallVector<StringRef> names;
  targets.split(names, ',');
  if (names.size() > 1 && !cpu.empty())
    return llvm::createStringError("expected one target with a cpu, but got '" + targets + "'");
  if (names.size() > kMost)
    return llvm::createStringError("expected at most " + llvm::Twine(kMost) + " targets, but got " +
                                   llvm::Twine(names.size()));
  SmallVector<NamedTarget> resolved;
  for (auto [index, name] : llvm::enumerate(names)) {
    if (llvm::is_contained(ArrayRef(names).take_front(index), name))
      return llvm::createStringError("target '" + name + "' is listed twice");
    llvm::Expected<nn::TargetAttr> target = resolveTarget(context, name, cpu, triple);
    if (!target)
      return target.takeError();
    auto worse = llvm::find_if(resolved, [&](const NamedTarget &each) { return rank(each.target) < rank(*target); });
    resolved.insert(worse, {cpu.empty() && name != "native" ? name.str() : target->getCpu().str(), *target});
  }
  if (resolved.size() == 1)
    return std::move(resolved);
  const TargetFamily *family = findTargetFamily(llvm::Triple(resolved.front().target.getTriple()));
  for (const NamedTarget &each : resolved)
    if (!family->contains(llvm::Triple(each.target.getTriple())))
      return llvm::createStringError("targets '" + resolved.front().name + "' and '" + each.name +
                                     "' are different machines: an object has code for one kind");
  if (!testsMachine(resolved.front().target))
    return llvm::createStringError("expected one target, but got '" + targets +
                                   "': objects for such machines cannot tell them apart");
  return std::move(resolved);
}

bool lathe::testsMachine(nn::TargetAttr target) {
  const TargetFamily *family = findTargetFamily(llvm::Triple(target.getTriple()));
  return family && !family->getBaselineCpu(target).empty();
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
      found->createTargetMachine(triple, target.getCpu(), target.getFeatures(), options, family->getRelocationModel(),
                                 std::nullopt, llvm::CodeGenOptLevel::Aggressive));
}

/// Sets what passes read from a function instead of from the machine.
static void setMachine(llvm::Function &function, StringRef cpu, StringRef features, unsigned vectorBits) {
  function.addFnAttr("target-cpu", cpu);
  function.addFnAttr("target-features", features); // also an empty list: the machine's own would stand in
  // Several CPUs are tuned for 256 bits; the register tiles are chosen for the full width.
  function.addFnAttr("prefer-vector-width", std::to_string(vectorBits));
  function.addFnAttr(llvm::Attribute::NoUnwind);
}

/// Gives each function its target, and the tests of the machine their bodies.
static void setTargets(llvm::Module &code, Operation *module) {
  for (auto op : module->getRegion(0).getOps<LLVM::LLVMFuncOp>()) {
    llvm::Function &function = *code.getFunction(op.getName());
    nn::TargetAttr target = nn::getTarget(op);
    const TargetFamily *family = findTargetFamily(llvm::Triple(target.getTriple()));
    auto tested = op->getAttrOfType<nn::TargetAttr>(kMachineTestAttr);
    if (tested) {
      family->defineMachineTest(function, tested);
      function.setLinkage(llvm::GlobalValue::InternalLinkage);
    }
    if (function.isDeclaration())
      continue;
    StringRef baseline = family && (tested || op->hasAttr(kAnyMachineAttr)) ? family->getBaselineCpu(target) : "";
    if (baseline.empty())
      setMachine(function, target.getCpu(), target.getFeatures(), target.getVectorBits());
    else
      setMachine(function, baseline, "", /*vectorBits=*/128);
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

static TimingScope nest(TimingScope &timing, StringRef name) { return timing ? timing.nest(name) : TimingScope(); }

static FailureOr<Bytes> generate(Operation *module, nn::TargetAttr target, CodeKind kind, TimingScope &timing,
                                 llvm::function_ref<void(llvm::Module &)> complete) {
  llvm::Expected<std::unique_ptr<llvm::TargetMachine>> machine = createTargetMachine(target);
  if (!machine)
    return module->emitError(llvm::toString(machine.takeError())), failure();
  TimingScope translation = nest(timing, "Translate");
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> code = translateModuleToLLVMIR(module, context);
  if (!code)
    return module->emitError("cannot be translated to LLVM IR"), failure();
  code->setTargetTriple((*machine)->getTargetTriple());
  code->setDataLayout((*machine)->createDataLayout());
  setTargets(*code, module);
  translation.stop();

  const TargetFamily &family = *findTargetFamily((*machine)->getTargetTriple());
  TimingScope optimization = nest(timing, "Optimize");
  optimize(*code, **machine, family);
  if (complete)
    complete(*code);
  optimization.stop();

  TimingScope emission = nest(timing, "Emit");
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

FailureOr<Bytes> lathe::generateCode(Operation *module, nn::TargetAttr target, CodeKind kind, TimingScope *timing,
                                     llvm::function_ref<void(llvm::Module &)> complete) {
  TimingScope all = timing ? timing->nest("LLVM") : TimingScope();
  return generate(module, target, kind, all, complete);
}

FailureOr<SmallVector<Bytes>> lathe::generateObjects(ModuleOp module, nn::TargetAttr target, TimingScope *timing) {
  TimingScope all = timing ? timing->nest("LLVM") : TimingScope();
  CodeParts parts(module);
  SmallVector<Bytes> objects(parts.get().size());
  LogicalResult result = failableParallelForEachN(module.getContext(), 0, objects.size(), [&](size_t index) {
    FailureOr<Bytes> object = generate(parts.get()[index], target, CodeKind::Object, all, /*complete=*/{});
    if (succeeded(object))
      objects[index] = std::move(*object);
    return LogicalResult(object);
  });
  if (failed(result))
    return failure();
  return objects;
}

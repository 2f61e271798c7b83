//===- Pipeline.cpp - From a model's file to an object --------------------===//
#include "lib/Driver/Pipeline.h"

#include "dialects/NN/IR/NNDialect.h"
#include "lib/Artifact/Artifact.h"
#include "lib/Driver/Calibration.h"
#include "lib/Driver/ConstantEvaluator.h"
#include "lib/Driver/Diagnostics.h"
#include "lib/Driver/InputOptions.h"
#include "lib/Frontend/Importer.h"
#include "lib/Target/Target.h"
#include "lib/Target/TargetFamily.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Transforms/Passes.h"
#include "passes/Codegen/Common/TargetKind.h"
#include "passes/Codegen/Common/Variants.h"
#include "passes/Codegen/Passes.h"
#include "passes/Compress/Passes.h"
#include "passes/Fuse/Passes.h"
#include "passes/Lower/Passes.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace lathe;

static constexpr llvm::StringLiteral kPhaseNames[] = {"import",    "shapes",  "fuse", "compress", "lower",
                                                      "bufferize", "codegen", "llvm", "object"};

llvm::StringRef lathe::nameOf(Phase phase) { return kPhaseNames[unsigned(phase)]; }

std::optional<Phase> lathe::parsePhase(llvm::StringRef name) {
  for (auto [index, known] : llvm::enumerate(kPhaseNames))
    if (known == name)
      return Phase(index);
  return std::nullopt;
}

static void addFolding(OpPassManager &passes, const CompileOptions &options) {
  if (!options.foldConstants)
    return;
  passes.addPass(createFoldConstantsPass(evaluateConstants, options.releaseConstants));
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
}

/// What the compress phase is to do, and who runs samples for it.
static CompressOptions compressionOf(const CompileOptions &options) {
  CompressOptions compress;
  compress.settings = options.compression;
  if (!options.calibration.empty())
    compress.calibrator = [options](ModuleOp module, const CalibrationNeeds &needs) {
      return findStatistics(module, options, needs);
    };
  compress.samples = !options.calibration.empty() && !StringRef(options.calibration).ends_with(".json");
  return compress;
}

void lathe::buildPhase(OpPassManager &passes, Phase phase, const CompileOptions &options, nn::TargetAttr target) {
  CodegenOptions codegen{options.name, options.profile, codegen::isGpu(target), options.emulate, options.exportBlocks};
  switch (phase) {
  case Phase::Import:
  case Phase::Object:
    return;
  case Phase::Shapes: {
    ImportOptions import;
    import.dims.assign(options.dims.begin(), options.dims.end());
    if (options.foldConstants)
      import.evaluator = evaluateConstants;
    import.release = options.releaseConstants;
    import.computeBoth = codegen.gpu;
    return buildImportPipeline(passes, import);
  }
  case Phase::Fuse:
    // What fusion leaves to be computed once, such as weights with a normalisation folded in.
    buildFusePipeline(passes, FuseOptions());
    return addFolding(passes, options);
  case Phase::Compress:
    return buildCompressPipeline(passes, compressionOf(options));
  case Phase::Lower:
    // Packed and transposed weights.
    buildLowerPipeline(passes, {options.winograd, codegen.gpu, options.tuning ? *options.tuning : TuningRequest()});
    return addFolding(passes, options);
  case Phase::Bufferize:
    return buildBufferizePipeline(passes, codegen);
  case Phase::Codegen:
    return buildKernelPipeline(passes, codegen);
  case Phase::LLVM:
    return buildLLVMPipeline(passes, codegen);
  }
}

/// Runs the phases after `done` up to `last` in one pass manager.
static LogicalResult runPasses(ModuleOp module, const CompileOptions &options, Phase last, Phase done) {
  PassManager passes(module.getContext());
  for (unsigned phase = unsigned(done) + 1; phase <= unsigned(last); ++phase)
    buildPhase(passes, Phase(phase), options, nn::getTarget(module));
  if (options.configure)
    options.configure(passes);
  return passes.run(module);
}

/// Loads what any phase may need: constants are evaluated and models calibrated while a pass manager runs, when nothing
/// can be loaded.
static void loadDialects(MLIRContext &context, const CompileOptions &options, ArrayRef<nn::TargetAttr> targets) {
  CompileOptions all = options.uncompressed();
  PassManager passes(&context);
  for (nn::TargetAttr target : targets)
    for (unsigned phase = 0; phase < unsigned(Phase::Object); ++phase)
      buildPhase(passes, Phase(phase), all, target);
  DialectRegistry registry;
  passes.getDependentDialects(registry);
  context.appendDialectRegistry(registry);
  for (StringRef name : registry.getDialectNames())
    context.getOrLoadDialect(name);
}

/// Puts a copy of what is in the module into a module of its own for each target.
static void splitVariants(ModuleOp module, ArrayRef<NamedTarget> targets) {
  OwningOpRef<ModuleOp> model = ModuleOp::create(module.getLoc());
  (*model)->setDiscardableAttrs(module->getDiscardableAttrDictionary());
  model->getBody()->getOperations().splice(model->getBody()->end(), module.getBody()->getOperations());
  for (const NamedTarget &each : targets) {
    ModuleOp variant = model->clone();
    variant.setSymName(each.name);
    variant->setAttr(nn::kTargetAttr, each.target);
    module.push_back(variant);
  }
}

/// As `runPasses` for several targets: up to `compress` the model is one, then each variant goes its own way to
/// `codegen`.
static LogicalResult runVariants(ModuleOp module, const CompileOptions &options, ArrayRef<NamedTarget> targets,
                                 Phase last, Phase done) {
  if (options.profile)
    return emitError(UnknownLoc::get(module.getContext()))
           << "expected one target to profile, but got '" << options.target << "'";
  if (done < Phase::Compress) {
    Phase shared = std::min(last, Phase::Compress);
    if (failed(runPasses(module, options, shared, done)))
      return failure();
    done = shared;
  }
  if (last <= Phase::Compress)
    return success();
  splitVariants(module, targets);
  CompileOptions own = options;
  own.releaseConstants = false; // the variants have the same ones
  for (auto variant : module.getOps<ModuleOp>())
    if (failed(runPasses(variant, own, std::min(last, Phase::Codegen), done)))
      return failure();
  return last == Phase::LLVM ? runPasses(module, options, last, Phase::Codegen) : success();
}

/// The best target, less products of bf16 and arithmetic of f16 that others lack: what is compressed is the same for
/// all.
static nn::TargetAttr getCommonTarget(ArrayRef<NamedTarget> targets) {
  nn::TargetAttr best = targets.front().target;
  const TargetFamily *family = findTargetFamily(best);
  auto isAlike = [&](const NamedTarget &each) { return each.target.getBf16Product() == best.getBf16Product(); };
  auto hasHalves = [&](const NamedTarget &each) { return family->getHalfProduct(each.target) != nullptr; };
  std::string features = best.getFeatures().str();
  if (family->getHalfProduct(best) && !llvm::all_of(targets, hasHalves))
    features += (features.empty() ? "-" : ",-") + family->getHalfFeature().str();
  return nn::TargetAttr::get(best.getContext(), best.getTriple(), best.getCpu(), features, best.getVectorBits(),
                             best.getVectorRegisters(), best.getDotProduct(), best.getL1Bytes(), best.getL2Bytes(),
                             llvm::all_of(targets, isAlike) ? best.getBf16Product() : "none");
}

LogicalResult lathe::runPhases(ModuleOp module, const CompileOptions &options, Phase last, Phase done) {
  MLIRContext *context = module.getContext();
  llvm::Expected<SmallVector<NamedTarget>> targets = resolveTargets(*context, options.target, options.cpu, options.triple);
  if (!targets)
    return emitError(UnknownLoc::get(context)) << textOf(targets.takeError());
  const NamedTarget &best = targets->front();
  Builder builder(context);
  module->setAttr(nn::kTargetAttr, getCommonTarget(*targets));
  auto machines = llvm::map_to_vector(*targets, [](const NamedTarget &each) { return each.target; });
  if (codegen::isGpu(best.target)) {
    // Emulated kernels are compiled for this machine. What launches kernels is little, and runs on every machine of the
    // kind.
    llvm::Expected<nn::TargetAttr> host =
        options.emulate || !options.hostTarget.empty()
            ? resolveTarget(*context, options.hostTarget.empty() ? "native" : options.hostTarget)
            : resolveBaseline(*context);
    if (!host)
      return emitError(UnknownLoc::get(context)) << textOf(host.takeError());
    if (codegen::isGpu(*host) || llvm::Triple(host->getTriple()).isArch32Bit())
      return emitError(UnknownLoc::get(context))
             << "target '" << options.hostTarget << "' cannot launch kernels of a GPU";
    if (options.profile && !options.emulate)
      return emitError(UnknownLoc::get(context)) << "layers are not profiled on a GPU; use a profiler of its vendor";
    module->setAttr(codegen::kHostTargetAttr, *host);
    module->setAttr(codegen::kVariantNameAttr, builder.getStringAttr(best.name));
    machines.push_back(*host);
  } else if (!options.hostTarget.empty()) {
    return emitError(UnknownLoc::get(context))
           << "expected the target of --host-target to be a GPU, but got '" << options.target << "'";
  } else if (options.emulate) {
    return emitError(UnknownLoc::get(context))
           << "expected the target of --emulate to be a GPU, but got '" << options.target << "'";
  }
  if (options.exportBlocks && !options.emulate)
    return emitError(UnknownLoc::get(context)) << "expected --export-blocks with --emulate";
  if (testsMachine(best.target)) {
    module->setAttr(codegen::kTestsMachineAttr, builder.getUnitAttr());
    module->setAttr(codegen::kVariantNameAttr, builder.getStringAttr(best.name));
  }
  if (options.foldConstants || options.compresses())
    loadDialects(*context, options, machines);
  return targets->size() == 1 ? runPasses(module, options, last, done)
                              : runVariants(module, options, *targets, last, done);
}

OwningOpRef<ModuleOp> lathe::compileFile(llvm::StringRef path, MLIRContext &context, const CompileOptions &options,
                                         Phase last) {
  ImporterOptions import;
  if (failed(readInputOptions(path, context, options, import)))
    return nullptr;
  // MLIR is taken in the form after `import`, to work on the compiler with small models written by hand.
  OwningOpRef<ModuleOp> module = path.ends_with(".mlir") ? parseSourceFile<ModuleOp>(path, ParserConfig(&context))
                                                         : importOnnx(path, context, import);
  if (!module || failed(runPhases(*module, options, last)))
    return nullptr;
  return module;
}

FailureOr<Bytes> lathe::generateKernels(ModuleOp module, const CompileOptions &options) {
  PassManager passes(module.getContext());
  buildDevicePipeline(passes);
  if (options.configure)
    options.configure(passes);
  if (failed(passes.run(module)))
    return failure();
  auto kernels = module.getOps<gpu::GPUModuleOp>();
  if (kernels.empty())
    return module.emitError("has no kernels");
  return generateCode(*kernels.begin(), nn::getTarget(module), CodeKind::Assembly, options.timing);
}

llvm::Expected<std::unique_ptr<LoadedModel>> lathe::loadModule(ModuleOp module, uint64_t *codeBytes,
                                                               TimingScope *timing) {
  SmallVector<codegen::Variant> variants = codegen::readVariants(module);
  if (llvm::none_of(variants, [](const codegen::Variant &variant) { return runsHere(variant.target); })) {
    auto names = llvm::map_range(variants, [](const codegen::Variant &variant) { return variant.name; });
    return llvm::createStringError("cannot run code for " + llvm::join(names, ", ") + " on this machine");
  }
  FailureOr<CompiledObject> object = compileObject(module, nn::getTarget(module), timing);
  if (failed(object))
    return llvm::createStringError("code generation failed");
  if (codeBytes)
    *codeBytes = object->code.size();
  auto code = llvm::MemoryBuffer::getMemBufferCopy({object->code.data(), object->code.size()});
  return LoadedModel::load(std::move(code), object->name, copyWeights(*object));
}

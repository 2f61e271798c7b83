//===- Pipeline.cpp - From a model's file to an object --------------------===//
#include "lib/Driver/Pipeline.h"

#include "dialects/NN/IR/NNDialect.h"
#include "lib/Artifact/Artifact.h"
#include "lib/Driver/Calibration.h"
#include "lib/Driver/ConstantEvaluator.h"
#include "lib/Driver/Diagnostics.h"
#include "lib/Frontend/Importer.h"
#include "lib/Target/Target.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Transforms/Passes.h"
#include "passes/Codegen/Common/TargetKind.h"
#include "passes/Codegen/Passes.h"
#include "passes/Compress/Passes.h"
#include "passes/Fuse/Passes.h"
#include "passes/Lower/Passes.h"

using namespace mlir;
using namespace lathe;

static constexpr llvm::StringLiteral kPhaseNames[] = {
    "import", "shapes", "fuse", "compress", "lower", "bufferize", "codegen", "llvm", "object"};

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
  CodegenOptions codegen{options.name, options.profile, codegen::isGpu(target), options.emulate};
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
    buildLowerPipeline(passes, {options.winograd, codegen.gpu});
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

/// Loads what any phase may need: constants are evaluated and models calibrated while a pass manager runs, when nothing can be loaded.
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

LogicalResult lathe::runPhases(ModuleOp module, const CompileOptions &options, Phase last, Phase done) {
  MLIRContext *context = module.getContext();
  llvm::Expected<nn::TargetAttr> target = resolveTarget(*context, options.target, options.cpu);
  if (!target)
    return emitError(UnknownLoc::get(context)) << textOf(target.takeError());
  module->setAttr(nn::kTargetAttr, *target);
  SmallVector<nn::TargetAttr> targets = {*target};
  if (codegen::isGpu(*target)) {
    llvm::Expected<nn::TargetAttr> host = resolveTarget(*context, "native");
    if (!host)
      return emitError(UnknownLoc::get(context)) << textOf(host.takeError());
    module->setAttr(codegen::kHostTargetAttr, *host);
    targets.push_back(*host);
    if (last > Phase::Codegen && !options.emulate)
      return emitError(UnknownLoc::get(context))
             << "objects for target '" << options.target
             << "' are not written yet; --emit=ptx writes its kernels, --emulate runs them here";
  } else if (options.emulate) {
    return emitError(UnknownLoc::get(context))
           << "expected the target of --emulate to be a GPU, but got '" << options.target << "'";
  }
  if (options.foldConstants || options.compresses())
    loadDialects(*context, options, targets);
  return runPasses(module, options, last, done);
}

/// How many tensors inputs have that are sequences or optionals.
static LogicalResult readElementCounts(llvm::StringRef path, MLIRContext &context,
                                       const CompileOptions &options,
                                       llvm::StringMap<int64_t> &counts) {
  for (llvm::StringRef text : options.elements) {
    auto [name, value] = text.rsplit('=');
    int64_t count = kAbsent;
    if (name == text || name.empty() ||
        (value != "none" && (value.getAsInteger(10, count) || count < 0)))
      return emitError(FileLineColLoc::get(&context, path, 0, 0))
             << "expected NAME=COUNT or NAME=none in --elements, but got '" << text << "'";
    counts[name] = count;
  }
  return success();
}

OwningOpRef<ModuleOp> lathe::compileFile(llvm::StringRef path, MLIRContext &context,
                                         const CompileOptions &options, Phase last) {
  ImporterOptions import;
  if (failed(readElementCounts(path, context, options, import.elementCounts)))
    return nullptr;
  // MLIR is taken in the form after `import`, to work on the compiler with small models written by hand.
  OwningOpRef<ModuleOp> module = path.ends_with(".mlir")
                                     ? parseSourceFile<ModuleOp>(path, ParserConfig(&context))
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
  return generateCode(*kernels.begin(), nn::getTarget(module), CodeKind::Assembly);
}

llvm::Expected<std::unique_ptr<LoadedModel>> lathe::loadModule(ModuleOp module,
                                                               uint64_t *codeBytes) {
  nn::TargetAttr target = nn::getTarget(module);
  if (!runsHere(target))
    return llvm::createStringError("cannot run code for " + target.getCpu() + " on this machine");
  FailureOr<CompiledObject> object = compileObject(module, target);
  if (failed(object))
    return llvm::createStringError("code generation failed");
  if (codeBytes)
    *codeBytes = object->code.size();
  auto code = llvm::MemoryBuffer::getMemBufferCopy({object->code.data(), object->code.size()});
  return LoadedModel::load(std::move(code), object->name, copyWeights(*object));
}

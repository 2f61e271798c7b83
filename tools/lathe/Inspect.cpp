//===- Inspect.cpp - lathe inspect ----------------------------------------===//
#include "lib/Report/ModelSummary.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "passes/Codegen/Common/DataMovement.h"
#include "passes/Codegen/Common/TargetKind.h"
#include "passes/Codegen/Common/Variants.h"
#include "tools/lathe/Commands.h"
#include "tools/lathe/Session.h"
#include <set>

using namespace mlir;
using namespace lathe;

namespace {
struct InspectFlags : ModelFlags {
  cl::opt<bool> json{"json", cl::desc("print results as JSON"), cl::cat(category)};
};
} // namespace

/// The model's symbolic dimensions that no --dim names.
static std::vector<std::string> freeDims(ModuleOp module, llvm::ArrayRef<std::string> given) {
  std::set<std::string> names;
  auto main = module.lookupSymbol<func::FuncOp>("main");
  for (unsigned index = 0; main && index < main.getNumArguments(); ++index)
    if (auto dims = main.getArgAttrOfType<ArrayAttr>(index, "onnx.dims"))
      for (Attribute dim : dims)
        if (auto name = dyn_cast<StringAttr>(dim))
          if (!name.getValue().empty())
            names.insert(name.getValue().str());
  for (const std::string &dim : given)
    names.erase(llvm::StringRef(dim).split('=').first.str());
  return {names.begin(), names.end()};
}

/// What an object has for each of its targets; empty where it has one only.
static std::vector<codegen::Variant> readSeveral(ModuleOp module) {
  llvm::SmallVector<codegen::Variant> variants = codegen::readVariants(module);
  return variants.size() > 1 ? std::vector<codegen::Variant>(variants.begin(), variants.end()) : std::vector<codegen::Variant>();
}

/// Bytes of weights that several variants use, counted once for each but the first.
static int64_t countShared(ModuleOp module, llvm::ArrayRef<codegen::Variant> variants) {
  auto bytes = module->getAttrOfType<IntegerAttr>("lathe.weight_bytes");
  int64_t shared = bytes ? -bytes.getInt() : 0;
  for (const codegen::Variant &variant : variants)
    shared += variant.weightBytes;
  return shared;
}

int lathe::runInspect(int argc, char **argv) {
  InspectFlags flags;
  flags.parse(argc, argv, "lathe inspect: show what a model consists of\n");
  CompileOptions options = flags.options();
  // Sizes are counted for one sample unless --dim says more.
  std::vector<std::string> assumed;
  {
    Session session(flags, options);
    OwningOpRef<ModuleOp> module = session.compile(Phase::Import);
    if (!module)
      return kFailure;
    assumed = freeDims(*module, options.dims);
  }
  for (const std::string &name : assumed)
    options.dims.push_back(name + "=1");
  Session session(flags, options);
  OwningOpRef<ModuleOp> module = session.compile(Phase::Shapes);
  if (!module)
    return kFailure;
  ModelSummary summary = summarize(*module);

  // Whatever the compiler does not support shows when it compiles; all such nodes are printed to stderr.
  Phase last = codegen::isGpu(nn::getTarget(*module)) && !options.emulate ? Phase::Codegen : Phase::LLVM;
  bool supported = succeeded(runPhases(*module, session.getOptions(), last, Phase::Shapes));
  std::optional<codegen::DataMovement> movement = codegen::readMovement(*module);
  std::vector<codegen::Variant> variants;
  if (supported)
    variants = readSeveral(*module);
  if (flags.json) {
    llvm::json::Object report = toJSON(summary);
    if (movement)
      report["movement"] = llvm::json::Object{{"transposes", movement->transposes},
                                              {"transposed_bytes", movement->transposedBytes},
                                              {"copies", movement->copies},
                                              {"copied_bytes", movement->copiedBytes}};
    if (!variants.empty()) {
      llvm::json::Array list;
      for (const codegen::Variant &variant : variants)
        list.push_back(llvm::json::Object{{"target", variant.name},
                                          {"workspace_bytes", variant.workspaceBytes},
                                          {"weight_bytes", variant.weightBytes}});
      report["variants"] = std::move(list);
      report["shared_weight_bytes"] = countShared(*module, variants);
    }
    report["model"] = options.name;
    report["assumed_dims"] = llvm::json::Array(assumed);
    report["supported"] = supported;
    llvm::outs() << llvm::json::Value(std::move(report)) << "\n";
  } else {
    print(summary, llvm::outs());
    for (const std::string &name : assumed)
      llvm::outs() << "assumed     " << name << " = 1 (see --dim)\n";
    if (movement)
      llvm::outs() << "movement    transposes " << movement->transposes << " (" << movement->transposedBytes
                   << " bytes), copies " << movement->copies << " (" << movement->copiedBytes << " bytes)\n";
    for (const codegen::Variant &variant : variants)
      llvm::outs() << "variant     " << variant.name << ": weights " << variant.weightBytes << " bytes, workspace "
                   << variant.workspaceBytes << " bytes\n";
    if (!variants.empty())
      llvm::outs() << "shared      " << countShared(*module, variants) << " bytes of weights\n";
    llvm::outs() << "supported   " << (supported ? "yes" : "no: see the errors above") << "\n";
  }
  return supported ? kSuccess : kFailure;
}

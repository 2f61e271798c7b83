//===- JoinVariants.cpp - One module of what was compiled for each target -===//
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/AttrTypeSubElements.h"
#include "passes/Codegen/Common/Signature.h"
#include "passes/Codegen/Common/Variants.h"
#include "passes/Codegen/Passes.h"

namespace lathe {
#define GEN_PASS_DEF_JOINVARIANTSPASS
#include "passes/Codegen/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;
using namespace lathe::codegen;

namespace {

struct JoinVariantsPass : lathe::impl::JoinVariantsPassBase<JoinVariantsPass> {
  using JoinVariantsPassBase::JoinVariantsPassBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    SmallVector<ModuleOp> parts(module.getOps<ModuleOp>());
    if (parts.empty())
      return;
    SmallVector<Variant> variants;
    int64_t workspace = 0;
    for (ModuleOp part : parts) {
      FailureOr<Variant> variant = describe(part, parts.front());
      if (failed(variant))
        return signalPassFailure();
      workspace = std::max(workspace, variant->workspaceBytes);
      move(part, *variant, /*isFirst=*/part == parts.front());
      variants.push_back(std::move(*variant));
    }
    // The interface, and what else is said of a model, is that of the best variant.
    for (NamedAttribute attr : parts.front()->getDiscardableAttrs())
      if (!module->hasAttr(attr.getName()))
        module->setAttr(attr.getName(), attr.getValue());
    module->setAttr(kWorkspaceAttr, Builder(&getContext()).getI64IntegerAttr(workspace));
    writeVariants(module, variants);
    for (ModuleOp part : parts)
      part.erase();
  }

private:
  /// An error where the part is no model or another one than `first`.
  FailureOr<Variant> describe(ModuleOp part, ModuleOp first) {
    std::optional<StringRef> name = part.getSymName();
    if (!name)
      return part.emitError("expected the name of a target"), failure();
    if (!part.lookupSymbol(kMainName))
      return part.emitError("expected a function @main"), failure();
    for (StringRef attr : {kInputsAttr, kOutputsAttr, kSymbolsAttr, kConditionsAttr})
      if (part->getAttr(attr) != first->getAttr(attr)) {
        InFlightDiagnostic error = part.emitError("expected the '") << attr << "' of the other variants";
        error.attachNote(first.getLoc()) << "which are these";
        return failure();
      }
    Variant variant;
    variant.name = name->str();
    variant.target = nn::getTarget(part);
    variant.main = (kMainName + "_" + variant.getSuffix()).str();
    if (auto bytes = part->getAttrOfType<IntegerAttr>(kWorkspaceAttr))
      variant.workspaceBytes = bytes.getInt();
    return variant;
  }

  /// Moves the functions and constants of a part out of it, under names of their own. All variants have the same sizes of
  /// outputs, and the function that computes them runs on any machine.
  void move(ModuleOp part, const Variant &variant, bool isFirst) {
    DenseMap<StringAttr, StringAttr> names;
    for (Operation &op : llvm::make_early_inc_range(*part.getBody())) {
      auto symbol = dyn_cast<SymbolOpInterface>(op);
      if (!symbol)
        continue;
      bool isSizes = symbol.getName() == kOutputSizesName;
      if (isSizes && !isFirst) {
        op.erase();
        continue;
      }
      if (isa<func::FuncOp>(op))
        op.setAttr(isSizes ? kAnyMachineAttr : nn::kTargetAttr,
                   isSizes ? Attribute(UnitAttr::get(&getContext())) : Attribute(variant.target));
      if (isSizes)
        continue;
      auto name = StringAttr::get(&getContext(), symbol.getName() + "_" + variant.getSuffix());
      names[symbol.getNameAttr()] = name;
      symbol.setName(name);
    }
    AttrTypeReplacer replacer;
    replacer.addReplacement([&](FlatSymbolRefAttr symbol) -> std::optional<Attribute> {
      auto it = names.find(symbol.getAttr());
      return it == names.end() ? std::nullopt : std::optional<Attribute>(FlatSymbolRefAttr::get(it->second));
    });
    replacer.recursivelyReplaceElementsIn(part, /*replaceAttrs=*/true);
    Block *body = getOperation().getBody();
    body->getOperations().splice(body->end(), part.getBody()->getOperations());
  }
};

} // namespace

//===- OverrideSettings.cpp - Notes on ops what a recipe asks for them ----===//
#include "dialects/NN/IR/NNDialect.h"
#include "passes/Compress/Passes.h"
#include "passes/Compress/Settings.h"
#include "llvm/Support/GlobPattern.h"

namespace lathe {
#define GEN_PASS_DEF_COMPRESSOVERRIDESETTINGS
#include "passes/Compress/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

/// Whether one of the nodes that became `op` has such a name.
static bool matches(const llvm::GlobPattern &pattern, Operation *op) {
  bool found = false;
  op->getLoc()->walk([&](Location part) {
    auto name = dyn_cast<NameLoc>(part);
    found = name && pattern.match(name.getName().strref());
    return found ? WalkResult::interrupt() : WalkResult::advance();
  });
  return found;
}

static void setSetting(Operation *op, StringRef transform, StringRef text) {
  NamedAttrList settings(op->getAttrOfType<DictionaryAttr>(kSettingsAttr));
  settings.set(transform, StringAttr::get(op->getContext(), text));
  op->setAttr(kSettingsAttr, settings.getDictionary(op->getContext()));
}

namespace {
struct CompressOverrideSettings : lathe::impl::CompressOverrideSettingsBase<CompressOverrideSettings> {
  using CompressOverrideSettingsBase::CompressOverrideSettingsBase;

  void runOnOperation() override {
    bool good = true;
    for (const std::string &item : overrides)
      good &= succeeded(apply(item));
    if (!good)
      signalPassFailure();
  }

private:
  LogicalResult apply(StringRef item) {
    func::FuncOp function = getOperation();
    StringRef nodes, transform, text;
    std::tie(nodes, transform) = item.split('=');
    std::tie(transform, text) = transform.split('=');
    if (!llvm::is_contained(kTransforms, transform))
      return function.emitError("expected a transform of compression, but got '") << transform << "'";
    if (llvm::Error error = checkTransform(transform, text))
      return function.emitError() << transform << ": " << llvm::toString(std::move(error));
    llvm::Expected<llvm::GlobPattern> pattern = llvm::GlobPattern::create(nodes);
    if (!pattern)
      return function.emitError("expected a name pattern, but got '") << nodes << "': " << llvm::toString(pattern.takeError());
    bool found = false;
    function.walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (op != function && !op->hasTrait<OpTrait::ConstantLike>() && matches(*pattern, op)) {
        found = true;
        setSetting(op, transform, text);
      }
      // The scalar ops of an epilogue have no settings of their own.
      return isa_and_nonnull<nn::NNDialect>(op->getDialect()) ? WalkResult::skip() : WalkResult::advance();
    });
    if (!found)
      return function.emitError("expected a node with a name like '") << nodes << "', but got none";
    return success();
  }
};
} // namespace

//===- Settings.cpp - What compression is asked for -----------------------===//
#include "passes/Compress/Settings.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "passes/Compress/LowRank/LowRankSpec.h"
#include "passes/Compress/Prune/PruneSpec.h"
#include "passes/Compress/Quantize/WeightFormat.h"
#include "passes/Compress/Tokens/TokenMergeSpec.h"
#include "passes/Compress/Tokens/TokenPruneSpec.h"

using namespace lathe;

llvm::StringRef CompressionSettings::get(llvm::StringRef transform) const {
  auto it = transforms.find(transform.str());
  return it == transforms.end() ? llvm::StringRef() : llvm::StringRef(it->second);
}

bool CompressionSettings::any(llvm::StringRef transform, llvm::function_ref<bool(llvm::StringRef)> predicate) const {
  auto matches = [&](const TransformTexts &texts) {
    auto it = texts.find(transform.str());
    return it != texts.end() && predicate(it->second);
  };
  return matches(transforms) ||
         llvm::any_of(overrides, [&](const SettingsOverride &some) { return matches(some.transforms); });
}

llvm::Error lathe::checkTransform(llvm::StringRef transform, llvm::StringRef text) {
  if (text.empty() || text == "none")
    return llvm::Error::success();
  if (transform == "token-merge")
    return TokenMergeSpec::parse(text).takeError();
  if (transform == "low-rank")
    return LowRankSpec::parse(text).takeError();
  if (transform == "token-prune")
    return TokenPruneSpec::parse(text).takeError();
  if (transform == "prune")
    return PruneSpec::parse(text).takeError();
  if (transform == "quantize")
    return text == "int8" ? llvm::Error::success() : WeightFormat::parse(text).takeError();
  assert(transform == "precision" && "expected one of kTransforms");
  if (text == "bf16" || text == "f16" || text == "tf32")
    return llvm::Error::success();
  return llvm::createStringError("expected bf16, f16 or tf32, but got '" + text + "'");
}

llvm::Error lathe::checkActivationRange(llvm::StringRef text) {
  if (text == "mse" || text == "minmax" || text == "percentile")
    return llvm::Error::success();
  return llvm::createStringError("expected mse, minmax or percentile, but got '" + text + "'");
}

std::optional<llvm::StringRef> lathe::getSetting(mlir::Operation *op, llvm::StringRef transform) {
  auto settings = op->getAttrOfType<mlir::DictionaryAttr>(kSettingsAttr);
  auto text = settings ? settings.getAs<mlir::StringAttr>(transform) : mlir::StringAttr();
  return text ? std::optional(text.getValue()) : std::nullopt;
}

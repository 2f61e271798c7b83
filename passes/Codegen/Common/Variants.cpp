//===- Variants.cpp - A model's code for several kinds of machines --------===//
#include "passes/Codegen/Common/Variants.h"
#include "passes/Codegen/Common/Signature.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::codegen;

std::string Variant::getSuffix() const {
  std::string suffix = name;
  for (char &c : suffix)
    if (!llvm::isAlnum(c))
      c = '_';
  return suffix;
}

SmallVector<Variant> codegen::readVariants(ModuleOp module) {
  auto number = [](DictionaryAttr entry, StringRef name) {
    auto value = entry.getAs<IntegerAttr>(name);
    return value ? value.getInt() : 0;
  };
  SmallVector<Variant> variants;
  if (auto list = module->getAttrOfType<ArrayAttr>(kVariantsAttr)) {
    for (auto entry : list.getAsRange<DictionaryAttr>())
      variants.push_back({entry.getAs<StringAttr>("name").str(), entry.getAs<StringAttr>("main").str(),
                          entry.getAs<nn::TargetAttr>("target"), number(entry, "workspace_bytes"),
                          number(entry, "weight_bytes")});
    return variants;
  }
  nn::TargetAttr target = nn::getTarget(module);
  auto name = module->getAttrOfType<StringAttr>(kVariantNameAttr);
  auto workspace = module->getAttrOfType<IntegerAttr>(kWorkspaceAttr);
  variants.push_back({(name ? name.getValue() : target.getCpu()).str(), kMainName.str(), target,
                      workspace ? workspace.getInt() : 0, 0});
  return variants;
}

void codegen::writeVariants(ModuleOp module, ArrayRef<Variant> variants) {
  Builder builder(module.getContext());
  SmallVector<Attribute> entries;
  for (const Variant &variant : variants)
    entries.push_back(builder.getDictionaryAttr(
        {builder.getNamedAttr("name", builder.getStringAttr(variant.name)),
         builder.getNamedAttr("main", builder.getStringAttr(variant.main)), builder.getNamedAttr("target", variant.target),
         builder.getNamedAttr("workspace_bytes", builder.getI64IntegerAttr(variant.workspaceBytes)),
         builder.getNamedAttr("weight_bytes", builder.getI64IntegerAttr(variant.weightBytes))}));
  module->setAttr(kVariantsAttr, builder.getArrayAttr(entries));
}

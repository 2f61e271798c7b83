//===- OpSchemas.cpp - The operators the onnx dialect has -----------------===//
#include "lib/Frontend/OpSchemas.h"
#include "llvm/ADT/STLExtras.h"
#include <limits>
#include <vector>

using namespace llvm;

namespace lathe {

static OpSchema makeSchema(StringRef name, int64_t since, StringRef operands, StringRef results,
                           StringRef attributes) {
  OpSchema schema{name, since, operands, results, {}};
  while (!attributes.empty()) {
    auto [first, rest] = attributes.split(' ');
    auto [attribute, kind] = first.split(':');
    schema.attributes.push_back({attribute, kind});
    attributes = rest;
  }
  return schema;
}

static std::vector<OpSchema> makeSchemas() {
  std::vector<OpSchema> schemas = {
#define ONNX_OP(NAME, SINCE, OPERANDS, RESULTS, ATTRIBUTES)                                        \
  makeSchema(#NAME, SINCE, OPERANDS, RESULTS, ATTRIBUTES),
#include "dialects/ONNX/IR/generated/OpSchemas.inc"
#undef ONNX_OP
  };
  llvm::sort(schemas, [](const OpSchema &a, const OpSchema &b) { return a.name < b.name; });
  return schemas;
}

ArrayRef<OpSchema> getOpSchemas() {
  static const std::vector<OpSchema> schemas = makeSchemas();
  return schemas;
}

const OpSchema *findOpSchema(StringRef name) {
  ArrayRef<OpSchema> schemas = getOpSchemas();
  const OpSchema *it = llvm::lower_bound(
      schemas, name, [](const OpSchema &schema, StringRef name) { return schema.name < name; });
  return it != schemas.end() && it->name == name ? it : nullptr;
}

const AttributeSchema *OpSchema::findAttribute(StringRef attribute) const {
  const auto *it =
      llvm::find_if(attributes, [&](const AttributeSchema &a) { return a.name == attribute; });
  return it == attributes.end() ? nullptr : it;
}

unsigned OpSchema::getMinCount(StringRef kinds) { return kinds.rfind('s') + 1; }

unsigned OpSchema::getMaxCount(StringRef kinds) {
  return kinds.contains('v') ? std::numeric_limits<unsigned>::max() : kinds.size();
}

} // namespace lathe

//===- Functions.cpp - Model-local functions are inlined ------------------===//
#include "lib/Frontend/GraphImporter.h"
#include "llvm/ADT/StringSet.h"
#include <google/protobuf/unknown_field_set.h>

using llvm::consumeError, llvm::createStringError, llvm::Error, llvm::Expected, llvm::StringMap,
    llvm::toString;
using namespace mlir;

namespace lathe {

namespace {

using AttributeMap = StringMap<::onnx::AttributeProto>;

/// FunctionProto's `attribute_proto`, attributes with defaults, is younger than libonnx's classes.
constexpr int kDefaultAttributesField = 11;

} // namespace

const ::onnx::FunctionProto *GraphImporter::findFunction(const ::onnx::NodeProto &node) const {
  if (functions.empty())
    return nullptr;
  auto it = functions.find(node.domain() + ":" + node.op_type());
  return it == functions.end() ? nullptr : it->second;
}

/// Fails if a default attribute cannot be read.
static bool addDefaults(const ::onnx::FunctionProto &function, AttributeMap &attributes) {
  const google::protobuf::UnknownFieldSet &fields = function.unknown_fields();
  for (int i = 0; i < fields.field_count(); ++i) {
    const google::protobuf::UnknownField &field = fields.field(i);
    if (field.number() != kDefaultAttributesField ||
        field.type() != google::protobuf::UnknownField::TYPE_LENGTH_DELIMITED)
      continue;
    ::onnx::AttributeProto attribute;
    if (!attribute.ParseFromString(field.length_delimited()))
      return false;
    attributes.try_emplace(attribute.name(), attribute);
  }
  return true;
}

/// Puts the call's attributes in the place of references to them, in subgraphs, too. References to
/// attributes that the call leaves out and that have no default are attributes that the node leaves
/// out.
static void substituteAttributes(::onnx::NodeProto &node, const AttributeMap &attributes) {
  google::protobuf::RepeatedPtrField<::onnx::AttributeProto> kept;
  for (::onnx::AttributeProto &attribute : *node.mutable_attribute()) {
    if (attribute.ref_attr_name().empty()) {
      if (attribute.has_g())
        for (::onnx::NodeProto &inner : *attribute.mutable_g()->mutable_node())
          substituteAttributes(inner, attributes);
      kept.Add(std::move(attribute));
      continue;
    }
    auto it = attributes.find(attribute.ref_attr_name());
    if (it == attributes.end())
      continue;
    ::onnx::AttributeProto *copy = kept.Add();
    *copy = it->second;
    copy->set_name(attribute.name());
  }
  node.mutable_attribute()->Swap(&kept);
}

void GraphImporter::inlineFunction(NodeContext &call, const ::onnx::FunctionProto &function) {
  auto fail = [&] { bindOutputs(call, {}); };
  Scope scope;
  scope.opset = getOpset(function.opset_import(), call.scope.opset);
  scope.prefix = call.name + "/";
  scope.depth = call.scope.depth + 1;
  if (scope.depth > options.maxDepth) {
    emitError(call) << "expected functions nested at most " << options.maxDepth << " deep";
    return fail();
  }
  if (call.proto.input_size() > function.input_size() ||
      call.proto.output_size() > function.output_size()) {
    emitError(call) << "expected at most " << function.input_size() << " inputs and "
                    << function.output_size() << " outputs of the function, but got "
                    << call.proto.input_size() << " and " << call.proto.output_size();
    return fail();
  }
  if (scope.opset < kOldestOpset || scope.opset > kNewestOpset) {
    emitError(call) << "expected a function of opset " << kOldestOpset << " to " << kNewestOpset
                    << ", but got opset " << scope.opset;
    return fail();
  }

  AttributeMap attributes;
  for (const ::onnx::AttributeProto &attribute : call.proto.attribute())
    attributes.try_emplace(attribute.name(), attribute);
  if (!addDefaults(function, attributes)) {
    emitError(call) << "the function has a default attribute that is not valid";
    return fail();
  }
  llvm::StringSet<> absent;
  bool complete = true;
  for (auto [index, formal] : llvm::enumerate(function.input())) {
    if (int(index) >= call.proto.input_size() || call.proto.input(index).empty()) {
      absent.insert(formal);
      continue;
    }
    std::optional<Value> value = call.scope.lookup(call.proto.input(index));
    if (!value)
      emitError(call) << "input '" << call.proto.input(index) << "' is not defined";
    complete &= value.has_value();
    bind(scope, formal, value.value_or(Value()), call.loc);
  }
  if (!complete)
    return fail();

  for (const ::onnx::NodeProto &original : function.node()) {
    ::onnx::NodeProto node = original;
    for (std::string &input : *node.mutable_input())
      if (absent.contains(input))
        input.clear();
    substituteAttributes(node, attributes);
    importNode(node, scope);
  }
  SmallVector<Value> results;
  for (auto [index, output] : llvm::enumerate(call.proto.output())) {
    if (output.empty())
      continue;
    const std::string &formal = function.output(index);
    std::optional<Value> value = scope.lookup(formal);
    if (!value)
      emitError(call) << "output '" << formal << "' of the function is not computed by any node";
    results.push_back(value.value_or(Value()));
  }
  bindOutputs(call, results);
}

} // namespace lathe

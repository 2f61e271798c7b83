//===- Translation.cpp - Nodes of older opsets in the newest form ---------===//
#include "lib/Frontend/OpsetTranslation/Translation.h"
#include "llvm/ADT/STLExtras.h"

using namespace llvm;

namespace lathe {

const ::onnx::AttributeProto *Translation::find(StringRef name) const {
  for (const ::onnx::AttributeProto &attribute : node.attribute())
    if (attribute.name() == name)
      return &attribute;
  return nullptr;
}

bool Translation::remove(StringRef name) {
  for (int i = 0; i < node.attribute_size(); ++i) {
    if (node.attribute(i).name() == name) {
      node.mutable_attribute()->DeleteSubrange(i, 1);
      return true;
    }
  }
  return false;
}

std::optional<int64_t> Translation::takeInt(StringRef name) {
  const ::onnx::AttributeProto *attribute = find(name);
  if (!attribute)
    return std::nullopt;
  int64_t value = attribute->i();
  remove(name);
  return value;
}

std::optional<float> Translation::takeFloat(StringRef name) {
  const ::onnx::AttributeProto *attribute = find(name);
  if (!attribute)
    return std::nullopt;
  float value = attribute->f();
  remove(name);
  return value;
}

std::optional<std::vector<int64_t>> Translation::takeInts(StringRef name) {
  const ::onnx::AttributeProto *attribute = find(name);
  if (!attribute)
    return std::nullopt;
  std::vector<int64_t> values(attribute->ints().begin(), attribute->ints().end());
  remove(name);
  return values;
}

std::optional<std::vector<float>> Translation::takeFloats(StringRef name) {
  const ::onnx::AttributeProto *attribute = find(name);
  if (!attribute)
    return std::nullopt;
  std::vector<float> values(attribute->floats().begin(), attribute->floats().end());
  remove(name);
  return values;
}

static ::onnx::AttributeProto *addAttribute(::onnx::NodeProto &node, StringRef name,
                                            ::onnx::AttributeProto::AttributeType type) {
  ::onnx::AttributeProto *attribute = node.add_attribute();
  attribute->set_name(name.str());
  attribute->set_type(type);
  return attribute;
}

void addInt(::onnx::NodeProto &node, StringRef name, int64_t value) {
  addAttribute(node, name, ::onnx::AttributeProto::INT)->set_i(value);
}

void addInts(::onnx::NodeProto &node, StringRef name, ArrayRef<int64_t> values) {
  addAttribute(node, name, ::onnx::AttributeProto::INTS)
      ->mutable_ints()
      ->Add(values.begin(), values.end());
}

void addFloat(::onnx::NodeProto &node, StringRef name, float value) {
  addAttribute(node, name, ::onnx::AttributeProto::FLOAT)->set_f(value);
}

void addString(::onnx::NodeProto &node, StringRef name, StringRef value) {
  addAttribute(node, name, ::onnx::AttributeProto::STRING)->set_s(value.str());
}

void Translation::setInt(StringRef name, int64_t value) {
  remove(name);
  addInt(node, name, value);
}

void Translation::setFloat(StringRef name, float value) {
  remove(name);
  addFloat(node, name, value);
}

void Translation::setString(StringRef name, StringRef value) {
  remove(name);
  addString(node, name, value);
}

std::string Translation::takeString(StringRef name, StringRef otherwise) {
  const ::onnx::AttributeProto *attribute = find(name);
  std::string value = attribute ? attribute->s() : otherwise.str();
  remove(name);
  return value;
}

StringRef Translation::getInput(int index) const {
  return index < node.input_size() ? StringRef(node.input(index)) : StringRef();
}

bool Translation::hasOutput(int index) const {
  return index < node.output_size() && !node.output(index).empty();
}

void Translation::setInput(int index, const std::string &name) {
  while (node.input_size() <= index)
    node.add_input("");
  node.set_input(index, name);
}

void Translation::replace(StringRef op, ArrayRef<std::string> inputs) {
  node.set_op_type(op.str());
  node.mutable_input()->Assign(inputs.begin(), inputs.end());
  if (node.output_size() > 1)
    node.mutable_output()->DeleteSubrange(1, node.output_size() - 1);
}

void Translation::makeIntsInput(StringRef name, int index) {
  if (std::optional<std::vector<int64_t>> values = takeInts(name))
    setInput(index, makeInts(*values));
}

/// Adds a Constant; `fill` sets its tensor's type and elements.
static std::string addConstant(Translation &translation, std::optional<int64_t> dim,
                               function_ref<void(::onnx::TensorProto &)> fill) {
  ::onnx::NodeProto &constant = translation.before.emplace_back();
  constant.set_op_type("Constant");
  std::string name = translation.getFreshName();
  constant.add_output(name);
  ::onnx::AttributeProto *value = addAttribute(constant, "value", ::onnx::AttributeProto::TENSOR);
  if (dim)
    value->mutable_t()->add_dims(*dim);
  fill(*value->mutable_t());
  return name;
}

std::string Translation::makeInts(ArrayRef<int64_t> values) {
  return addConstant(*this, values.size(), [&](::onnx::TensorProto &tensor) {
    tensor.set_data_type(::onnx::TensorProto::INT64);
    tensor.mutable_int64_data()->Add(values.begin(), values.end());
  });
}

std::string Translation::makeInt(int64_t value) {
  return addConstant(*this, std::nullopt, [&](::onnx::TensorProto &tensor) {
    tensor.set_data_type(::onnx::TensorProto::INT64);
    tensor.add_int64_data(value);
  });
}

std::string Translation::makeScalar(int64_t value, int32_t type) {
  return addBefore("Cast", {makeInt(value)}, {{"to", type}});
}

std::string Translation::makeFloats(ArrayRef<float> values) {
  return addConstant(*this, values.size(), [&](::onnx::TensorProto &tensor) {
    tensor.set_data_type(::onnx::TensorProto::FLOAT);
    tensor.mutable_float_data()->Add(values.begin(), values.end());
  });
}

std::string Translation::makeFloatLike(float value, StringRef like) {
  std::string constant = addConstant(*this, std::nullopt, [&](::onnx::TensorProto &tensor) {
    tensor.set_data_type(::onnx::TensorProto::FLOAT);
    tensor.add_float_data(value);
  });
  mlir::TensorType type = getType(like);
  if (!type || type.getElementType().isF32())
    return constant;
  return addBefore("CastLike", {constant, like.str()});
}

std::string Translation::makeIntLike(int64_t value, StringRef like) {
  return addBefore("CastLike", {makeInt(value), like.str()});
}

static void fillNode(::onnx::NodeProto &node, StringRef op, ArrayRef<std::string> inputs,
                     StringRef output, ArrayRef<std::pair<StringRef, int64_t>> attributes) {
  node.set_op_type(op.str());
  for (const std::string &input : inputs)
    node.add_input(input);
  node.add_output(output.str());
  for (auto [name, value] : attributes)
    addInt(node, name, value);
}

std::string Translation::addBefore(StringRef op, ArrayRef<std::string> inputs,
                                   ArrayRef<std::pair<StringRef, int64_t>> attributes) {
  std::string output = getFreshName();
  fillNode(before.emplace_back(), op, inputs, output, attributes);
  return output;
}

void Translation::addAfter(StringRef op, ArrayRef<std::string> inputs, StringRef output,
                           ArrayRef<std::pair<StringRef, int64_t>> attributes) {
  fillNode(after.emplace_back(), op, inputs, output, attributes);
}

namespace {

/// Gives the values of a graph that is put in another one's place names that nothing has.
class Renamer {
public:
  explicit Renamer(Translation &t) : t(t) {}

  void bind(const std::string &from, const std::string &to) { names[from] = to; }
  std::string define(const std::string &name) {
    return name.empty() ? name : names[name] = t.getFreshName();
  }
  std::string lookup(const std::string &name) const {
    auto it = names.find(name);
    return it == names.end() ? name : it->second;
  }
  void rename(::onnx::NodeProto &node) {
    for (std::string &input : *node.mutable_input())
      input = lookup(input);
    for (std::string &output : *node.mutable_output())
      output = define(output);
    for (::onnx::AttributeProto &attribute : *node.mutable_attribute())
      if (attribute.has_g())
        renameUses(*attribute.mutable_g());
  }

private:
  /// A graph within the graph: only what it reads from outside changes its name.
  void renameUses(::onnx::GraphProto &graph) {
    Renamer inner(*this);
    for (const ::onnx::ValueInfoProto &input : graph.input())
      inner.names.erase(input.name());
    for (const ::onnx::TensorProto &tensor : graph.initializer())
      inner.names.erase(tensor.name());
    for (::onnx::NodeProto &node : *graph.mutable_node()) {
      for (std::string &input : *node.mutable_input())
        input = inner.lookup(input);
      for (const std::string &output : node.output())
        inner.names.erase(output);
      for (::onnx::AttributeProto &attribute : *node.mutable_attribute())
        if (attribute.has_g())
          inner.renameUses(*attribute.mutable_g());
    }
    for (::onnx::ValueInfoProto &output : *graph.mutable_output())
      output.set_name(inner.lookup(output.name()));
  }

  Translation &t;
  StringMap<std::string> names;
};

} // namespace

Expected<std::vector<std::string>> Translation::inlineGraph(StringRef name,
                                                            ArrayRef<std::string> inputs) {
  const ::onnx::AttributeProto *attribute = find(name);
  if (!attribute || !attribute->has_g())
    return createStringError("expected a graph in attribute '" + name + "', but got none");
  ::onnx::GraphProto graph = attribute->g();
  remove(name);
  if (size_t(graph.input_size()) != inputs.size())
    return createStringError("expected a graph of " + std::to_string(inputs.size()) +
                             " inputs in attribute '" + name + "', but got " +
                             std::to_string(graph.input_size()));
  Renamer renamer(*this);
  for (auto [formal, actual] : zip_equal(graph.input(), inputs))
    renamer.bind(formal.name(), actual);
  for (::onnx::TensorProto &tensor : *graph.mutable_initializer()) {
    ::onnx::NodeProto &constant = before.emplace_back();
    constant.set_op_type("Constant");
    constant.add_output(renamer.define(tensor.name()));
    *addAttribute(constant, "value", ::onnx::AttributeProto::TENSOR)->mutable_t() =
        std::move(tensor);
  }
  for (::onnx::NodeProto &inner : *graph.mutable_node()) {
    renamer.rename(inner);
    before.push_back(std::move(inner));
  }
  std::vector<std::string> outputs;
  for (const ::onnx::ValueInfoProto &output : graph.output())
    outputs.push_back(renamer.lookup(output.name()));
  return outputs;
}

std::vector<ArrayRef<TranslationRule>> getTranslations(StringRef domain) {
  if (domain.empty())
    return {getAttentionTranslations(), getBroadcastTranslations(), getLossTranslations(),
            getMathTranslations(),      getNNTranslations(),        getRandomTranslations(),
            getReduceTranslations(),    getStateTranslations(),     getTensorTranslations()};
  if (domain == "com.microsoft")
    return {getMicrosoftAttentionTranslations(), getMicrosoftNNTranslations(),
            getMicrosoftQuantTranslations()};
  if (domain == "ai.onnx.preview")
    return {getPreviewTranslations()};
  return {};
}

bool isTranslatedDomain(StringRef domain) {
  return !domain.empty() && !getTranslations(domain).empty();
}

/// An operator of another domain, of which there is one version, by ONNX's.
static Error translateForeign(Translation &translation) {
  for (ArrayRef<TranslationRule> rules : getTranslations(translation.node.domain()))
    for (const TranslationRule &rule : rules)
      if (rule.op == translation.node.op_type()) {
        translation.node.clear_domain();
        return rule.apply(translation);
      }
  return createStringError("the operator is not supported");
}

Error translateNode(Translation &translation) {
  if (isTranslatedDomain(translation.node.domain()))
    return translateForeign(translation);
  std::string op = translation.node.op_type(); // a rule may change it
  if (translation.opset < 6)
    translation.remove("consumed_inputs"); // a hint for planners of buffers
  for (ArrayRef<TranslationRule> rules : getTranslations(""))
    for (const TranslationRule &rule : rules)
      if (rule.op == op && rule.from <= translation.opset && translation.opset < rule.until)
        if (Error error = rule.apply(translation))
          return error;
  return Error::success();
}

} // namespace lathe

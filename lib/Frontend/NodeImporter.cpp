//===- NodeImporter.cpp - Nodes to ops of the onnx dialect ----------------===//
#include "dialects/ONNX/IR/ONNXDialect.h"
#include "lib/Frontend/ElementTypes.h"
#include "lib/Frontend/GraphImporter.h"
#include "lib/Frontend/OpsetTranslation/Translation.h"
#include "mlir/IR/Verifier.h"

using llvm::consumeError, llvm::createStringError, llvm::Error, llvm::Expected, llvm::StringMap,
    llvm::toString;
using namespace mlir;

namespace lathe {

InFlightDiagnostic GraphImporter::emitError(NodeContext &node) {
  const ::onnx::NodeProto &proto = node.proto;
  InFlightDiagnostic diagnostic = emitError(node.loc);
  diagnostic << "node '" << node.name << "' (";
  if (!isDefaultDomain(proto.domain()))
    diagnostic << proto.domain() << ".";
  return std::move(diagnostic << node.op << ", opset " << node.scope.opset << "): ");
}

void GraphImporter::bindOutputs(NodeContext &node, ValueRange results) {
  unsigned next = 0;
  for (const std::string &output : node.proto.output())
    if (!output.empty())
      bind(node.scope, output, results.empty() ? Value() : results[next++], node.loc);
}

/// What a node without a name is called.
static std::string getName(const ::onnx::NodeProto &node) {
  if (!node.name().empty())
    return node.name();
  for (const std::string &output : node.output())
    if (!output.empty())
      return output;
  return node.op_type();
}

void GraphImporter::importNode(const ::onnx::NodeProto &proto, Scope &scope) {
  std::string name = scope.prefix + getName(proto);
  NodeContext node{proto, scope, name, getLoc(name), proto.op_type()};
  if (++nodeCount > options.maxNodes) {
    if (nodeCount == options.maxNodes + 1)
      emitError(node) << "expected at most " << options.maxNodes
                      << " nodes after functions are inlined";
    return bindOutputs(node, {});
  }
  if (const ::onnx::FunctionProto *function = findFunction(proto))
    return inlineFunction(node, *function);
  if (!isDefaultDomain(proto.domain()) && !isTranslatedDomain(proto.domain())) {
    emitError(node) << "operators of domain '" << proto.domain() << "' are not supported";
    return bindOutputs(node, {});
  }
  if (proto.op_type() == "Constant")
    return importConstant(node);
  importTranslated(node, scope.opset);
}

void GraphImporter::importConstant(NodeContext &node) {
  auto fail = [&] { bindOutputs(node, {}); };
  if (node.proto.attribute_size() != 1 || node.proto.output_size() != 1 ||
      node.proto.input_size() != 0) {
    emitError(node) << "expected one attribute and one output";
    return fail();
  }
  const ::onnx::AttributeProto &attribute = node.proto.attribute(0);
  ElementsAttr value;
  Type i64 = builder.getI64Type(), f32 = builder.getF32Type();
  if (attribute.name() == "value") {
    Expected<ElementsAttr> tensor = convertTensor(attribute.t(), file, builder.getContext());
    if (!tensor) {
      emitError(node) << "attribute 'value': " << toString(tensor.takeError());
      return fail();
    }
    value = *tensor;
  } else if (attribute.name() == "value_int") {
    value = DenseElementsAttr::get(RankedTensorType::get({}, i64), int64_t(attribute.i()));
  } else if (attribute.name() == "value_float") {
    value = DenseElementsAttr::get(RankedTensorType::get({}, f32), attribute.f());
  } else if (attribute.name() == "value_ints") {
    SmallVector<int64_t> values(attribute.ints().begin(), attribute.ints().end());
    value = DenseElementsAttr::get(RankedTensorType::get(int64_t(values.size()), i64),
                                   ArrayRef(values));
  } else if (attribute.name() == "value_floats") {
    SmallVector<float> values(attribute.floats().begin(), attribute.floats().end());
    value = DenseElementsAttr::get(RankedTensorType::get(int64_t(values.size()), f32),
                                   ArrayRef(values));
  } else {
    emitError(node) << "attribute '" << attribute.name() << "' is not supported";
    return fail();
  }
  bindOutputs(node, onnx::ConstantOp::create(builder, node.loc, value)->getResults());
}

void GraphImporter::importTranslated(NodeContext &node, int64_t opset) {
  // Every operator has an output; translations take the first one for granted.
  if (node.proto.output_size() == 0) {
    emitError(node) << "expected at least 1 output, but got none";
    return;
  }
  Translation translation{opset, node.proto};
  translation.getFreshName = [&] { return '\x1f' + std::to_string(freshCount++); };
  translation.getType = [&](StringRef name) -> TensorType {
    if (std::optional<Value> value = node.scope.lookup(name))
      return *value ? dyn_cast<TensorType>(value->getType()) : TensorType();
    auto declared = node.scope.declaredTypes.find(name);
    if (declared == node.scope.declaredTypes.end() || !declared->second->has_tensor_type())
      return {};
    Expected<DeclaredType> type = convertType(*declared->second, builder.getContext());
    if (type)
      return type->getType();
    consumeError(type.takeError()); // only a hint
    return {};
  };
  if (Error error = translateNode(translation)) {
    emitError(node) << toString(std::move(error));
    return bindOutputs(node, {});
  }
  bool isForeign = !isDefaultDomain(node.proto.domain());
  auto emit = [&](const ::onnx::NodeProto &proto) {
    NodeContext part{proto, node.scope, node.name, node.loc, node.op};
    if (proto.op_type() == "Constant")
      importConstant(part);
    else if (isForeign)
      importTranslated(part, kNewestOpset);
    else
      emitNode(part);
  };
  for (const ::onnx::NodeProto &proto : translation.before)
    emit(proto);
  emit(translation.node);
  for (const ::onnx::NodeProto &proto : translation.after)
    emit(proto);
}

bool GraphImporter::getOperands(NodeContext &node, const OpSchema &schema,
                                SmallVectorImpl<Value> &operands,
                                SmallVectorImpl<int32_t> &segments) {
  const ::onnx::NodeProto &proto = node.proto;
  unsigned count = proto.input_size();
  while (count && proto.input(count - 1).empty())
    --count;
  unsigned min = OpSchema::getMinCount(schema.operands),
           max = OpSchema::getMaxCount(schema.operands);
  bool complete = true;
  if (count < min || count > max) {
    emitError(node) << "expected " << (count < min ? "at least " : "at most ")
                    << (count < min ? min : max) << " inputs, but got " << count;
    complete = false;
  }
  auto append = [&](unsigned index) {
    const std::string &name = proto.input(index);
    std::optional<Value> value = node.scope.lookup(name);
    if (!value) {
      InFlightDiagnostic diagnostic = emitError(node);
      auto later = node.scope.laterNodes.find(name);
      if (later != node.scope.laterNodes.end())
        diagnostic << "expected nodes in topological order, but got input '" << name
                   << "' of the later node '" << later->second << "'";
      else
        diagnostic << "input '" << name << "' is not defined";
    }
    complete &= value && *value;
    operands.push_back(value.value_or(Value()));
  };
  for (auto [index, kind] : llvm::enumerate(schema.operands)) {
    size_t before = operands.size();
    bool present = index < count && !proto.input(index).empty();
    if (kind == 'v') {
      for (unsigned i = index; i < count; ++i) {
        if (!proto.input(i).empty()) {
          append(i);
        } else {
          emitError(node) << "expected a name of input " << i << ", but got none";
          complete = false;
        }
      }
    } else if (present) {
      append(index);
    } else if (kind == 's' && index < count) {
      emitError(node) << "expected input " << index << ", but got none";
      complete = false;
    }
    segments.push_back(operands.size() - before);
  }
  return complete;
}

bool GraphImporter::getAttributes(NodeContext &node, const OpSchema &schema,
                                  NamedAttrList &attributes) {
  bool complete = true;
  for (const ::onnx::AttributeProto &attribute : node.proto.attribute()) {
    const AttributeSchema *known = schema.findAttribute(attribute.name());
    if (!known) {
      emitError(node) << "attribute '" << attribute.name() << "' is not known";
      complete = false;
    } else if (attributes.get(attribute.name())) {
      emitError(node) << "expected attribute '" << attribute.name() << "' once, but got it twice";
      complete = false;
    } else if (known->kind != "GRAPH") {
      Attribute converted = convertAttribute(node, attribute, known->kind);
      if (converted)
        attributes.set(attribute.name(), converted);
      complete &= bool(converted);
    }
  }
  return complete;
}

Attribute GraphImporter::convertAttribute(NodeContext &node,
                                          const ::onnx::AttributeProto &attribute, StringRef kind) {
  // Writers of old files leave the type out.
  if (attribute.type() != ::onnx::AttributeProto::UNDEFINED &&
      kind != ::onnx::AttributeProto::AttributeType_Name(attribute.type())) {
    emitError(node) << "attribute '" << attribute.name() << "': expected " << kind << ", but got "
                    << ::onnx::AttributeProto::AttributeType_Name(attribute.type());
    return {};
  }
  if (kind == "INT") {
    if (llvm::is_contained({"to", "dtype", "output_datatype", "output_dtype", "precision"}, attribute.name()) &&
        attribute.i()) {
      if (Error error = convertDataType(attribute.i(), builder.getContext()).takeError()) {
        emitError(node) << "attribute '" << attribute.name() << "': " << toString(std::move(error));
        return {};
      }
    }
    return builder.getI64IntegerAttr(attribute.i());
  }
  if (kind == "FLOAT")
    return builder.getF32FloatAttr(attribute.f());
  if (kind == "STRING")
    return builder.getStringAttr(attribute.s());
  if (kind == "INTS")
    return builder.getDenseI64ArrayAttr(
        SmallVector<int64_t>(attribute.ints().begin(), attribute.ints().end()));
  if (kind == "FLOATS")
    return builder.getDenseF32ArrayAttr(
        SmallVector<float>(attribute.floats().begin(), attribute.floats().end()));
  if (kind == "STRINGS")
    return builder.getStrArrayAttr(
        SmallVector<StringRef>(attribute.strings().begin(), attribute.strings().end()));
  if (kind == "TENSOR") {
    Expected<ElementsAttr> value = convertTensor(attribute.t(), file, builder.getContext());
    if (value)
      return *value;
    emitError(node) << "attribute '" << attribute.name() << "': " << toString(value.takeError());
    return {};
  }
  if (kind == "TYPE_PROTO") {
    Expected<Type> type = convertValueType(attribute.tp(), builder.getContext());
    if (type)
      return TypeAttr::get(*type);
    emitError(node) << "attribute '" << attribute.name() << "': " << toString(type.takeError());
    return {};
  }
  emitError(node) << "attribute '" << attribute.name() << "' of type " << kind
                  << " is not supported";
  return {};
}

bool GraphImporter::getResultTypes(NodeContext &node, const OpSchema &schema,
                                   ArrayRef<Value> operands, ArrayRef<Type> subgraphTypes,
                                   SmallVectorImpl<Type> &types,
                                   SmallVectorImpl<int32_t> &segments) {
  const ::onnx::NodeProto &proto = node.proto;
  unsigned count = proto.output_size(), next = 0;
  SmallVector<Type> elementTypes;
  for (const std::string &input : proto.input())
    elementTypes.push_back(input.empty() ? Type()
                                         : getElementTypeOrSelf(operands[next++].getType()));

  for (auto [index, kind] : llvm::enumerate(schema.results)) {
    size_t before = types.size();
    unsigned end = kind == 'v' ? count : index + 1;
    for (unsigned i = index; i < end; ++i) {
      StringRef name = i < count ? proto.output(i) : StringRef();
      if (kind == 'o' && name.empty())
        continue;
      Type elementType = i < subgraphTypes.size()
                             ? getElementTypeOrSelf(subgraphTypes[i])
                             : getResultElementType(proto, i, elementTypes, builder.getContext());
      std::optional<DeclaredType> declared;
      if (auto it = node.scope.declaredTypes.find(name);
          it != node.scope.declaredTypes.end() && it->second->has_tensor_type()) {
        Expected<DeclaredType> type = convertType(*it->second, builder.getContext());
        if (type)
          declared = *type;
        else
          consumeError(
              type.takeError()); // only a hint; types of the graph's outputs are checked apart
      }
      if (!elementType && declared)
        elementType = declared->elementType;
      if (!elementType) {
        emitError(node) << "the element type of result " << i << " is not known";
        return false;
      }
      types.push_back(declared && declared->elementType == elementType
                          ? declared->getType()
                          : getUnrankedType(elementType));
    }
    segments.push_back(types.size() - before);
  }
  return true;
}

/// Checks what ODS and the op's verifier demand, as an error about the node.
bool GraphImporter::verifyNode(NodeContext &node, Operation *op) {
  std::string message;
  {
    ScopedDiagnosticHandler handler(builder.getContext(), [&](Diagnostic &diagnostic) {
      if (message.empty())
        message = diagnostic.str();
      return success();
    });
    if (succeeded(verify(op, /*verifyRecursively=*/false)))
      return true;
  }
  StringRef text = message;
  text.consume_front(("'" + op->getName().getStringRef() + "' op ").str());
  InFlightDiagnostic error = emitError(node) << text << " (operands ";
  llvm::interleaveComma(op->getOperandTypes(), error);
  error << ")";
  return false;
}

void GraphImporter::emitNode(NodeContext &node) {
  const ::onnx::NodeProto &proto = node.proto;
  const OpSchema *schema = findOpSchema(proto.op_type());
  if (!schema) {
    emitError(node) << "the operator is not supported";
    return bindOutputs(node, {});
  }
  if (unsigned(proto.output_size()) > OpSchema::getMaxCount(schema->results)) {
    emitError(node) << "expected at most " << OpSchema::getMaxCount(schema->results)
                    << " outputs, but got " << proto.output_size();
    return bindOutputs(node, {});
  }
  OperationState state(node.loc, "onnx." + proto.op_type());
  SmallVector<Value> operands;
  SmallVector<int32_t> operandSegments, resultSegments;
  SmallVector<Type> resultTypes, subgraphTypes;
  SmallVector<std::unique_ptr<Region>> regions;
  bool complete = getAttributes(node, *schema, state.attributes);
  complete &= getOperands(node, *schema, operands, operandSegments);
  complete = complete && importSubgraphs(node, *schema, operands, regions, subgraphTypes) &&
             getResultTypes(node, *schema, operands, subgraphTypes, resultTypes, resultSegments);
  if (!complete)
    return bindOutputs(node, {});

  if (state.name.hasTrait<OpTrait::AttrSizedOperandSegments>())
    state.addAttribute("operandSegmentSizes", builder.getDenseI32ArrayAttr(operandSegments));
  if (state.name.hasTrait<OpTrait::AttrSizedResultSegments>())
    state.addAttribute("resultSegmentSizes", builder.getDenseI32ArrayAttr(resultSegments));
  state.addOperands(operands);
  state.addTypes(resultTypes);
  state.addRegions(regions);
  Operation *op = builder.create(state);
  if (!verifyNode(node, op)) {
    op->erase();
    return bindOutputs(node, {});
  }
  // Results of kind `s` exist without a name, too.
  SmallVector<Value> named;
  unsigned next = 0, first = 0;
  for (auto [kind, size] : llvm::zip(schema->results, resultSegments)) {
    for (int32_t i = 0; i < size; ++i, ++next) {
      unsigned output = kind == 'v' ? first + i : first;
      if (output < unsigned(proto.output_size()) && !proto.output(output).empty())
        named.push_back(op->getResult(next));
    }
    ++first;
  }
  if (named.empty())
    return;
  bindOutputs(node, named);
}

} // namespace lathe

//===- Importer.cpp - ONNX files to the onnx dialect ----------------------===//
#include "lib/Frontend/Importer.h"
#include "dialects/Interfaces/SymbolicShapes.h"
#include "dialects/ONNX/IR/ONNXDialect.h"
#include "lib/Frontend/GraphImporter.h"
#include "lib/Frontend/InputDeclarations.h"
#include "mlir/IR/Verifier.h"
#include "llvm/ADT/StringSet.h"

using llvm::consumeError, llvm::createStringError, llvm::Error, llvm::Expected, llvm::StringMap,
    llvm::toString;
using namespace mlir;

namespace lathe {

namespace {

/// An argument or a result of the model: its type and what attributes say about it.
struct Port {
  std::string name;
  DeclaredType type;
};

/// An input that is a sequence or optional, and the ports that hold what is in it.
struct Container {
  std::string name;
  Type type;
  bool isPresent = true;
  SmallVector<std::string> parts;
};

} // namespace

static DictionaryAttr getPortAttributes(const Port &port, Builder &builder) {
  SmallVector<NamedAttribute> attributes;
  attributes.emplace_back(builder.getStringAttr(kNameAttr), builder.getStringAttr(port.name));
  if (llvm::any_of(port.type.dimNames, [](const std::string &name) { return !name.empty(); })) {
    SmallVector<StringRef> names(port.type.dimNames.begin(), port.type.dimNames.end());
    attributes.emplace_back(builder.getStringAttr(kDimsAttr), builder.getStrArrayAttr(names));
  }
  return builder.getDictionaryAttr(attributes);
}

static bool isContainer(const ::onnx::TypeProto &type) {
  return type.has_sequence_type() || type.has_optional_type();
}

/// Adds ports for what a sequence or optional holds. Symbolic dimensions of the elements of a
/// sequence are their own.
static Error addContainer(const ::onnx::ValueInfoProto &info, const ImporterOptions &options,
                          MLIRContext *context, SmallVectorImpl<Port> &ports,
                          SmallVectorImpl<Container> &containers) {
  auto declared = options.contents.find(info.name());
  if (declared == options.contents.end())
    return createStringError("expected the number of tensors in a sequence or optional "
                             "(--elements " +
                             info.name() + "=COUNT), but got none");
  const auto &[count, shapes] = declared->second;
  Expected<Type> type = convertValueType(info.type(), context);
  if (!type)
    return type.takeError();
  bool isOptional = info.type().has_optional_type(), isPresent = count != kAbsent;
  const ::onnx::TypeProto &held =
      isOptional ? info.type().optional_type().elem_type() : info.type();
  bool isSequence = held.has_sequence_type();
  if ((!isOptional && !isPresent) || (!isSequence && count > 1))
    return createStringError("expected " + std::string(isSequence ? "at least 0" : "0 or 1") +
                             " tensors in it, but got " + std::to_string(count));
  Container &container = containers.emplace_back();
  container = {info.name(), *type, isSequence ? isPresent : count == 1, {}};
  for (int64_t i = 0; i < count; ++i) {
    Expected<DeclaredType> element =
        convertType(isSequence ? held.sequence_type().elem_type() : held, context);
    if (!element)
      return element.takeError();
    std::string suffix = isSequence ? "_" + std::to_string(i) : "";
    for (std::string &dim : element->dimNames)
      dim += dim.empty() ? "" : suffix;
    if (!shapes.empty())
      if (Error error = declareShape(*element, shapes[i]))
        return error;
    if (!element->hasRank)
      return createStringError("expected the shapes of its elements, which the model does not declare (--elements " +
                               info.name() + "=[2,3],[4,n]), but got none");
    container.parts.push_back(info.name() + suffix);
    ports.push_back({container.parts.back(), *element});
  }
  return Error::success();
}

/// What the graph declares about its inputs or outputs; reports those whose type is missing or not
/// supported.
static bool getPorts(const google::protobuf::RepeatedPtrField<::onnx::ValueInfoProto> &infos,
                     StringRef kind, const llvm::StringSet<> &skipped, bool needRank,
                     GraphImporter &importer, const ImporterOptions &options, MLIRContext *context,
                     SmallVectorImpl<Port> &ports, SmallVectorImpl<Container> &containers) {
  bool complete = true;
  for (const ::onnx::ValueInfoProto &info : infos) {
    if (skipped.contains(info.name()))
      continue;
    auto fail = [&](const Twine &why) {
      importer.emitError(importer.getLoc(info.name()))
          << kind << " '" << info.name() << "': " << why;
      complete = false;
    };
    // The type of an output follows from its node.
    bool isOpen =
        info.type().value_case() == ::onnx::TypeProto::VALUE_NOT_SET || isContainer(info.type());
    if (!needRank && isOpen) {
      ports.push_back({info.name(), {}});
      continue;
    }
    if (isContainer(info.type())) {
      if (Error error = addContainer(info, options, context, ports, containers))
        fail(toString(std::move(error)));
      continue;
    }
    Expected<DeclaredType> type = convertType(info.type(), context);
    if (!type) {
      fail(toString(type.takeError()));
      continue;
    }
    if (needRank && !type->hasRank) {
      fail("expected a shape, but got none");
      continue;
    }
    ports.push_back({info.name(), *type});
  }
  return complete;
}

/// Makes constants of the inputs that the caller says are ones.
static void bindConstants(const ::onnx::GraphProto &graph, Block *block, Scope &scope, GraphImporter &importer,
                          const ImporterOptions &options) {
  OpBuilder builder = OpBuilder::atBlockEnd(block);
  for (const ::onnx::ValueInfoProto &info : graph.input()) {
    auto elements = options.constants.find(info.name());
    if (elements == options.constants.end() || scope.values.contains(info.name()))
      continue;
    Location loc = importer.getLoc(info.name());
    auto make = [&]() -> Expected<ElementsAttr> {
      Expected<DeclaredType> type = convertType(info.type(), builder.getContext());
      if (!type)
        return type.takeError();
      return makeConstant(*type, elements->second);
    };
    Expected<ElementsAttr> value = make();
    if (!value)
      importer.emitError(loc) << "input '" << info.name() << "': " << toString(value.takeError());
    importer.bind(scope, info.name(), value ? onnx::ConstantOp::create(builder, loc, *value) : Value(), loc);
  }
}

/// Reports what the caller says of inputs that the model does not have.
static bool checkNames(const ::onnx::GraphProto &graph, const llvm::StringSet<> &initialisers, Location loc,
                       GraphImporter &importer, const ImporterOptions &options) {
  llvm::StringSet<> containers, tensors;
  for (const ::onnx::ValueInfoProto &info : graph.input())
    if (!initialisers.contains(info.name()))
      (isContainer(info.type()) ? containers : tensors).insert(info.name());
  bool good = true;
  auto check = [&](const auto &declared, const llvm::StringSet<> &names, StringRef kind, StringRef option) {
    for (const auto &entry : declared)
      if (!names.contains(entry.getKey())) {
        importer.emitError(loc) << "expected an input that is " << kind << " in " << option << ", but got '"
                                << entry.getKey() << "'";
        good = false;
      }
  };
  check(options.contents, containers, "a sequence or optional", "--elements");
  check(options.constants, tensors, "a tensor", "--constant");
  return good;
}

/// Makes sequences and optionals of the arguments that are in them.
static void bindContainers(ArrayRef<Container> containers, Block *block, Scope &scope,
                           GraphImporter &importer) {
  OpBuilder builder = OpBuilder::atBlockEnd(block);
  for (const Container &container : containers) {
    Location loc = importer.getLoc(container.name);
    SmallVector<Value> parts;
    for (const std::string &part : container.parts)
      parts.push_back(scope.lookup(part).value_or(Value()));
    auto optional = dyn_cast<onnx::OptionalType>(container.type);
    auto sequence =
        dyn_cast<onnx::SequenceType>(optional ? optional.getElementType() : container.type);
    Value value = container.isPresent && !sequence ? parts.front() : Value();
    if (container.isPresent && sequence)
      value = onnx::SequenceConstructOp::create(builder, loc, sequence, parts);
    if (optional) {
      scope.values.erase(container.name); // the argument of an optional tensor has its name
      value = onnx::OptionalOp::create(builder, loc, optional, value, TypeAttr());
    }
    importer.bind(scope, container.name, value, loc);
  }
}

static void importMain(const ::onnx::GraphProto &graph, int64_t opset, ModuleOp module,
                       Location loc, GraphImporter &importer, const ImporterOptions &options) {
  Builder builder(module.getContext());
  llvm::StringSet<> initialisers;
  for (const ::onnx::TensorProto &tensor : graph.initializer())
    initialisers.insert(tensor.name());
  SmallVector<Port> inputs, outputs;
  SmallVector<Container> containers;
  // Ports with errors are left out: nodes that use them would be reported, too, so stop here.
  llvm::StringSet<> constants = initialisers;
  constants.insert_range(options.constants.keys());
  bool complete = checkNames(graph, initialisers, loc, importer, options);
  complete &= getPorts(graph.input(), "input", constants, /*needRank=*/true, importer, options, module.getContext(),
                       inputs, containers);
  complete &= getPorts(graph.output(), "output", {}, /*needRank=*/false, importer, options,
                       module.getContext(), outputs, containers);
  if (graph.output_size() == 0) {
    importer.emitError(loc) << "expected a graph with outputs, but got none";
    complete = false;
  }

  auto function = func::FuncOp::create(loc, options.functionName, builder.getFunctionType({}, {}));
  module.push_back(function);
  Block *block = function.addEntryBlock();
  Scope scope;
  scope.opset = opset;
  for (const Port &port : inputs) {
    Location portLoc = importer.getLoc(port.name);
    importer.bind(scope, port.name, block->addArgument(port.type.getType(), portLoc), portLoc);
  }
  bindContainers(containers, block, scope, importer);
  bindConstants(graph, block, scope, importer, options);
  for (const ::onnx::ValueInfoProto &input : graph.input())
    if (!initialisers.contains(input.name()) && !scope.values.count(input.name()))
      scope.values[input.name()] = {};
  importer.importGraph(graph, scope, block);
  SmallVector<Value> values;
  if (failed(importer.getOutputs(graph, scope, values)) || !complete || importer.hasFailed())
    return;

  SmallVector<DictionaryAttr> argumentAttributes, resultAttributes;
  for (const Port &port : inputs)
    argumentAttributes.push_back(getPortAttributes(port, builder));
  for (auto [port, value] : llvm::zip(outputs, values)) {
    resultAttributes.push_back(getPortAttributes(port, builder));
    Type elementType = getElementTypeOrSelf(value.getType());
    if (port.type.elementType && port.type.elementType != elementType)
      importer.emitError(importer.getLoc(port.name))
          << "output '" << port.name << "': expected elements of " << port.type.elementType
          << ", but got " << elementType;
  }
  OpBuilder atEnd = OpBuilder::atBlockEnd(block);
  func::ReturnOp::create(atEnd, loc, values);
  function.setType(
      builder.getFunctionType(block->getArgumentTypes(), ValueRange(values).getTypes()));
  function.setAllArgAttrs(argumentAttributes);
  function.setAllResultAttrs(resultAttributes);
  function.walk([](onnx::ConstantOp constant) {
    if (constant->use_empty())
      constant->erase();
  });
}

OwningOpRef<ModuleOp> importOnnx(StringRef path, MLIRContext &context,
                                 const ImporterOptions &options) {
  context.loadDialect<onnx::ONNXDialect, func::FuncDialect>();
  Location loc = FileLineColLoc::get(&context, path, 0, 0);
  Expected<std::unique_ptr<ModelFile>> file = ModelFile::open(path);
  if (!file) {
    emitError(loc) << toString(file.takeError());
    return {};
  }
  const ::onnx::ModelProto &model = (*file)->getModel();
  if (!model.has_graph()) {
    emitError(loc) << "expected a model with a graph, but got none";
    return {};
  }
  // A model of other domains only gets an error for each of its nodes.
  int64_t opset =
      GraphImporter::getOpset(model.opset_import(), model.opset_import_size() ? kNewestOpset : 0);
  if (opset < kOldestOpset || opset > kNewestOpset) {
    emitError(loc) << "expected a model of opset " << kOldestOpset << " to " << kNewestOpset
                   << ", but got " << (opset ? "opset " + std::to_string(opset) : "none");
    return {};
  }

  OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
  Builder builder(&context);
  (*module)->setAttr("onnx.ir_version", builder.getI64IntegerAttr(model.ir_version()));
  (*module)->setAttr("onnx.opset", builder.getI64IntegerAttr(opset));
  if (!model.producer_name().empty())
    (*module)->setAttr("onnx.producer", builder.getStringAttr(model.producer_name()));
  if (!model.producer_version().empty())
    (*module)->setAttr("onnx.producer_version", builder.getStringAttr(model.producer_version()));

  GraphImporter importer(**file, &context, options);
  importMain(model.graph(), opset, *module, loc, importer, options);
  if (importer.hasFailed() || failed(verify(*module)))
    return {};
  (*file)->releasePages();
  return module;
}

} // namespace lathe

//===- GraphImporter.cpp - Graphs to blocks of ops ------------------------===//
#include "lib/Frontend/GraphImporter.h"
#include "dialects/ONNX/IR/ONNXDialect.h"

using llvm::consumeError, llvm::createStringError, llvm::Error, llvm::Expected, llvm::StringMap,
    llvm::toString;
using namespace mlir;

namespace lathe {

std::optional<Value> Scope::lookup(StringRef name) const {
  for (const Scope *scope = this; scope; scope = scope->parent)
    if (auto it = scope->values.find(name); it != scope->values.end())
      return it->second;
  return std::nullopt;
}

GraphImporter::GraphImporter(ModelFile &file, MLIRContext *context, const ImporterOptions &options)
    : file(file), options(options), builder(context) {
  for (const ::onnx::FunctionProto &function : file.getModel().functions())
    functions[function.domain() + ":" + function.name()] = &function;
}

InFlightDiagnostic GraphImporter::emitError(Location loc) {
  failed = true;
  return mlir::emitError(loc);
}

Location GraphImporter::getLoc(StringRef name) const {
  return NameLoc::get(StringAttr::get(builder.getContext(), name));
}

void GraphImporter::bind(Scope &scope, StringRef name, Value value, Location loc) {
  if (!scope.values.try_emplace(name, value).second)
    emitError(loc) << "expected unique names, but got '" << name << "' twice";
}

void GraphImporter::importGraph(const ::onnx::GraphProto &graph, Scope &scope, Block *block) {
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToEnd(block);
  for (const ::onnx::ValueInfoProto &info : graph.value_info())
    scope.declaredTypes[info.name()] = &info.type();
  for (const ::onnx::ValueInfoProto &info : graph.output())
    scope.declaredTypes[info.name()] = &info.type();

  for (const ::onnx::TensorProto &tensor : graph.initializer()) {
    Location loc = getLoc(tensor.name());
    Expected<ElementsAttr> value = convertTensor(tensor, file, builder.getContext());
    if (!value) {
      emitError(loc) << "initialiser '" << tensor.name() << "': " << toString(value.takeError());
      bind(scope, tensor.name(), {}, loc);
      continue;
    }
    bind(scope, tensor.name(), onnx::ConstantOp::create(builder, loc, *value), loc);
  }
  for (const ::onnx::SparseTensorProto &tensor : graph.sparse_initializer()) {
    StringRef name = tensor.values().name();
    emitError(getLoc(name)) << "initialiser '" << name << "': sparse tensors are not supported";
    bind(scope, name, {}, getLoc(name));
  }

  for (const ::onnx::NodeProto &node : graph.node())
    for (const std::string &output : node.output())
      scope.laterNodes.try_emplace(output, node.name().empty() ? node.op_type() : node.name());
  for (const ::onnx::NodeProto &node : graph.node()) {
    importNode(node, scope);
    for (const std::string &output : node.output())
      scope.laterNodes.erase(output);
  }
}

LogicalResult GraphImporter::getOutputs(const ::onnx::GraphProto &graph, Scope &scope,
                                        SmallVectorImpl<Value> &outputs) {
  bool complete = true;
  for (const ::onnx::ValueInfoProto &output : graph.output()) {
    std::optional<Value> value = scope.lookup(output.name());
    if (!value)
      emitError(getLoc(output.name())) << "output '" << output.name() << "' of graph '"
                                       << graph.name() << "' is not computed by any node";
    complete &= value && *value;
    outputs.push_back(value.value_or(Value()));
  }
  return success(complete);
}

} // namespace lathe

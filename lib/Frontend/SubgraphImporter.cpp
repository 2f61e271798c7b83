//===- SubgraphImporter.cpp - Bodies of If, Loop and Scan -----------------===//
#include "dialects/ONNX/IR/ONNXDialect.h"
#include "lib/Frontend/GraphImporter.h"
#include "llvm/ADT/ScopeExit.h"

using llvm::consumeError, llvm::createStringError, llvm::Error, llvm::Expected, llvm::StringMap,
    llvm::toString;
using namespace mlir;

namespace lathe {

static Type getUnranked(Type type) { return getUnrankedType(getElementTypeOrSelf(type)); }

/// What the body of SequenceMap gets of an operand: an element of a sequence, or a tensor.
static Type getMappedType(Type type) {
  auto sequence = dyn_cast<onnx::SequenceType>(type);
  return getUnranked(sequence ? sequence.getElementType() : type);
}

bool GraphImporter::importSubgraph(NodeContext &node, const ::onnx::GraphProto &graph,
                                   ArrayRef<Type> inputTypes, Region &region) {
  Scope scope;
  scope.parent = &node.scope;
  scope.opset = node.scope.opset;
  scope.prefix = node.scope.prefix;
  scope.depth = node.scope.depth + 1;
  if (scope.depth > options.maxDepth) {
    emitError(node) << "expected graphs nested at most " << options.maxDepth << " deep";
    return false;
  }
  if (size_t(graph.input_size()) != inputTypes.size()) {
    emitError(node) << "expected a body of " << inputTypes.size() << " inputs, but got "
                    << graph.input_size();
    return false;
  }
  Block *block = new Block();
  region.push_back(block);
  for (auto [index, input] : llvm::enumerate(graph.input())) {
    Location loc = getLoc(input.name());
    // The body declares what holds in every iteration; the type outside only what holds in the
    // first.
    Type type = inputTypes[index];
    if (input.has_type() && input.type().value_case() != ::onnx::TypeProto::VALUE_NOT_SET) {
      Expected<Type> declared = convertValueType(input.type(), builder.getContext());
      if (!declared) {
        emitError(loc) << "input '" << input.name() << "': " << toString(declared.takeError());
        return false;
      }
      if (getElementTypeOrSelf(*declared) != getElementTypeOrSelf(type)) {
        emitError(node) << "input '" << input.name() << "' of its body: expected elements of "
                        << getElementTypeOrSelf(type) << ", but got "
                        << getElementTypeOrSelf(*declared);
        return false;
      }
      type = *declared;
    }
    bind(scope, input.name(), block->addArgument(type, loc), loc);
  }
  importGraph(graph, scope, block);
  SmallVector<Value> outputs;
  if (mlir::failed(getOutputs(graph, scope, outputs)))
    return false;
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToEnd(block);
  onnx::YieldOp::create(builder, node.loc, outputs);
  return true;
}

bool GraphImporter::importSubgraphs(NodeContext &node, const OpSchema &schema,
                                    ArrayRef<Value> operands,
                                    SmallVectorImpl<std::unique_ptr<Region>> &regions,
                                    SmallVectorImpl<Type> &resultTypes) {
  const ::onnx::NodeProto &proto = node.proto;
  auto find = [&](StringRef name) -> const ::onnx::AttributeProto * {
    for (const ::onnx::AttributeProto &attribute : proto.attribute())
      if (attribute.name() == name)
        return &attribute;
    return nullptr;
  };
  // What the body gets, and which of its outputs are not results of the op.
  SmallVector<Type> inputTypes;
  unsigned dropped = 0;
  if (proto.op_type() == "Loop") {
    inputTypes = {RankedTensorType::get({}, builder.getI64Type()),
                  RankedTensorType::get({}, builder.getI1Type())};
    unsigned present = 0;
    for (int i = 0; i < std::min(2, proto.input_size()); ++i)
      present += !proto.input(i).empty();
    for (Value value : operands.drop_front(present))
      inputTypes.push_back(getUnranked(value.getType()));
    dropped = 1; // the condition
  } else if (proto.op_type() == "Scan") {
    for (Value value : operands)
      inputTypes.push_back(getUnranked(value.getType()));
  } else if (proto.op_type() == "SequenceMap") {
    for (Value value : operands)
      inputTypes.push_back(getMappedType(value.getType()));
  }

  // Bodies are built inside an op, as they refer to values around it; it gives way to the real one,
  // whose operands and results are known afterwards.
  Operation *holder = nullptr;
  auto release = llvm::scope_exit([&] {
    if (holder)
      holder->erase();
  });
  for (const AttributeSchema &attribute : schema.attributes) {
    if (attribute.kind != "GRAPH")
      continue;
    const ::onnx::AttributeProto *graph = find(attribute.name);
    if (!graph || !graph->has_g()) {
      emitError(node) << "expected a graph in attribute '" << attribute.name << "', but got none";
      return false;
    }
    OperationState state(node.loc, "onnx." + proto.op_type());
    state.addRegion();
    if (holder)
      holder->erase();
    holder = builder.create(state);
    Region &body = holder->getRegion(0);
    if (!importSubgraph(node, graph->g(), inputTypes, body))
      return false;
    OperandRange yielded = body.front().getTerminator()->getOperands();
    if (yielded.size() < dropped || yielded.size() - dropped != size_t(proto.output_size())) {
      emitError(node) << "expected " << proto.output_size() + dropped << " outputs of graph '"
                      << attribute.name << "', but got " << yielded.size();
      return false;
    }
    for (auto [index, value] : llvm::enumerate(yielded.drop_front(dropped))) {
      Type type = getUnranked(value.getType());
      if (proto.op_type() == "SequenceMap")
        type = onnx::SequenceType::get(builder.getContext(), getElementTypeOrSelf(type));
      if (index == resultTypes.size()) {
        resultTypes.push_back(type);
      } else if (resultTypes[index] != type) {
        emitError(node) << "expected the same element type of output " << index
                        << " in both branches, but got " << getElementTypeOrSelf(resultTypes[index])
                        << " and " << getElementTypeOrSelf(type);
        return false;
      }
    }
    regions.push_back(std::make_unique<Region>());
    regions.back()->takeBody(body);
  }
  return true;
}

} // namespace lathe

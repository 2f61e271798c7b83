//===- GraphImporter.h - Graphs and nodes to ops --------------------------===//
#ifndef LIB_FRONTEND_GRAPHIMPORTER_H
#define LIB_FRONTEND_GRAPHIMPORTER_H

#include "lib/Frontend/Importer.h"
#include "lib/Frontend/ModelFile.h"
#include "lib/Frontend/OpSchemas.h"
#include "lib/Frontend/Tensors.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Diagnostics.h"
#include <optional>

namespace lathe {

/// The names that a graph or the body of a function defines.
struct Scope {
  Scope *parent =
      nullptr; ///< graph around a subgraph; null for functions, which see nothing outside
  int64_t opset = 0;
  unsigned depth = 0; ///< of subgraphs and functions
  std::string prefix; ///< of node names: the calls of the functions this is in
  /// Null values stand for results of nodes that have had an error: no more is said about those who
  /// use them.
  llvm::StringMap<mlir::Value> values;
  llvm::StringMap<const ::onnx::TypeProto *> declaredTypes;
  llvm::StringMap<std::string> laterNodes; ///< values whose node was not reached yet, and its name

  /// A value by name, here or outside; nullopt if nothing has the name.
  std::optional<mlir::Value> lookup(llvm::StringRef name) const;
};

/// Makes ops of graphs. Goes on after errors, so that one run reports them all.
class GraphImporter {
public:
  GraphImporter(ModelFile &file, mlir::MLIRContext *context, const ImporterOptions &options);

  /// Adds constants and ops for the graph's initialisers and nodes at the end of `block`; its
  /// inputs are in `scope`.
  void importGraph(const ::onnx::GraphProto &graph, Scope &scope, mlir::Block *block);
  /// The values of the graph's outputs; fails after an error, or silently if one of them has none
  /// because of one.
  llvm::LogicalResult getOutputs(const ::onnx::GraphProto &graph, Scope &scope,
                                 llvm::SmallVectorImpl<mlir::Value> &outputs);
  /// Gives a value a name; an error if the scope has it.
  void bind(Scope &scope, llvm::StringRef name, mlir::Value value, mlir::Location loc);

  /// The opset of domain "" among `imports`, `otherwise` if there is none.
  template <typename Imports>
  static int64_t getOpset(const Imports &imports, int64_t otherwise) {
    for (const ::onnx::OperatorSetIdProto &import : imports)
      if (isDefaultDomain(import.domain()))
        return import.version();
    return otherwise;
  }
  static bool isDefaultDomain(llvm::StringRef domain) {
    return domain.empty() || domain == "ai.onnx";
  }

  bool hasFailed() const { return failed; }
  mlir::InFlightDiagnostic emitError(mlir::Location loc);
  mlir::Location getLoc(llvm::StringRef name) const;

private:
  struct NodeContext; // a node, its scope and where errors about it are located

  // NodeImporter.cpp
  void importNode(const ::onnx::NodeProto &node, Scope &scope);
  void importConstant(NodeContext &node);
  /// `opset` is that of the node's form.
  void importTranslated(NodeContext &node, int64_t opset);
  void emitNode(NodeContext &node);
  bool getOperands(NodeContext &node, const OpSchema &schema,
                   llvm::SmallVectorImpl<mlir::Value> &operands,
                   llvm::SmallVectorImpl<int32_t> &segments);
  bool getAttributes(NodeContext &node, const OpSchema &schema, mlir::NamedAttrList &attributes);
  mlir::Attribute convertAttribute(NodeContext &node, const ::onnx::AttributeProto &attribute,
                                   llvm::StringRef kind);
  bool getResultTypes(NodeContext &node, const OpSchema &schema,
                      llvm::ArrayRef<mlir::Value> operands,
                      llvm::ArrayRef<mlir::Type> subgraphTypes,
                      llvm::SmallVectorImpl<mlir::Type> &types,
                      llvm::SmallVectorImpl<int32_t> &segments);
  bool verifyNode(NodeContext &node, mlir::Operation *op);
  void bindOutputs(NodeContext &node, mlir::ValueRange results);
  mlir::InFlightDiagnostic emitError(NodeContext &node);

  // SubgraphImporter.cpp
  bool importSubgraphs(NodeContext &node, const OpSchema &schema,
                       llvm::ArrayRef<mlir::Value> operands,
                       llvm::SmallVectorImpl<std::unique_ptr<mlir::Region>> &regions,
                       llvm::SmallVectorImpl<mlir::Type> &resultTypes);
  bool importSubgraph(NodeContext &node, const ::onnx::GraphProto &graph,
                      llvm::ArrayRef<mlir::Type> inputTypes, mlir::Region &region);

  // Functions.cpp
  const ::onnx::FunctionProto *findFunction(const ::onnx::NodeProto &node) const;
  void inlineFunction(NodeContext &call, const ::onnx::FunctionProto &function);

  ModelFile &file;
  const ImporterOptions &options;
  mlir::OpBuilder builder;
  llvm::StringMap<const ::onnx::FunctionProto *> functions; ///< by domain, ':' and name
  uint64_t nodeCount = 0, freshCount = 0;
  bool failed = false;
};

struct GraphImporter::NodeContext {
  const ::onnx::NodeProto &proto;
  Scope &scope;
  std::string name; ///< with the scope's prefix; of nameless nodes their first output
  mlir::Location loc;
  std::string op; ///< as the file has it, which errors name
};

} // namespace lathe

#endif // LIB_FRONTEND_GRAPHIMPORTER_H

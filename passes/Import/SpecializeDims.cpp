//===- SpecializeDims.cpp - Fixes or bounds symbolic dimensions -----------===//
#include "dialects/Interfaces/SymbolicShapes.h"
#include "passes/Import/Passes.h"
#include "llvm/ADT/StringSet.h"

namespace lathe {
#define GEN_PASS_DEF_IMPORTSPECIALIZEDIMS
#include "passes/Import/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

namespace {

/// What one `--dim` says; a fixed size has equal bounds and `isRange` false.
struct Request {
  std::string name;
  int64_t lower = 0, upper = 0;
  bool isRange = false;
};

struct ImportSpecializeDimsPass : lathe::impl::ImportSpecializeDimsBase<ImportSpecializeDimsPass> {
  using ImportSpecializeDimsBase::ImportSpecializeDimsBase;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isExternal() || dims.empty())
      return;
    SymbolicShapes shapes(function);
    bool good = true;
    llvm::StringSet<> given;
    for (const std::string &text : dims) {
      FailureOr<Request> request = parse(function, text);
      if (failed(request) || failed(check(function, shapes, *request))) {
        good = false;
        continue;
      }
      if (!given.insert(request->name).second) {
        function.emitError("expected one size for dimension '") << request->name << "', but got `" << text << "`, too";
        good = false;
        continue;
      }
      if (request->isRange)
        bound(function, *request);
      else
        fix(function, *request);
    }
    if (!good)
      signalPassFailure();
  }

private:
  static FailureOr<Request> parse(func::FuncOp function, StringRef text) {
    Request request;
    auto [name, size] = text.split('=');
    request.name = name.trim().str();
    auto [lower, upper] = size.trim().split("..");
    request.isRange = size.contains("..");
    bool bad = request.name.empty() || lower.getAsInteger(10, request.lower);
    request.upper = request.lower;
    if (request.isRange)
      bad |= upper.getAsInteger(10, request.upper);
    constexpr int64_t kLargest = std::numeric_limits<int32_t>::max();
    if (!bad && request.upper > kLargest) {
      function.emitError("expected sizes of at most ") << kLargest << " for a dimension, but got `" << text << "`";
      return failure();
    }
    if (bad || request.lower < 0 || request.upper < request.lower) {
      function.emitError("expected NAME=SIZE or NAME=LOWER..UPPER for a dimension, but got `") << text << "`";
      return failure();
    }
    return request;
  }

  /// Whether all types of values are declared in full: no size depends on data.
  static bool hasStaticResults(func::FuncOp function) {
    return llvm::all_of(function.getBody().getOps(), [](Operation &op) {
      return op.getNumRegions() == 0 && llvm::all_of(op.getResultTypes(), [](Type type) {
               auto tensor = dyn_cast<RankedTensorType>(type);
               return !isa<TensorType>(type) || (tensor && tensor.hasStaticShape());
             });
    });
  }

  /// The model has to have the dimension.
  static LogicalResult check(func::FuncOp function, const SymbolicShapes &shapes, const Request &request) {
    SmallVector<StringRef> names;
    for (const SymbolicDim &symbol : shapes.getSymbols())
      names.push_back(symbol.name);
    // The name of a size that depends on data is known when shapes are: import-infer-shapes sees to it.
    if (llvm::is_contained(names, request.name) || (request.isRange && !hasStaticResults(function)))
      return success();
    InFlightDiagnostic error = function.emitError("expected a symbolic dimension of the model, but got `");
    error << request.name << "`; ";
    if (names.empty())
      return error << "the model has none";
    return error << "the model has " << llvm::join(names, ", ");
  }

  static void bound(func::FuncOp function, const Request &request) {
    Builder builder(function.getContext());
    NamedAttrList bounds(function->getAttrOfType<DictionaryAttr>(kDimBoundsAttr));
    bounds.set(request.name, builder.getDenseI64ArrayAttr({request.lower, request.upper}));
    function->setAttr(kDimBoundsAttr, bounds.getDictionary(function.getContext()));
  }

  static void fix(func::FuncOp function, const Request &request) {
    Builder builder(function.getContext());
    for (BlockArgument argument : function.getArguments()) {
      auto type = dyn_cast<RankedTensorType>(argument.getType());
      if (!type)
        continue;
      unsigned index = argument.getArgNumber();
      auto names = function.getArgAttrOfType<ArrayAttr>(index, kDimsAttr);
      SmallVector<Attribute> newNames(names ? names.getValue() : ArrayRef<Attribute>());
      SmallVector<int64_t> shape(type.getShape());
      for (size_t dim = 0; dim < shape.size(); ++dim) {
        if (!type.isDynamicDim(dim) || getDimName(function, index, dim) != request.name)
          continue;
        shape[dim] = request.lower;
        if (dim < newNames.size())
          newNames[dim] = builder.getStringAttr("");
      }
      argument.setType(RankedTensorType::get(shape, type.getElementType(), type.getEncoding()));
      if (names)
        function.setArgAttr(index, kDimsAttr, builder.getArrayAttr(newNames));
    }
    if (auto bounds = function->getAttrOfType<DictionaryAttr>(kDimBoundsAttr)) {
      NamedAttrList rest(bounds);
      rest.erase(request.name);
      function->setAttr(kDimBoundsAttr, rest.getDictionary(function.getContext()));
    }
    function.setFunctionType(FunctionType::get(function.getContext(), function.getBody().front().getArgumentTypes(),
                                               function.getResultTypes()));
  }
};

} // namespace

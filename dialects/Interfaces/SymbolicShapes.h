//===- SymbolicShapes.h - Shapes as expressions over a model's dimensions -===//
#ifndef DIALECTS_INTERFACES_SYMBOLICSHAPES_H
#define DIALECTS_INTERFACES_SYMBOLICSHAPES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringMap.h"
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace lathe {

/// Names of the attributes that carry a model's signature on `func.func`.
inline constexpr llvm::StringLiteral kNameAttr = "onnx.name";      // on arguments and results: StringAttr
inline constexpr llvm::StringLiteral kDimsAttr = "onnx.dims";      // on arguments: ArrayAttr of names, "" = static
inline constexpr llvm::StringLiteral kStatusAttr = "lathe.status"; // on a result of tensor<1xi64>: a lathe_status
inline constexpr llvm::StringLiteral kDimBoundsAttr = "onnx.dim_bounds"; // on the function: {batch = array<i64: 1, 64>}
inline constexpr llvm::StringLiteral kSizeConditionsAttr =
    "onnx.size_conditions"; // on the function: a map from its symbolic dimensions to numbers that may not be negative

/// The name of a dynamic dimension of an argument: what the model calls it, or one of its place.
std::string getDimName(mlir::func::FuncOp function, unsigned argument, unsigned dim);

/// A symbolic dimension and where its size is read from: one of the model ("batch"), which the caller chooses, or a
/// size that depends on data (how many elements are not zero), which the run computes.
struct SymbolicDim {
  std::string name;
  int64_t lower = 1;              ///< smallest size, inclusive
  int64_t upper = 512;            ///< largest size, inclusive: buffers are planned for it
  unsigned argument = 0, dim = 0; ///< the size is dimension `dim` of argument `argument`
  mlir::Value result;             ///< of a size that depends on data: it is dimension `dim` of this result of an op
  mlir::AffineExpr bound;         ///< the largest size in terms of symbols before this one; null if the caller chooses
  bool isChecked = false;         ///< the data may tell a larger size than the bound: a run has to refuse that

  bool dependsOnData() const { return bool(result); }
};

/// Every dimension of every tensor of a function, and every element of its small integer tensors, as an affine
/// expression over the function's symbolic dimensions: symbol s_i is `getSymbols()[i]`. Equal expressions are equal
/// sizes. It is an analysis: `compute` only reads the function, and may be run again after it was changed.
class SymbolicShapes {
public:
  /// Reads the symbols from the arguments' `onnx.dims`. Unnamed dynamic dimensions get a name of their own.
  explicit SymbolicShapes(mlir::func::FuncOp function);

  /// Walks the function and asks each op's ShapeInferenceOpInterface; ops without it are taken as they are if their
  /// results are static. Fails after one error for each op that has no shape; ops that depend on it are not reported.
  llvm::LogicalResult compute();

  llvm::ArrayRef<SymbolicDim> getSymbols() const { return symbols; }

  /// Dimensions of a tensor, outermost first; asserts that they are known (`compute` has succeeded).
  llvm::ArrayRef<mlir::AffineExpr> getDims(mlir::Value value) const;
  bool hasDims(mlir::Value value) const { return dims.count(value); }
  /// Elements of a small tensor in row-major order if all are known, and whole numbers if the tensor is of floats;
  /// nullopt otherwise.
  std::optional<llvm::ArrayRef<mlir::AffineExpr>> getElements(mlir::Value value) const;
  /// Element type of a result as inferred; that of the value's own type otherwise.
  mlir::Type getElementType(mlir::Value value) const;

  void setDims(mlir::Value value, llvm::ArrayRef<mlir::AffineExpr> shape, mlir::Type elementType = {});
  void setElements(mlir::Value value, llvm::ArrayRef<mlir::AffineExpr> elements);

  mlir::AffineExpr constant(int64_t value) const;
  /// A size in [0, bound] that data decides: dimension `dim` of `result`, a result of an op. Ops of one kind in one
  /// block that agree in `reasons`, the values that decide, have one size between them. Its name is that of the
  /// result's dimension, if the model returns the result and names it, else the node's. `onnx.dim_bounds` may have a
  /// smaller bound for the name. A size that nothing bounds (null) has the default of symbols. Both are checked by a
  /// run; where `isChecked`, any bound may be given.
  mlir::AffineExpr getDataSize(mlir::Value result, unsigned dim, mlir::AffineExpr bound,
                               llvm::ArrayRef<mlir::Value> reasons, bool isChecked = false);
  /// Whether a size of the expression depends on data.
  bool dependsOnData(mlir::AffineExpr expr) const;
  /// The symbol, if the expression is a size that depends on data and nothing else.
  const SymbolicDim *getDataSymbol(mlir::AffineExpr expr) const;
  /// From now on `materialize` takes `size`, which dominates all later uses, for a size that depends on data.
  void setSize(mlir::AffineExpr symbol, mlir::Value size);
  bool hasSize(mlir::AffineExpr symbol) const {
    return sizes.count(mlir::cast<mlir::AffineSymbolExpr>(symbol).getPosition());
  }

  /// The inferred type: constants where the expression is one, dynamic elsewhere.
  mlir::RankedTensorType getType(mlir::Value value) const;
  /// NumPy broadcasting of two dimensions; null if they contradict each other. Unequal symbolic sizes of the model are
  /// assumed to be equal: code for either has to know which of two sizes is 1. The first one wins.
  mlir::AffineExpr broadcast(mlir::AffineExpr a, mlir::AffineExpr b) const;

  /// Whether two sizes may be equal. Sizes that depend on data are equal to themselves only: nobody could check others
  /// before the run.
  bool mayBeEqual(mlir::AffineExpr a, mlir::AffineExpr b) const;
  /// The same; a run then has to refuse sizes of the model with which they are not, or with which `a` is larger than
  /// `b`: see `getConditions`.
  bool assumeEqual(mlir::AffineExpr a, mlir::AffineExpr b) const;
  bool assumeAtMost(mlir::AffineExpr a, mlir::AffineExpr b) const;
  /// What must not be negative for the shapes to hold, in terms of the model's symbols.
  llvm::ArrayRef<mlir::AffineExpr> getConditions() const { return conditions; }

  /// The size at run time: a constant, or arithmetic on `tensor.dim` of arguments (of results, where data decides),
  /// made at the builder's place.
  mlir::OpFoldResult materialize(mlir::OpBuilder &builder, mlir::Location loc, mlir::AffineExpr size) const;
  /// All dimensions of `value`, materialised.
  llvm::SmallVector<mlir::OpFoldResult> materializeDims(mlir::OpBuilder &builder, mlir::Location loc,
                                                        mlir::Value value) const;
  /// The largest value the expression takes within the symbols' bounds.
  int64_t getUpperBound(mlir::AffineExpr size) const { return getBounds(size).second; }
  /// The smallest and the largest value the expression takes within the symbols' bounds, or an interval around them.
  std::pair<int64_t, int64_t> getBounds(mlir::AffineExpr expr) const;
  /// The expression with the symbols' names: "past + k".
  std::string describe(mlir::AffineExpr expr) const;
  mlir::AffineExpr simplify(mlir::AffineExpr expr) const;

private:
  /// False after an error.
  bool computeBlock(mlir::Block &block);
  /// False, and nothing is set, if the type does not tell all sizes.
  bool setStaticDims(mlir::Value value);

  mlir::func::FuncOp function;
  mlir::MLIRContext *context;
  llvm::SmallVector<SymbolicDim> symbols;                    ///< those of the model first
  std::map<std::vector<const void *>, unsigned> dataSymbols; ///< by what decides
  llvm::DenseMap<unsigned, mlir::Value> sizes;               ///< see `setSize`
  llvm::DenseMap<mlir::Value, llvm::SmallVector<mlir::AffineExpr, 4>> dims, elements;
  llvm::DenseMap<mlir::Value, mlir::Type> elementTypes;
  mutable llvm::SmallVector<mlir::AffineExpr> conditions; ///< which asking for sizes collects
};

} // namespace lathe

#include "dialects/Interfaces/ShapeInference.h.inc"

#endif // DIALECTS_INTERFACES_SYMBOLICSHAPES_H

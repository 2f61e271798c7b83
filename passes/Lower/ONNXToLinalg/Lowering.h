//===- Lowering.h - What lowerings of onnx ops share ----------------------===//
#ifndef PASSES_LOWER_ONNXTOLINALG_LOWERING_H
#define PASSES_LOWER_ONNXTOLINALG_LOWERING_H

#include "dialects/Interfaces/SymbolicShapes.h"
#include "dialects/ONNX/IR/ONNXDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "passes/Lower/ONNXToLinalg/ScalarBuilder.h"
#include "passes/Lower/ONNXToLinalg/ScalarOps.h"
#include "llvm/ADT/StringMap.h"

namespace lathe {

/// Negative axes count from the end.
inline int64_t normalizeAxis(int64_t axis, int64_t rank) { return axis < 0 ? axis + rank : axis; }

/// The state of lowering one function: where ops are emitted, what stands for each onnx value by
/// now, and the sizes of the original values. Lowered values have the signless form of the inferred
/// type, in which elements of narrow types are bytes.
class Lowering {
public:
  using Value = mlir::Value;
  using Dims = llvm::ArrayRef<mlir::AffineExpr>;
  /// Emits the element of the result from one element of each input.
  using Body = llvm::function_ref<Value(mlir::ImplicitLocOpBuilder &, mlir::ValueRange)>;

  Lowering(SymbolicShapes &shapes, mlir::OpBuilder builder, mlir::Location loc)
      : shapes(shapes), builder(loc, builder) {}

  SymbolicShapes &shapes;
  mlir::ImplicitLocOpBuilder builder;

  /// The lowered form of an onnx value.
  Value get(Value onnxValue) const {
    auto it = lowered.find(onnxValue);
    return it == lowered.end() ? onnxValue : it->second;
  }
  void set(Value onnxValue, Value value) { lowered[onnxValue] = value; }

  /// Signless element type of an onnx value.
  mlir::Type elementType(Value onnxValue) const;
  bool isUnsigned(Value onnxValue) const { return shapes.getElementType(onnxValue).isUnsignedInteger(); }
  int64_t rank(Value onnxValue) const { return shapes.getDims(onnxValue).size(); }
  /// Arithmetic on the elements of an onnx value.
  ScalarBuilder scalars(mlir::ImplicitLocOpBuilder &b, Value onnxValue) const {
    return ScalarBuilder{b, b.getLoc(), isUnsigned(onnxValue)};
  }
  mlir::AffineExpr dim(unsigned position) const { return mlir::getAffineDimExpr(position, builder.getContext()); }
  mlir::AffineExpr constantExpr(int64_t value) const { return shapes.constant(value); }

  /// Elements of an integer tensor that are all constants.
  std::optional<llvm::SmallVector<int64_t>> getConstants(Value onnxValue) const;
  /// The one value of all elements, as an attribute of the signless element type; null if there is
  /// none or it is not known.
  mlir::TypedAttr getSplat(Value onnxValue) const;

  mlir::OpFoldResult size(mlir::AffineExpr expr) { return shapes.materialize(builder, builder.getLoc(), expr); }
  Value sizeValue(mlir::AffineExpr expr);
  /// Says what a size that depends on data is. The first op that has the size says it; `size` is held within the bound.
  void setSize(mlir::AffineExpr symbol, Value size);
  /// A run returns LATHE_ERROR_DATA_SIZE where the condition, an i1, does not hold. What is computed then does not
  /// matter, but for that it stays within its buffers.
  void require(Value condition) { conditions.push_back(condition); }
  /// What is required in a region, as one condition at the builder's place, and from then on no longer required by
  /// itself; null if nothing is.
  Value takeConditions(mlir::Region &region);
  /// Element `position` of an integer tensor of rank 0 or 1 as index, held within +-`limit`: a size, or a place.
  Value readIndex(Value onnxValue, int64_t position, int64_t limit = INT32_MAX);
  llvm::SmallVector<mlir::OpFoldResult> sizes(Dims dims);
  mlir::RankedTensorType type(Dims dims, mlir::Type elementType) const;
  Value index(int64_t value) { return mlir::arith::ConstantIndexOp::create(builder, value); }

  Value empty(Dims dims, mlir::Type elementType);
  Value filled(Dims dims, Value scalar);
  /// Same elements in row-major order; the products of `from` and `to` must be equal.
  Value reshape(Value value, Dims from, Dims to);
  /// `perm[i]` is the source of dimension i.
  Value transpose(Value value, Dims from, llvm::ArrayRef<int64_t> perm);
  /// One unit-stride slice.
  Value slice(Value value, llvm::ArrayRef<mlir::OpFoldResult> offsets, Dims dims);
  Value insert(Value value, Value into, llvm::ArrayRef<mlir::OpFoldResult> offsets, Dims dims);
  /// A new tensor, all loops parallel. Maps are of the inputs, from the result's dimensions.
  Value generic(Dims dims, mlir::Type elementType, mlir::ValueRange inputs, llvm::ArrayRef<mlir::AffineMap> maps,
                Body body);
  /// How an operand of these dimensions is read when it broadcasts to `result` as in NumPy.
  mlir::AffineMap broadcastMap(Dims operand, Dims result) const;
  /// Reduces `axes` (sorted) away. The body gets the input's element and the accumulator.
  Value reduce(Value value, Dims dims, llvm::ArrayRef<int64_t> axes, Value init, Body body);
  /// The dimensions that stay.
  llvm::SmallVector<mlir::AffineExpr> withoutAxes(Dims dims, llvm::ArrayRef<int64_t> axes) const;
  /// Reads what was reduced from the dimensions before: all but the axes.
  mlir::AffineMap keptMap(unsigned rank, llvm::ArrayRef<int64_t> axes) const;
  /// Elementwise on lowered values of one shape.
  Value map(Dims dims, mlir::Type elementType, mlir::ValueRange inputs, Body body);

private:
  llvm::DenseMap<Value, Value> lowered;
  llvm::SmallVector<Value> conditions;
};

/// Lowerings by op name. One that fails has emitted an error on the op.
class LoweringTable {
public:
  using Function = llvm::LogicalResult (*)(Lowering &, mlir::Operation *);

  template <typename OpT, llvm::LogicalResult (*function)(Lowering &, OpT)>
  void add() {
    functions[OpT::getOperationName()] = [](Lowering &lowering, mlir::Operation *op) {
      return function(lowering, mlir::cast<OpT>(op));
    };
  }
  void add(llvm::StringRef name, Function function) { functions[name] = function; }
  Function lookup(mlir::Operation *op) const { return functions.lookup(op->getName().getStringRef()); }
  bool contains(llvm::StringRef name) const { return functions.contains(name); }

private:
  llvm::StringMap<Function> functions;
};

/// Any op of `isScalarOp`.
llvm::LogicalResult lowerElementwise(Lowering &lowering, mlir::Operation *op);

void addCastLowerings(LoweringTable &table);
/// All of those below.
void addLowerings(LoweringTable &table);
void addElementwiseLowerings(LoweringTable &table);
void addMatrixProductLowerings(LoweringTable &table);
void addConvolutionLowerings(LoweringTable &table);
void addPoolingLowerings(LoweringTable &table);
void addQuantizationLowerings(LoweringTable &table);
void addSamplingLowerings(LoweringTable &table);
void addSelectionLowerings(LoweringTable &table);
void addReductionLowerings(LoweringTable &table);
void addGatherLowerings(LoweringTable &table);
void addScatterLowerings(LoweringTable &table);
void addMovementLowerings(LoweringTable &table);
void addReshapeLowerings(LoweringTable &table);
void addCreationLowerings(LoweringTable &table);
void addQuantCastLowerings(LoweringTable &table);
void addPaddingLowerings(LoweringTable &table);
void addResizeLowerings(LoweringTable &table);
void addNormalizationLowerings(LoweringTable &table);
void addRecurrentLowerings(LoweringTable &table);
void addLinearAttentionLowerings(LoweringTable &table);
void addDeformConvLowerings(LoweringTable &table);
void addRandomLowerings(LoweringTable &table);
void addNGramLowerings(LoweringTable &table);
void addControlLowerings(LoweringTable &table);

} // namespace lathe

#endif // PASSES_LOWER_ONNXTOLINALG_LOWERING_H

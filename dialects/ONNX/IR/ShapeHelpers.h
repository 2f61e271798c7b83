//===- ShapeHelpers.h - What shape inference of onnx ops shares -----------===//
#ifndef DIALECTS_ONNX_IR_SHAPEHELPERS_H
#define DIALECTS_ONNX_IR_SHAPEHELPERS_H

#include "dialects/Interfaces/SymbolicShapes.h"
#include "dialects/ONNX/IR/DataTypes.h"
#include "dialects/ONNX/IR/ONNXDialect.h"

namespace lathe::onnx {

using Dims = llvm::SmallVector<mlir::AffineExpr>;

/// Operands of ops that take for granted that sizes of their operands agree depend on the same data, or on none:
/// nothing could check it before a run. Fails after an error on the op.
llvm::LogicalResult checkDataSizes(mlir::Operation *op, const SymbolicShapes &shapes);

/// Shape inference of `OpT` by the function `infer`, which takes an `OpT` or an `Operation *`.
template <auto infer, typename OpT>
struct ShapeModel : ShapeInferenceOpInterface::ExternalModel<ShapeModel<infer, OpT>, OpT> {
  llvm::LogicalResult inferShapes(mlir::Operation *op, SymbolicShapes &shapes) const {
    return failed(checkDataSizes(op, shapes)) ? llvm::failure() : infer(mlir::cast<OpT>(op), shapes);
  }
};

template <auto infer, typename... Ops>
void attachShapes(mlir::MLIRContext *context) {
  (Ops::template attachInterface<ShapeModel<infer, Ops>>(*context), ...);
}

// One for each family: attaches shape inference to its ops, which are registered before.
void attachMathShapes(mlir::MLIRContext *context);
void attachContractionShapes(mlir::MLIRContext *context);
void attachNNShapes(mlir::MLIRContext *context);
void attachCastShapes(mlir::MLIRContext *context);
void attachTensorShapes(mlir::MLIRContext *context);
void attachReshapeShapes(mlir::MLIRContext *context);
void attachIndexingShapes(mlir::MLIRContext *context);
void attachReduceShapes(mlir::MLIRContext *context);
void attachLogicShapes(mlir::MLIRContext *context);
void attachQuantConvShapes(mlir::MLIRContext *context);
void attachQuantMatMulShapes(mlir::MLIRContext *context);
void attachQuantShapes(mlir::MLIRContext *context);
void attachRNNShapes(mlir::MLIRContext *context);
void attachRandomShapes(mlir::MLIRContext *context);
void attachSignalShapes(mlir::MLIRContext *context);
void attachUnpoolShapes(mlir::MLIRContext *context);
void attachSelectionShapes(mlir::MLIRContext *context);
void attachControlShapes(mlir::MLIRContext *context);

// Attributes of ops by name, for functions that serve several ops.
int64_t getInt(mlir::Operation *op, llvm::StringRef name, int64_t otherwise);
/// Empty if the attribute is absent.
llvm::ArrayRef<int64_t> getInts(mlir::Operation *op, llvm::StringRef name);
llvm::StringRef getString(mlir::Operation *op, llvm::StringRef name, llvm::StringRef otherwise);

/// The element type of ONNX's data type `number`; null, after an error on `op`, if it is none of numbers.
mlir::Type getNumberType(mlir::Operation *op, int64_t number);

/// The axis counted from the front; fails after an error on `op` if it is not one of `rank` axes.
mlir::FailureOr<unsigned> normalizeAxis(mlir::Operation *op, int64_t axis, size_t rank);
/// Axes counted from the front, in the given order; fails after an error if one is out of range or appears twice.
mlir::FailureOr<llvm::SmallVector<unsigned>> normalizeAxes(mlir::Operation *op, llvm::ArrayRef<int64_t> axes,
                                                           size_t rank);

/// Elements that are all constants.
std::optional<llvm::SmallVector<int64_t>> getConstantElements(const SymbolicShapes &shapes, mlir::Value value);
std::optional<int64_t> getConstant(mlir::AffineExpr expr);

/// The one scale of all axes with which no size of the result is larger than wanted (not_larger), or none is smaller
/// (not_smaller); nullopt if sizes are not constants, or there are none.
std::optional<double> getKeptRatio(ResizeOp op, llvm::ArrayRef<mlir::AffineExpr> from,
                                   llvm::ArrayRef<mlir::AffineExpr> to);

/// NumPy broadcasting; fails after an error on `op`.
mlir::FailureOr<Dims> broadcastDims(mlir::Operation *op, const SymbolicShapes &shapes,
                                    llvm::ArrayRef<llvm::ArrayRef<mlir::AffineExpr>> all);
mlir::FailureOr<Dims> broadcastDims(mlir::Operation *op, const SymbolicShapes &shapes, mlir::ValueRange operands);

/// The product of the dimensions.
mlir::AffineExpr multiply(const SymbolicShapes &shapes, llvm::ArrayRef<mlir::AffineExpr> factors);
/// The quotient of two products that divide without remainder whenever the model runs; null if it is not affine.
mlir::AffineExpr divideExactly(const SymbolicShapes &shapes, llvm::ArrayRef<mlir::AffineExpr> numerator,
                               llvm::ArrayRef<mlir::AffineExpr> denominator);

/// Sets the elements of `result`, whose dimensions are set, if those of all operands are known: `fold` gets one element
/// of each, broadcast, and returns null if the result is not known.
void foldElements(SymbolicShapes &shapes, mlir::Value result, mlir::ValueRange operands,
                  llvm::function_ref<mlir::AffineExpr(llvm::ArrayRef<mlir::AffineExpr>)> fold);
/// Sets the elements of `result` to those of `source`, if they are known: the same, in the same order.
void copyElements(SymbolicShapes &shapes, mlir::Value result, mlir::Value source);
/// Sets the elements of `result`, whose dimensions are set, if they and those of `source` are constant: `sourceOf` says
/// from which place of `source` the one at a place of `result` comes.
void moveElements(SymbolicShapes &shapes, mlir::Value result, mlir::Value source,
                  llvm::function_ref<llvm::SmallVector<int64_t>(llvm::ArrayRef<int64_t>)> sourceOf);

/// Every result has dimensions and element type of the first operand.
llvm::LogicalResult inferLikeFirst(mlir::Operation *op, SymbolicShapes &shapes);
/// The result has the operands' broadcast dimensions and the first one's element type.
llvm::LogicalResult inferBroadcast(mlir::Operation *op, SymbolicShapes &shapes);
/// Takes the static shapes that the model declares of the results; false, and nothing is set, if it does not.
bool takeDeclared(mlir::Operation *op, SymbolicShapes &shapes);
/// The same for ops whose operands tell the shapes only at run time. Without them, an error about `what`.
llvm::LogicalResult inferDeclared(mlir::Operation *op, SymbolicShapes &shapes, llvm::StringRef what);
/// The error for an operand that has to be known at compile time.
mlir::InFlightDiagnostic emitUnknown(mlir::Operation *op, llvm::StringRef what);

} // namespace lathe::onnx

#endif // DIALECTS_ONNX_IR_SHAPEHELPERS_H

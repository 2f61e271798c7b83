//===- Utils.h - Shared by the passes of the fuse phase -------------------===//
#ifndef PASSES_FUSE_UTILS_H
#define PASSES_FUSE_UTILS_H

#include "dialects/NN/IR/NNDialect.h"
#include "dialects/ONNX/IR/ONNXDialect.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/Remarks.h"
#include <optional>

namespace lathe::fuse {

/// Operators that nn kernels compute.
void populateConvertToNNPatterns(mlir::RewritePatternSet &patterns);

/// The value's type if it is a ranked tensor, null otherwise.
mlir::RankedTensorType getType(mlir::Value value);
/// Rank of the value, -1 if it has none.
int64_t getRank(mlir::Value value);
/// Whether the value is a ranked tensor of f32, which is what nn kernels compute on.
bool isF32(mlir::Value value);
/// Whether both are ranked tensors of the same sizes, `?` being equal to itself.
bool haveSameShape(mlir::Value a, mlir::Value b);
/// Whether the value is a constant, or an expression of constants that folding will evaluate.
bool isConstantExpression(mlir::Value value);

/// Elements of an integer constant; nullopt if it is no constant.
std::optional<llvm::SmallVector<int64_t>> getInts(mlir::Value value);
/// Elements of an f32 constant of at most 16 elements; nullopt otherwise.
std::optional<llvm::SmallVector<float>> getFloats(mlir::Value value);
/// The one element of an f32 constant, or what all its elements are; nullopt otherwise.
std::optional<float> getScalar(mlir::Value value);
/// Whether `value` is a constant near `expected`, as exporters round it.
bool isScalarNear(mlir::Value value, double expected);

mlir::Value createInts(mlir::OpBuilder &builder, mlir::Location loc, llvm::ArrayRef<int64_t> values);
/// A constant of rank 0 and type f32.
mlir::Value createScalar(mlir::OpBuilder &builder, mlir::Location loc, float value);

llvm::SmallVector<int64_t> getPermutation(onnx::TransposeOp op);
llvm::SmallVector<int64_t> invert(llvm::ArrayRef<int64_t> permutation);
/// What `first`, then `second` amounts to.
llvm::SmallVector<int64_t> compose(llvm::ArrayRef<int64_t> first, llvm::ArrayRef<int64_t> second);
bool isIdentity(llvm::ArrayRef<int64_t> permutation);
mlir::RankedTensorType permute(mlir::RankedTensorType type, llvm::ArrayRef<int64_t> permutation);
/// Whether the transpose only moves dimensions of size 1, so that no element moves.
bool movesOnlyUnits(mlir::RankedTensorType type, llvm::ArrayRef<int64_t> permutation);

mlir::Value createTranspose(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value value,
                            llvm::ArrayRef<int64_t> permutation);
/// Whether constants can say the sizes of a reshape to `type`. The first `equalDims` dimensions of value and type are
/// known to be equal.
bool canReshape(mlir::RankedTensorType type, int64_t equalDims = 0);
/// A reshape to `type`; null if constants cannot say its sizes.
mlir::Value createReshape(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value value, mlir::RankedTensorType type,
                          int64_t equalDims = 0);
/// Inserts dimensions of size 1 at `axes` of the result, in ascending order.
mlir::Value createUnsqueeze(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value value,
                            llvm::ArrayRef<int64_t> axes);
/// Removes the dimensions `axes`, which have size 1.
mlir::Value createSqueeze(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value value,
                          llvm::ArrayRef<int64_t> axes);

/// The operand of a binary op that is not `known`; null if neither or both are.
mlir::Value getOther(mlir::Operation *op, mlir::Value known);

/// Remarks of category "fuse". `name` must be a literal.
mlir::remark::detail::InFlightRemark passed(mlir::Operation *op, llvm::StringRef name);
mlir::remark::detail::InFlightRemark missed(mlir::Operation *op, llvm::StringRef name);

} // namespace lathe::fuse

#endif // PASSES_FUSE_UTILS_H

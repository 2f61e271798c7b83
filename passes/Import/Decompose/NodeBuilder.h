//===- NodeBuilder.h - Makes onnx ops with their result types -------------===//
#ifndef PASSES_IMPORT_DECOMPOSE_NODEBUILDER_H
#define PASSES_IMPORT_DECOMPOSE_NODEBUILDER_H

#include "dialects/ONNX/IR/ONNXDialect.h"
#include "mlir/IR/Builders.h"

namespace lathe {

/// Makes onnx ops whose operands have static shapes, unless a function says otherwise, for rewrites after shape inference. Operands broadcast as in NumPy.
class NodeBuilder {
public:
  using Value = mlir::Value;

  NodeBuilder(mlir::OpBuilder &builder, mlir::Location loc) : builder(builder), loc(loc) {}

  mlir::OpBuilder &builder;
  mlir::Location loc;

  static mlir::RankedTensorType getType(Value value) { return mlir::cast<mlir::RankedTensorType>(value.getType()); }
  static mlir::Type getElement(Value value) { return getType(value).getElementType(); }

  /// Constants: i64 of rank 1, and a scalar of any number type.
  Value ints(llvm::ArrayRef<int64_t> values);
  Value scalar(mlir::Type element, double value);
  Value scalarLike(Value like, double value) { return scalar(getElement(like), value); }
  /// 0, 1, ... as i64 of rank 1.
  Value range(int64_t count);
  Value floats(mlir::Type element, llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<double> values);

  Value add(Value a, Value b) { return binary<onnx::AddOp>(a, b); }
  Value sub(Value a, Value b) { return binary<onnx::SubOp>(a, b); }
  Value mul(Value a, Value b) { return binary<onnx::MulOp>(a, b); }
  Value div(Value a, Value b) { return binary<onnx::DivOp>(a, b); }
  Value pow(Value a, Value b) { return binary<onnx::PowOp>(a, b); }
  Value min(Value a, Value b);
  Value max(Value a, Value b);
  /// The remainder with the divisor's sign, of integers.
  Value mod(Value a, Value b);
  Value equal(Value a, Value b) { return compare<onnx::EqualOp>(a, b); }
  Value less(Value a, Value b) { return compare<onnx::LessOp>(a, b); }
  Value logicalAnd(Value a, Value b) { return compare<onnx::AndOp>(a, b); }
  Value select(Value condition, Value a, Value b);
  template <typename OpT>
  Value unary(Value a) {
    return OpT::create(builder, loc, a.getType(), a);
  }
  Value cast(Value value, mlir::Type element);
  Value matmul(Value a, Value b);
  /// Slices of `data` along `axis` at indices of rank 1, or one slice at an index of rank 0.
  Value gather(Value data, Value indices, int64_t axis);
  /// One size may be dynamic.
  Value reshape(Value value, llvm::ArrayRef<int64_t> shape);
  Value transpose(Value value, llvm::ArrayRef<int64_t> permutation);
  Value concat(llvm::ArrayRef<Value> values, int64_t axis);
  /// Positions [starts, ends) with the steps, within the sizes.
  Value slice(Value value, llvm::ArrayRef<int64_t> starts, llvm::ArrayRef<int64_t> ends,
              llvm::ArrayRef<int64_t> steps = {});
  /// Positions [start, end) of one axis with a step.
  Value sliceAxis(Value value, int64_t axis, int64_t start, int64_t end, int64_t step = 1);
  /// A constant border; before and after each dimension.
  Value pad(Value value, llvm::ArrayRef<int64_t> before, llvm::ArrayRef<int64_t> after, Value fill);
  /// Sums `axes` away, or leaves 1 in their places.
  Value sum(Value value, llvm::ArrayRef<int64_t> axes, bool keep = false) {
    return reduce<onnx::ReduceSumOp>(value, axes, keep);
  }
  template <typename OpT>
  Value reduce(Value value, llvm::ArrayRef<int64_t> axes, bool keep = false) {
    return OpT::create(builder, loc, getReducedType(value, axes, keep), value, ints(axes), keep,
                       /*noop_with_empty_axes=*/1);
  }

private:
  mlir::RankedTensorType getBroadcastType(llvm::ArrayRef<Value> values, mlir::Type element);
  static mlir::RankedTensorType getReducedType(Value value, llvm::ArrayRef<int64_t> axes, bool keep);

  template <typename OpT>
  Value binary(Value a, Value b) {
    return OpT::create(builder, loc, getBroadcastType({a, b}, getElement(a)), a, b);
  }
  template <typename OpT>
  Value compare(Value a, Value b) {
    return OpT::create(builder, loc, getBroadcastType({a, b}, builder.getI1Type()), a, b);
  }
};

} // namespace lathe

#endif // PASSES_IMPORT_DECOMPOSE_NODEBUILDER_H

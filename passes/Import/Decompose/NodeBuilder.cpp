//===- NodeBuilder.cpp - Makes onnx ops with their result types -----------===//
#include "passes/Import/Decompose/NodeBuilder.h"
#include "dialects/ONNX/IR/DataTypes.h"
#include "mlir/Dialect/Traits.h"
#include "llvm/ADT/Sequence.h"

using namespace mlir;
using namespace lathe;

Value NodeBuilder::ints(ArrayRef<int64_t> values) {
  return onnx::ConstantOp::create(builder, loc, builder.getI64TensorAttr(values));
}

Value NodeBuilder::scalar(Type element, double value) { return floats(element, {}, value); }

Value NodeBuilder::range(int64_t count) { return ints(llvm::to_vector(llvm::seq(count))); }

Value NodeBuilder::floats(Type element, ArrayRef<int64_t> shape, ArrayRef<double> values) {
  SmallVector<Attribute> attributes;
  for (double value : values)
    attributes.push_back(isa<FloatType>(element) ? Attribute(builder.getFloatAttr(element, value))
                                                 : Attribute(IntegerAttr::get(element, int64_t(value))));
  return onnx::ConstantOp::create(builder, loc,
                                  DenseElementsAttr::get(RankedTensorType::get(shape, element), attributes));
}

RankedTensorType NodeBuilder::getBroadcastType(ArrayRef<Value> values, Type element) {
  SmallVector<int64_t> shape;
  for (Value value : values) {
    SmallVector<int64_t> both;
    [[maybe_unused]] bool good = OpTrait::util::getBroadcastedShape(shape, getType(value).getShape(), both);
    assert(good && "operands of new ops broadcast");
    shape = both;
  }
  return RankedTensorType::get(shape, element);
}

RankedTensorType NodeBuilder::getReducedType(Value value, ArrayRef<int64_t> axes, bool keep) {
  SmallVector<int64_t> shape;
  for (auto [axis, size] : llvm::enumerate(getType(value).getShape())) {
    if (!llvm::is_contained(axes, int64_t(axis)))
      shape.push_back(size);
    else if (keep)
      shape.push_back(1);
  }
  return RankedTensorType::get(shape, getElement(value));
}

Value NodeBuilder::min(Value a, Value b) {
  return onnx::MinOp::create(builder, loc, getBroadcastType({a, b}, getElement(a)), ValueRange{a, b});
}

Value NodeBuilder::max(Value a, Value b) {
  return onnx::MaxOp::create(builder, loc, getBroadcastType({a, b}, getElement(a)), ValueRange{a, b});
}

Value NodeBuilder::mod(Value a, Value b) {
  return onnx::ModOp::create(builder, loc, getBroadcastType({a, b}, getElement(a)), a, b, /*fmod=*/0);
}

Value NodeBuilder::select(Value condition, Value a, Value b) {
  return onnx::WhereOp::create(builder, loc, getBroadcastType({condition, a, b}, getElement(a)), condition, a, b);
}

Value NodeBuilder::cast(Value value, Type element) {
  if (getElement(value) == element)
    return value;
  return onnx::CastOp::create(builder, loc, getType(value).clone(element), value,
                              onnx::getOnnxDataType(element));
}

Value NodeBuilder::matmul(Value a, Value b) {
  ArrayRef<int64_t> left = getType(a).getShape(), right = getType(b).getShape();
  assert(left.size() >= 2 && right.size() >= 2 && "matrices");
  SmallVector<int64_t> shape;
  [[maybe_unused]] bool good = OpTrait::util::getBroadcastedShape(left.drop_back(2), right.drop_back(2), shape);
  assert(good && "batches broadcast");
  shape.push_back(left[left.size() - 2]);
  shape.push_back(right.back());
  return onnx::MatMulOp::create(builder, loc, RankedTensorType::get(shape, getElement(a)), a, b);
}

Value NodeBuilder::gather(Value data, Value indices, int64_t axis) {
  SmallVector<int64_t> shape(getType(data).getShape());
  ArrayRef<int64_t> chosen = getType(indices).getShape();
  shape.erase(shape.begin() + axis);
  shape.insert(shape.begin() + axis, chosen.begin(), chosen.end());
  return onnx::GatherOp::create(builder, loc, RankedTensorType::get(shape, getElement(data)), data, indices, axis);
}

Value NodeBuilder::reshape(Value value, ArrayRef<int64_t> shape) {
  if (getType(value).getShape() == shape)
    return value;
  auto target = llvm::map_to_vector(shape, [](int64_t size) { return ShapedType::isDynamic(size) ? -1 : size; });
  return onnx::ReshapeOp::create(builder, loc, RankedTensorType::get(shape, getElement(value)), value, ints(target),
                                 /*allowzero=*/1);
}

Value NodeBuilder::transpose(Value value, ArrayRef<int64_t> permutation) {
  ArrayRef<int64_t> from = getType(value).getShape();
  auto shape = llvm::map_to_vector(permutation, [&](int64_t axis) { return from[axis]; });
  return onnx::TransposeOp::create(builder, loc, RankedTensorType::get(shape, getElement(value)), value,
                                   builder.getDenseI64ArrayAttr(permutation));
}

Value NodeBuilder::concat(ArrayRef<Value> values, int64_t axis) {
  SmallVector<int64_t> shape(getType(values[0]).getShape());
  for (Value value : values.drop_front())
    shape[axis] += getType(value).getDimSize(axis);
  return onnx::ConcatOp::create(builder, loc, RankedTensorType::get(shape, getElement(values[0])), values, axis);
}

Value NodeBuilder::slice(Value value, ArrayRef<int64_t> starts, ArrayRef<int64_t> ends, ArrayRef<int64_t> steps) {
  SmallVector<int64_t> shape, ones(starts.size(), 1);
  if (steps.empty())
    steps = ones;
  for (auto [start, end, step] : llvm::zip(starts, ends, steps))
    shape.push_back((end - start + step - 1) / step);
  return onnx::SliceOp::create(builder, loc, RankedTensorType::get(shape, getElement(value)), value, ints(starts),
                               ints(ends), range(starts.size()), ints(steps));
}

Value NodeBuilder::sliceAxis(Value value, int64_t axis, int64_t start, int64_t end, int64_t step) {
  SmallVector<int64_t> shape(getType(value).getShape());
  if (start == 0 && end == shape[axis] && step == 1)
    return value;
  shape[axis] = llvm::divideCeil(end - start, step);
  return onnx::SliceOp::create(builder, loc, RankedTensorType::get(shape, getElement(value)), value, ints(start), ints(end),
                               ints(axis), ints(step));
}

Value NodeBuilder::pad(Value value, ArrayRef<int64_t> before, ArrayRef<int64_t> after, Value fill) {
  SmallVector<int64_t> shape(getType(value).getShape()), pads(before);
  for (size_t i = 0; i < shape.size(); ++i)
    shape[i] += before[i] + after[i];
  pads.append(after.begin(), after.end());
  return onnx::PadOp::create(builder, loc, RankedTensorType::get(shape, getElement(value)), value, ints(pads), fill,
                             Value(), builder.getStringAttr("constant"));
}

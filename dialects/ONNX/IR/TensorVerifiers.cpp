//===- TensorVerifiers.cpp - Verifiers of products and data movement ------===//
#include "dialects/ONNX/IR/VerifyHelpers.h"
#include "llvm/ADT/SmallBitVector.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::onnx;

RankedTensorType onnx::getRanked(Value value) {
  return value ? dyn_cast<RankedTensorType>(value.getType()) : RankedTensorType();
}

LogicalResult onnx::verifyAxis(Operation *op, int64_t axis, Value operand, bool betweenDims) {
  RankedTensorType type = getRanked(operand);
  if (!type)
    return success();
  int64_t rank = type.getRank();
  // A scalar counts as a vector of one element.
  int64_t bound = betweenDims ? rank : std::max<int64_t>(rank, 1);
  if (axis >= -bound && (axis < bound || (betweenDims && axis == bound)))
    return success();
  return op->emitOpError("expected an axis in [")
         << -bound << ", " << bound << (betweenDims ? "]" : ")") << ", but got " << axis;
}

LogicalResult onnx::verifyOneOf(Operation *op, StringRef name, StringRef value,
                                ArrayRef<StringRef> known) {
  if (llvm::is_contained(known, value))
    return success();
  InFlightDiagnostic diagnostic = op->emitOpError("expected ") << name << " ";
  for (auto [i, word] : llvm::enumerate(known))
    diagnostic << (i == 0 ? "" : i + 1 == known.size() ? " or " : ", ") << word;
  return diagnostic << ", but got '" << value << "'";
}

/// Axes, sizes and pads: lists; many exporters write a single one as a scalar.
static LogicalResult verifyListOperand(Operation *op, StringRef name, Value operand) {
  RankedTensorType type = getRanked(operand);
  if (type && type.getRank() > 1)
    return op->emitOpError("expected ") << name << " of rank 1, but got " << Type(type);
  return success();
}

//===----------------------------------------------------------------------===//
// Along an axis
//===----------------------------------------------------------------------===//

LogicalResult SoftmaxOp::verify() { return verifyAxis(*this, getAxis(), getInput()); }
LogicalResult LogSoftmaxOp::verify() { return verifyAxis(*this, getAxis(), getInput()); }
LogicalResult HardmaxOp::verify() { return verifyAxis(*this, getAxis(), getInput()); }
LogicalResult ArgMaxOp::verify() { return verifyAxis(*this, getAxis(), getData()); }
LogicalResult ArgMinOp::verify() { return verifyAxis(*this, getAxis(), getData()); }
LogicalResult GatherOp::verify() {
  if (RankedTensorType type = getRanked(getData()); type && type.getRank() < 1)
    return emitOpError("expected data of rank 1 or more, but got ") << Type(type);
  return verifyAxis(*this, getAxis(), getData());
}
LogicalResult FlattenOp::verify() {
  return verifyAxis(*this, getAxis(), getInput(), /*betweenDims=*/true);
}

LogicalResult GatherElementsOp::verify() {
  RankedTensorType data = getRanked(getData()), indices = getRanked(getIndices());
  if (data && indices && data.getRank() != indices.getRank())
    return emitOpError("expected indices of the data's rank, ")
           << data.getRank() << ", but got " << Type(indices);
  return verifyAxis(*this, getAxis(), getData());
}

LogicalResult ConcatOp::verify() {
  RankedTensorType first;
  for (Value input : getInputs()) {
    RankedTensorType type = getRanked(input);
    if (!type)
      continue;
    if (type.getRank() == 0)
      return emitOpError("expected inputs of rank 1 or more, but got ") << Type(type);
    if (!first && failed(verifyAxis(*this, getAxis(), input)))
      return failure();
    first = first ? first : type;
    if (type.getRank() != first.getRank())
      return emitOpError("expected inputs of equal ranks, but got ")
             << Type(first) << " and " << Type(type);
    int64_t axis = getAxis();
    axis += axis < 0 ? first.getRank() : 0;
    for (int64_t dim = 0; dim < first.getRank(); ++dim)
      if (dim != axis && !first.isDynamicDim(dim) && !type.isDynamicDim(dim) &&
          first.getDimSize(dim) != type.getDimSize(dim))
        return emitOpError("expected inputs of equal sizes in dimension ")
               << dim << ", but got " << Type(first) << " and " << Type(type);
  }
  return success();
}

LogicalResult SplitOp::verify() {
  if (failed(verifyListOperand(*this, "split", getSplit())))
    return failure();
  RankedTensorType sizes = getRanked(getSplit());
  if (sizes && sizes.getRank() == 1 && !sizes.isDynamicDim(0) &&
      sizes.getDimSize(0) != getNumResults())
    return emitOpError("expected a size in split for each of ")
           << getNumResults() << " results, but got " << Type(sizes);
  if (getNumOutputs() && *getNumOutputs() != getNumResults())
    return emitOpError("expected a num_outputs of ")
           << getNumResults() << ", but got " << *getNumOutputs();
  return verifyAxis(*this, getAxis(), getInput());
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// Fails where two static sizes of a reduction differ.
static LogicalResult verifyReduction(Operation *op, int64_t a, int64_t b) {
  if (ShapedType::isDynamic(a) || ShapedType::isDynamic(b) || a == b)
    return success();
  return op->emitOpError("expected equal sizes to contract, but got ") << a << " and " << b;
}

LogicalResult GemmOp::verify() {
  RankedTensorType a = getRanked(getA()), b = getRanked(getB()), c = getRanked(getC());
  for (RankedTensorType type : {a, b})
    if (type && type.getRank() != 2)
      return emitOpError("expected matrices, but got ") << Type(type);
  if (c && c.getRank() > 2)
    return emitOpError("expected a C of rank 2 at most, but got ") << Type(c);
  if (!a || !b)
    return success();
  return verifyReduction(*this, a.getDimSize(getTransA() ? 0 : 1),
                         b.getDimSize(getTransB() ? 1 : 0));
}

LogicalResult MatMulOp::verify() {
  RankedTensorType a = getRanked(getA()), b = getRanked(getB());
  for (RankedTensorType type : {a, b})
    if (type && type.getRank() < 1)
      return emitOpError("expected operands of rank 1 or more, but got ") << Type(type);
  if (!a || !b)
    return success();
  return verifyReduction(*this, a.getShape().back(),
                         b.getDimSize(std::max<int64_t>(b.getRank() - 2, 0)));
}

//===----------------------------------------------------------------------===//
// Data movement
//===----------------------------------------------------------------------===//

LogicalResult CastOp::verify() {
  if (!getOnnxElementType(getContext(), getTo()))
    return emitOpError("expected a type of numbers in to, but got data type ") << getTo();
  return success();
}

LogicalResult TransposeOp::verify() {
  std::optional<ArrayRef<int64_t>> perm = getPerm();
  if (!perm)
    return success();
  llvm::SmallBitVector seen(perm->size());
  for (int64_t dim : *perm) {
    if (dim < 0 || dim >= int64_t(perm->size()) || seen.test(dim))
      return emitOpError("expected each of 0 to ")
             << int64_t(perm->size()) - 1 << " once in perm, but got [" << *perm << "]";
    seen.set(dim);
  }
  if (RankedTensorType type = getRanked(getData()); type && type.getRank() != int64_t(perm->size()))
    return emitOpError("expected a perm of ")
           << type.getRank() << " dimensions, but got " << perm->size();
  return success();
}

LogicalResult ReshapeOp::verify() {
  RankedTensorType shape = getRanked(getShape()), result = getRanked(getResult());
  if (shape && shape.getRank() != 1)
    return emitOpError("expected a shape of rank 1, but got ") << Type(shape);
  if (shape && result && !shape.isDynamicDim(0) && shape.getDimSize(0) != result.getRank())
    return emitOpError("expected a shape of ")
           << result.getRank() << " sizes, but got " << Type(shape);
  return success();
}

LogicalResult SqueezeOp::verify() { return verifyListOperand(*this, "axes", getAxes()); }
LogicalResult UnsqueezeOp::verify() { return verifyListOperand(*this, "axes", getAxes()); }

LogicalResult PadOp::verify() {
  if (failed(verifyOneOf(*this, "mode", getMode(), {"constant", "reflect", "edge", "wrap"})) ||
      failed(verifyListOperand(*this, "pads", getPads())) ||
      failed(verifyListOperand(*this, "axes", getAxes())))
    return failure();
  RankedTensorType data = getRanked(getData()), pads = getRanked(getPads());
  if (!getAxes() && data && pads && pads.getRank() == 1 && !pads.isDynamicDim(0) &&
      pads.getDimSize(0) != 2 * data.getRank())
    return emitOpError("expected ") << 2 * data.getRank() << " pads, but got " << Type(pads);
  return success();
}

LogicalResult ResizeOp::verify() {
  if (failed(verifyOneOf(*this, "mode", getMode(), {"nearest", "linear", "cubic"})) ||
      failed(
          verifyOneOf(*this, "coordinate_transformation_mode", getCoordinateTransformationMode(),
                      {"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners",
                       "asymmetric", "tf_half_pixel_for_nn", "tf_crop_and_resize"})) ||
      failed(verifyOneOf(*this, "nearest_mode", getNearestMode(),
                         {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"})) ||
      failed(verifyOneOf(*this, "keep_aspect_ratio_policy", getKeepAspectRatioPolicy(),
                         {"stretch", "not_larger", "not_smaller"})))
    return failure();
  if (!getScales() && !getSizes())
    return emitOpError("expected scales or sizes, but got neither");
  return success();
}

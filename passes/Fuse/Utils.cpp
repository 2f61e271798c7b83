//===- Utils.cpp - Shared by the passes of the fuse phase -----------------===//
#include "passes/Fuse/Utils.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include <cmath>
#include <cstring>

using namespace mlir;
using namespace lathe;

RankedTensorType fuse::getType(Value value) {
  return value ? dyn_cast<RankedTensorType>(value.getType()) : RankedTensorType();
}

int64_t fuse::getRank(Value value) {
  RankedTensorType type = getType(value);
  return type ? type.getRank() : -1;
}

bool fuse::isF32(Value value) {
  RankedTensorType type = getType(value);
  return type && type.getElementType().isF32();
}

bool fuse::haveSameShape(Value a, Value b) {
  RankedTensorType first = getType(a), second = getType(b);
  return first && second && first.getShape() == second.getShape();
}

static bool isConstantExpressionWithin(Value value, unsigned depth) {
  Operation *op = value.getDefiningOp();
  if (!op || depth == 0)
    return false;
  if (isa<onnx::ConstantOp>(op))
    return true;
  if (!isa<onnx::ONNXDialect>(op->getDialect()) || op->getNumOperands() == 0 || op->getNumRegions() ||
      !isPure(op))
    return false;
  return llvm::all_of(op->getOperands(), [&](Value v) { return isConstantExpressionWithin(v, depth - 1); });
}

bool fuse::isConstantExpression(Value value) { return isConstantExpressionWithin(value, 8); }

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

/// Little-endian bytes of a constant; empty if they are not at hand.
static ArrayRef<char> getBytes(ElementsAttr value) {
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(value))
    if (AsmResourceBlob *blob = resource.getRawHandle().getBlob())
      return blob->getData();
  return {};
}

template <typename T>
static std::optional<SmallVector<T>> readBytes(ElementsAttr value, int64_t limit) {
  ArrayRef<char> bytes = getBytes(value);
  int64_t count = value.getNumElements();
  if (count > limit || bytes.size() < count * sizeof(T))
    return std::nullopt;
  SmallVector<T> result(count);
  if (count)
    std::memcpy(result.data(), bytes.data(), count * sizeof(T));
  return result;
}

std::optional<SmallVector<int64_t>> fuse::getInts(Value value) {
  auto constant = value ? value.getDefiningOp<onnx::ConstantOp>() : nullptr;
  if (!constant)
    return std::nullopt;
  ElementsAttr elements = constant.getValue();
  if (auto dense = dyn_cast<DenseIntElementsAttr>(elements)) {
    SmallVector<int64_t> result;
    for (const APInt &element : dense.getValues<APInt>())
      result.push_back(element.getSExtValue());
    return result;
  }
  if (elements.getElementType().isInteger(64))
    return readBytes<int64_t>(elements, 1024);
  if (!elements.getElementType().isInteger(32))
    return std::nullopt;
  std::optional<SmallVector<int32_t>> narrow = readBytes<int32_t>(elements, 1024);
  if (!narrow)
    return std::nullopt;
  return SmallVector<int64_t>(narrow->begin(), narrow->end());
}

std::optional<SmallVector<float>> fuse::getFloats(Value value) {
  auto constant = value ? value.getDefiningOp<onnx::ConstantOp>() : nullptr;
  if (!constant || !constant.getValue().getElementType().isF32() || constant.getValue().getNumElements() > 16)
    return std::nullopt;
  if (auto dense = dyn_cast<DenseFPElementsAttr>(constant.getValue()))
    return SmallVector<float>(dense.getValues<float>());
  return readBytes<float>(constant.getValue(), 16);
}

std::optional<float> fuse::getScalar(Value value) {
  if (auto constant = value ? value.getDefiningOp<onnx::ConstantOp>() : nullptr)
    if (auto dense = dyn_cast<DenseFPElementsAttr>(constant.getValue()))
      if (dense.isSplat() && dense.getElementType().isF32())
        return dense.getSplatValue<float>();
  std::optional<SmallVector<float>> elements = getFloats(value);
  if (!elements || elements->empty() || !llvm::all_equal(*elements))
    return std::nullopt;
  return elements->front();
}

bool fuse::isScalarNear(Value value, double expected) {
  std::optional<float> scalar = getScalar(value);
  return scalar && std::abs(*scalar - expected) <= 1e-4 * std::max(1e-2, std::abs(expected));
}

Value fuse::createInts(OpBuilder &builder, Location loc, ArrayRef<int64_t> values) {
  auto type = RankedTensorType::get({int64_t(values.size())}, builder.getI64Type());
  return onnx::ConstantOp::create(builder, loc, DenseIntElementsAttr::get(type, values));
}

Value fuse::createScalar(OpBuilder &builder, Location loc, float value) {
  auto type = RankedTensorType::get({}, builder.getF32Type());
  return onnx::ConstantOp::create(builder, loc, DenseElementsAttr::get(type, value));
}

//===----------------------------------------------------------------------===//
// Permutations and reshapes
//===----------------------------------------------------------------------===//

SmallVector<int64_t> fuse::getPermutation(onnx::TransposeOp op) {
  if (std::optional<ArrayRef<int64_t>> given = op.getPerm())
    return SmallVector<int64_t>(*given);
  SmallVector<int64_t> reversed;
  for (int64_t i = getRank(op.getData()); i-- > 0;)
    reversed.push_back(i);
  return reversed;
}

SmallVector<int64_t> fuse::invert(ArrayRef<int64_t> permutation) {
  SmallVector<int64_t> inverse(permutation.size());
  for (auto [i, p] : llvm::enumerate(permutation))
    inverse[p] = i;
  return inverse;
}

SmallVector<int64_t> fuse::compose(ArrayRef<int64_t> first, ArrayRef<int64_t> second) {
  return llvm::map_to_vector(second, [&](int64_t p) { return first[p]; });
}

bool fuse::isIdentity(ArrayRef<int64_t> permutation) {
  for (auto [i, p] : llvm::enumerate(permutation))
    if (int64_t(i) != p)
      return false;
  return true;
}

RankedTensorType fuse::permute(RankedTensorType type, ArrayRef<int64_t> permutation) {
  SmallVector<int64_t> shape = llvm::map_to_vector(permutation, [&](int64_t p) { return type.getDimSize(p); });
  return RankedTensorType::get(shape, type.getElementType());
}

bool fuse::movesOnlyUnits(RankedTensorType type, ArrayRef<int64_t> permutation) {
  int64_t last = -1;
  for (int64_t p : permutation) {
    if (type.getDimSize(p) == 1)
      continue;
    if (p < last)
      return false;
    last = p;
  }
  return true;
}

Value fuse::createTranspose(OpBuilder &builder, Location loc, Value value, ArrayRef<int64_t> permutation) {
  return onnx::TransposeOp::create(builder, loc, permute(getType(value), permutation), value,
                                   builder.getDenseI64ArrayAttr(permutation));
}

/// What says to onnx.Reshape that the result has `type`; the first `equalDims` dimensions may be copied.
static std::optional<SmallVector<int64_t>> getReshapeInts(RankedTensorType type, int64_t equalDims, bool &allowZero) {
  SmallVector<int64_t> shape(type.getShape());
  auto own = llvm::drop_begin(shape, std::min<int64_t>(equalDims, shape.size()));
  // Zero means "copy", or with `allowzero` zero.
  allowZero = llvm::is_contained(own, 0);
  if (allowZero)
    return ShapedType::isDynamicShape(shape) ? std::nullopt : std::optional(shape);
  if (llvm::count_if(own, ShapedType::isDynamic) > 1)
    return std::nullopt;
  for (auto [i, size] : llvm::enumerate(shape))
    if (ShapedType::isDynamic(size))
      size = int64_t(i) < equalDims ? 0 : -1;
  return shape;
}

bool fuse::canReshape(RankedTensorType type, int64_t equalDims) {
  bool allowZero;
  return getReshapeInts(type, equalDims, allowZero).has_value();
}

Value fuse::createReshape(OpBuilder &builder, Location loc, Value value, RankedTensorType type, int64_t equalDims) {
  bool allowZero;
  std::optional<SmallVector<int64_t>> shape = getReshapeInts(type, equalDims, allowZero);
  return shape ? onnx::ReshapeOp::create(builder, loc, type, value, createInts(builder, loc, *shape), allowZero)
               : Value();
}

Value fuse::createUnsqueeze(OpBuilder &builder, Location loc, Value value, ArrayRef<int64_t> axes) {
  SmallVector<int64_t> shape(getType(value).getShape());
  for (int64_t axis : axes)
    shape.insert(shape.begin() + axis, 1);
  auto type = RankedTensorType::get(shape, getType(value).getElementType());
  return onnx::UnsqueezeOp::create(builder, loc, type, value, createInts(builder, loc, axes));
}

Value fuse::createSqueeze(OpBuilder &builder, Location loc, Value value, ArrayRef<int64_t> axes) {
  SmallVector<int64_t> shape;
  for (auto [i, size] : llvm::enumerate(getType(value).getShape()))
    if (!llvm::is_contained(axes, int64_t(i)))
      shape.push_back(size);
  auto type = RankedTensorType::get(shape, getType(value).getElementType());
  return onnx::SqueezeOp::create(builder, loc, type, value, createInts(builder, loc, axes));
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

Value fuse::getOther(Operation *op, Value known) {
  if (op->getNumOperands() != 2 || (op->getOperand(0) == known) == (op->getOperand(1) == known))
    return {};
  return op->getOperand(op->getOperand(0) == known ? 1 : 0);
}

static remark::RemarkOpts describe(Operation *op, StringRef name) {
  auto function = op->getParentOfType<func::FuncOp>();
  return remark::RemarkOpts::name(name).category("fuse").function(function ? function.getName() : StringRef());
}

remark::detail::InFlightRemark fuse::passed(Operation *op, StringRef name) {
  return remark::passed(op->getLoc(), describe(op, name));
}

remark::detail::InFlightRemark fuse::missed(Operation *op, StringRef name) {
  return remark::missed(op->getLoc(), describe(op, name));
}

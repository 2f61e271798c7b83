//===- Lowering.cpp - What lowerings of onnx ops share --------------------===//
#include "passes/Lower/ONNXToLinalg/Lowering.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"
#include "passes/Lower/ONNXToLinalg/Signless.h"

using namespace mlir;
using namespace lathe;

Type Lowering::elementType(Value onnxValue) const { return getSignless(shapes.getElementType(onnxValue)); }

std::optional<SmallVector<int64_t>> Lowering::getConstants(Value onnxValue) const {
  if (auto elements = shapes.getElements(onnxValue)) {
    SmallVector<int64_t> values;
    for (AffineExpr element : *elements) {
      auto constant = dyn_cast<AffineConstantExpr>(element);
      if (!constant)
        return std::nullopt;
      values.push_back(constant.getValue());
    }
    return values;
  }
  DenseIntElementsAttr attribute;
  if (!matchPattern(onnxValue, m_Constant(&attribute)))
    return std::nullopt;
  return llvm::map_to_vector(attribute.getValues<APInt>(), [](const APInt &value) { return value.getSExtValue(); });
}

TypedAttr Lowering::getSplat(Value onnxValue) const {
  ElementsAttr attribute;
  if (!matchPattern(onnxValue, m_Constant(&attribute)))
    return {};
  attribute = getSignless(attribute);
  auto dense = dyn_cast<DenseElementsAttr>(attribute);
  if (!dense && attribute.getNumElements() == 1)
    if (auto resource = dyn_cast<DenseResourceElementsAttr>(attribute))
      if (AsmResourceBlob *blob = resource.getRawHandle().getBlob()) {
        auto type = cast<ShapedType>(resource.getType());
        bool isSplat = false;
        if (DenseElementsAttr::isValidRawBuffer(type, blob->getData(), isSplat))
          dense = DenseElementsAttr::getFromRawBuffer(type, blob->getData());
      }
  return dense && dense.isSplat() ? cast<TypedAttr>(dense.getSplatValue<Attribute>()) : TypedAttr();
}

Value Lowering::sizeValue(AffineExpr expr) {
  return getValueOrCreateConstantIndexOp(builder, builder.getLoc(), size(expr));
}

void Lowering::setSize(AffineExpr symbol, Value size) {
  const SymbolicDim *dim = shapes.getDataSymbol(symbol);
  if (shapes.hasSize(symbol))
    return;
  Value bound = sizeValue(dim->bound);
  if (dim->isChecked) {
    require(arith::CmpIOp::create(builder, arith::CmpIPredicate::ule, size, bound));
    size = arith::MaxSIOp::create(builder, size, index(0));
  }
  shapes.setSize(symbol, arith::MinSIOp::create(builder, size, bound));
}

Value Lowering::takeConditions(Region &region) {
  Value all;
  llvm::erase_if(conditions, [&](Value condition) {
    if (!region.isAncestor(condition.getParentRegion()))
      return false;
    all = all ? Value(arith::AndIOp::create(builder, all, condition)) : condition;
    return true;
  });
  return all;
}

Value Lowering::readIndex(Value onnxValue, int64_t position, int64_t limit) {
  if (auto elements = shapes.getElements(onnxValue)) {
    AffineExpr element = (*elements)[position];
    if (auto constant = dyn_cast<AffineConstantExpr>(element))
      return index(std::clamp(constant.getValue(), -limit, limit));
    return sizeValue(element);
  }
  SmallVector<Value> place(rank(onnxValue), index(position));
  Value value = tensor::ExtractOp::create(builder, get(onnxValue), place);
  ScalarBuilder s{builder, builder.getLoc()};
  Type i64 = builder.getI64Type();
  if (isa<FloatType>(value.getType()))
    value = createScalarCast(builder, builder.getLoc(), value, false, i64, false);
  else if (value.getType() != i64)
    value = isUnsigned(onnxValue) ? Value(arith::ExtUIOp::create(builder, i64, value))
                                  : Value(arith::ExtSIOp::create(builder, i64, value));
  auto number = [&](int64_t n) -> Value { return arith::ConstantIntOp::create(builder, n, 64); };
  // An index may have 32 bits.
  value = s.max(s.min(value, number(limit)), number(-limit));
  return arith::IndexCastOp::create(builder, builder.getIndexType(), value);
}

SmallVector<OpFoldResult> Lowering::sizes(Dims dims) {
  return llvm::map_to_vector(dims, [&](AffineExpr expr) { return size(expr); });
}

RankedTensorType Lowering::type(Dims dims, Type elementType) const {
  return RankedTensorType::get(llvm::map_to_vector(dims,
                                                   [](AffineExpr expr) {
                                                     auto constant = dyn_cast<AffineConstantExpr>(expr);
                                                     return constant ? constant.getValue() : ShapedType::kDynamic;
                                                   }),
                               elementType);
}

Value Lowering::empty(Dims dims, Type elementType) {
  return tensor::EmptyOp::create(builder, sizes(dims), elementType);
}

Value Lowering::filled(Dims dims, Value scalar) {
  return linalg::FillOp::create(builder, scalar, empty(dims, scalar.getType())).getResult(0);
}

Value Lowering::slice(Value value, ArrayRef<OpFoldResult> offsets, Dims dims) {
  // A slice of nothing may begin behind the end.
  if (llvm::any_of(dims, [&](AffineExpr dim) { return shapes.getUpperBound(dim) <= 0; }))
    return empty(dims, getElementTypeOrSelf(value));
  SmallVector<OpFoldResult> strides(dims.size(), builder.getIndexAttr(1));
  return tensor::ExtractSliceOp::create(builder, value, offsets, sizes(dims), strides);
}

Value Lowering::insert(Value value, Value into, ArrayRef<OpFoldResult> offsets, Dims dims) {
  SmallVector<OpFoldResult> strides(dims.size(), builder.getIndexAttr(1));
  return tensor::InsertSliceOp::create(builder, value, into, offsets, sizes(dims), strides);
}

Value Lowering::generic(Dims dims, Type elementType, ValueRange inputs, ArrayRef<AffineMap> inputMaps, Body body) {
  SmallVector<AffineMap> maps(inputMaps);
  maps.push_back(builder.getMultiDimIdentityMap(dims.size()));
  SmallVector<utils::IteratorType> iterators(dims.size(), utils::IteratorType::parallel);
  Value init = empty(dims, elementType);
  return linalg::GenericOp::create(builder, init.getType(), inputs, init, maps, iterators,
                                   [&](OpBuilder &nested, Location loc, ValueRange arguments) {
                                     ImplicitLocOpBuilder b(loc, nested);
                                     linalg::YieldOp::create(b, body(b, arguments.drop_back()));
                                   })
      .getResult(0);
}

Value Lowering::map(Dims dims, Type elementType, ValueRange inputs, Body body) {
  SmallVector<AffineMap> maps(inputs.size(), builder.getMultiDimIdentityMap(dims.size()));
  return generic(dims, elementType, inputs, maps, body);
}

AffineMap Lowering::broadcastMap(Dims operand, Dims result) const {
  unsigned offset = result.size() - operand.size();
  SmallVector<AffineExpr> exprs;
  for (auto [position, size] : llvm::enumerate(operand)) {
    bool repeats = size == constantExpr(1) && result[offset + position] != size;
    exprs.push_back(repeats ? constantExpr(0) : dim(offset + position));
  }
  return AffineMap::get(result.size(), 0, exprs, builder.getContext());
}

SmallVector<AffineExpr> Lowering::withoutAxes(Dims dims, ArrayRef<int64_t> axes) const {
  SmallVector<AffineExpr> kept;
  for (auto [position, size] : llvm::enumerate(dims))
    if (!llvm::is_contained(axes, int64_t(position)))
      kept.push_back(size);
  return kept;
}

AffineMap Lowering::keptMap(unsigned rank, ArrayRef<int64_t> axes) const {
  SmallVector<AffineExpr> kept;
  for (unsigned position = 0; position < rank; ++position)
    if (!llvm::is_contained(axes, int64_t(position)))
      kept.push_back(dim(position));
  return AffineMap::get(rank, 0, kept, builder.getContext());
}

Value Lowering::reduce(Value value, Dims dims, ArrayRef<int64_t> axes, Value init, Body body) {
  SmallVector<utils::IteratorType> iterators(dims.size(), utils::IteratorType::parallel);
  for (int64_t axis : axes)
    iterators[axis] = utils::IteratorType::reduction;
  SmallVector<AffineMap> maps = {builder.getMultiDimIdentityMap(dims.size()), keptMap(dims.size(), axes)};
  Value accumulator = filled(withoutAxes(dims, axes), init);
  return linalg::GenericOp::create(builder, accumulator.getType(), value, accumulator, maps, iterators,
                                   [&](OpBuilder &nested, Location loc, ValueRange arguments) {
                                     ImplicitLocOpBuilder b(loc, nested);
                                     linalg::YieldOp::create(b, body(b, arguments));
                                   })
      .getResult(0);
}

//===----------------------------------------------------------------------===//
// Reshape and transpose
//===----------------------------------------------------------------------===//

namespace {
/// A product of sizes in a form that can be compared: a number times sizes that are not numbers.
struct Product {
  int64_t factor = 1;
  SmallVector<AffineExpr> symbols;

  void multiply(AffineExpr size) {
    if (auto constant = dyn_cast<AffineConstantExpr>(size)) {
      factor *= constant.getValue();
      return;
    }
    auto binary = dyn_cast<AffineBinaryOpExpr>(size);
    if (binary && binary.getKind() == AffineExprKind::Mul) {
      multiply(binary.getLHS());
      multiply(binary.getRHS());
      return;
    }
    symbols.push_back(size);
    llvm::sort(symbols, [](AffineExpr a, AffineExpr b) { return a.getImpl() < b.getImpl(); });
  }
  bool operator==(const Product &other) const {
    return factor == other.factor && (symbols == other.symbols || factor == 0);
  }
};
} // namespace

static SmallVector<Product> prefixProducts(ArrayRef<AffineExpr> dims) {
  SmallVector<Product> products;
  Product product;
  for (AffineExpr size : dims) {
    product.multiply(size);
    products.push_back(product);
  }
  return products;
}

/// Runs of dimensions of `from` and `to` whose products are equal.
static void groupDims(ArrayRef<AffineExpr> from, ArrayRef<AffineExpr> to,
                      SmallVectorImpl<ReassociationIndices> &fromGroups,
                      SmallVectorImpl<ReassociationIndices> &toGroups) {
  SmallVector<Product> sourceProducts = prefixProducts(from), targetProducts = prefixProducts(to);
  unsigned source = 0, target = 0; // where the open group begins
  auto close = [&](unsigned sourceEnd, unsigned targetEnd) {
    fromGroups.push_back(llvm::to_vector<2>(llvm::seq<int64_t>(source, sourceEnd)));
    toGroups.push_back(llvm::to_vector<2>(llvm::seq<int64_t>(target, targetEnd)));
    source = sourceEnd, target = targetEnd;
  };
  for (unsigned i = 0; i < from.size(); ++i)
    for (unsigned j = target; j < to.size(); ++j)
      if (sourceProducts[i] == targetProducts[j]) {
        close(i + 1, j + 1);
        break;
      }
  if (fromGroups.empty()) {
    close(from.size(), to.size());
    return;
  }
  for (; source < from.size(); ++source)
    fromGroups.back().push_back(source);
  for (; target < to.size(); ++target)
    toGroups.back().push_back(target);
}

Value Lowering::reshape(Value value, Dims from, Dims to) {
  if (from == to)
    return value;
  Type element = getElementTypeOrSelf(value);
  // All products of sizes of nothing are equal, so that they do not tell which dimensions are the same.
  if (llvm::is_contained(from, constantExpr(0)))
    return empty(to, element);
  SmallVector<ReassociationIndices> none;
  if (to.empty())
    return tensor::CollapseShapeOp::create(builder, type(to, element), value, none);
  if (from.empty())
    return tensor::ExpandShapeOp::create(builder, type(to, element), value, none, sizes(to));

  SmallVector<ReassociationIndices> fromGroups, toGroups;
  groupDims(from, to, fromGroups, toGroups);
  SmallVector<AffineExpr> middle;
  for (auto [sources, targets] : llvm::zip(fromGroups, toGroups)) {
    if (targets.size() == 1) {
      middle.push_back(to[targets[0]]);
      continue;
    }
    AffineExpr product = constantExpr(1);
    for (int64_t position : sources)
      product = product * from[position];
    middle.push_back(product);
  }
  if (fromGroups.size() != from.size())
    value = tensor::CollapseShapeOp::create(builder, type(middle, element), value, fromGroups);
  if (toGroups.size() != to.size())
    value = tensor::ExpandShapeOp::create(builder, type(to, element), value, toGroups, sizes(to));
  return value;
}

Value Lowering::transpose(Value value, Dims from, ArrayRef<int64_t> perm) {
  SmallVector<AffineExpr> to = llvm::map_to_vector(perm, [&](int64_t source) { return from[source]; });
  // Dimensions of size 1 may go anywhere without moving an element.
  SmallVector<int64_t> moved;
  for (int64_t source : perm)
    if (from[source] != constantExpr(1))
      moved.push_back(source);
  if (llvm::is_sorted(moved))
    return reshape(value, from, to);
  Value init = empty(to, getElementTypeOrSelf(value));
  return linalg::TransposeOp::create(builder, value, init, perm)->getResult(0);
}

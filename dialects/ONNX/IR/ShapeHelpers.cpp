//===- ShapeHelpers.cpp - What shape inference of onnx ops shares ---------===//
#include "dialects/ONNX/IR/DeclaredShapes.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include <numeric>

using namespace mlir;
using namespace lathe;
using namespace lathe::onnx;

int64_t onnx::getInt(Operation *op, StringRef name, int64_t otherwise) {
  auto attribute = op->getAttrOfType<IntegerAttr>(name);
  return attribute ? attribute.getInt() : otherwise;
}

ArrayRef<int64_t> onnx::getInts(Operation *op, StringRef name) {
  auto attribute = op->getAttrOfType<DenseI64ArrayAttr>(name);
  return attribute ? attribute.asArrayRef() : ArrayRef<int64_t>();
}

StringRef onnx::getString(Operation *op, StringRef name, StringRef otherwise) {
  auto attribute = op->getAttrOfType<StringAttr>(name);
  return attribute ? attribute.getValue() : otherwise;
}

Type onnx::getNumberType(Operation *op, int64_t number) {
  Type type = getOnnxElementType(op->getContext(), number);
  if (!type)
    op->emitOpError("expected a number as element type, but got ONNX data type ") << number;
  return type;
}

FailureOr<unsigned> onnx::normalizeAxis(Operation *op, int64_t axis, size_t rank) {
  int64_t signedRank = rank;
  if (axis < -signedRank || axis >= signedRank) {
    op->emitOpError("expected an axis in [") << -signedRank << ", " << signedRank << "), but got " << axis;
    return failure();
  }
  return unsigned(axis < 0 ? axis + signedRank : axis);
}

FailureOr<SmallVector<unsigned>> onnx::normalizeAxes(Operation *op, ArrayRef<int64_t> axes, size_t rank) {
  SmallVector<unsigned> normalized;
  for (int64_t axis : axes) {
    FailureOr<unsigned> one = normalizeAxis(op, axis, rank);
    if (failed(one))
      return failure();
    if (llvm::is_contained(normalized, *one)) {
      op->emitOpError("expected each axis once, but got axis ") << *one << " twice";
      return failure();
    }
    normalized.push_back(*one);
  }
  return normalized;
}

std::optional<int64_t> onnx::getConstant(AffineExpr expr) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return constant.getValue();
  return std::nullopt;
}

static std::optional<SmallVector<int64_t>> getConstants(ArrayRef<AffineExpr> expressions) {
  SmallVector<int64_t> constants;
  for (AffineExpr expression : expressions) {
    std::optional<int64_t> constant = getConstant(expression);
    if (!constant)
      return std::nullopt;
    constants.push_back(*constant);
  }
  return constants;
}

std::optional<SmallVector<int64_t>> onnx::getConstantElements(const SymbolicShapes &shapes, Value value) {
  auto elements = shapes.getElements(value);
  return elements ? getConstants(*elements) : std::nullopt;
}

FailureOr<Dims> onnx::broadcastDims(Operation *op, const SymbolicShapes &shapes, ArrayRef<ArrayRef<AffineExpr>> all) {
  size_t rank = 0;
  for (ArrayRef<AffineExpr> dims : all)
    rank = std::max(rank, dims.size());
  Dims result(rank, shapes.constant(1));
  for (ArrayRef<AffineExpr> dims : all)
    for (auto [index, dim] : llvm::enumerate(dims)) {
      AffineExpr &place = result[rank - dims.size() + index];
      AffineExpr both = shapes.broadcast(place, dim);
      if (!both) {
        op->emitOpError("has sizes ") << shapes.describe(place) << " and " << shapes.describe(dim)
                                      << " that do not broadcast";
        return failure();
      }
      place = both;
    }
  return result;
}

FailureOr<Dims> onnx::broadcastDims(Operation *op, const SymbolicShapes &shapes, ValueRange operands) {
  return broadcastDims(op, shapes, llvm::map_to_vector(operands, [&](Value value) { return shapes.getDims(value); }));
}

AffineExpr onnx::multiply(const SymbolicShapes &shapes, ArrayRef<AffineExpr> factors) {
  AffineExpr product = shapes.constant(1);
  for (AffineExpr factor : factors)
    product = product * factor;
  return shapes.simplify(product);
}

/// Takes an expression apart into a constant and factors that are no products.
static void factorize(const SymbolicShapes &shapes, AffineExpr expr, int64_t &constant, Dims &factors) {
  if (std::optional<int64_t> value = getConstant(expr)) {
    constant *= *value;
    return;
  }
  if (auto product = dyn_cast<AffineBinaryOpExpr>(expr); product && expr.getKind() == AffineExprKind::Mul) {
    factorize(shapes, product.getLHS(), constant, factors);
    factorize(shapes, product.getRHS(), constant, factors);
    return;
  }
  int64_t divisor = expr.getLargestKnownDivisor();
  if (divisor > 1) {
    AffineExpr rest = shapes.simplify(expr.floorDiv(divisor));
    // A quotient that did not simplify would be taken apart for ever.
    if (shapes.simplify(rest * divisor) == expr && rest.getKind() != AffineExprKind::FloorDiv) {
      constant *= divisor;
      factorize(shapes, rest, constant, factors);
      return;
    }
  }
  factors.push_back(expr);
}

AffineExpr onnx::divideExactly(const SymbolicShapes &shapes, ArrayRef<AffineExpr> numerator,
                               ArrayRef<AffineExpr> denominator) {
  int64_t above = 1, below = 1;
  Dims factors, divisors;
  for (AffineExpr expr : numerator)
    factorize(shapes, expr, above, factors);
  for (AffineExpr expr : denominator)
    factorize(shapes, expr, below, divisors);
  if (above == 0 || below == 0)
    return above == 0 && below != 0 ? shapes.constant(0) : nullptr;
  for (AffineExpr divisor : divisors) {
    auto *same = llvm::find(factors, divisor);
    if (same == factors.end())
      return nullptr;
    factors.erase(same);
  }
  int64_t common = std::gcd(above, below);
  above /= common, below /= common;
  if (factors.empty())
    return below == 1 ? shapes.constant(above) : nullptr;
  AffineExpr product = shapes.constant(above);
  for (AffineExpr factor : factors)
    product = product * factor;
  return shapes.simplify(below == 1 ? product : product.floorDiv(below));
}

void onnx::foldElements(SymbolicShapes &shapes, Value result, ValueRange operands,
                        llvm::function_ref<AffineExpr(ArrayRef<AffineExpr>)> fold) {
  constexpr int64_t kMaxElements = 64;
  ArrayRef<AffineExpr> dims = shapes.getDims(result);
  if (dims.size() > 1)
    return;
  std::optional<int64_t> count = dims.empty() ? 1 : getConstant(dims[0]);
  if (!count || *count > kMaxElements)
    return;
  SmallVector<ArrayRef<AffineExpr>> known;
  for (Value operand : operands) {
    auto elements = shapes.getElements(operand);
    if (!elements || (int64_t(elements->size()) != *count && elements->size() != 1))
      return;
    known.push_back(*elements);
  }
  Dims elements;
  for (int64_t i = 0; i < *count; ++i) {
    Dims row = llvm::map_to_vector(known, [&](ArrayRef<AffineExpr> one) { return one[one.size() == 1 ? 0 : i]; });
    AffineExpr element = fold(row);
    if (!element)
      return;
    elements.push_back(element);
  }
  shapes.setElements(result, elements);
}

void onnx::copyElements(SymbolicShapes &shapes, Value result, Value source) {
  if (auto elements = shapes.getElements(source))
    shapes.setElements(result, Dims(*elements));
}

void onnx::moveElements(SymbolicShapes &shapes, Value result, Value source,
                        llvm::function_ref<SmallVector<int64_t>(ArrayRef<int64_t>)> sourceOf) {
  auto known = shapes.getElements(source);
  std::optional<SmallVector<int64_t>> from = getConstants(shapes.getDims(source)),
                                      to = getConstants(shapes.getDims(result));
  if (!known || !from || !to)
    return;
  SmallVector<int64_t> fromStrides = computeStrides(*from), toStrides = computeStrides(*to);
  Dims elements;
  for (int64_t i = 0, count = computeProduct(*to); i < count; ++i)
    elements.push_back((*known)[linearize(sourceOf(delinearize(i, toStrides)), fromStrides)]);
  shapes.setElements(result, elements);
}

LogicalResult onnx::inferLikeFirst(Operation *op, SymbolicShapes &shapes) {
  Dims dims(shapes.getDims(op->getOperand(0)));
  for (Value result : op->getResults())
    shapes.setDims(result, dims, shapes.getElementType(op->getOperand(0)));
  return success();
}

LogicalResult onnx::inferBroadcast(Operation *op, SymbolicShapes &shapes) {
  FailureOr<Dims> dims = broadcastDims(op, shapes, op->getOperands());
  if (failed(dims))
    return failure();
  shapes.setDims(op->getResult(0), *dims, shapes.getElementType(op->getOperand(0)));
  return success();
}

bool onnx::takeDeclared(Operation *op, SymbolicShapes &shapes) {
  bool isStatic = llvm::all_of(op->getResultTypes(), [](Type type) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    return isa<NoneType>(type) || (tensor && tensor.hasStaticShape());
  });
  if (!isStatic)
    return false;
  for (Value result : op->getResults())
    if (auto type = dyn_cast<RankedTensorType>(result.getType()))
      shapes.setDims(result, llvm::map_to_vector(type.getShape(), [&](int64_t size) { return shapes.constant(size); }));
  return true;
}

std::optional<LogicalResult> onnx::tryDeclared(Operation *op, SymbolicShapes &shapes, size_t rank) {
  if (!takeDeclared(op, shapes))
    return std::nullopt;
  for (Value result : op->getResults())
    if (auto type = dyn_cast<RankedTensorType>(result.getType()); type && size_t(type.getRank()) != rank)
      return op->emitOpError("expected a declared result that fits the operands, but got ") << op->getResultTypes();
  return success();
}

LogicalResult onnx::inferDeclared(Operation *op, SymbolicShapes &shapes, StringRef what) {
  if (takeDeclared(op, shapes))
    return success();
  return emitUnknown(op, what);
}

LogicalResult onnx::inferDeclared(Operation *op, SymbolicShapes &shapes, size_t rank, StringRef what) {
  if (std::optional<LogicalResult> declared = tryDeclared(op, shapes, rank))
    return *declared;
  return emitUnknown(op, what);
}

FailureOr<size_t> onnx::getRankFrom(Operation *op, const SymbolicShapes &shapes, Value list) {
  constexpr int64_t kMaxRank = 64; // no types of millions of dimensions for a malformed file
  ArrayRef<AffineExpr> sizes = shapes.getDims(list);
  std::optional<int64_t> length = sizes.size() == 1 ? getConstant(sizes[0]) : std::nullopt;
  if (!length)
    return emitUnknown(op, "the result's rank");
  if (*length > kMaxRank)
    return op->emitOpError("expected a result of rank ") << kMaxRank << " or less, but got rank " << *length;
  return size_t(*length);
}

/// Ops whose shape inference compares sizes of operands where they have to agree, or that have no two that have to.
static bool comparesSizes(Operation *op) {
  return isa<AddOp, SubOp, MulOp, DivOp, PowOp, ModOp, MaxOp, MinOp, MeanOp, SumOp, AndOp, OrOp, XorOp, EqualOp, LessOp,
             LessOrEqualOp, GreaterOp, GreaterOrEqualOp, BitShiftOp, BitwiseAndOp, BitwiseOrOp, BitwiseXorOp, WhereOp,
             PReluOp, GatherOp, GatherElementsOp, GatherNDOp, ScatterElementsOp, ScatterNDOp, ReverseSequenceOp,
             ConcatOp, MatMulOp, MatMulIntegerOp, QLinearMatMulOp, GemmOp, EinsumOp, CompressOp, NonMaxSuppressionOp,
             RangeOp, ExpandOp, OneHotOp>(op);
}

LogicalResult onnx::checkDataSizes(Operation *op, const SymbolicShapes &shapes) {
  if (op->getNumOperands() < 2 || comparesSizes(op))
    return success();
  const SymbolicDim *first = nullptr;
  for (Value operand : op->getOperands()) {
    if (!isa<TensorType>(operand.getType()))
      continue;
    for (AffineExpr dim : shapes.getDims(operand)) {
      const SymbolicDim *found = nullptr;
      dim.walk([&](AffineExpr part) {
        if (const SymbolicDim *symbol = shapes.getDataSymbol(part))
          found = symbol;
      });
      if (first && found && found != first)
        return op->emitOpError("expected operands whose sizes depend on the same data, but got ")
               << first->name << " and " << found->name;
      first = found ? found : first;
    }
  }
  return success();
}

InFlightDiagnostic onnx::emitUnknown(Operation *op, StringRef what) {
  return op->emitOpError("expected ") << what << " known at compile time, but got values known only at run time";
}

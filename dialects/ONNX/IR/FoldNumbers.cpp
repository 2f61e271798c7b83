//===- FoldNumbers.cpp - Arithmetic on floats that decides sizes ----------===//
//
// Exporters compute sizes by floats: floor(f32(height) * scale). Only operations that IEEE 754 rounds correctly are
// folded, in f64 and rounded to the element type. For +, -, *, / and sqrt of f32 and smaller types that is the result of
// one rounding: f64 has more than twice their digits (Figueroa 1995, "When is double rounding innocuous?").
//
//===----------------------------------------------------------------------===//
#include "dialects/ONNX/IR/FoldNumbers.h"
#include "dialects/ONNX/IR/ShapeHelpers.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"
#include <cmath>

using namespace mlir;
using namespace lathe;
using namespace lathe::onnx;

using Numbers = SmallVector<double>;

static constexpr int64_t kMaxElements = 64;

/// The number in a float type; nullopt if that is not finite.
static std::optional<double> roundTo(FloatType type, double number) {
  APFloat rounded(number);
  bool losesInfo = false;
  rounded.convert(type.getFloatSemantics(), APFloat::rmNearestTiesToEven, &losesInfo);
  return rounded.isFinite() ? std::optional(rounded.convertToDouble()) : std::nullopt;
}

/// A number as an element of `type`: rounded, or truncated to an integer. Nullopt if the type has no such number.
static std::optional<double> convertTo(Type type, double number) {
  if (auto floating = dyn_cast<FloatType>(type))
    return roundTo(floating, number);
  auto integer = cast<IntegerType>(type);
  if (integer.getWidth() == 1)
    return number != 0;
  constexpr int kExactBits = 53;
  double whole = std::trunc(number);
  bool isUnsigned = integer.isUnsigned();
  int bits = std::min<int>(integer.getWidth() - !isUnsigned, kExactBits);
  double above = std::ldexp(1.0, bits), lowest = isUnsigned ? 0 : -above;
  return whole >= lowest && whole < above ? std::optional(whole) : std::nullopt;
}

/// One operation on the elements at one place, before it is rounded; nullopt if it is not folded.
static std::optional<double> compute(Operation *op, ArrayRef<double> x) {
  using Number = std::optional<double>;
  return llvm::TypeSwitch<Operation *, Number>(op)
      .Case<AddOp>([&](auto) { return x[0] + x[1]; })
      .Case<SubOp>([&](auto) { return x[0] - x[1]; })
      .Case<MulOp>([&](auto) { return x[0] * x[1]; })
      .Case<DivOp>([&](auto) { return x[1] != 0 ? Number(x[0] / x[1]) : std::nullopt; })
      .Case<ReciprocalOp>([&](auto) { return x[0] != 0 ? Number(1 / x[0]) : std::nullopt; })
      .Case<SqrtOp>([&](auto) { return x[0] >= 0 ? Number(std::sqrt(x[0])) : std::nullopt; })
      .Case<MinOp, ReduceMinOp>([&](auto) { return *llvm::min_element(x); })
      .Case<MaxOp, ReduceMaxOp>([&](auto) { return *llvm::max_element(x); })
      .Case<FloorOp>([&](auto) { return std::floor(x[0]); })
      .Case<CeilOp>([&](auto) { return std::ceil(x[0]); })
      .Case<RoundOp>([&](auto) { return std::nearbyint(x[0]); })
      .Case<AbsOp>([&](auto) { return std::fabs(x[0]); })
      .Case<NegOp>([&](auto) { return -x[0]; })
      .Case<CastOp, CastLikeOp>([&](auto) { return x[0]; })
      .Case<LessOp>([&](auto) { return x[0] < x[1]; })
      .Case<LessOrEqualOp>([&](auto) { return x[0] <= x[1]; })
      .Case<GreaterOp>([&](auto) { return x[0] > x[1]; })
      .Case<GreaterOrEqualOp>([&](auto) { return x[0] >= x[1]; })
      .Case<EqualOp>([&](auto) { return x[0] == x[1]; })
      .Default([](Operation *) { return std::nullopt; });
}

/// Floats of a constant; nullopt if some are not finite.
static std::optional<Numbers> readConstant(Value value) {
  ElementsAttr attribute;
  if (!matchPattern(value, m_Constant(&attribute)))
    return std::nullopt;
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(attribute)) {
    auto type = cast<ShapedType>(attribute.getType());
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    bool isSplat = false;
    if (!blob || !DenseElementsAttr::isValidRawBuffer(type, blob->getData(), isSplat))
      return std::nullopt;
    attribute = DenseElementsAttr::getFromRawBuffer(type, blob->getData());
  }
  auto floats = dyn_cast<DenseFPElementsAttr>(attribute);
  if (!floats || llvm::any_of(floats.getValues<APFloat>(), [](const APFloat &x) { return !x.isFinite(); }))
    return std::nullopt;
  return llvm::map_to_vector<6>(floats.getValues<APFloat>(), [](const APFloat &x) { return x.convertToDouble(); });
}

namespace {

/// Computes elements from what they depend on, each value once.
class NumberFolder {
public:
  explicit NumberFolder(const SymbolicShapes &shapes) : shapes(shapes) {}

  std::optional<Numbers> get(Value value) {
    if (auto whole = getConstantElements(shapes, value))
      return Numbers(whole->begin(), whole->end());
    Operation *op = value.getDefiningOp();
    if (!op || !shapes.hasDims(value) || !isa<FloatType>(shapes.getElementType(value)) || !countElements(value))
      return std::nullopt;
    if (auto it = known.find(value); it != known.end())
      return it->second;
    if (known.size() >= kMaxValues)
      return std::nullopt;
    std::optional<Numbers> numbers = readConstant(value);
    if (!numbers)
      numbers = compute(op);
    known[value] = numbers;
    return numbers;
  }

  /// The elements of the only result of an op.
  std::optional<Numbers> compute(Operation *op) {
    if (op->getNumResults() != 1)
      return std::nullopt;
    if (isa<IdentityOp, ReshapeOp, SqueezeOp, UnsqueezeOp>(op))
      return get(op->getOperand(0));
    if (auto gather = dyn_cast<GatherOp>(op))
      return gatherNumbers(gather);
    SmallVector<Numbers> operands;
    for (Value operand : op->getOperands()) {
      std::optional<Numbers> numbers = isa<TensorType>(operand.getType()) ? get(operand) : std::nullopt;
      if (!numbers)
        return std::nullopt;
      operands.push_back(std::move(*numbers));
    }
    return isa<ConcatOp>(op) ? concatNumbers(cast<ConcatOp>(op), operands) : computeEach(op, operands);
  }

private:
  /// What is looked at in one query: shape arithmetic is short.
  static constexpr unsigned kMaxValues = 256;

  /// How many elements a value has; nullopt if that is not known, or they are many.
  std::optional<int64_t> countElements(Value value) {
    std::optional<int64_t> count = getConstant(multiply(shapes, shapes.getDims(value)));
    return count && *count <= kMaxElements ? count : std::nullopt;
  }

  std::optional<Numbers> gatherNumbers(GatherOp op) {
    auto places = getConstantElements(shapes, op.getIndices());
    auto data = shapes.getDims(op.getData()).size() == 1 && places ? get(op.getData()) : std::nullopt;
    if (!data)
      return std::nullopt;
    Numbers numbers;
    for (int64_t place : *places) {
      place += place < 0 ? data->size() : 0;
      if (place < 0 || place >= int64_t(data->size()))
        return std::nullopt;
      numbers.push_back((*data)[place]);
    }
    return numbers;
  }

  std::optional<Numbers> concatNumbers(ConcatOp op, ArrayRef<Numbers> operands) {
    if (shapes.getDims(op.getResult()).size() != 1)
      return std::nullopt;
    Numbers numbers;
    for (const Numbers &part : operands)
      llvm::append_range(numbers, part);
    return numbers;
  }

  /// Elementwise ops, and reductions to one number.
  std::optional<Numbers> computeEach(Operation *op, ArrayRef<Numbers> operands) {
    Value result = op->getResult(0);
    Type element = shapes.getElementType(result);
    std::optional<int64_t> count = countElements(result);
    bool isReduction = isa<ReduceMinOp, ReduceMaxOp>(op);
    if (!count || operands.empty() || !isa<FloatType, IntegerType>(element) || isNarrow(element) ||
        (isReduction && (*count != 1 || operands[0].empty())))
      return std::nullopt;
    for (const Numbers &numbers : operands)
      if (!isReduction && int64_t(numbers.size()) != *count && numbers.size() != 1)
        return std::nullopt;
    Numbers numbers;
    for (int64_t i = 0; i < *count; ++i) {
      Numbers row = isReduction ? operands[0] : Numbers(llvm::map_range(operands, [&](const Numbers &one) {
        return one[one.size() == 1 ? 0 : i];
      }));
      std::optional<double> number = ::compute(op, row);
      number = number ? convertTo(element, *number) : std::nullopt;
      if (!number)
        return std::nullopt;
      numbers.push_back(*number);
    }
    return numbers;
  }

  const SymbolicShapes &shapes;
  llvm::DenseMap<Value, std::optional<Numbers>> known;
};

} // namespace

std::optional<SmallVector<double>> onnx::getNumbers(const SymbolicShapes &shapes, Value value) {
  return NumberFolder(shapes).get(value);
}

void onnx::foldToIntegers(Operation *op, SymbolicShapes &shapes) {
  if (!isa<CastOp, CastLikeOp, LessOp, LessOrEqualOp, GreaterOp, GreaterOrEqualOp, EqualOp>(op))
    return;
  Value result = op->getResult(0);
  if (!shapes.getElementType(result).isInteger() || shapes.getElements(result) ||
      !isa<FloatType>(shapes.getElementType(op->getOperand(0))))
    return;
  if (std::optional<Numbers> numbers = NumberFolder(shapes).compute(op))
    shapes.setElements(result, llvm::map_to_vector(*numbers, [&](double x) { return shapes.constant(int64_t(x)); }));
}

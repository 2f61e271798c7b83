//===- MathShapes.cpp - Shape inference of elementwise onnx ops -----------===//
#include "dialects/ONNX/IR/DeclaredShapes.h"
#include "dialects/ONNX/IR/FoldNumbers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::onnx;

/// floor(a / b), or ceil(a / b), for a positive constant b; null otherwise.
static AffineExpr divide(const SymbolicShapes &shapes, AffineExpr a, AffineExpr b, bool up) {
  std::optional<int64_t> divisor = getConstant(b);
  if (!divisor || *divisor <= 0)
    return nullptr;
  return up ? a.ceilDiv(*divisor) : a.floorDiv(*divisor);
}

/// The quotient as ONNX defines it: integers are truncated, floats have to be whole.
static AffineExpr quotient(const SymbolicShapes &shapes, AffineExpr a, AffineExpr b, bool isInteger) {
  std::optional<int64_t> ca = getConstant(a), cb = getConstant(b);
  if (cb && (*cb == 0 || *cb == -1)) // -1 overflows with the smallest number
    return nullptr;
  if (ca && cb)
    return isInteger || *ca % *cb == 0 ? shapes.constant(*ca / *cb) : nullptr;
  if (!isInteger)
    return cb && a.isMultipleOf(*cb) ? divide(shapes, a, b, /*up=*/false) : nullptr;
  if (!cb)
    return shapes.getBounds(b).first > 0 ? divideExactly(shapes, {a}, {b}) : nullptr;
  return shapes.getBounds(a).first >= 0 ? divide(shapes, a, b, /*up=*/false) : nullptr;
}

/// The smaller or larger of the two if the bounds of the symbols say which it is.
static AffineExpr extreme(const SymbolicShapes &shapes, AffineExpr a, AffineExpr b, bool larger) {
  auto [low, high] = shapes.getBounds(a - b);
  if (low >= 0)
    return larger ? a : b;
  if (high <= 0)
    return larger ? b : a;
  return nullptr;
}

static AffineExpr power(const SymbolicShapes &shapes, AffineExpr base, AffineExpr exponent) {
  constexpr int64_t kMaxExponent = 4;
  std::optional<int64_t> count = getConstant(exponent);
  if (!count || *count < 0 || *count > kMaxExponent)
    return nullptr;
  return multiply(shapes, Dims(*count, base));
}

static AffineExpr foldBinary(Operation *op, const SymbolicShapes &shapes, AffineExpr a, AffineExpr b) {
  bool isInteger = shapes.getElementType(op->getOperand(0)).isInteger();
  auto nonnegative = [&](AffineExpr expr) { return shapes.getBounds(expr).first >= 0; };
  return llvm::TypeSwitch<Operation *, AffineExpr>(op)
      .Case<AddOp, SumOp>([&](auto) { return a + b; })
      .Case([&](SubOp) { return a - b; })
      .Case([&](MulOp) { return a * b; })
      .Case([&](DivOp) { return quotient(shapes, a, b, isInteger); })
      .Case([&](MinOp) { return extreme(shapes, a, b, /*larger=*/false); })
      .Case([&](MaxOp) { return extreme(shapes, a, b, /*larger=*/true); })
      .Case([&](PowOp) { return power(shapes, a, b); })
      .Case([&](ModOp) -> AffineExpr {
        std::optional<int64_t> divisor = getConstant(b);
        return divisor && *divisor > 0 && nonnegative(a) ? a % b : AffineExpr();
      })
      .Default([](Operation *) { return AffineExpr(); });
}

/// Elementwise ops with broadcasting.
static LogicalResult inferBinary(Operation *op, SymbolicShapes &shapes) {
  if (op->getNumOperands() == 0)
    return op->emitOpError("expected at least one operand, but got none");
  if (failed(inferBroadcast(op, shapes)))
    return failure();
  foldElements(shapes, op->getResult(0), op->getOperands(), [&](ArrayRef<AffineExpr> elements) {
    AffineExpr result = elements[0];
    for (AffineExpr element : elements.drop_front())
      if (result)
        result = foldBinary(op, shapes, shapes.simplify(result), element);
    return result;
  });
  return success();
}

static LogicalResult inferNeg(NegOp op, SymbolicShapes &shapes) {
  if (failed(inferLikeFirst(op, shapes)))
    return failure();
  foldElements(shapes, op.getResult(), op->getOperands(), [](ArrayRef<AffineExpr> x) { return -x[0]; });
  return success();
}

/// Abs and Relu.
static LogicalResult inferAbs(Operation *op, SymbolicShapes &shapes) {
  if (failed(inferLikeFirst(op, shapes)))
    return failure();
  foldElements(shapes, op->getResult(0), op->getOperands(),
               [&](ArrayRef<AffineExpr> x) { return shapes.getBounds(x[0]).first >= 0 ? x[0] : AffineExpr(); });
  return success();
}

/// Elements of the result that rounds `source`, where `source` may be a quotient of whole numbers.
static void foldRounding(SymbolicShapes &shapes, Value result, Value source, bool up) {
  copyElements(shapes, result, source);
  auto division = source.getDefiningOp<DivOp>();
  if (division && !shapes.getElements(source))
    foldElements(shapes, result, division->getOperands(),
                 [&](ArrayRef<AffineExpr> x) { return divide(shapes, x[0], x[1], up); });
}

static LogicalResult inferFloor(FloorOp op, SymbolicShapes &shapes) {
  if (failed(inferLikeFirst(op, shapes)))
    return failure();
  foldRounding(shapes, op.getResult(), op.getX(), /*up=*/false);
  return success();
}

static LogicalResult inferCeil(CeilOp op, SymbolicShapes &shapes) {
  if (failed(inferLikeFirst(op, shapes)))
    return failure();
  foldRounding(shapes, op.getResult(), op.getX(), /*up=*/true);
  return success();
}

static LogicalResult inferRound(RoundOp op, SymbolicShapes &shapes) {
  if (failed(inferLikeFirst(op, shapes)))
    return failure();
  copyElements(shapes, op.getResult(), op.getX());
  return success();
}

static LogicalResult inferCast(CastOp op, SymbolicShapes &shapes) {
  Type type = getNumberType(op, op.getTo());
  if (!type)
    return failure();
  shapes.setDims(op.getResult(), Dims(shapes.getDims(op.getInput())), type);
  if (type.isInteger(1) || isNarrow(type))
    return success();
  Value source = op.getInput();
  auto division = source.getDefiningOp<DivOp>();
  bool nonnegative =
      division && type.isInteger() && shapes.getElements(division.getA()) &&
      llvm::all_of(*shapes.getElements(division.getA()), [&](AffineExpr x) { return shapes.getBounds(x).first >= 0; });
  if (nonnegative) // truncation is floor
    foldRounding(shapes, op.getResult(), source, /*up=*/false);
  else
    copyElements(shapes, op.getResult(), source);
  foldToIntegers(op, shapes);
  return success();
}

static LogicalResult inferCastLike(CastLikeOp op, SymbolicShapes &shapes) {
  Type type = shapes.getElementType(op.getTargetType());
  shapes.setDims(op.getResult(), Dims(shapes.getDims(op.getInput())), type);
  if (!type.isInteger(1) && !isNarrow(type))
    copyElements(shapes, op.getResult(), op.getInput());
  foldToIntegers(op, shapes);
  return success();
}

static LogicalResult inferBitCast(BitCastOp op, SymbolicShapes &shapes) {
  Type from = shapes.getElementType(op.getInput()), to = getNumberType(op, op.getTo());
  if (!to)
    return failure();
  auto width = [](Type type) { return type.isInteger(1) ? 8 : type.getIntOrFloatBitWidth(); }; // bool is a byte
  if (width(from) != width(to))
    return op.emitOpError("expected a type of ") << width(from) << " bits, but got " << to;
  shapes.setDims(op.getResult(), Dims(shapes.getDims(op.getInput())), to);
  if (isa<IntegerType>(from) && isa<IntegerType>(to) && from.isUnsignedInteger() == to.isUnsignedInteger())
    copyElements(shapes, op.getResult(), op.getInput());
  return success();
}

static LogicalResult inferClip(ClipOp op, SymbolicShapes &shapes) {
  if (failed(inferLikeFirst(op, shapes)))
    return failure();
  SmallVector<Value> operands = {op.getInput()};
  for (Value bound : {op.getMin(), op.getMax()})
    if (bound)
      operands.push_back(bound);
  foldElements(shapes, op.getResult(), operands, [&](ArrayRef<AffineExpr> x) {
    AffineExpr result = x[0];
    if (op.getMin())
      result = extreme(shapes, result, x[1], /*larger=*/true);
    if (result && op.getMax())
      result = extreme(shapes, result, x.back(), /*larger=*/false);
    return result;
  });
  return success();
}

/// Softmax and others that work along one axis.
static LogicalResult inferAlongAxis(Operation *op, SymbolicShapes &shapes) {
  if (failed(normalizeAxis(op, getInt(op, "axis", -1), shapes.getDims(op->getOperand(0)).size())))
    return failure();
  return inferLikeFirst(op, shapes);
}

static LogicalResult inferPRelu(PReluOp op, SymbolicShapes &shapes) {
  if (failed(broadcastDims(op, shapes, op->getOperands())))
    return failure();
  return inferLikeFirst(op, shapes);
}

/// Windows of signal processing: [size].
static LogicalResult inferWindow(Operation *op, SymbolicShapes &shapes) {
  auto size = shapes.getElements(op->getOperand(0));
  Type type = getNumberType(op, getInt(op, "output_datatype", 1));
  if (!type)
    return failure();
  if (!size || size->size() != 1)
    return inferDeclared(op, shapes, 1, "a size");
  shapes.setDims(op->getResult(0), {(*size)[0]}, type);
  return success();
}

static LogicalResult inferDet(DetOp op, SymbolicShapes &shapes) {
  ArrayRef<AffineExpr> dims = shapes.getDims(op.getX());
  if (dims.size() < 2)
    return op.emitOpError("expected an input of rank 2 or more, but got rank ") << dims.size();
  shapes.setDims(op.getResult(), Dims(dims.drop_back(2)), shapes.getElementType(op.getX()));
  return success();
}

void onnx::attachMathShapes(MLIRContext *context) {
  attachShapes<inferBinary, AddOp, SubOp, MulOp, DivOp, MinOp, MaxOp, SumOp, MeanOp, PowOp, ModOp, BitShiftOp,
               BitwiseAndOp, BitwiseOrOp, BitwiseXorOp>(context);
  attachShapes<inferLikeFirst, AcosOp, AcoshOp, AsinOp, AsinhOp, AtanOp, AtanhOp, BitwiseNotOp, CeluOp, CosOp, CoshOp,
               CumProdOp, CumSumOp, EluOp, ErfOp, ExpOp, GeluOp, HardSigmoidOp, HardSwishOp, LeakyReluOp, LogOp, MishOp,
               ReciprocalOp, SeluOp, ShrinkOp, SigmoidOp, SignOp, SinOp, SinhOp, SoftplusOp, SoftsignOp, SqrtOp, TanOp,
               TanhOp, ThresholdedReluOp>(context);
  attachShapes<inferAlongAxis, SoftmaxOp, LogSoftmaxOp, HardmaxOp>(context);
  attachShapes<inferAbs, AbsOp, ReluOp>(context);
  attachShapes<inferNeg, NegOp>(context);
  attachShapes<inferFloor, FloorOp>(context);
  attachShapes<inferCeil, CeilOp>(context);
  attachShapes<inferRound, RoundOp>(context);
  attachShapes<inferClip, ClipOp>(context);
  attachShapes<inferPRelu, PReluOp>(context);
  attachShapes<inferWindow, HannWindowOp, HammingWindowOp, BlackmanWindowOp>(context);
  attachShapes<inferDet, DetOp>(context);
  attachContractionShapes(context);
  attachSignalShapes(context);
}

void onnx::attachCastShapes(MLIRContext *context) {
  attachShapes<inferCast, CastOp>(context);
  attachShapes<inferCastLike, CastLikeOp>(context);
  attachShapes<inferBitCast, BitCastOp>(context);
}

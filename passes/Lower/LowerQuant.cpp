//===- LowerQuant.cpp - Quantized types to storage types ------------------===//
#include "dialects/NN/IR/NNDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Remarks.h"
#include "passes/Codegen/Common/Instructions.h"
#include "passes/Lower/AccumulatorScale.h"
#include "passes/Lower/LowerQuantWeights.h"
#include "passes/Lower/Passes.h"
#include "passes/Lower/QuantizedActivations.h"
#include "passes/Lower/QuantizedCasts.h"
#include "passes/Lower/QuantizedScalars.h"

namespace lathe {
#define GEN_PASS_DEF_LOWERQUANT
#include "passes/Lower/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

/// The quantized element type of a tensor; null if it has none.
static quant::QuantizedType getQuantized(Type type) {
  auto shaped = dyn_cast<ShapedType>(type);
  return shaped ? dyn_cast<quant::QuantizedType>(shaped.getElementType()) : quant::QuantizedType();
}

/// The type as it is in memory.
static Type toStorage(Type type) {
  quant::QuantizedType quantized = getQuantized(type);
  return quantized ? cast<ShapedType>(type).clone(quantized.getStorageType()) : type;
}

/// The type of unsigned bytes with one scale, which activations have; null if it is another.
static quant::UniformQuantizedType getUnsignedBytes(Type type) {
  auto quantized = dyn_cast_or_null<quant::UniformQuantizedType>(getQuantized(type));
  return quantized && !quantized.isSigned() && quantized.getStorageTypeIntegralWidth() == 8
             ? quantized
             : quant::UniformQuantizedType();
}

/// An activation's type with the same values as products want them: each stored less 128, as signed bytes, or in 16
/// bits.
static Type toMultiplied(Type type, const DotProduct &dot) {
  quant::UniformQuantizedType bytes = getUnsignedBytes(type);
  if (!bytes)
    return type;
  int64_t shift = dot.isLhsSigned() ? 128 : 0;
  unsigned flags = dot.isLhsSigned() ? unsigned(quant::QuantizationFlags::Signed) : 0;
  auto stored = quant::UniformQuantizedType::get(
      flags, IntegerType::get(type.getContext(), dot.getLhsBits()), bytes.getExpressedType(), bytes.getScale(),
      bytes.getZeroPoint() - shift, bytes.getStorageTypeMin() - shift, bytes.getStorageTypeMax() - shift);
  return cast<ShapedType>(type).clone(stored);
}

//===----------------------------------------------------------------------===//
// Checks: what storage can express
//===----------------------------------------------------------------------===//

/// Activations: one scale and zero point, 8 bits, f32 expressed.
static LogicalResult checkActivation(Operation *op, Type type) {
  quant::QuantizedType quantized = getQuantized(type);
  if (!quantized)
    return success();
  if (isa<quant::UniformQuantizedType>(quantized) && quantized.getStorageTypeIntegralWidth() == 8 &&
      quantized.getExpressedType().isF32())
    return success();
  return op->emitOpError("expected an activation of 8 bits with one scale, but got ") << type;
}

/// Operands of a matrix product or convolution: unsigned input, symmetric signed weight.
static LogicalResult checkContraction(Operation *op, Value input, Value weight) {
  quant::QuantizedType inputType = getQuantized(input.getType()), weightType = getQuantized(weight.getType());
  if (!inputType != !weightType)
    return op->emitOpError("expected input and weight to be both quantized or neither");
  if (!inputType)
    return success();
  if (inputType.isSigned())
    return op->emitOpError("expected an unsigned input, but got ") << input.getType();
  if (weightType.getStorageTypeIntegralWidth() != 8 || !weightType.isSigned())
    return op->emitOpError("expected a signed weight of 8 bits, but got ") << weight.getType();
  auto weightRank = cast<ShapedType>(weight.getType()).getRank();
  if (auto perAxis = dyn_cast<quant::UniformQuantizedPerAxisType>(weightType);
      perAxis && perAxis.getQuantizedDimension() == weightRank - 1 &&
      llvm::all_of(perAxis.getZeroPoints(), [](int64_t zero) { return zero == 0; }))
    return success();
  if (auto perTensor = dyn_cast<quant::UniformQuantizedType>(weightType); perTensor && perTensor.getZeroPoint() == 0)
    return success();
  return op->emitOpError("expected a symmetric weight with a scale for each output, but got ") << weight.getType();
}

//===----------------------------------------------------------------------===//
// Contractions
//===----------------------------------------------------------------------===//

/// Appends a constant operand to the extras and returns its element in the epilogue.
template <typename OpT>
static Value addExtra(OpT op, Block &body, ElementsAttr value) {
  OpBuilder builder(op);
  op.getExtrasMutable().append(ValueRange{arith::ConstantOp::create(builder, op->getLoc(), value)});
  return body.addArgument(value.getElementType(), op->getLoc());
}

/// A constant operand of one element, and that element in the epilogue.
template <typename OpT>
static Value addScalar(OpT op, Block &body, double value) {
  auto scalar = RankedTensorType::get({1}, Float32Type::get(op->getContext()));
  return addExtra(op, body, DenseElementsAttr::get(scalar, float(value)));
}

/// The scalars of a type as operands of the op and arguments of its epilogue: layers of one shape then share a kernel.
template <typename OpT>
static QuantizationScalars addScalars(OpT op, Block &body, double scale, quant::UniformQuantizedType type,
                                      bool isMultiplied = false) {
  QuantizationScalars scalars;
  if (!isMultiplied)
    scalars.scale = addScalar(op, body, scale);
  if (type.getZeroPoint() != 0)
    scalars.zeroPoint = addScalar(op, body, double(type.getZeroPoint()));
  return scalars;
}

/// The constant bias that is added to the accumulator before anything else, as its values and the op that adds it.
struct AddedBias {
  arith::AddFOp add;
  unsigned extra = 0;
  SmallVector<float> values;
};

template <typename OpT>
static std::optional<AddedBias> findBias(OpT op, Block &body, int64_t channels) {
  BlockArgument accumulator = body.getArgument(0);
  if (!accumulator.hasOneUse())
    return std::nullopt;
  auto add = dyn_cast<arith::AddFOp>(*accumulator.user_begin());
  auto bias =
      add ? dyn_cast<BlockArgument>(add.getLhs() == accumulator ? add.getRhs() : add.getLhs()) : BlockArgument();
  if (!bias || bias.getOwner() != &body || bias == accumulator || !bias.hasOneUse())
    return std::nullopt;
  AddedBias found{add, bias.getArgNumber() - 1, {}};
  found.values = readChannels(op.getExtras()[found.extra], channels);
  return found.values.empty() ? std::nullopt : std::optional(found);
}

/// What the result of a contraction has become: whether it is divided by its scale, and what bounds it then; and the
/// sum of that and `kRounder` in its place, where sums are floats as they are.
struct LoweredResult {
  Value expressed;
  bool isMultiplied = false;
  LowerBound bound = LowerBound::None;
  bool isRounded = false;
};

/// A constant f32 tensor [channels].
static ElementsAttr getChannels(OpBuilder &builder, ArrayRef<float> values) {
  return DenseElementsAttr::get(RankedTensorType::get({int64_t(values.size())}, builder.getF32Type()), values);
}

/// Whether results of a type may be rounded from sums that are floats: sums are off by a step or so of the accumulator,
/// which is to be small beside one of the result.
static bool isFineFor(quant::UniformQuantizedType resultType, ArrayRef<double> scales) {
  return llvm::all_of(scales, [&](double scale) { return scale * 32 <= resultType.getScale(); });
}

/// Turns the accumulator, so far a real sum, into an i32 one. A bias takes up the correction; scale and bias take up a
/// factor of `expressed`, the inverse of the scale of `resultType`, if that is not null, where that is the sum itself
/// or an activation of it that lets a factor through. Where the result lies in more bits than it needs, the sum is read
/// as a float if it can be.
template <typename OpT>
static FailureOr<LoweredResult> lowerAccumulator(OpT op, Value input, Value weight, Value expressed,
                                                 quant::UniformQuantizedType resultType) {
  FailureOr<AccumulatorScale> scale = getAccumulatorScale(op, input, weight);
  if (failed(scale))
    return failure();
  Block &body = op.getEpilogue().front();
  MLIRContext *context = op.getContext();
  OpBuilder builder = OpBuilder::atBlockBegin(&body);
  Location loc = op.getLoc();
  BlockArgument accumulator = body.getArgument(0);
  std::optional<AddedBias> bias = findBias(op, body, scale->scales.size());
  bool mayBeFloat =
      resultType && isWide(resultType) && (bias || scale->corrections.empty()) && isFineFor(resultType, scale->scales);
  double factor = 1;
  std::optional<ScaledFactors> factors;
  std::optional<RampProduct> ramp;
  Value sum = bias ? bias->add.getResult() : Value(accumulator);
  if (resultType) {
    ramp = RampProduct::find(expressed, sum);
    if (!ramp)
      factors = ScaledFactors::find(expressed, sum);
  }
  if (ramp)
    factor = ramp->getFactor(resultType.getScale());
  if (factors) {
    factor = 1 / resultType.getScale();
    if (!factors->inverse.empty()) {
      Value inverse = addScalar(op, body, resultType.getScale());
      for (OpOperand *constant : factors->inverse) {
        OpBuilder before(constant->getOwner());
        constant->set(arith::MulFOp::create(before, loc, constant->get(), inverse));
      }
    }
  }
  for (double &each : scale->scales)
    each *= factor;
  SmallVector<double> biases(scale->scales.size(), 0);
  if (bias) {
    for (auto [channel, value] : llvm::enumerate(biases)) {
      double correction = scale->corrections.empty() ? 0 : scale->corrections[channel] * scale->scales[channel];
      value = bias->values[channel] * factor + correction;
    }
    scale->corrections.clear();
  }
  bool isSum = factors && expressed == sum;
  std::optional<FloatSums> floats;
  if (mayBeFloat)
    if (SmallVector<AccumulatorRange> ranges = getAccumulatorRanges(op, input, weight); !ranges.empty())
      floats = FloatSums::find(ranges, scale->scales, biases, /*isRounded=*/isSum);

  SmallVector<OpOperand *> uses = llvm::map_to_vector(accumulator.getUses(), [](OpOperand &use) { return &use; });
  accumulator.setType(builder.getI32Type());
  auto addConstant = [&](ElementsAttr constant) {
    OpBuilder outside(op);
    return arith::ConstantOp::create(outside, loc, constant);
  };
  Value real;
  if (floats) {
    auto startType = RankedTensorType::get({int64_t(floats->starts.size())}, builder.getI32Type());
    Value start = addExtra(op, body, DenseElementsAttr::get(startType, ArrayRef(floats->starts)));
    Value whole = arith::AddIOp::create(builder, loc, accumulator, start);
    Value bits = arith::BitcastOp::create(builder, loc, builder.getF32Type(), whole);
    Value product = arith::MulFOp::create(builder, loc, bits, addExtra(op, body, getChannels(builder, floats->scales)));
    ElementsAttr offsets = getChannels(builder, floats->offsets);
    if (bias)
      op.getExtrasMutable()[bias->extra].set(addConstant(offsets));
    real = bias ? product : arith::AddFOp::create(builder, loc, product, addExtra(op, body, offsets)).getResult();
  } else {
    if (bias) {
      SmallVector<float> rounded(biases.begin(), biases.end());
      op.getExtrasMutable()[bias->extra].set(addConstant(getChannels(builder, rounded)));
    }
    Value whole = accumulator;
    if (ElementsAttr corrections = scale->getCorrections(context))
      whole = arith::AddIOp::create(builder, loc, whole, addExtra(op, body, corrections));
    real = arith::SIToFPOp::create(builder, loc, builder.getF32Type(), whole);
    real = arith::MulFOp::create(builder, loc, real, addExtra(op, body, scale->getScales(context)));
  }
  for (OpOperand *use : uses)
    use->set(real);
  if (ramp) {
    double scale = resultType.getScale();
    bool isNonNegative = resultType.getStorageTypeMin() == resultType.getZeroPoint();
    Value offset = addScalar(op, body, ramp->getScaledOffset(scale));
    Value limit = addScalar(op, body, ramp->getScaledLimit(scale));
    builder.setInsertionPoint(body.getTerminator());
    expressed = RampProduct::create(builder, loc, bias ? sum : real, offset, limit, isNonNegative);
    // The least value of u * (u + o) is -o * o / 4.
    double least = -ramp->getScaledOffset(scale) * ramp->getScaledOffset(scale) / 4;
    LowerBound bound = isNonNegative              ? LowerBound::Saturation
                       : least > -double(1 << 22) ? LowerBound::Rounder
                                                  : LowerBound::None;
    return LoweredResult{expressed, /*isMultiplied=*/true, bound};
  }
  LowerBound bound = floats && isSum ? LowerBound::Rounder : LowerBound::None;
  return LoweredResult{expressed == accumulator ? real : expressed, factors.has_value(), bound,
                       /*isRounded=*/floats && isSum};
}

/// Rewrites the epilogue of one contraction from expressed values to storage. The types of its operands are still
/// the quantized ones, those of the region's arguments become storage types.
template <typename OpT>
static LogicalResult lowerContraction(OpT op, Value input, Value weight) {
  auto resultType = dyn_cast_or_null<quant::UniformQuantizedType>(getQuantized(op.getResult().getType()));
  quant::QuantizedType inputType = getQuantized(input.getType());
  bool quantizedExtras = llvm::any_of(op.getExtras(), [](Value extra) { return getQuantized(extra.getType()); });
  if (!inputType && !resultType && !quantizedExtras)
    return success();
  Location loc = op.getLoc();
  Region &region = op.getEpilogue();
  OpBuilder builder(op.getContext());
  if (region.empty()) {
    Block &body = region.emplaceBlock();
    Value accumulator = body.addArgument(builder.getF32Type(), loc);
    builder.setInsertionPointToStart(&body);
    nn::YieldOp::create(builder, loc, accumulator);
  }
  Block &body = region.front();
  builder.setInsertionPointToStart(&body);

  SmallVector<Value> extras(op.getExtras());
  for (auto [index, extra] : llvm::enumerate(extras)) {
    BlockArgument argument = body.getArgument(1 + index);
    auto type = dyn_cast_or_null<quant::UniformQuantizedType>(getQuantized(extra.getType()));
    if (!type)
      continue;
    argument.setType(type.getStorageType());
    // Uses are replaced before the first new one is made.
    SmallVector<OpOperand *> uses = llvm::map_to_vector(argument.getUses(), [](OpOperand &use) { return &use; });
    Value expressed = createDequantize(builder, loc, argument, type, addScalars(op, body, type.getScale(), type));
    for (OpOperand *use : uses)
      use->set(expressed);
  }

  auto yield = cast<nn::YieldOp>(body.getTerminator());
  Value expressed = resultType ? skipImpliedBounds(yield.getValue(), resultType) : yield.getValue();
  if (resultType)
    roundGelu(expressed);
  LoweredResult result = {expressed};
  if (inputType) {
    if (&codegen::getDotProduct(nn::getTarget(op)) == &getPortableDotProduct())
      remark::missed(loc, remark::RemarkOpts::name("DotProduct")
                              .category("lower")
                              .function(op->template getParentOfType<func::FuncOp>().getName()))
          << remark::reason("the target has no instruction for products of bytes: they are widened");
    FailureOr<LoweredResult> lowered = lowerAccumulator(op, input, weight, expressed, resultType);
    if (failed(lowered))
      return failure();
    result = *lowered;
  }

  if (resultType) {
    builder.setInsertionPoint(yield);
    if (result.isRounded) {
      int32_t ofZero = int32_t(kRounderBits - resultType.getZeroPoint());
      auto type = RankedTensorType::get({1}, builder.getI32Type());
      Value bits = addExtra(op, body, DenseElementsAttr::get(type, ofZero));
      yield.getValueMutable().assign(createQuantizeBits(builder, loc, result.expressed, resultType, bits));
      return success();
    }
    QuantizationScalars scalars = addScalars(op, body, 1 / resultType.getScale(), resultType, result.isMultiplied);
    yield.getValueMutable().assign(
        createQuantize(builder, loc, result.expressed, resultType, scalars, isWide(resultType), result.bound));
  }
  return success();
}

namespace {
struct LowerQuant : lathe::impl::LowerQuantBase<LowerQuant> {
  using LowerQuantBase::LowerQuantBase;

  LogicalResult check();
  void storeAs(const DotProduct &dot);
  LogicalResult lower();

  /// Casts to and from bytes that are stored otherwise.
  SmallVector<quant::StorageCastOp> storedCasts;

  void runOnOperation() override {
    if (failed(check()))
      return signalPassFailure();
    const DotProduct &dot = codegen::getDotProduct(nn::getTarget(getOperation()));
    if (dot.isLhsSigned() || dot.getLhsBits() != 8)
      storeAs(dot);
    if (failed(lower()))
      signalPassFailure();
  }
};
} // namespace

/// All errors at once, before anything changes.
LogicalResult LowerQuant::check() {
  bool good = true;
  func::FuncOp function = getOperation();
  for (Type type : llvm::concat<const Type>(function.getArgumentTypes(), function.getResultTypes()))
    if (getQuantized(type)) {
      function.emitOpError("expected arguments and results without quantized types, but got ") << type;
      good = false;
    }
  function.walk([&](Operation *op) {
    Value weight;
    if (auto conv = dyn_cast<nn::ConvOp>(op))
      weight = conv.getWeight();
    else if (auto linear = dyn_cast<nn::LinearOp>(op))
      weight = linear.getWeight();
    if (auto linear = dyn_cast<nn::LinearOp>(op); linear && isWeightOnly(linear))
      good &= succeeded(checkWeightOnly(linear));
    else if (weight)
      good &= succeeded(checkContraction(op, op->getOperand(0), weight));
    if (auto matmul = dyn_cast<nn::MatMulOp>(op))
      if (getQuantized(matmul.getLhs().getType()) || getQuantized(matmul.getRhs().getType())) {
        op->emitOpError("expected operands without quantized types");
        good = false;
      }
    if (isa<quant::QuantizeCastOp, quant::DequantizeCastOp>(op) &&
        !isa<RankedTensorType>(op->getOperand(0).getType())) {
      op->emitOpError("expected a ranked tensor, but got ") << op->getOperand(0).getType();
      good = false;
    }
    // A weight is an activation nowhere but at its cast.
    for (Value operand : op->getOperands())
      if (operand != weight)
        good &= succeeded(checkActivation(op, operand.getType()));
    if (!isa<quant::StorageCastOp>(op))
      for (Type type : op->getResultTypes())
        good &= succeeded(checkActivation(op, type));
  });
  return success(good);
}

/// Gives activations the types that the target multiplies.
void LowerQuant::storeAs(const DotProduct &dot) {
  // Constants have their own types: weights, and what is read as its type says.
  auto readsConstant = [](quant::StorageCastOp cast) { return matchPattern(cast.getInput(), m_Constant()); };
  getOperation().walk([&](quant::StorageCastOp cast) {
    if (!readsConstant(cast) && (getUnsignedBytes(cast.getInput().getType()) || getUnsignedBytes(cast.getType())))
      storedCasts.push_back(cast);
  });
  getOperation().walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (auto cast = dyn_cast<quant::StorageCastOp>(op); cast && readsConstant(cast))
      return;
    for (Value result : op->getResults())
      result.setType(toMultiplied(result.getType(), dot));
    for (Region &region : op->getRegions())
      for (Block &block : region)
        for (BlockArgument argument : block.getArguments())
          argument.setType(toMultiplied(argument.getType(), dot));
  });
}

LogicalResult LowerQuant::lower() {
  func::FuncOp function = getOperation();
  SmallVector<std::pair<Operation *, quant::UniformQuantizedType>> casts;
  LogicalResult contractions = success();
  function.walk([&](Operation *op) {
    LogicalResult lowered = success();
    if (auto conv = dyn_cast<nn::ConvOp>(op)) {
      if (auto type = dyn_cast_or_null<quant::UniformQuantizedType>(getQuantized(conv.getInput().getType())))
        conv.setPadValue(type.getZeroPoint());
      lowered = lowerContraction(conv, conv.getInput(), conv.getWeight());
    } else if (auto linear = dyn_cast<nn::LinearOp>(op)) {
      lowered = lowerContraction(linear, linear.getInput(), linear.getWeight());
      if (succeeded(lowered) && isWeightOnly(linear))
        lowered = lowerWeightOnly(linear);
    } else if (auto matmul = dyn_cast<nn::MatMulOp>(op)) {
      lowered = lowerContraction(matmul, matmul.getLhs(), matmul.getRhs());
    } else if (auto quantizing = dyn_cast<quant::QuantizeCastOp>(op)) {
      casts.push_back({op, cast<quant::UniformQuantizedType>(quantizing.getQuantizedType())});
    } else if (auto dequantizing = dyn_cast<quant::DequantizeCastOp>(op)) {
      casts.push_back({op, cast<quant::UniformQuantizedType>(dequantizing.getQuantizedType())});
    }
    if (failed(lowered))
      contractions = failure();
  });
  if (failed(contractions))
    return failure();

  // From here on values have storage types, and nothing reads the quantized ones.
  function.walk<WalkOrder::PreOrder>([](Operation *op) {
    for (Value result : op->getResults())
      result.setType(toStorage(result.getType()));
    for (Region &region : op->getRegions())
      for (Block &block : region)
        for (BlockArgument argument : block.getArguments())
          argument.setType(toStorage(argument.getType()));
  });
  for (auto [op, type] : casts)
    lowerCast(op, type);
  for (quant::StorageCastOp cast : storedCasts)
    lowerStoredCast(cast);
  function.walk([](quant::StorageCastOp cast) {
    cast.replaceAllUsesWith(cast.getInput());
    cast.erase();
  });
  return success();
}

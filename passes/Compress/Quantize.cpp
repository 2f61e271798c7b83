//===- Quantize.cpp - Static 8-bit quantization after training ------------===//
#include "dialects/NN/IR/NNDepthwise.h"
#include "dialects/NN/IR/NNDialect.h"
#include "dialects/ONNX/IR/ONNXDialect.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Remarks.h"
#include "passes/Compress/Calibration/Calibrate.h"
#include "passes/Compress/Passes.h"
#include "passes/Compress/Quantize/Parameters.h"
#include "passes/Compress/Settings.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringSwitch.h"

namespace lathe {
#define GEN_PASS_DEF_COMPRESSQUANTIZE
#include "passes/Compress/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

static remark::RemarkOpts remarkOptions(StringRef name) { return remark::RemarkOpts::name(name).category("compress"); }

/// Multiply-adds with all symbolic dimensions of 1: what one sample costs.
static int64_t countMacs(Operation *op, int64_t reduction) {
  int64_t macs = reduction;
  for (int64_t size : cast<ShapedType>(op->getResult(0).getType()).getShape())
    macs *= ShapedType::isDynamic(size) ? 1 : size;
  return macs;
}

static RankedTensorType withElementType(Value value, Type element) {
  return RankedTensorType::get(cast<ShapedType>(value.getType()).getShape(), element);
}

/// nn.conv, nn.linear and nn.matmul can store any element type from their epilogue.
static bool hasEpilogue(Operation *op) { return isa_and_nonnull<nn::ConvOp, nn::LinearOp, nn::MatMulOp>(op); }

namespace {
/// What the options say, parsed.
struct Settings {
  std::shared_ptr<const CalibrationStatistics> statistics;
  RangeMethod method = RangeMethod::MinMax;
  double percentile = 100;
  int64_t minMacs = 0;
  StringRef mode;
};

/// An nn.conv or nn.linear, seen alike.
struct Candidate {
  OpOperand *input, *weight;
  MutableOperandRange extras;
  int64_t macs;
  std::string obstacle = {}; ///< why it stays f32; empty if it need not
  QuantizedWeight quantized = {};
};

/// Quantizes one function: decides first, on unchanged IR, and rewrites then.
class Quantizer {
public:
  Quantizer(func::FuncOp function, const Settings &settings) : function(function), settings(settings) {}

  void choose();
  /// Returns the number of ops that compute in 8 bits.
  void rewrite();

private:
  std::string findObstacle(Operation *op, Candidate &candidate);
  void want(Value value);
  void provide(OpBuilder &builder, Value value);
  void quantize(OpBuilder &builder, Operation *op, Candidate &candidate);
  Value getStored(Value value) const;

  func::FuncOp function;
  const Settings &settings;
  DenseMap<Value, const RangeStatistics *> ranges;
  llvm::MapVector<Operation *, Candidate> candidates;
  llvm::MapVector<Value, Type> wanted; ///< values to be stored in 8 bits, and how
  DenseMap<Value, Value> casts;        ///< their 8-bit form, where it is a quant.qcast of the value
};
} // namespace

/// Why the op cannot, or should not, compute in 8 bits. Quantizes its weight if nothing is in the way.
std::string Quantizer::findObstacle(Operation *op, Candidate &candidate) {
  Value input = candidate.input->get();
  if (StringRef format = getSetting(op, "quantize").value_or(settings.mode); format != "int8")
    return ("left as " + (format == "none" ? StringRef("f32") : format) + " by its settings").str();
  if (!cast<ShapedType>(input.getType()).getElementType().isF32())
    return "input is not f32";
  ElementsAttr constant;
  if (!matchPattern(candidate.weight->get(), m_Constant(&constant)))
    return "weight is not constant";
  if (auto conv = dyn_cast<nn::ConvOp>(op)) {
    ArrayRef<int64_t> shape = cast<ShapedType>(conv.getWeight().getType()).getShape();
    bool depthwise = nn::isDepthwise(conv);
    // 8-bit products are summed in fours along the input channels.
    if (!depthwise && shape[2] < 4)
      return "fewer than 4 input channels in a group";
    if (!depthwise && conv.getGroup() > 1 && shape[2] % 4)
      return "groups of input channels that do not divide by 4";
  }
  if (candidate.macs < settings.minMacs)
    return "too little work: " + std::to_string(candidate.macs) + " multiply-adds";
  if (!ranges.count(getRangeSource(input)))
    return "no statistics of the input";
  candidate.quantized = quantizeWeight(constant);
  return candidate.quantized.values ? "" : "weight cannot be read as f32";
}

/// Notes that `value` is to be stored in 8 bits, and the poolings above it with it.
void Quantizer::want(Value value) {
  Value source = getRangeSource(value);
  const RangeStatistics *range = ranges.lookup(source);
  if (!range)
    return;
  Type type = getActivationType(function.getContext(), *range, settings.method, settings.percentile);
  for (; value != source; value = value.getDefiningOp<nn::PoolOp>().getInput())
    wanted.insert({value, type});
  wanted.insert({source, type});
}

void Quantizer::choose() {
  for (auto [value, known] : matchStatistics(function, *settings.statistics))
    ranges[value] = &known->range;

  auto consider = [&](auto op, unsigned weightRank) {
    auto shape = cast<ShapedType>(op.getWeight().getType()).getShape();
    if (!op.getResult() || shape.size() != weightRank)
      return;
    int64_t reduction = 1;
    for (int64_t size : shape.drop_back())
      reduction *= size;
    candidates.insert({op.getOperation(), Candidate{&op.getInputMutable(), &op.getWeightMutable(),
                                                    op.getExtrasMutable(), countMacs(op, reduction)}});
  };
  function.walk([&](Operation *op) {
    if (auto conv = dyn_cast<nn::ConvOp>(op))
      consider(conv, /*weightRank=*/4);
    else if (auto linear = dyn_cast<nn::LinearOp>(op))
      consider(linear, /*weightRank=*/2);
  });

  for (auto &[op, candidate] : candidates) {
    candidate.obstacle = findObstacle(op, candidate);
    if (candidate.obstacle.empty())
      want(candidate.input->get());
    else
      remark::missed(op->getLoc(), remarkOptions("Quantize")) << remark::reason("{0}", candidate.obstacle);
  }
  // Residuals between convolutions stay in 8 bits. Those of matrix products do not: the residual stream of a
  // transformer adds up the errors of all its layers.
  for (auto &[op, candidate] : candidates)
    if (auto conv = dyn_cast<nn::ConvOp>(op); conv && candidate.obstacle.empty())
      for (Value extra : conv.getExtras())
        if (getRangeSource(extra).getDefiningOp<nn::ConvOp>())
          want(extra);
}

/// The 8-bit form of a value, cast from it or to it; null if there is none.
Value Quantizer::getStored(Value value) const {
  if (Value form = casts.lookup(value))
    return form;
  auto cast = value.getDefiningOp<quant::DequantizeCastOp>();
  return cast ? cast.getInput() : Value();
}

/// Makes the 8-bit form of `value` at its definition, and has all other readers read it through a cast.
void Quantizer::provide(OpBuilder &builder, Value value) {
  Operation *producer = value.getDefiningOp();
  RankedTensorType storedType = withElementType(value, wanted.lookup(value));
  if (producer)
    builder.setInsertionPointAfter(producer);
  else
    builder.setInsertionPointToStart(cast<BlockArgument>(value).getOwner());
  auto pool = dyn_cast_or_null<nn::PoolOp>(producer);
  Value pooled = pool ? getStored(pool.getInput()) : Value();
  if (!pooled && !hasEpilogue(producer)) {
    casts[value] = quant::QuantizeCastOp::create(builder, value.getLoc(), storedType, value);
    return;
  }
  if (pooled)
    pool.getInputMutable().assign(pooled);
  Type expressedType = value.getType();
  value.setType(storedType);
  auto expressed = quant::DequantizeCastOp::create(builder, value.getLoc(), expressedType, value);
  value.replaceAllUsesExcept(expressed, expressed);
}

/// Puts 8-bit input, weight and residuals in place.
void Quantizer::quantize(OpBuilder &builder, Operation *op, Candidate &candidate) {
  builder.setInsertionPoint(op);
  Location loc = candidate.weight->get().getLoc();
  const QuantizedWeight &weight = candidate.quantized;
  auto constant = onnx::ConstantOp::create(builder, loc, weight.values);
  auto weightType = withElementType(constant, weight.type);
  candidate.weight->set(quant::StorageCastOp::create(builder, loc, weightType, constant));

  Value input = getStored(candidate.input->get());
  candidate.input->set(input);
  auto type = cast<quant::UniformQuantizedType>(cast<ShapedType>(input.getType()).getElementType());
  remark::passed(op->getLoc(), remarkOptions("Quantize"))
      << remark::metric("InputScale", type.getScale()) << remark::metric("InputZeroPoint", type.getZeroPoint())
      << remark::metric("WeightSignalToNoise", weight.signalToNoise);
}

void Quantizer::rewrite() {
  OpBuilder builder(function.getContext());
  for (auto &[value, type] : wanted)
    if (isa<BlockArgument>(value))
      provide(builder, value);

  SmallVector<Operation *> ops;
  function.walk<WalkOrder::PreOrder>([&](Operation *op) { ops.push_back(op); });
  for (Operation *op : ops) {
    if (auto *it = candidates.find(op); it != candidates.end()) {
      if (it->second.obstacle.empty())
        quantize(builder, op, it->second);
      // Residuals that are in memory in 8 bits only are read as they are.
      for (OpOperand &extra : it->second.extras)
        if (auto cast = extra.get().getDefiningOp<quant::DequantizeCastOp>())
          extra.set(cast.getInput());
    }
    for (Value result : op->getResults())
      if (wanted.count(result))
        provide(builder, result);
  }
  function.walk([](quant::DequantizeCastOp cast) {
    if (cast->use_empty())
      cast.erase();
  });
}

namespace {
struct CompressQuantize : lathe::impl::CompressQuantizeBase<CompressQuantize> {
  using CompressQuantizeBase::CompressQuantizeBase;

  CompressQuantize(const CompressQuantizeOptions &options, std::shared_ptr<const CalibrationStatistics> given)
      : CompressQuantizeBase(options), given(std::move(given)) {}

  void runOnOperation() override {
    if (getOperation().isExternal())
      return;
    Settings settings;
    if (failed(readOptions(settings)))
      return signalPassFailure();
    Quantizer quantizer(getOperation(), settings);
    quantizer.choose();
    quantizer.rewrite();
  }

private:
  LogicalResult readOptions(Settings &settings);

  std::shared_ptr<const CalibrationStatistics> given;
};
} // namespace

LogicalResult CompressQuantize::readOptions(Settings &settings) {
  Location loc = getOperation().getLoc();
  if (mode != "int8" && mode != "none")
    return emitError(loc) << "expected quantization mode int8 or none, but got '" << mode.getValue() << "'";
  auto method = llvm::StringSwitch<std::optional<RangeMethod>>(calibration.getValue())
                    .Case("minmax", RangeMethod::MinMax)
                    .Case("percentile", RangeMethod::Percentile)
                    .Case("mse", RangeMethod::LeastError)
                    .Default(std::nullopt);
  if (!method)
    return emitError(loc) << "expected calibration minmax, percentile or mse, but got '" << calibration.getValue()
                          << "'";
  if (!(percentile > 50 && percentile <= 100))
    return emitError(loc) << "expected a percentile above 50 and up to 100, but got " << percentile.getValue();
  if (minMacs < 0)
    return emitError(loc) << "expected at least 0 multiply-adds, but got " << minMacs.getValue();
  settings.method = *method, settings.percentile = percentile, settings.minMacs = minMacs,
  settings.mode = mode.getValue();
  auto taken = takeStatistics(loc, given, statistics);
  if (failed(taken))
    return failure();
  settings.statistics = *taken;
  return success();
}

std::unique_ptr<Pass> lathe::createCompressQuantize(const CompressQuantizeOptions &options,
                                                    std::shared_ptr<const CalibrationStatistics> statistics) {
  return std::make_unique<CompressQuantize>(options, std::move(statistics));
}

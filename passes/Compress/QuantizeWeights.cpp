//===- QuantizeWeights.cpp - Weights and tables in 8 to 2 bits ------------===//
#include "dialects/NN/IR/NNDialect.h"
#include "dialects/ONNX/IR/ONNXDialect.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Remarks.h"
#include "passes/Compress/Passes.h"
#include "passes/Compress/Quantize/Gptq.h"
#include "passes/Compress/Quantize/Parameters.h"
#include "passes/Compress/Quantize/WeightOnly.h"
#include "passes/Compress/Settings.h"
#include "llvm/ADT/MapVector.h"

namespace lathe {
#define GEN_PASS_DEF_COMPRESSQUANTIZEWEIGHTS
#include "passes/Compress/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

static remark::RemarkOpts remarkOptions(StringRef name) { return remark::RemarkOpts::name(name).category("compress"); }

namespace {
struct CompressQuantizeWeights : lathe::impl::CompressQuantizeWeightsBase<CompressQuantizeWeights> {
  using CompressQuantizeWeightsBase::CompressQuantizeWeightsBase;
  CompressQuantizeWeights(const CompressQuantizeWeightsOptions &options,
                          std::shared_ptr<const CalibrationStatistics> given)
      : CompressQuantizeWeightsBase(options), given(std::move(given)) {}

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isExternal())
      return;
    jobs.clear();
    known.clear();
    SmallVector<onnx::GatherOp> gathers;
    function.walk([&](onnx::GatherOp op) { gathers.push_back(op); });
    bool good = succeeded(prepare()), isForNone = gathers.empty() && format != "none";
    if (good)
      function.walk([&](nn::LinearOp op) {
        isForNone = false;
        good &= succeeded(consider(op));
      });
    if (isForNone)
      remark::missed(function.getLoc(), remarkOptions("QuantizeWeight"))
          << remark::reason("there is no matrix product and no table, and other weights stay as they are");
    if (good)
      for (auto &[key, job] : jobs)
        good &= succeeded(quantize(key.first, job));
    if (good)
      for (onnx::GatherOp op : gathers)
        good &= succeeded(quantizeTable(op));
    if (!good)
      signalPassFailure();
  }

private:
  /// A weight in one format, for all ops that read it.
  struct Job {
    WeightFormat format;
    SmallVector<nn::LinearOp> ops;
  };

  LogicalResult prepare();
  LogicalResult consider(nn::LinearOp op);
  LogicalResult quantize(Value weight, const Job &job);
  LogicalResult quantizeTable(onnx::GatherOp op);
  FailureOr<std::vector<float>> sumGrams(const Job &job, int64_t channels);
  StringRef textFor(Operation *op) { return getSetting(op, "quantize").value_or(format); }

  std::shared_ptr<const CalibrationStatistics> given, statistics;
  DenseMap<Value, const ValueStatistics *> known;
  llvm::MapVector<std::pair<Value, StringRef>, Job> jobs;
};
} // namespace

LogicalResult CompressQuantizeWeights::prepare() {
  Location loc = getOperation().getLoc();
  if (format != "none")
    if (llvm::Expected<WeightFormat> parsed = WeightFormat::parse(format); !parsed)
      return emitError(loc) << llvm::toString(parsed.takeError());
  if (!given && statisticsFile.empty())
    return success();
  FailureOr<std::shared_ptr<const CalibrationStatistics>> taken = takeStatistics(loc, given, statisticsFile);
  if (failed(taken))
    return failure();
  statistics = *taken;
  known = matchStatistics(getOperation(), *statistics);
  return success();
}

/// Why the settings leave the op alone; empty if they do not.
static std::string findSettingsObstacle(StringRef text) {
  if (text == "none" || text == "int8")
    return ("left as " + (text == "none" ? StringRef("f32") : text) + " by its settings").str();
  return "";
}

/// Why the weight stays as it is; empty if it need not.
static StringRef findObstacle(nn::LinearOp op) {
  auto weight = cast<ShapedType>(op.getWeight().getType());
  if (!cast<ShapedType>(op.getInput().getType()).getElementType().isF32() || !weight.getElementType().isF32())
    return "not f32";
  ElementsAttr constant;
  if (!matchPattern(op.getWeight(), m_Constant(&constant)))
    return "weight is not constant";
  return weight.getRank() == 2 && weight.getNumElements() > 0 ? "" : "weight is not a matrix";
}

/// Notes what to do with the op's weight.
LogicalResult CompressQuantizeWeights::consider(nn::LinearOp op) {
  StringRef text = textFor(op);
  std::string obstacle = findSettingsObstacle(text);
  if (obstacle.empty())
    obstacle = findObstacle(op);
  if (!obstacle.empty()) {
    remark::missed(op.getLoc(), remarkOptions("QuantizeWeight")) << remark::reason("{0}", obstacle);
    return success();
  }
  llvm::Expected<WeightFormat> parsed = WeightFormat::parse(text);
  if (!parsed)
    return op.emitOpError() << llvm::toString(parsed.takeError());
  if (parsed->rounding == Rounding::Gptq && !statistics)
    return op.emitOpError("expected calibration statistics to round by GPTQ, but got none");
  int64_t rows = cast<ShapedType>(op.getWeight().getType()).getDimSize(0);
  if (parsed->group != 0 && rows % parsed->group != 0)
    return op.emitOpError("expected a group that divides the weight's ")
           << rows << " rows, but got " << parsed->group << " (the op can be skipped by name)";
  Job &job = jobs[{op.getWeight(), text}];
  job.format = *parsed;
  job.ops.push_back(op);
  return success();
}

/// X^T X of all inputs that meet the weight; empty if one was not observed.
FailureOr<std::vector<float>> CompressQuantizeWeights::sumGrams(const Job &job, int64_t channels) {
  std::vector<float> sum;
  for (nn::LinearOp op : job.ops) {
    const ValueStatistics *of = known.lookup(op.getInput());
    if (!of)
      return std::vector<float>();
    ArrayRef<float> gram = of->channels.getGram();
    if (int64_t(gram.size()) != channels * channels) {
      if (job.format.rounding == Rounding::Gptq)
        return op.emitOpError("expected statistics with a Gram matrix of its input, to round by GPTQ"), failure();
      return std::vector<float>();
    }
    sum.resize(gram.size());
    for (auto [total, value] : llvm::zip(sum, gram))
      total += value;
  }
  return sum;
}

LogicalResult CompressQuantizeWeights::quantize(Value weight, const Job &job) {
  ElementsAttr constant;
  matchPattern(weight, m_Constant(&constant));
  std::vector<float> storage;
  std::optional<ArrayRef<float>> values = readFloats(constant, storage);
  if (!values) {
    for (nn::LinearOp op : job.ops)
      remark::missed(op.getLoc(), remarkOptions("QuantizeWeight")) << remark::reason("weight cannot be read as f32");
    return success();
  }
  ArrayRef<int64_t> shape = constant.getShapedType().getShape();
  std::optional<RoundedMatrix> rounded;
  if (job.format.wantsStatistics()) {
    FailureOr<std::vector<float>> gram = sumGrams(job, shape[0]);
    if (failed(gram))
      return failure();
    if (!gram->empty())
      rounded = roundByGptq(*values, shape[1], *gram, job.format);
  }
  StringRef rounding = rounded ? "gptq" : "nearest";
  if (!rounded)
    rounded = roundToNearest(*values, shape[1], job.format);
  QuantizedConstant quantizedWeight = makeQuantizedWeight(constant, *values, *rounded, job.format);
  OpBuilder builder(weight.getContext());
  builder.setInsertionPointAfterValue(weight);
  auto stored = onnx::ConstantOp::create(builder, weight.getLoc(), quantizedWeight.values);
  auto replacement = quant::StorageCastOp::create(builder, weight.getLoc(),
                                                  RankedTensorType::get(shape, quantizedWeight.type), stored);
  for (nn::LinearOp op : job.ops) {
    op.getWeightMutable().assign(replacement);
    remark::passed(op.getLoc(), remarkOptions("QuantizeWeight"))
        << remark::metric("Bits", job.format.bits)
        << remark::metric("Group", job.format.group ? job.format.group : shape[0])
        << remark::metric("Rounding", rounding)
        << remark::metric("WeightSignalToNoise", quantizedWeight.signalToNoise);
  }
  return success();
}

/// Rows of a table are read as they are: no error of one is made up for by another. So they keep 4 bits or more, and the
/// rounding to nearest.
LogicalResult CompressQuantizeWeights::quantizeTable(onnx::GatherOp op) {
  auto miss = [&](const Twine &why) {
    remark::missed(op.getLoc(), remarkOptions("QuantizeTable")) << remark::reason("{0}", why.str());
    return success();
  };
  auto type = cast<ShapedType>(op.getData().getType());
  ElementsAttr constant, indices;
  if (!type.getElementType().isF32() || !matchPattern(op.getData(), m_Constant(&constant)) ||
      matchPattern(op.getIndices(), m_Constant(&indices)))
    return success();
  StringRef text = textFor(op);
  if (std::string obstacle = findSettingsObstacle(text); !obstacle.empty())
    return miss(obstacle);
  llvm::Expected<WeightFormat> parsed = WeightFormat::parse(text);
  if (!parsed)
    return op.emitOpError() << llvm::toString(parsed.takeError());
  if (type.getRank() != 2 || op.getAxis() != 0 || type.getNumElements() == 0)
    return miss("not rows of a matrix");
  parsed->bits = std::max(parsed->bits, 4u);
  if (parsed->group && type.getDimSize(1) % parsed->group)
    return miss("rows of " + Twine(type.getDimSize(1)) + " elements do not divide into groups of " +
                Twine(parsed->group));
  std::vector<float> storage;
  std::optional<ArrayRef<float>> values = readFloats(constant, storage);
  if (!values)
    return miss("table cannot be read as f32");
  QuantizedConstant table = lathe::quantizeTable(constant, *values, *parsed);
  OpBuilder builder(op);
  auto stored = onnx::ConstantOp::create(builder, op.getLoc(), table.values);
  auto cast = quant::StorageCastOp::create(builder, op.getLoc(), type.clone(table.type), stored);
  op.getDataMutable().assign(cast);
  remark::passed(op.getLoc(), remarkOptions("QuantizeTable"))
      << remark::metric("Bits", parsed->bits)
      << remark::metric("Group", parsed->group ? parsed->group : type.getDimSize(1))
      << remark::metric("WeightSignalToNoise", table.signalToNoise);
  return success();
}

std::unique_ptr<Pass> lathe::createCompressQuantizeWeights(const CompressQuantizeWeightsOptions &options,
                                                           std::shared_ptr<const CalibrationStatistics> statistics) {
  return std::make_unique<CompressQuantizeWeights>(options, std::move(statistics));
}

//===- QuantizeWeights.cpp - Weight-only quantization by rounding ---------===//
#include "dialects/NN/IR/NNDialect.h"
#include "dialects/ONNX/IR/ONNXDialect.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Remarks.h"
#include "passes/Compress/Passes.h"
#include "passes/Compress/Quantize/WeightOnly.h"
#include "passes/Compress/Settings.h"

namespace lathe {
#define GEN_PASS_DEF_COMPRESSQUANTIZEWEIGHTS
#include "passes/Compress/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

namespace {
struct CompressQuantizeWeights : lathe::impl::CompressQuantizeWeightsBase<CompressQuantizeWeights> {
  using CompressQuantizeWeightsBase::CompressQuantizeWeightsBase;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isExternal())
      return;
    replacements.clear();
    bool good = succeeded(checkFormat());
    SmallVector<nn::LinearOp> ops;
    if (good)
      function.walk([&](nn::LinearOp op) { ops.push_back(op); });
    for (nn::LinearOp op : ops)
      good &= succeeded(quantize(op));
    if (!good)
      signalPassFailure();
  }

private:
  LogicalResult checkFormat();
  LogicalResult quantize(nn::LinearOp op);

  struct Replacement {
    Value value;
    double signalToNoise = 0;
  };
  /// Weights that several ops read in one format are one constant afterwards, too.
  DenseMap<std::pair<Value, StringRef>, Replacement> replacements;
};
} // namespace

LogicalResult CompressQuantizeWeights::checkFormat() {
  if (format == "none")
    return success();
  llvm::Expected<WeightFormat> parsed = WeightFormat::parse(format);
  if (!parsed)
    return emitError(getOperation().getLoc()) << llvm::toString(parsed.takeError());
  return success();
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

LogicalResult CompressQuantizeWeights::quantize(nn::LinearOp op) {
  auto options = remark::RemarkOpts::name("QuantizeWeight").category("compress");
  auto miss = [&](const Twine &why) {
    remark::missed(op.getLoc(), options) << remark::reason("{0}", why.str());
    return success();
  };
  StringRef text = getSetting(op, "quantize").value_or(format);
  if (text == "none" || text == "int8")
    return miss("left as " + (text == "none" ? StringRef("f32") : text) + " by its settings");
  if (StringRef obstacle = findObstacle(op); !obstacle.empty())
    return miss(obstacle);
  llvm::Expected<WeightFormat> parsed = WeightFormat::parse(text);
  if (!parsed)
    return op.emitOpError() << llvm::toString(parsed.takeError());
  Value weight = op.getWeight();
  auto shape = cast<RankedTensorType>(weight.getType()).getShape();
  if (parsed->group != 0 && shape[0] % parsed->group != 0)
    return op.emitOpError("expected a group that divides the weight's ")
           << shape[0] << " rows, but got " << parsed->group << " (the op can be skipped by name)";
  Replacement &replacement = replacements[{weight, text}];
  if (!replacement.value) {
    ElementsAttr constant;
    matchPattern(weight, m_Constant(&constant));
    GroupedWeight rounded = roundWeight(constant, *parsed);
    if (!rounded.values)
      return miss("weight cannot be read as f32");
    OpBuilder builder(weight.getContext());
    builder.setInsertionPointAfterValue(weight);
    auto stored = onnx::ConstantOp::create(builder, weight.getLoc(), rounded.values);
    replacement.value = quant::StorageCastOp::create(builder, weight.getLoc(), RankedTensorType::get(shape, rounded.type), stored);
    replacement.signalToNoise = rounded.signalToNoise;
  }
  op.getWeightMutable().assign(replacement.value);
  ++quantized;
  remark::passed(op.getLoc(), options) << remark::metric("Bits", parsed->bits)
                                       << remark::metric("Group", parsed->group ? parsed->group : shape[0])
                                       << remark::metric("WeightSignalToNoise", replacement.signalToNoise);
  return success();
}

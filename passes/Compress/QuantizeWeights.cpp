//===- QuantizeWeights.cpp - Weight-only quantization by rounding ---------===//
#include "dialects/NN/IR/NNDialect.h"
#include "dialects/ONNX/IR/ONNXDialect.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Remarks.h"
#include "passes/Compress/Passes.h"
#include "passes/Compress/Quantize/WeightOnly.h"
#include "llvm/Support/GlobPattern.h"

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
    if (failed(readOptions()))
      return signalPassFailure();
    rounded.clear();
    bool good = true;
    SmallVector<nn::LinearOp> ops;
    function.walk([&](nn::LinearOp op) { ops.push_back(op); });
    for (nn::LinearOp op : ops)
      good &= succeeded(quantize(op));
    if (!good)
      signalPassFailure();
  }

private:
  LogicalResult readOptions();
  std::string findObstacle(nn::LinearOp op);
  LogicalResult quantize(nn::LinearOp op);

  WeightFormat format;
  SmallVector<llvm::GlobPattern> skipped;
  /// Weights that several ops read are one constant afterwards, too.
  DenseMap<Value, GroupedWeight> rounded;
  DenseMap<Value, Value> replacements;
};
} // namespace

LogicalResult CompressQuantizeWeights::readOptions() {
  Location loc = getOperation().getLoc();
  if (bits != 8 && bits != 4)
    return emitError(loc) << "expected weights of 8 or 4 bits, but got " << bits.getValue();
  if (group != 0 && group != 32 && group != 64 && group != 128)
    return emitError(loc) << "expected groups of 32, 64 or 128 rows, but got " << group.getValue();
  format = {unsigned(bits), bits == 4 && group == 0 ? 32 : group, symmetric};
  skipped.clear();
  replacements.clear();
  for (const std::string &pattern : skip) {
    llvm::Expected<llvm::GlobPattern> glob = llvm::GlobPattern::create(pattern);
    if (!glob)
      return emitError(loc) << "expected a name pattern, but got '" << pattern
                            << "': " << llvm::toString(glob.takeError());
    skipped.push_back(std::move(*glob));
  }
  return success();
}

/// Why the weight stays as it is; empty if it need not.
std::string CompressQuantizeWeights::findObstacle(nn::LinearOp op) {
  std::string name;
  if (auto loc = op->getLoc()->findInstanceOf<NameLoc>())
    name = loc.getName().str();
  if (llvm::any_of(skipped, [&](const llvm::GlobPattern &pattern) { return pattern.match(name); }))
    return "skipped by name";
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
  auto miss = [&](StringRef why) { remark::missed(op.getLoc(), options) << remark::reason("{0}", why); };
  if (std::string obstacle = findObstacle(op); !obstacle.empty()) {
    miss(obstacle);
    return success();
  }
  Value weight = op.getWeight();
  auto shape = cast<RankedTensorType>(weight.getType()).getShape();
  if (format.group != 0 && shape[0] % format.group != 0)
    return op.emitOpError("expected a group that divides the weight's ")
           << shape[0] << " rows, but got " << format.group << " (the op can be skipped by name)";
  Value &replacement = replacements[weight];
  GroupedWeight &result = rounded[weight];
  if (!replacement) {
    ElementsAttr constant;
    matchPattern(weight, m_Constant(&constant));
    result = roundWeight(constant, format);
    if (!result.values) {
      miss("weight cannot be read as f32");
      return success();
    }
    OpBuilder builder(weight.getContext());
    builder.setInsertionPointAfterValue(weight);
    auto stored = onnx::ConstantOp::create(builder, weight.getLoc(), result.values);
    replacement = quant::StorageCastOp::create(builder, weight.getLoc(), RankedTensorType::get(shape, result.type), stored);
  }
  op.getWeightMutable().assign(replacement);
  ++quantized;
  remark::passed(op.getLoc(), options) << remark::metric("Bits", format.bits)
                                       << remark::metric("Group", format.group ? format.group : shape[0])
                                       << remark::metric("WeightSignalToNoise", result.signalToNoise);
  return success();
}

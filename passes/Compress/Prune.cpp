//===- Prune.cpp - Removal of single weights ------------------------------===//
#include "dialects/NN/IR/NNDialect.h"
#include "dialects/ONNX/IR/ONNXDialect.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Remarks.h"
#include "passes/Compress/Passes.h"
#include "passes/Compress/Prune/PruneSpec.h"
#include "passes/Compress/Prune/WeightMask.h"
#include "passes/Compress/Quantize/Parameters.h"
#include "llvm/ADT/MapVector.h"
#include <cmath>

namespace lathe {
#define GEN_PASS_DEF_COMPRESSPRUNE
#include "passes/Compress/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

static remark::RemarkOpts remarkOptions() { return remark::RemarkOpts::name("Prune").category("compress"); }

namespace {
/// A constant weight and the ops that read it and are to have it pruned in the same way.
struct Layer {
  SmallVector<OpOperand *> readers;
  WeightPruning pruning;
  bool isOwn = false; ///< from the ops' own settings: no part of what the model's sparsity is of
  ElementsAttr constant;
  std::vector<float> weights;
  WeightCosts costs;
  WeightMask removed;
};

struct CompressPrune : lathe::impl::CompressPruneBase<CompressPrune> {
  using CompressPruneBase::CompressPruneBase;

  void runOnOperation() override {
    if (!getOperation().isExternal() && failed(prune()))
      signalPassFailure();
  }

private:
  LogicalResult prune();
  LogicalResult collect(OpOperand &weight);
  void chooseRemovals();
  void rewrite(Layer &layer);

  /// By weight and the ops' own text, "" for none.
  llvm::MapVector<std::pair<Value, StringRef>, Layer> layers;
};
} // namespace

/// Why the weight stays as it is; empty if it need not. Fills the layer if so.
static std::string read(Value weight, int64_t minElements, Layer &layer) {
  auto type = cast<ShapedType>(weight.getType());
  if (!type.getElementType().isF32())
    return "weight is not f32";
  if (!matchPattern(weight, m_Constant(&layer.constant)))
    return "weight is not constant";
  if (type.getNumElements() < minElements)
    return "too small: " + std::to_string(type.getNumElements()) + " elements";
  ArrayRef<int64_t> shape = type.getShape();
  if (shape.size() != 2 && shape.size() != 4)
    return "weight is neither a matrix nor a window";
  std::optional<ArrayRef<float>> values = readFloats(layer.constant, layer.weights);
  if (!values)
    return "weight cannot be read as f32";
  if (layer.weights.empty())
    layer.weights = values->vec();
  layer.costs.outputs = shape.back();
  layer.costs.inputs = shape[shape.size() - 2];
  layer.costs.taps = shape.size() == 4 ? shape[0] * shape[1] : 1;
  return "";
}

LogicalResult CompressPrune::collect(OpOperand &weight) {
  Operation *op = weight.getOwner();
  std::optional<StringRef> own = getSetting(op, "prune");
  StringRef text = own.value_or(spec);
  auto miss = [&](const Twine &why) {
    remark::missed(op->getLoc(), remarkOptions()) << remark::reason("{0}", why.str());
    return success();
  };
  llvm::Expected<PruneSpec> parsed = PruneSpec::parse(text);
  if (!parsed)
    return op->emitOpError() << llvm::toString(parsed.takeError());
  if (!parsed->weights)
    return own ? miss("skipped by recipe") : success();
  std::pair<Value, StringRef> key(weight.get(), own.value_or(""));
  Layer &layer = layers[key];
  if (layer.readers.empty()) {
    if (std::string obstacle = read(weight.get(), minElements, layer); !obstacle.empty()) {
      layers.erase(key);
      return miss(obstacle);
    }
    layer.pruning = *parsed->weights;
    layer.isOwn = own.has_value();
  }
  layer.readers.push_back(&weight);
  return success();
}

void CompressPrune::chooseRemovals() {
  SmallVector<Layer *> together;
  std::vector<WeightCosts> costs;
  for (auto &[key, layer] : layers) {
    for (float weight : layer.weights)
      layer.costs.values.push_back(weight * weight);
    const WeightPruning &pruning = layer.pruning;
    if (pruning.m) {
      layer.removed = selectPattern(layer.costs, pruning.n, pruning.m);
    } else if (pruning.uniform || layer.isOwn) {
      layer.removed =
          selectCheapest(layer.costs.values, std::llround(pruning.sparsity * double(layer.costs.values.size())));
    } else {
      together.push_back(&layer);
      costs.push_back(layer.costs);
    }
  }
  if (together.empty())
    return;
  std::vector<int64_t> counts = allocateRemovals(costs, together.front()->pruning.sparsity);
  for (auto [layer, count] : llvm::zip_equal(together, counts))
    layer->removed = selectCheapest(layer->costs.values, count);
}

void CompressPrune::rewrite(Layer &layer) {
  double elements = double(layer.weights.size()), before = double(llvm::count(layer.weights, 0.0f)) / elements;
  double signal = 0, noise = 0;
  for (auto [weight, removed] : llvm::zip_equal(layer.weights, layer.removed)) {
    signal += double(weight) * weight;
    if (removed) {
      noise += double(weight) * weight;
      weight = 0;
    }
  }
  auto type = cast<RankedTensorType>(layer.constant.getType());
  ElementsAttr pruned;
  if (isa<DenseResourceElementsAttr>(layer.constant))
    pruned = DenseResourceElementsAttr::get(
        type, "pruned", HeapAsmResourceBlob::allocateAndCopyInferAlign(ArrayRef<float>(layer.weights)));
  else
    pruned = DenseElementsAttr::get(type, ArrayRef<float>(layer.weights));
  Value weight = layer.readers.front()->get();
  OpBuilder builder(&getContext());
  builder.setInsertionPointAfterValue(weight);
  Value replacement = onnx::ConstantOp::create(builder, weight.getLoc(), pruned);
  for (OpOperand *reader : layer.readers) {
    reader->set(replacement);
    remark::passed(reader->getOwner()->getLoc(), remarkOptions())
        << remark::metric("Score", nameOf(layer.pruning.score)) << remark::metric("Elements", layer.weights.size())
        << remark::metric("SparsityBefore", before)
        << remark::metric("Sparsity", double(llvm::count(layer.weights, 0.0f)) / elements)
        << remark::metric("WeightSignalToNoise", noise > 0 ? 10 * std::log10(signal / noise) : 200.0);
  }
}

LogicalResult CompressPrune::prune() {
  layers.clear();
  Location loc = getOperation().getLoc();
  llvm::Expected<PruneSpec> parsed = PruneSpec::parse(spec);
  if (!parsed)
    return emitError(loc) << llvm::toString(parsed.takeError());
  bool good = true;
  getOperation().walk([&](Operation *op) {
    if (auto conv = dyn_cast<nn::ConvOp>(op))
      good &= succeeded(collect(conv.getWeightMutable()));
    else if (auto linear = dyn_cast<nn::LinearOp>(op))
      good &= succeeded(collect(linear.getWeightMutable()));
  });
  if (!good)
    return failure();
  if (layers.empty() && parsed->weights)
    return emitError(loc) << "expected a convolution or matrix product with a constant weight to prune, but got none";
  for (auto &[key, layer] : layers)
    if (layer.pruning.needsStatistics())
      return emitError(loc) << "not supported yet";
  chooseRemovals();
  for (auto &[key, layer] : layers)
    rewrite(layer);
  return success();
}

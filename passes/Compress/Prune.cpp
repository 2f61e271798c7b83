//===- Prune.cpp - Removal of single weights ------------------------------===//
#include "dialects/NN/IR/NNDialect.h"
#include "dialects/ONNX/IR/ONNXDialect.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Remarks.h"
#include "passes/Compress/Passes.h"
#include "passes/Compress/Prune/Bias.h"
#include "passes/Compress/Prune/InputImportance.h"
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
  SmallVector<Operation *> ops;
  Value weight;
  WeightPruning pruning;
  bool isOwn = false; ///< from the ops' own settings: no part of what the model's sparsity is of
  ElementsAttr constant;
  std::vector<float> weights;
  WeightCosts costs;
  WeightMask removed;

  /// Of what all ops read, where that matters.
  const ChannelStatistics *inputs = nullptr;
  int64_t groups = 1;    ///< of a convolution
  OutputChange change{}; ///< of the outputs by pruning; of the weights themselves without statistics

  /// Whether what stays makes up for what goes.
  bool repairs() const { return pruning.score == PruneScore::SparseGPT; }

  /// The channel of the input that an element of the weight reads.
  int64_t getChannel(int64_t element) const {
    int64_t row = element / costs.outputs, group = element % costs.outputs / (costs.outputs / groups);
    return group * costs.inputs + row % costs.inputs;
  }
};

struct CompressPrune : lathe::impl::CompressPruneBase<CompressPrune> {
  using CompressPruneBase::CompressPruneBase;
  CompressPrune(const CompressPruneOptions &options, std::shared_ptr<const CalibrationStatistics> statistics)
      : CompressPruneBase(options), given(std::move(statistics)) {}

  void runOnOperation() override {
    if (!getOperation().isExternal() && failed(prune()))
      signalPassFailure();
  }

private:
  LogicalResult prune();
  LogicalResult collect(Operation *op, Value weight, Value input, int64_t groups);
  LogicalResult findInputs();
  void chooseRemovals();
  void rewrite(Layer &layer);

  /// By weight, the ops' own text ("" for none) and, where it matters, input.
  llvm::MapVector<std::tuple<Value, StringRef, Value>, Layer> layers;
  std::shared_ptr<const CalibrationStatistics> given;
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

LogicalResult CompressPrune::collect(Operation *op, Value weight, Value input, int64_t groups) {
  std::optional<StringRef> own = getSetting(op, "prune");
  auto miss = [&](const Twine &why) {
    remark::missed(op->getLoc(), remarkOptions()) << remark::reason("{0}", why.str());
    return success();
  };
  llvm::Expected<PruneSpec> parsed = PruneSpec::parse(own.value_or(spec));
  if (!parsed)
    return op->emitOpError() << llvm::toString(parsed.takeError());
  if (!parsed->weights)
    return own ? miss("skipped by recipe") : success();
  std::tuple<Value, StringRef, Value> key(weight, own.value_or(""), parsed->weights->needsStatistics() ? input : Value());
  Layer &layer = layers[key];
  if (layer.ops.empty()) {
    if (std::string obstacle = read(weight, minElements, layer); !obstacle.empty()) {
      layers.erase(key);
      return miss(obstacle);
    }
    layer.weight = weight;
    layer.pruning = *parsed->weights;
    layer.isOwn = own.has_value();
    layer.groups = groups;
  }
  layer.ops.push_back(op);
  return success();
}

/// Finds the statistics of the layers that need them; those without stay as they are.
LogicalResult CompressPrune::findInputs() {
  if (llvm::none_of(layers, [](auto &entry) { return entry.second.pruning.needsStatistics(); }))
    return success();
  Location loc = getOperation().getLoc();
  auto taken = takeStatistics(loc, given, statistics);
  if (failed(taken))
    return failure();
  given = *taken;
  DenseMap<Value, const ValueStatistics *> values = matchStatistics(getOperation(), *given);
  bool hasGrams = true;
  layers.remove_if([&](auto &entry) {
    Layer &layer = entry.second;
    if (!layer.pruning.needsStatistics())
      return false;
    const ValueStatistics *found = values.lookup(std::get<2>(entry.first));
    if (found && found->channels.getChannels() == layer.costs.inputs * layer.groups) {
      layer.inputs = &found->channels;
      hasGrams &= !layer.repairs() || found->channels.hasGram();
      return false;
    }
    for (Operation *op : layer.ops)
      remark::missed(op->getLoc(), remarkOptions()) << remark::reason("no statistics of the input");
    return true;
  });
  if (!hasGrams)
    return emitError(loc) << "expected samples to prune by sparsegpt (--calibrate), but got statistics without products of inputs";
  return success();
}

/// What the removal of each weight costs.
static std::vector<float> getCosts(const Layer &layer) {
  std::vector<double> importance;
  if (layer.inputs)
    importance = !layer.repairs()      ? getDampedNorms(*layer.inputs)
                 : layer.groups == 1 ? getConditionalVariances(*layer.inputs)
                                     : getVariances(*layer.inputs);
  std::vector<float> costs;
  for (auto [element, weight] : llvm::enumerate(layer.weights))
    costs.push_back(float(double(weight) * weight * (layer.inputs ? importance[layer.getChannel(element)] : 1)));
  return costs;
}

void CompressPrune::chooseRemovals() {
  SmallVector<Layer *> together;
  std::vector<WeightCosts> costs;
  for (auto &[key, layer] : layers) {
    layer.costs.values = getCosts(layer);
    const WeightPruning &pruning = layer.pruning;
    if (pruning.m) {
      layer.removed = selectPattern(layer.costs, pruning.n, pruning.m);
    } else if (pruning.uniform || layer.isOwn) {
      layer.removed = selectCheapest(layer.costs.values, std::llround(pruning.sparsity * double(layer.weights.size())));
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

/// Has the weights that stay make up for those that went, and adds to each output's bias the mean of what it lost still.
static void repair(Layer &layer, ArrayRef<float> original) {
  const ChannelStatistics &inputs = *layer.inputs;
  // The products of different taps' inputs are not known: each tap makes up for its own.
  size_t tap = layer.costs.inputs * layer.costs.outputs;
  if (layer.groups == 1)
    layer.change = {};
  for (size_t first = 0; layer.groups == 1 && first < original.size(); first += tap) {
    WeightMask removed(layer.removed.begin() + first, layer.removed.begin() + first + tap);
    OutputChange change =
        compensate(inputs, original.slice(first, tap), removed, MutableArrayRef(layer.weights).slice(first, tap));
    layer.change.signal += change.signal;
    layer.change.noise += change.noise;
  }
  std::vector<float> lost(layer.costs.outputs, 0);
  for (auto [element, weight] : llvm::enumerate(original))
    lost[element % lost.size()] += float((double(weight) - layer.weights[element]) * inputs.getMean(layer.getChannel(element)));
  for (Operation *op : layer.ops) {
    if (auto conv = dyn_cast<nn::ConvOp>(op))
      addToSums(conv, lost);
    else
      addToSums(cast<nn::LinearOp>(op), lost);
  }
}

static double getRatio(OutputChange change) {
  return change.noise > 0 ? 10 * std::log10(change.signal / change.noise) : 200;
}

void CompressPrune::rewrite(Layer &layer) {
  double elements = double(layer.weights.size()), before = double(llvm::count(layer.weights, 0.0f)) / elements;
  std::vector<float> original = layer.weights;
  for (auto [element, weight] : llvm::enumerate(layer.weights)) {
    double power = double(weight) * weight * (layer.inputs ? layer.inputs->getPower(layer.getChannel(element)) : 1);
    layer.change.signal += power;
    if (layer.removed[element]) {
      layer.change.noise += power;
      weight = 0;
    }
  }
  if (layer.repairs())
    repair(layer, original);
  auto type = cast<RankedTensorType>(layer.constant.getType());
  ElementsAttr pruned;
  if (isa<DenseResourceElementsAttr>(layer.constant))
    pruned = DenseResourceElementsAttr::get(
        type, "pruned", HeapAsmResourceBlob::allocateAndCopyInferAlign(ArrayRef<float>(layer.weights)));
  else
    pruned = DenseElementsAttr::get(type, ArrayRef<float>(layer.weights));
  OpBuilder builder(&getContext());
  builder.setInsertionPointAfterValue(layer.weight);
  Value replacement = onnx::ConstantOp::create(builder, layer.weight.getLoc(), pruned);
  double after = double(llvm::count(layer.weights, 0.0f)) / elements;
  for (Operation *op : layer.ops) {
    if (auto conv = dyn_cast<nn::ConvOp>(op))
      conv.getWeightMutable().assign(replacement);
    else
      cast<nn::LinearOp>(op).getWeightMutable().assign(replacement);
    remark::passed(op->getLoc(), remarkOptions())
        << remark::metric("Score", nameOf(layer.pruning.score)) << remark::metric("Elements", layer.weights.size())
        << remark::metric("SparsityBefore", before) << remark::metric("Sparsity", after)
        << remark::metric(layer.inputs ? "OutputSignalToNoise" : "WeightSignalToNoise", getRatio(layer.change));
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
      good &= succeeded(collect(op, conv.getWeight(), conv.getInput(), conv.getGroup()));
    else if (auto linear = dyn_cast<nn::LinearOp>(op))
      good &= succeeded(collect(op, linear.getWeight(), linear.getInput(), /*groups=*/1));
  });
  if (!good || failed(findInputs()))
    return failure();
  if (layers.empty() && parsed->weights)
    return emitError(loc) << "expected a convolution or matrix product with a constant weight to prune, but got none";
  chooseRemovals();
  for (auto &[key, layer] : layers)
    rewrite(layer);
  return success();
}

std::unique_ptr<Pass> lathe::createCompressPrune(const CompressPruneOptions &options,
                                                 std::shared_ptr<const CalibrationStatistics> statistics) {
  return std::make_unique<CompressPrune>(options, std::move(statistics));
}

//===- LowRank.cpp - Weights as products of two thin ones -----------------===//
#include "dialects/NN/IR/NNDialect.h"
#include "dialects/ONNX/IR/ONNXDialect.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Remarks.h"
#include "passes/Compress/LowRank/ChooseRanks.h"
#include "passes/Compress/LowRank/Factorization.h"
#include "passes/Compress/LowRank/LowRankSpec.h"
#include "passes/Compress/Passes.h"
#include "passes/Compress/Quantize/Parameters.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

namespace lathe {
#define GEN_PASS_DEF_COMPRESSLOWRANK
#include "passes/Compress/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

static remark::RemarkOpts remarkOptions() { return remark::RemarkOpts::name("LowRank").category("compress"); }

namespace {
/// A constant weight and the ops that read it and are to have it factorized in the same way.
struct Layer {
  SmallVector<Operation *> ops;
  ElementsAttr constant;
  int64_t rows = 0, columns = 0; ///< of the weight as a matrix: what an output sums, outputs
  int64_t outputs = 0;           ///< rows of the product, of all ops, with symbolic dimensions of 1
  bool calibrated = false;
  std::optional<Factorization> factorization;

  int64_t countFlops() const { return 2 * outputs * rows * columns; }
  int64_t countFlops(int64_t rank) const { return 2 * outputs * rank * (rows + columns); }
  bool pays(int64_t rank) const;
};

struct CompressLowRank : lathe::impl::CompressLowRankBase<CompressLowRank> {
  using CompressLowRankBase::CompressLowRankBase;

  CompressLowRank(const CompressLowRankOptions &options, std::shared_ptr<const CalibrationStatistics> given)
      : CompressLowRankBase(options), given(std::move(given)) {}

  void runOnOperation() override {
    if (!getOperation().isExternal() && failed(factorize()))
      signalPassFailure();
  }

private:
  LogicalResult factorize();
  LogicalResult readStatistics();
  void collect(Operation *op, Value weight);
  FailureOr<std::vector<int64_t>> choose(StringRef text, ArrayRef<Layer *> together);

  std::shared_ptr<const CalibrationStatistics> given;
  DenseMap<Value, const ValueStatistics *> statisticsOf;
  bool asked = false; ///< some op is to be factorized if it can be
  int64_t step = 1;   ///< ranks are multiples of it
  llvm::MapVector<std::pair<Value, StringRef>, Layer> layers;
};
} // namespace

/// Two products take as long as their operations say, to a few percent, and what starting another kernel costs.
bool Layer::pays(int64_t rank) const {
  constexpr double kGain = 0.9, kKernelFlops = 4096;
  return double(countFlops(rank)) + kKernelFlops * double(ops.size()) <= kGain * double(countFlops());
}

static void miss(Operation *op, const Twine &why) {
  remark::missed(op->getLoc(), remarkOptions()) << remark::reason("{0}", why.str());
}

/// Why the op stays as it is; empty if it need not.
static StringRef findObstacle(Operation *op, Value weight, ElementsAttr &constant) {
  auto type = cast<ShapedType>(weight.getType()), input = cast<ShapedType>(op->getOperand(0).getType());
  if (!input.getElementType().isF32() || !type.getElementType().isF32())
    return "not f32";
  if (!matchPattern(weight, m_Constant(&constant)))
    return "weight is not constant";
  if (type.getNumElements() == 0 || type.getRank() != (isa<nn::ConvOp>(op) ? 4 : 2))
    return "weight is neither a matrix nor a window";
  auto conv = dyn_cast<nn::ConvOp>(op);
  return conv && conv.getGroup() != 1 ? "convolution of groups" : "";
}

void CompressLowRank::collect(Operation *op, Value weight) {
  std::optional<StringRef> own = getSetting(op, "low-rank");
  StringRef text = own.value_or(spec.getValue());
  if (text == "none") {
    if (own)
      miss(op, "skipped by recipe");
    return;
  }
  asked = true;
  ElementsAttr constant;
  if (StringRef obstacle = findObstacle(op, weight, constant); !obstacle.empty())
    return miss(op, obstacle);
  Layer &layer = layers[{weight, text}];
  layer.ops.push_back(op);
  layer.constant = constant;
  layer.columns = constant.getShapedType().getShape().back();
  layer.rows = constant.getNumElements() / layer.columns;
  int64_t outputs = 1;
  for (int64_t size : cast<ShapedType>(op->getResult(0).getType()).getShape().drop_back())
    outputs *= ShapedType::isDynamic(size) ? 1 : size;
  layer.outputs += outputs;
}

/// The sum of X^T X over the inputs of all ops that read the weight; empty where it is not known.
static std::vector<double> getGram(const Layer &layer, const DenseMap<Value, const ValueStatistics *> &statistics) {
  int64_t channels = layer.constant.getShapedType().getShape().drop_back().back();
  std::vector<double> sum;
  for (Operation *op : layer.ops) {
    const ValueStatistics *found = statistics.lookup(op->getOperand(0));
    if (!found || !found->channels.hasGram() || found->channels.getChannels() != channels)
      continue;
    sum.resize(channels * channels, 0);
    for (auto [total, element] : llvm::zip_equal(sum, found->channels.getGram()))
      total += element;
  }
  return sum;
}

/// Why the layer stays as it is; empty where it has singular vectors afterwards.
static std::string decompose(Layer &layer, int64_t step, ArrayRef<double> gram) {
  if (!layer.pays(step))
    return llvm::formatv("does not break even: {0} FLOPs would become {1} with rank {2}", layer.countFlops(),
                         layer.countFlops(step), step);
  std::vector<float> storage;
  std::optional<ArrayRef<float>> weight = readFloats(layer.constant, storage);
  if (!weight)
    return "weight cannot be read as f32";
  layer.calibrated = !gram.empty();
  layer.factorization = Factorization::compute(*weight, layer.columns, gram);
  return layer.factorization ? "" : "weight is zero or not finite";
}

/// The smallest rank of the wanted energy, or 0 where that does not pay.
static int64_t chooseRank(const Layer &layer, double energy, int64_t step) {
  int64_t rank = llvm::alignTo(std::max<int64_t>(layer.factorization->getRankOfEnergy(energy), 1), step);
  if (layer.pays(rank))
    return rank;
  for (Operation *op : layer.ops)
    miss(op, llvm::formatv("does not break even: {0} FLOPs would become {1} with rank {2}, which keeps {3} of the energy",
                           layer.countFlops(), layer.countFlops(rank), rank, energy));
  return 0;
}

/// The layer as it is, and all ranks that pay, from the largest.
static std::vector<RankOption> listRanks(const Layer &layer, int64_t step) {
  std::vector<RankOption> options = {{0, double(layer.countFlops()), 0}};
  for (int64_t rank = llvm::alignDown(layer.factorization->getFullRank(), step); rank > 0; rank -= step)
    if (layer.pays(rank)) {
      double error = layer.factorization->getError(rank);
      options.push_back({rank, double(layer.countFlops(rank)), error * error});
    }
  return options;
}

/// Chooses the ranks of layers with the same text; 0 leaves a layer as it is.
FailureOr<std::vector<int64_t>> CompressLowRank::choose(StringRef text, ArrayRef<Layer *> together) {
  llvm::Expected<LowRankSpec> parsed = LowRankSpec::parse(text);
  if (!parsed)
    return emitError(getOperation().getLoc()) << llvm::toString(parsed.takeError()), failure();
  std::vector<int64_t> ranks;
  if (parsed->kept == LowRankSpec::Kept::Energy) {
    for (const Layer *layer : together)
      ranks.push_back(chooseRank(*layer, parsed->part, step));
    return ranks;
  }
  std::vector<std::vector<RankOption>> options;
  double all = 0, least = 0;
  for (const Layer *layer : together) {
    options.push_back(listRanks(*layer, step));
    all += options.back().front().flops;
    least += options.back().back().flops;
  }
  std::optional<std::vector<size_t>> chosen = chooseRanks(options, parsed->part * all);
  if (!chosen)
    return getOperation().emitError(llvm::formatv(
               "expected to keep at least {0:f3} of the FLOPs of layers that can be factorized, but got '{1}'", least / all,
               text)),
           failure();
  for (auto [index, choice] : llvm::enumerate(*chosen)) {
    ranks.push_back(options[index][choice].rank);
    if (choice == 0)
      for (Operation *op : together[index]->ops)
        miss(op, "left as it is: other layers lose less");
  }
  return ranks;
}

static Value createConstant(OpBuilder &builder, Location loc, ElementsAttr like, ArrayRef<int64_t> shape,
                            ArrayRef<float> values) {
  auto type = RankedTensorType::get(shape, builder.getF32Type());
  if (!isa<DenseResourceElementsAttr>(like))
    return onnx::ConstantOp::create(builder, loc, DenseElementsAttr::get(type, values));
  return onnx::ConstantOp::create(
      builder, loc,
      DenseResourceElementsAttr::get(type, "factor", HeapAsmResourceBlob::allocateAndCopyInferAlign(values)));
}

/// The name of the first product: the op's own with a suffix, so that statistics tell the two apart.
static Location getFirstLoc(Operation *op) {
  auto name = op->getLoc()->findInstanceOf<NameLoc>();
  return name ? NameLoc::get(StringAttr::get(op->getContext(), name.getName().strref() + "/low_rank"), name.getChildLoc())
              : op->getLoc();
}

/// The product with the first factor: everything of the op but its epilogue.
static Operation *createFirst(OpBuilder &builder, Operation *op, Value left, int64_t rank) {
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  SmallVector<int64_t> shape(type.getShape());
  shape.back() = rank;
  Location loc = getFirstLoc(op);
  if (auto conv = dyn_cast<nn::ConvOp>(op))
    return nn::ConvOp::create(builder, loc, type.clone(shape), conv.getInput(), left, mlir::ValueRange(), Value(),
                              conv.getStrides(), conv.getDilations(), conv.getPads());
  return nn::LinearOp::create(builder, loc, type.clone(shape), op->getOperand(0), left, mlir::ValueRange(), Value());
}

/// Has the op read the product with the first factor, and keep its epilogue.
static void replaceInput(Operation *op, Value first, Value right) {
  if (auto linear = dyn_cast<nn::LinearOp>(op)) {
    linear.getInputMutable().assign(first);
    linear.getWeightMutable().assign(right);
    return;
  }
  auto conv = cast<nn::ConvOp>(op);
  conv.getInputMutable().assign(first);
  conv.getWeightMutable().assign(right);
  conv.setStrides({1, 1});
  conv.setDilations({1, 1});
  conv.setPads({0, 0, 0, 0});
}

static void rewrite(Value weight, const Layer &layer, int64_t rank) {
  Factorization::Factors factors = layer.factorization->getFactors(rank);
  OpBuilder builder(weight.getContext());
  builder.setInsertionPointAfterValue(weight);
  SmallVector<int64_t> leftShape(layer.constant.getShapedType().getShape()), rightShape(leftShape.size(), 1);
  leftShape.back() = rank;
  rightShape.back() = layer.columns, rightShape[rightShape.size() - 2] = rank;
  Value left = createConstant(builder, weight.getLoc(), layer.constant, leftShape, factors.left);
  Value right = createConstant(builder, weight.getLoc(), layer.constant, rightShape, factors.right);
  for (Operation *op : layer.ops) {
    builder.setInsertionPoint(op);
    Operation *first = createFirst(builder, op, left, rank);
    if (Attribute settings = op->getAttr(kSettingsAttr))
      first->setAttr(kSettingsAttr, settings);
    replaceInput(op, first->getResult(0), right);
    remark::passed(op->getLoc(), remarkOptions())
        << remark::metric("Rank", rank) << remark::metric("FullRank", layer.factorization->getFullRank())
        << remark::metric("FlopsBefore", layer.countFlops()) << remark::metric("FlopsAfter", layer.countFlops(rank))
        << remark::metric(layer.calibrated ? "RelativeOutputError" : "RelativeWeightError",
                          layer.factorization->getError(rank));
  }
  if (weight.use_empty())
    weight.getDefiningOp()->erase();
}

LogicalResult CompressLowRank::factorize() {
  func::FuncOp function = getOperation();
  layers.clear();
  asked = false;
  step = multiple ? int64_t(multiple) : nn::getTarget(function).getVectorBits() / 32;
  constexpr int64_t kMostStep = 1 << 16;
  if (step < 1 || step > kMostStep)
    return function.emitError("expected ranks of a multiple from 1 to ") << kMostStep << ", but got " << step;
  if (failed(readStatistics()))
    return failure();
  function.walk([&](Operation *op) {
    if (auto linear = dyn_cast<nn::LinearOp>(op))
      collect(op, linear.getWeight());
    else if (auto conv = dyn_cast<nn::ConvOp>(op))
      collect(op, conv.getWeight());
  });
  if (layers.empty() && (asked || spec != "none"))
    return function.emitError("expected matrix products or convolutions with constant f32 weights to factorize, but got none");

  llvm::MapVector<StringRef, SmallVector<std::pair<Value, Layer *>>> together;
  for (auto &[key, layer] : layers) {
    std::string obstacle = decompose(layer, step, getGram(layer, statisticsOf));
    if (obstacle.empty())
      together[key.second].push_back({key.first, &layer});
    for (Operation *op : layer.ops)
      if (!obstacle.empty())
        miss(op, obstacle);
  }
  for (auto &[text, group] : together) {
    FailureOr<std::vector<int64_t>> ranks = choose(text, llvm::to_vector(llvm::make_second_range(group)));
    if (failed(ranks))
      return failure();
    for (auto [entry, rank] : llvm::zip_equal(group, *ranks))
      if (rank)
        rewrite(entry.first, *entry.second, rank);
  }
  return success();
}

/// Statistics are not needed; but those that are given must hold what this pass asks them for.
LogicalResult CompressLowRank::readStatistics() {
  statisticsOf.clear();
  if (!given && statistics.empty())
    return success();
  auto taken = takeStatistics(getOperation().getLoc(), given, statistics);
  if (failed(taken))
    return failure();
  given = *taken;
  statisticsOf = matchStatistics(getOperation(), *given);
  if (llvm::none_of(statisticsOf, [](const auto &entry) { return entry.second->channels.hasGram(); }))
    return getOperation().emitError("expected Gram matrices in the statistics to factorize by: samples are needed");
  return success();
}

std::unique_ptr<Pass> lathe::createCompressLowRank(const CompressLowRankOptions &options,
                                                   std::shared_ptr<const CalibrationStatistics> statistics) {
  return std::make_unique<CompressLowRank>(options, std::move(statistics));
}

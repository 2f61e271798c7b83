//===- ReduceTokens.cpp - Merges and prunes tokens of vision transformers -===//
#include "dialects/NN/IR/NNDialect.h"
#include "dialects/ONNX/IR/ONNXDialect.h"
#include "mlir/IR/Remarks.h"
#include "passes/Compress/Passes.h"
#include "passes/Compress/Settings.h"
#include "passes/Compress/Tokens/LayerNumbers.h"
#include "passes/Compress/Tokens/TokenFlow.h"

namespace lathe {
#define GEN_PASS_DEF_COMPRESSREDUCETOKENS
#include "passes/Compress/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

static RankedTensorType getType(Value value) { return cast<RankedTensorType>(value.getType()); }

/// log(sizes) as [B, 1, 1, T]: a token that stands for several has the weight of all.
static Value createMask(OpBuilder &builder, Location loc, Value sizes) {
  RankedTensorType type = getType(sizes);
  Value logarithm = onnx::LogOp::create(builder, loc, type, sizes);
  Value axes = onnx::ConstantOp::create(builder, loc, builder.getI64TensorAttr({1, 2}));
  auto maskType = type.clone({type.getDimSize(0), 1, 1, type.getDimSize(1)});
  return onnx::UnsqueezeOp::create(builder, loc, maskType, logarithm, axes);
}

/// The keys as [B, T, H, D].
static Value createMetric(OpBuilder &builder, nn::AttentionOp attention) {
  Value key = attention.getKey();
  if (!attention.getKvHeadsFirst())
    return key;
  ArrayRef<int64_t> shape = getType(key).getShape();
  return onnx::TransposeOp::create(builder, attention.getLoc(),
                                   getType(key).clone({shape[0], shape[2], shape[1], shape[3]}), key,
                                   builder.getDenseI64ArrayAttr({0, 2, 1, 3}));
}

/// Makes a mean over tokens that of all tokens they stand for: the sum weighted by `sizes`, over `total`.
static void weighMean(onnx::ReduceMeanOp mean, Value sizes, bool noClass, int64_t total) {
  OpBuilder builder(mean);
  Location loc = mean.getLoc();
  auto constants = [&](ArrayRef<int64_t> values) {
    return onnx::ConstantOp::create(builder, loc, builder.getI64TensorAttr(values));
  };
  RankedTensorType data = getType(mean.getData());
  if (noClass) {
    RankedTensorType type = getType(sizes);
    sizes = onnx::SliceOp::create(builder, loc, type.clone({type.getDimSize(0), type.getDimSize(1) - 1}), sizes,
                                  constants({1}), constants({type.getDimSize(1)}), constants({1}), Value());
  }
  auto columns = data.clone({data.getDimSize(0), getType(sizes).getDimSize(1), 1});
  Value factors = onnx::UnsqueezeOp::create(builder, loc, columns, sizes, constants({2}));
  Value weighted = onnx::MulOp::create(builder, loc, data, mean.getData(), factors);
  Value sum = onnx::ReduceSumOp::create(builder, loc, mean.getReduced().getType(), weighted, mean.getAxes(),
                                        mean.getKeepdimsAttr(), mean.getNoopWithEmptyAxesAttr());
  auto share = DenseElementsAttr::get(RankedTensorType::get({}, data.getElementType()), 1.0f / float(total));
  Value inverse = onnx::ConstantOp::create(builder, loc, share);
  Value result = onnx::MulOp::create(builder, loc, getType(sum), sum, inverse);
  mean.getReduced().replaceAllUsesWith(result);
  mean.erase();
}

namespace {
struct CompressReduceTokens : lathe::impl::CompressReduceTokensBase<CompressReduceTokens> {
  using CompressReduceTokensBase::CompressReduceTokensBase;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isExternal())
      return;
    SmallVector<EncoderLayer> layers;
    StringRef transform = merge.empty() || merge == "none" ? "PruneTokens" : "MergeTokens";
    function.walk([&](nn::AttentionOp attention) {
      EncoderLayer layer;
      std::string obstacle = matchEncoderLayer(attention, layer);
      if (obstacle.empty())
        layers.push_back(layer);
      else
        remark::missed(attention.getLoc(), remark::RemarkOpts::name(transform).category("compress"))
            << remark::reason("{0}", obstacle);
    });
    TokenFlow flow;
    if (failed(chooseNumbers(function, merge, prune, layers)) || failed(flow.trace(function, layers)) ||
        failed(checkClass(layers, flow)))
      return signalPassFailure();
    flow.rewriteReshapes();
    rewrite(layers, flow);
    if (failed(updateTypes()))
      return signalPassFailure();
  }

private:
  LogicalResult checkClass(ArrayRef<EncoderLayer> layers, const TokenFlow &flow);
  void rewrite(ArrayRef<EncoderLayer> layers, const TokenFlow &flow);
  Operation *createReduction(OpBuilder &builder, const EncoderLayer &layer, Value sizes, bool hasClass);
  LogicalResult updateTypes();
};
} // namespace

/// Pruning asks the class what is important.
LogicalResult CompressReduceTokens::checkClass(ArrayRef<EncoderLayer> layers, const TokenFlow &flow) {
  for (EncoderLayer layer : layers)
    if (layer.kept && !flow.isClassRead())
      return layer.attention.emitError("cannot prune tokens: expected the class to be read from the first token");
  return success();
}

/// The op on the layer's stream, whose type is still that of all tokens: `updateTypes` follows.
Operation *CompressReduceTokens::createReduction(OpBuilder &builder, const EncoderLayer &layer, Value sizes, bool hasClass) {
  nn::AttentionOp attention = layer.attention;
  RankedTensorType type = getType(layer.stream);
  auto options = [](StringRef name) { return remark::RemarkOpts::name(name).category("compress"); };
  SmallVector<Type> results = {type.clone({type.getDimSize(0), layer.left, type.getDimSize(2)})};
  if (layer.merged || sizes)
    results.push_back(type.clone({type.getDimSize(0), layer.left}));
  if (layer.merged) {
    remark::passed(attention.getLoc(), options("MergeTokens"))
        << remark::metric("Tokens", layer.before) << remark::metric("Merged", layer.merged);
    Value metric = createMetric(builder, attention);
    return nn::TokenMergeOp::create(builder, attention.getLoc(), results, layer.stream, metric, sizes, Value(), Value(),
                                    layer.merged, hasClass);
  }
  remark::passed(attention.getLoc(), options("PruneTokens"))
      << remark::metric("Tokens", layer.before) << remark::metric("Kept", layer.kept);
  return nn::TokenPruneOp::create(builder, attention.getLoc(), results, layer.stream, attention.getQuery(),
                                  attention.getKey(), sizes, Value(), Value(), layer.kept, attention.getScale(),
                                  attention.getHeadsFirst(), attention.getKvHeadsFirst());
}

void CompressReduceTokens::rewrite(ArrayRef<EncoderLayer> layers, const TokenFlow &flow) {
  OpBuilder builder(&getContext());
  SmallVector<Value> sizes(layers.size()); // after each layer, from the first one that merges
  Value current;
  for (auto [index, layer] : llvm::enumerate(layers)) {
    if (layer.left < layer.before) {
      Value stream = layer.stream;
      builder.setInsertionPointAfter(stream.getDefiningOp());
      Operation *reduction = createReduction(builder, layer, current, flow.hasClass());
      stream.replaceUsesWithIf(reduction->getResult(0), [&](OpOperand &use) { return use.getOwner() != reduction; });
      if (reduction->getNumResults() == 2)
        current = reduction->getResult(1);
    }
    sizes[index] = current;
  }
  for (auto [op, tokens] : flow.getAttentions())
    if (Value stands = sizes[tokens.layer]) {
      builder.setInsertionPoint(op);
      cast<nn::AttentionOp>(op).getMaskMutable().assign(createMask(builder, op->getLoc(), stands));
    }
  for (auto [op, tokens] : flow.getMeans())
    if (Value stands = sizes[tokens.layer])
      weighMean(cast<onnx::ReduceMeanOp>(op), stands, tokens.noClass, layers.front().tokens - tokens.noClass);
}

LogicalResult CompressReduceTokens::updateTypes() {
  func::FuncOp function = getOperation();
  SymbolicShapes shapes(function);
  if (failed(shapes.compute()))
    return failure();
  for (Operation &op : function.getBody().front())
    for (Value result : op.getResults())
      if (isa<TensorType>(result.getType()) && shapes.hasDims(result))
        result.setType(shapes.getType(result));
  return success();
}

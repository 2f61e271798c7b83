//===- MergeTokens.cpp - Merges similar tokens of a vision transformer ----===//
#include "dialects/NN/IR/NNDialect.h"
#include "dialects/ONNX/IR/ONNXDialect.h"
#include "mlir/IR/Remarks.h"
#include "passes/Compress/Passes.h"
#include "passes/Compress/Tokens/TokenFlow.h"
#include "passes/Compress/Tokens/TokenMergeSpec.h"

namespace lathe {
#define GEN_PASS_DEF_COMPRESSMERGETOKENS
#include "passes/Compress/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

static remark::RemarkOpts remarkOptions() { return remark::RemarkOpts::name("MergeTokens").category("compress"); }

/// log(sizes) as [B, 1, 1, T]: a token that stands for several has the weight of all.
static Value createMask(OpBuilder &builder, Location loc, Value sizes) {
  auto type = cast<RankedTensorType>(sizes.getType());
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
  auto type = cast<RankedTensorType>(key.getType());
  ArrayRef<int64_t> shape = type.getShape();
  return onnx::TransposeOp::create(builder, attention.getLoc(), type.clone({shape[0], shape[2], shape[1], shape[3]}), key,
                                   builder.getDenseI64ArrayAttr({0, 2, 1, 3}));
}

namespace {
struct CompressMergeTokens : lathe::impl::CompressMergeTokensBase<CompressMergeTokens> {
  using CompressMergeTokensBase::CompressMergeTokensBase;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isExternal() || spec == "none")
      return;
    llvm::Expected<TokenMergeSpec> numbers = TokenMergeSpec::parse(spec);
    if (!numbers) {
      function.emitError() << llvm::toString(numbers.takeError());
      return signalPassFailure();
    }
    SmallVector<EncoderLayer> layers;
    function.walk([&](nn::AttentionOp attention) {
      EncoderLayer layer;
      std::string obstacle = matchEncoderLayer(attention, layer);
      if (obstacle.empty())
        layers.push_back(layer);
      else
        remark::missed(attention.getLoc(), remarkOptions()) << remark::reason("{0}", obstacle);
    });
    TokenFlow flow;
    if (failed(chooseNumbers(*numbers, layers)) || failed(flow.trace(function, layers)))
      return signalPassFailure();
    flow.rewriteReshapes();
    rewrite(layers, flow.getAttentions());
    if (failed(updateTypes()))
      return signalPassFailure();
  }

private:
  LogicalResult chooseNumbers(const TokenMergeSpec &numbers, MutableArrayRef<EncoderLayer> layers);
  void rewrite(ArrayRef<EncoderLayer> layers, ArrayRef<nn::AttentionOp> attentions);
  LogicalResult updateTypes();
};
} // namespace

/// How many tokens each layer merges: no more than it has sources, as in the method's reference.
LogicalResult CompressMergeTokens::chooseNumbers(const TokenMergeSpec &numbers, MutableArrayRef<EncoderLayer> layers) {
  func::FuncOp function = getOperation();
  if (layers.empty())
    return function.emitError("expected a transformer's encoder to merge tokens in, but got none");
  if (!numbers.list.empty() && numbers.list.size() != layers.size())
    return function.emitError("expected ")
           << layers.size() << " numbers of tokens to merge, one for each layer, but got " << numbers.list.size();
  int64_t left = layers.front().tokens;
  for (auto [index, layer] : llvm::enumerate(layers)) {
    if (layer.tokens != layers.front().tokens)
      return layer.attention.emitError("expected ")
             << layers.front().tokens << " tokens as in the first layer, but got " << layer.tokens;
    int64_t wanted = numbers.list.empty() ? numbers.r : numbers.list[index];
    if (wanted >= left)
      return layer.attention.emitError("expected to merge fewer than the ")
             << left << " tokens of layer " << index + 1 << ", but got " << wanted;
    layer.merged = std::min(wanted, (left - 1) / 2);
    left -= layer.merged;
  }
  return success();
}

void CompressMergeTokens::rewrite(ArrayRef<EncoderLayer> layers, ArrayRef<nn::AttentionOp> attentions) {
  OpBuilder builder(&getContext());
  Value sizes;
  auto weigh = [&](nn::AttentionOp attention) {
    if (!sizes || !llvm::is_contained(attentions, attention))
      return;
    builder.setInsertionPoint(attention);
    attention.getMaskMutable().assign(createMask(builder, attention.getLoc(), sizes));
  };
  int64_t left = layers.front().tokens;
  for (const EncoderLayer &layer : layers) {
    nn::AttentionOp attention = layer.attention;
    weigh(attention);
    if (!layer.merged)
      continue;
    Value stream = layer.stream;
    builder.setInsertionPointAfter(stream.getDefiningOp());
    auto type = cast<RankedTensorType>(stream.getType());
    remark::passed(attention.getLoc(), remarkOptions())
        << remark::metric("Tokens", left) << remark::metric("Merged", layer.merged);
    left -= layer.merged;
    Type results[] = {type.clone({type.getDimSize(0), left, type.getDimSize(2)}), type.clone({type.getDimSize(0), left})};
    // The stream's type is still that of all tokens: `updateTypes` follows.
    Value metric = createMetric(builder, attention);
    auto merge = nn::TokenMergeOp::create(builder, attention.getLoc(), TypeRange(results), stream, metric, sizes, Value(),
                                          Value(), layer.merged, /*protect_class=*/true);
    stream.replaceUsesWithIf(merge.getResult(0), [&](OpOperand &use) { return use.getOwner() != merge; });
    sizes = merge.getResult(1);
  }
}

LogicalResult CompressMergeTokens::updateTypes() {
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

//===- LayerNumbers.cpp - How many tokens each layer leaves ---------------===//
#include "passes/Compress/Tokens/LayerNumbers.h"
#include "mlir/IR/Remarks.h"
#include "passes/Compress/Settings.h"
#include "passes/Compress/Tokens/TokenMergeSpec.h"
#include "passes/Compress/Tokens/TokenPruneSpec.h"
#include <cmath>
#include <set>

using namespace mlir;
using namespace lathe;

namespace {

/// Reads the texts, and asks what they say of a layer.
class LayerNumbers {
public:
  LayerNumbers(func::FuncOp function, size_t depth) : function(function), depth(depth) {}

  LogicalResult read(StringRef mergeText, StringRef pruneText);
  /// Tokens to merge, 0 for none.
  FailureOr<int64_t> getMerged(nn::AttentionOp attention, unsigned index);
  /// Share of the tokens to keep, 1 for all.
  FailureOr<double> getKept(nn::AttentionOp attention, unsigned index);

private:
  template <typename SpecT>
  FailureOr<SpecT> parse(Operation *op, StringRef transform, StringRef text) {
    llvm::Expected<SpecT> spec = SpecT::parse(text);
    if (spec)
      return *spec;
    return op->emitError() << transform << ": " << llvm::toString(spec.takeError());
  }

  func::FuncOp function;
  size_t depth;
  TokenMergeSpec merge;
  double keep = 1;
  std::set<int64_t> pruned; ///< layers
};

bool isAsked(StringRef text) { return !text.empty() && text != "none"; }

} // namespace

static void remarkSkipped(Operation *op, StringRef name, StringRef why) {
  remark::missed(op->getLoc(), remark::RemarkOpts::name(name).category("compress")) << remark::reason("{0}", why);
}

LogicalResult LayerNumbers::read(StringRef mergeText, StringRef pruneText) {
  if (isAsked(mergeText)) {
    FailureOr<TokenMergeSpec> spec = parse<TokenMergeSpec>(function, "token-merge", mergeText);
    if (failed(spec))
      return failure();
    merge = *spec;
    if (!merge.list.empty() && merge.list.size() != depth)
      return function.emitError("expected ")
             << depth << " numbers of tokens to merge, one for each layer, but got " << merge.list.size();
  }
  if (isAsked(pruneText)) {
    FailureOr<TokenPruneSpec> spec = parse<TokenPruneSpec>(function, "token-prune", pruneText);
    if (failed(spec))
      return failure();
    keep = spec->keep;
    pruned.insert(spec->layers.begin(), spec->layers.end());
    if (pruned.empty())
      pruned = {int64_t(depth / 4), int64_t(depth / 2), int64_t(3 * depth / 4)};
    if (*pruned.rbegin() >= int64_t(depth))
      return function.emitError("expected layers 0 to ") << depth - 1 << " to prune tokens after, but got " << *pruned.rbegin();
  }
  return success();
}

FailureOr<int64_t> LayerNumbers::getMerged(nn::AttentionOp attention, unsigned index) {
  int64_t wanted = merge.list.empty() ? merge.r : merge.list[index];
  std::optional<StringRef> own = getSetting(attention, "token-merge");
  if (!own)
    return wanted;
  if (*own == "none") {
    if (wanted)
      remarkSkipped(attention, "MergeTokens", "skipped by recipe");
    return 0;
  }
  FailureOr<TokenMergeSpec> spec = parse<TokenMergeSpec>(attention, "token-merge", *own);
  if (failed(spec))
    return failure();
  if (spec->list.size() > 1)
    return attention.emitError("expected one number of tokens to merge in a layer, but got ") << *own;
  return spec->list.empty() ? spec->r : spec->list[0];
}

FailureOr<double> LayerNumbers::getKept(nn::AttentionOp attention, unsigned index) {
  double wanted = pruned.count(index) ? keep : 1;
  std::optional<StringRef> own = getSetting(attention, "token-prune");
  if (!own)
    return wanted;
  if (*own == "none") {
    if (wanted < 1)
      remarkSkipped(attention, "PruneTokens", "skipped by recipe");
    return 1.0;
  }
  FailureOr<TokenPruneSpec> spec = parse<TokenPruneSpec>(attention, "token-prune", *own);
  if (failed(spec))
    return failure();
  if (!spec->layers.empty())
    return attention.emitError("expected the share of tokens to keep in a layer, but got ") << *own;
  return spec->keep;
}

LogicalResult lathe::chooseNumbers(func::FuncOp function, StringRef merge, StringRef prune,
                                   MutableArrayRef<EncoderLayer> layers) {
  if (layers.empty())
    return isAsked(merge) || isAsked(prune)
               ? LogicalResult(function.emitError("expected a transformer's encoder with tokens, but got none"))
               : success();
  LayerNumbers numbers(function, layers.size());
  if (failed(numbers.read(merge, prune)))
    return failure();
  int64_t left = layers.front().tokens;
  for (auto [index, layer] : llvm::enumerate(layers)) {
    nn::AttentionOp attention = layer.attention;
    if (layer.tokens != layers.front().tokens)
      return attention.emitError("expected ")
             << layers.front().tokens << " tokens as in the first layer, but got " << layer.tokens;
    FailureOr<int64_t> merged = numbers.getMerged(attention, index);
    FailureOr<double> kept = numbers.getKept(attention, index);
    if (failed(merged) || failed(kept))
      return failure();
    if (*merged && *kept < 1)
      return attention.emitError("expected layer ") << index << " to merge or to prune tokens, but got both";
    if (*merged >= left)
      return attention.emitError("expected to merge fewer than the ")
             << left << " tokens of layer " << index << ", but got " << *merged;
    layer.before = left;
    // No more than there are sources, as in the method's reference.
    layer.merged = std::min(*merged, (left - 1) / 2);
    left -= layer.merged;
    if (*kept < 1) {
      int64_t others = left - 1, number = std::ceil(*kept * double(others) - 1e-9);
      if (number + 2 <= others) {
        layer.kept = number;
        left = number + 2;
      } else {
        remarkSkipped(attention, "PruneTokens", "there are no two tokens to fuse");
      }
    }
    layer.left = left;
  }
  return success();
}

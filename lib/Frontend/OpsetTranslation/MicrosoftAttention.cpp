//===- MicrosoftAttention.cpp - Attention of ONNX Runtime's domain --------===//
#include "lib/Frontend/OpsetTranslation/Translation.h"

using namespace llvm;

namespace lathe {

static int64_t getRank(Translation &t, StringRef name) {
  mlir::TensorType type = t.getType(name);
  return type && type.hasRank() ? type.getRank() : 0;
}

/// 0 if it is not known.
static int64_t getStaticDim(Translation &t, StringRef name, unsigned dim) {
  mlir::TensorType type = t.getType(name);
  bool isKnown = type && type.hasRank() && type.getRank() > int64_t(dim) && !type.isDynamicDim(dim);
  return isKnown ? type.getDimSize(dim) : 0;
}

static std::string getDim(Translation &t, const std::string &name, int64_t dim) {
  return t.addBefore("Shape", {name}, {{"start", dim}, {"end", dim + 1}});
}

/// 0, 1, ... up to a length that is a list of one element.
static std::string makeRange(Translation &t, const std::string &length) {
  std::string end = t.addBefore("Squeeze", {length, t.makeInts({0})});
  return t.addBefore("Range", {t.makeInt(0), end, t.makeInt(1)});
}

/// Dimensions 1 and 2 in the other order, of four.
static std::string swapHeads(Translation &t, const std::string &value) {
  std::string result = t.addBefore("Transpose", {value});
  addInts(t.before.back(), "perm", {0, 2, 1, 3});
  return result;
}

/// [batch, tokens, heads, size] as [batch, tokens, heads * size].
static std::string joinHeads(Translation &t, const std::string &value) {
  return t.addBefore("Reshape", {value, t.makeInts({0, 0, -1})});
}

/// Part `index` of [batch, tokens, heads, parts, size], with the heads joined.
static std::string takePart(Translation &t, const std::string &packed, int64_t index) {
  return joinHeads(t, t.addBefore("Gather", {packed, t.makeInt(index)}, {{"axis", 3}}));
}

/// What is added to scores where a mask of integers is 0: lengths [batch], or a mask [batch, keys]
/// or [batch, queries, keys]. `keys` is a list of their number.
static Expected<std::string> makeMaskBias(Translation &t, const std::string &mask,
                                          const std::string &keys, float filter,
                                          const std::string &like) {
  std::string isSeen;
  int64_t rank = getRank(t, mask);
  if (rank == 1) {
    std::string lengths = t.addBefore("Unsqueeze", {mask, t.makeInts({1})});
    std::string places = t.addBefore("CastLike", {makeRange(t, keys), lengths});
    isSeen = t.addBefore("Unsqueeze", {t.addBefore("Less", {places, lengths}), t.makeInts({1, 2})});
  } else if (rank == 2 || rank == 3) {
    isSeen = t.addBefore("Cast", {mask}, {{"to", ::onnx::TensorProto::BOOL}});
    isSeen = t.addBefore("Unsqueeze", {isSeen, rank == 2 ? t.makeInts({1, 2}) : t.makeInts({1})});
  } else {
    return createStringError("expected a mask of rank 1, 2 or 3, but got another one");
  }
  return t.addBefore("Where", {isSeen, t.makeFloatLike(0, like), t.makeFloatLike(filter, like)});
}

namespace {

/// Operands of an attention in the form of ONNX's operator with heads joined.
struct Heads {
  std::string query, key, value;
};

} // namespace

/// Adds [query, key, value] biases that lie one behind the other.
static void addBias(Translation &t, Heads &heads, const std::string &bias, bool queryOnly) {
  std::string size = getDim(t, heads.query, 2), zero = t.makeInts({0}),
              end = t.makeInts({std::numeric_limits<int64_t>::max()});
  std::string twice = t.addBefore("Add", {size, size});
  auto add = [&](std::string &value, const std::string &from, const std::string &to) {
    value = t.addBefore("Add", {value, t.addBefore("Slice", {bias, from, to, zero})});
  };
  add(heads.query, zero, size);
  if (queryOnly)
    return;
  add(heads.key, size, twice);
  add(heads.value, twice, end);
}

/// Makes the node ONNX's Attention; `mask`, and the past's keys and values, may be "".
static void setAttention(Translation &t, const Heads &heads, const std::string &mask,
                         const std::string &pastKey, const std::string &pastValue, int64_t count) {
  t.node.set_op_type("Attention");
  t.node.clear_input();
  for (const std::string &input : {heads.query, heads.key, heads.value, mask, pastKey, pastValue})
    t.node.add_input(input);
  t.setInt("q_num_heads", count);
  t.setInt("kv_num_heads", count);
}

static Error expandMultiHeadAttention(Translation &t) {
  int64_t count = t.takeInt("num_heads").value_or(0);
  if (count <= 0)
    return createStringError("expected a positive attribute 'num_heads', but got " +
                             std::to_string(count));
  if (!t.getInput(8).empty() || !t.getInput(9).empty())
    return createStringError("past_sequence_length and cache_indirection are not supported");
  float filter = t.takeFloat("mask_filter_value").value_or(-10000);
  bool isCausal = t.takeInt("unidirectional").value_or(0) != 0;
  Heads heads{t.getInput(0).str(), t.getInput(1).str(), t.getInput(2).str()};
  std::string element = heads.query;
  bool isLaidOut = getRank(t, heads.key) == 4; // [batch, heads, keys, size]
  if (heads.key.empty()) {
    std::string packed = heads.query;
    heads = {takePart(t, packed, 0), takePart(t, packed, 1), takePart(t, packed, 2)};
  } else if (heads.value.empty()) {
    std::string packed = heads.key;
    heads.key = takePart(t, packed, 0);
    heads.value = takePart(t, packed, 1);
  } else if (isLaidOut) {
    heads.key = joinHeads(t, swapHeads(t, heads.key));
    heads.value = joinHeads(t, swapHeads(t, heads.value));
  }
  if (std::string bias = t.getInput(3).str(); !bias.empty())
    addBias(t, heads, bias, isLaidOut);
  std::string mask = t.getInput(5).str(), padding = t.getInput(4).str(),
              pastKey = t.getInput(6).str(), pastValue = t.getInput(7).str();
  if (!padding.empty()) {
    std::string keys = getDim(t, heads.key, 1);
    if (!pastKey.empty())
      keys = t.addBefore("Add", {keys, getDim(t, pastKey, 2)});
    Expected<std::string> bias = makeMaskBias(t, padding, keys, filter, element);
    if (!bias)
      return bias.takeError();
    mask = mask.empty() ? *bias : t.addBefore("Add", {mask, *bias});
  }
  setAttention(t, heads, mask, pastKey, pastValue, count);
  if (isCausal)
    t.setInt("is_causal", 1);
  return Error::success();
}

/// Self-attention with its projection: one product gives queries, keys and values.
static Error expandAttention(Translation &t) {
  int64_t count = t.takeInt("num_heads").value_or(0);
  if (count <= 0)
    return createStringError("expected a positive attribute 'num_heads', but got " +
                             std::to_string(count));
  for (int index : {4, 6})
    if (!t.getInput(index).empty())
      return createStringError("a past is not supported");
  float filter = t.takeFloat("mask_filter_value").value_or(-10000);
  bool isCausal = t.takeInt("unidirectional").value_or(0) != 0;
  std::string input = t.getInput(0).str(), bias = t.getInput(2).str(),
              padding = t.getInput(3).str(), mask = t.getInput(5).str();
  std::string product = t.addBefore("MatMul", {input, t.getInput(1).str()});
  if (!bias.empty())
    product = t.addBefore("Add", {product, bias});
  std::vector<std::string> operands = {product};
  if (std::optional<std::vector<int64_t>> sizes = t.takeInts("qkv_hidden_sizes"))
    operands.push_back(t.makeInts(*sizes));
  Heads heads{t.addBefore("Split", operands, {{"axis", 2}}), t.getFreshName(), t.getFreshName()};
  ::onnx::NodeProto &split = t.before.back();
  if (operands.size() == 1)
    addInt(split, "num_outputs", 3);
  split.add_output(heads.key);
  split.add_output(heads.value);
  if (!padding.empty()) {
    Expected<std::string> masked = makeMaskBias(t, padding, getDim(t, input, 1), filter, input);
    if (!masked)
      return masked.takeError();
    mask = mask.empty() ? *masked : t.addBefore("Add", {mask, *masked});
  }
  setAttention(t, heads, mask, "", "", count);
  if (isCausal)
    t.setInt("is_causal", 1);
  return Error::success();
}

/// Positions [batch, tokens] from an offset for all, [1], or from those of each token as they are.
static std::string expandPositions(Translation &t, const std::string &positions,
                                   const std::string &batch, const std::string &tokens) {
  if (getRank(t, positions) == 2)
    return positions;
  std::string row = t.addBefore("Add", {makeRange(t, tokens), positions});
  return t.addBefore("Expand", {row, t.addBefore("Concat", {batch, tokens}, {{"axis", 0}})});
}

static Error translateRotaryEmbedding(Translation &t) {
  std::string input = t.getInput(0).str(), positions = t.getInput(1).str(),
              cos = t.getInput(2).str(), sin = t.getInput(3).str();
  if (t.takeInt("is_packed_batching").value_or(0) != 0)
    return createStringError("packed batches are not supported");
  if (t.takeFloat("scale").value_or(1) != 1)
    return createStringError("a scale other than 1 is not supported");
  int64_t rank = getRank(t, input), half = getStaticDim(t, cos, 1);
  if (rank != 3 && rank != 4)
    return createStringError("expected an input of rank 3 or 4, but got another one");
  std::string tokens = getDim(t, input, rank == 3 ? 1 : 2);
  positions = expandPositions(t, positions, getDim(t, input, 0), tokens);
  int64_t heads = t.takeInt("num_heads").value_or(0);
  if (rank == 3 && heads == 0) {
    int64_t hidden = getStaticDim(t, input, 2);
    if (!half || !hidden || hidden % (2 * half))
      return createStringError(
          "expected attribute 'num_heads' for an input of rank 3, but got none");
    heads = hidden / (2 * half);
  }
  t.node.clear_input();
  for (const std::string &name : {input, cos, sin, positions})
    t.node.add_input(name);
  if (rank == 3)
    t.setInt("num_heads", heads);
  return Error::success();
}

namespace {

/// Attention of groups of query heads that share keys and values, which are appended to those of
/// the past at the end of each sequence. It is causal.
class GroupQueryExpander {
public:
  explicit GroupQueryExpander(Translation &t) : t(t) {}

  Error run() {
    heads = t.takeInt("num_heads").value_or(0);
    keyHeads = t.takeInt("kv_num_heads").value_or(0);
    if (heads <= 0 || keyHeads <= 0 || heads % keyHeads)
      return createStringError("expected 'num_heads' to be a multiple of 'kv_num_heads', but got " +
                               std::to_string(heads) + " and " + std::to_string(keyHeads));
    if (t.takeInt("smooth_softmax").value_or(0) > 0 || !t.getInput(11).empty())
      return createStringError("smooth softmax and sinks of heads are not supported");
    if (t.takeInt("qk_output").value_or(0) > 0 || t.hasOutput(3))
      return createStringError("the scores as a result are not supported");
    window = t.takeInt("local_window_size").value_or(-1);
    input = t.getInput(0).str();
    batch = getDim(t, input, 0);
    tokens = getDim(t, input, 1);
    splitHeads();
    findPlaces();
    if (t.takeInt("do_rotary").value_or(0) != 0)
      rotate();
    t.remove("rotary_interleaved");
    appendPast();
    return emit();
  }

private:
  /// [batch, heads, tokens, size] each.
  void splitHeads() {
    auto split = [&](const std::string &value, int64_t count) {
      return t.addBefore("Reshape", {value, t.makeInts({0, 0, count, -1})});
    };
    if (t.getInput(1).empty()) { // all in one
      std::string all = split(input, heads + 2 * keyHeads), axis = t.makeInts({2});
      auto slice = [&](int64_t from, int64_t to) {
        return t.addBefore("Slice", {all, t.makeInts({from}), t.makeInts({to}), axis});
      };
      query = slice(0, heads);
      key = slice(heads, heads + keyHeads);
      value = slice(heads + keyHeads, heads + 2 * keyHeads);
    } else {
      query = split(input, heads);
      key = split(t.getInput(1).str(), keyHeads);
      value = split(t.getInput(2).str(), keyHeads);
    }
    query = swapHeads(t, query);
    key = swapHeads(t, key);
    value = swapHeads(t, value);
  }

  /// The places of the tokens in their sequences, [batch, tokens], behind those there were before:
  /// none if all there are come in now.
  void findPlaces() {
    auto widen = [&](const std::string &name) {
      std::string list = t.addBefore("Reshape", {name, t.makeInts({-1})});
      return t.addBefore("Cast", {list}, {{"to", ::onnx::TensorProto::INT64}});
    };
    std::string last = widen(t.getInput(5).str()), total = widen(t.getInput(6).str());
    std::string before = t.addBefore("Sub", {t.addBefore("Add", {last, t.makeInts({1})}), tokens});
    std::string isFirst = t.addBefore("Equal", {total, tokens});
    std::string starts = t.addBefore("Where", {isFirst, t.makeInts({0}), before});
    std::string column = t.addBefore("Unsqueeze", {starts, t.makeInts({1})});
    positions = t.addBefore("Add", {column, makeRange(t, tokens)});
  }

  void rotate() {
    std::string cos = t.getInput(7).str(), sin = t.getInput(8).str(), given = t.getInput(9).str();
    int64_t interleaved = t.takeInt("rotary_interleaved").value_or(0),
            size = 2 * getStaticDim(t, cos, 1);
    std::string places = given.empty() ? positions : given;
    for (std::string *part : {&query, &key})
      *part = t.addBefore("RotaryEmbedding", {*part, cos, sin, places},
                          {{"interleaved", interleaved}, {"rotary_embedding_dim", size}});
  }

  /// The past's keys and values, and the new ones where those of each sequence end. A result that
  /// is declared as long as the past is the same buffer.
  void appendPast() {
    hasPast = !t.getInput(3).empty() && getStaticDimOr(t.getInput(3), 2) != 0;
    for (auto [index, part] : {std::pair(3, &key), std::pair(4, &value)}) {
      if (!hasPast)
        continue;
      std::string past = t.getInput(index).str();
      int64_t length = getStaticDim(t, past, 2);
      bool isShared = t.hasOutput(index - 2) && length > 0 &&
                      getStaticDim(t, t.node.output(index - 2), 2) == length;
      if (!isShared) {
        std::string zeros = t.makeInts({0, 0, 0, 0, 0, 0}), zero = t.makeInts({0});
        std::string pads = t.addBefore("Concat", {zeros, tokens, zero}, {{"axis", 0}});
        past = t.addBefore("Pad", {past, pads});
      }
      std::string places = t.addBefore("Unsqueeze", {positions, t.makeInts({1, 3})});
      places = t.addBefore("Expand", {places, t.addBefore("Shape", {*part})});
      *part = t.addBefore("ScatterElements", {past, places, *part}, {{"axis", 2}});
    }
    if (t.hasOutput(1))
      t.addAfter("Identity", {key}, t.node.output(1));
    if (t.hasOutput(2))
      t.addAfter("Identity", {value}, t.node.output(2));
  }

  /// -1 if it is not known.
  int64_t getStaticDimOr(StringRef name, unsigned dim) {
    mlir::TensorType type = t.getType(name);
    bool isKnown =
        type && type.hasRank() && type.getRank() > int64_t(dim) && !type.isDynamicDim(dim);
    return isKnown ? type.getDimSize(dim) : -1;
  }

  /// [batch, 1, tokens, keys]: true, or the bias, where a token sees a key.
  std::string makeMask() {
    std::string columns = makeRange(t, getDim(t, key, 2));
    std::string rows = t.addBefore("Unsqueeze", {positions, t.makeInts({1, 3})});
    std::string isSeen = t.addBefore("LessOrEqual", {columns, rows});
    if (window > 0) {
      std::string first = t.addBefore("Sub", {rows, t.makeInts({window})});
      isSeen = t.addBefore("And", {isSeen, t.addBefore("Less", {first, columns})});
    }
    std::string bias = t.getInput(10).str();
    if (bias.empty())
      return isSeen;
    return t.addBefore(
        "Where", {isSeen, bias, t.makeFloatLike(-std::numeric_limits<float>::infinity(), input)});
  }

  Error emit() {
    bool isPlain = !hasPast && window <= 0 && t.getInput(10).empty();
    std::string mask = isPlain ? "" : makeMask();
    std::string result =
        t.addBefore("Attention", {query, key, value, mask}, {{"is_causal", isPlain}});
    for (StringRef name : {"scale", "softcap"})
      if (std::optional<float> number = t.takeFloat(name); number && *number != 0)
        addFloat(t.before.back(), name, *number);
    t.replace("Reshape", {swapHeads(t, result), t.makeInts({0, 0, -1})});
    return Error::success();
  }

  Translation &t;
  std::string input, batch, tokens, query, key, value, positions;
  int64_t heads = 0, keyHeads = 0, window = -1;
  bool hasPast = false;
};

} // namespace

static Error expandGroupQueryAttention(Translation &t) { return GroupQueryExpander(t).run(); }

ArrayRef<TranslationRule> getMicrosoftAttentionTranslations() {
  static const TranslationRule rules[] = {
      {"Attention", 0, kAnyOpset, expandAttention},
      {"GroupQueryAttention", 0, kAnyOpset, expandGroupQueryAttention},
      {"MultiHeadAttention", 0, kAnyOpset, expandMultiHeadAttention},
      {"RotaryEmbedding", 0, kAnyOpset, translateRotaryEmbedding},
  };
  return rules;
}

} // namespace lathe

//===- Attention.cpp - Attention and RotaryEmbedding in smaller operators -===//
#include "lib/Frontend/OpsetTranslation/Translation.h"
#include <cmath>

using namespace llvm;

namespace lathe {

namespace {

/// softmax(softcap(scale * Q . K^T) + bias) . V as ONNX defines it. Rows that are masked everywhere
/// give zeros; they are replaced after the last product, so that the products and the softmax keep
/// the form that passes look for.
class AttentionExpander {
public:
  explicit AttentionExpander(Translation &t) : t(t) {}

  Error run() {
    query = input = t.getInput(0).str();
    key = t.getInput(1).str();
    value = t.getInput(2).str();
    if (query.empty() || key.empty() || value.empty())
      return createStringError("expected inputs Q, K and V, but got fewer");
    queryHeads = t.takeInt("q_num_heads").value_or(0);
    keyHeads = t.takeInt("kv_num_heads").value_or(0);
    mlir::TensorType type = t.getType(query);
    bool flat = type && type.hasRank() ? type.getRank() == 3 : queryHeads > 0;
    if (flat && (queryHeads <= 0 || keyHeads <= 0))
      return createStringError(
          "expected attributes 'q_num_heads' and 'kv_num_heads' for inputs of rank 3");
    if (queryHeads > 0 && keyHeads > 0 && queryHeads % keyHeads != 0)
      return createStringError(
          "expected 'q_num_heads' to be a multiple of 'kv_num_heads', but got " +
          std::to_string(queryHeads) + " and " + std::to_string(keyHeads));
    std::string scale = makeScale(flat);
    keyLength = getStaticDim(key, flat ? 1 : 2);
    if (flat) {
      query = splitHeads(query, queryHeads);
      key = splitHeads(key, keyHeads);
      value = splitHeads(value, keyHeads);
    } else {
      queryHeads = getStaticDim(query, 1);
      keyHeads = getStaticDim(key, 1);
    }
    appendPast();
    makeBias();
    repeatHeads();
    return emit(scale, flat);
  }

private:
  std::string splitHeads(const std::string &name, int64_t heads) {
    return transpose(t.addBefore("Reshape", {name, t.makeInts({0, 0, heads, -1})}), {0, 2, 1, 3});
  }

  std::string transpose(const std::string &name, ArrayRef<int64_t> permutation) {
    std::string result = t.addBefore("Transpose", {name});
    addInts(t.before.back(), "perm", permutation);
    return result;
  }

  int64_t getStaticDim(const std::string &name, unsigned dim) {
    mlir::TensorType type = t.getType(name);
    if (!type || !type.hasRank() || type.getRank() <= int64_t(dim) || type.isDynamicDim(dim))
      return 0;
    return type.getDimSize(dim);
  }

  std::string getDim(const std::string &name, int64_t dim) {
    return t.addBefore("Shape", {name}, {{"start", dim}, {"end", dim + 1}});
  }

  /// The attribute, or 1 / sqrt(size of a head).
  std::string makeScale(bool flat) {
    if (std::optional<float> scale = t.takeFloat("scale"))
      return t.makeFloatLike(*scale, input);
    int64_t size = getStaticDim(query, flat ? 2 : 3);
    if (flat)
      size /= queryHeads;
    if (size > 0)
      return t.makeFloatLike(float(1.0 / std::sqrt(double(size))), input);
    std::string last =
        flat ? t.addBefore("Div", {getDim(query, 2), t.makeInts({queryHeads})}) : getDim(query, 3);
    std::string root =
        t.addBefore("Sqrt", {t.addBefore("Cast", {last}, {{"to", ::onnx::TensorProto::FLOAT}})});
    return t.addBefore("CastLike", {t.addBefore("Reciprocal", {root}), query});
  }

  void appendPast() {
    std::string pastKey = t.getInput(4).str(), pastValue = t.getInput(5).str();
    if (!pastKey.empty()) {
      key = t.addBefore("Concat", {pastKey, key}, {{"axis", 2}});
      pastLength = getDim(pastKey, 2);
    }
    if (!pastValue.empty())
      value = t.addBefore("Concat", {pastValue, value}, {{"axis", 2}});
    if (t.hasOutput(1))
      t.addAfter("Identity", {key}, t.node.output(1));
    if (t.hasOutput(2))
      t.addAfter("Identity", {value}, t.node.output(2));
  }

  std::string makeRange(const std::string &length, int64_t unsqueezed) {
    std::string scalar = t.addBefore("Squeeze", {length, t.makeInts({0})});
    std::string range = t.addBefore("Range", {t.makeInt(0), scalar, t.makeInt(1)});
    return t.addBefore("Unsqueeze", {range, t.makeInts({unsqueezed})});
  }

  void addBias(const std::string &part) {
    bias = bias.empty() ? part : t.addBefore("Add", {bias, part});
  }

  /// The sum of the mask, the causal mask and the padding mask; empty if there is none.
  void makeBias() {
    std::string zero = t.makeFloatLike(0, input);
    negativeInfinity = t.makeFloatLike(-std::numeric_limits<float>::infinity(), input);
    std::string mask = t.getInput(3).str(), lengths = t.getInput(6).str();
    canMaskRows = !mask.empty() || !lengths.empty();
    if (!mask.empty()) {
      mlir::TensorType type = t.getType(mask);
      bool isBool = type && type.getElementType().isInteger(1);
      bias = isBool ? t.addBefore("Where", {mask, zero, negativeInfinity}) : mask;
      int64_t total = pastLength.empty() ? keyLength : 0;
      int64_t rank = type && type.hasRank() ? type.getRank() : 0;
      int64_t given = rank ? getStaticDim(mask, rank - 1) : 0;
      if (given > 1 && total > given) { // what the mask does not reach is masked
        std::vector<int64_t> pads(2 * rank);
        pads.back() = total - given;
        bias = t.addBefore("Pad", {bias, t.makeInts(pads), negativeInfinity});
      }
    }
    bool causal = t.takeInt("is_causal").value_or(0) != 0;
    std::string columns;
    if (causal || !lengths.empty())
      columns = makeRange(getDim(key, 2), 0);
    if (causal) {
      std::string rows = makeRange(getDim(query, 2), 1);
      if (!lengths.empty()) {
        std::string offset = t.addBefore("Sub", {lengths, getDim(query, 2)});
        rows =
            t.addBefore("Add", {rows, t.addBefore("Unsqueeze", {offset, t.makeInts({1, 2, 3})})});
      } else if (!pastLength.empty()) {
        rows = t.addBefore("Add", {rows, pastLength});
      }
      addBias(t.addBefore("Where", {t.addBefore("Less", {rows, columns}), negativeInfinity, zero}));
    }
    if (!lengths.empty()) {
      std::string ends = t.addBefore("Unsqueeze", {lengths, t.makeInts({1, 2, 3})});
      addBias(t.addBefore("Where", {t.addBefore("Less", {columns, ends}), zero, negativeInfinity}));
    }
  }

  /// Each key and value head serves as many query heads as there are more of those.
  void repeatHeads() {
    if (queryHeads > 0 && queryHeads == keyHeads)
      return;
    bool known = queryHeads > 0 && keyHeads > 0;
    std::string heads = known ? t.makeInts({queryHeads}) : getDim(query, 1);
    std::string group =
        known ? t.makeInts({queryHeads / keyHeads}) : t.addBefore("Div", {heads, getDim(key, 1)});
    std::string ones = t.makeInts({1, 1});
    std::string repetition = t.addBefore("Concat", {ones, group, ones}, {{"axis", 0}});
    for (std::string *name : {&key, &value}) {
      std::string column = t.addBefore("Unsqueeze", {*name, t.makeInts({2})});
      std::string wide = t.addBefore("Expand", {column, repetition});
      std::string rest = t.addBefore("Shape", {*name}, {{"start", 2}, {"end", 4}});
      std::string shape = t.addBefore("Concat", {getDim(*name, 0), heads, rest}, {{"axis", 0}});
      *name = t.addBefore("Reshape", {wide, shape});
    }
  }

  Error emit(const std::string &scale, bool flat) {
    int64_t mode = t.takeInt("qk_matmul_output_mode").value_or(0);
    if (mode < 0 || mode > 3)
      return createStringError("expected 'qk_matmul_output_mode' from 0 to 3, but got " +
                               std::to_string(mode));
    std::string stages[4];
    std::string scores = t.addBefore("MatMul", {query, transpose(key, {0, 1, 3, 2})});
    scores = stages[0] = t.addBefore("Mul", {scores, scale});
    if (float softcap = t.takeFloat("softcap").value_or(0); softcap != 0) {
      std::string cap = t.makeFloatLike(softcap, input);
      std::string bounded = t.addBefore("Tanh", {t.addBefore("Div", {scores, cap})});
      scores = t.addBefore("Mul", {bounded, cap});
    }
    stages[1] = scores;
    if (!bias.empty())
      scores = t.addBefore("Add", {scores, bias});
    stages[2] = scores;
    int64_t precision = t.takeInt("softmax_precision").value_or(0);
    if (precision != 0)
      scores = t.addBefore("Cast", {scores}, {{"to", precision}});
    if (Error error = modify("score_mod", scores))
      return error;
    std::string weights = t.addBefore("Softmax", {scores}, {{"axis", -1}});
    if (Error error = modify("prob_mod", weights))
      return error;
    if (precision != 0)
      weights = t.addBefore("CastLike", {weights, query});
    std::string result = t.addBefore("MatMul", {weights, value});
    stages[3] = weights;
    if (canMaskRows) {
      std::string largest = t.addBefore("ReduceMax", {bias, t.makeInts({-1})}, {{"keepdims", 1}});
      std::string masked = t.addBefore("Equal", {largest, negativeInfinity});
      std::string zero = t.makeFloatLike(0, input);
      result = t.addBefore("Where", {masked, zero, result});
      stages[3] = t.hasOutput(3) ? t.addBefore("Where", {masked, zero, weights}) : weights;
    }
    if (t.hasOutput(3))
      t.addAfter("Identity", {stages[mode]}, t.node.output(3));
    if (flat)
      t.replace("Reshape", {transpose(result, {0, 2, 1, 3}), t.makeInts({0, 0, -1})});
    else
      t.replace("Identity", {result});
    return Error::success();
  }

  /// Puts a value through a graph that FlexAttention may have.
  Error modify(StringRef graph, std::string &value) {
    if (!t.find(graph))
      return Error::success();
    Expected<std::vector<std::string>> outputs = t.inlineGraph(graph, value);
    if (!outputs)
      return outputs.takeError();
    if (outputs->size() != 1)
      return createStringError("expected a graph of one output in attribute '" + graph +
                               "', but got " + std::to_string(outputs->size()));
    value = outputs->front();
    return Error::success();
  }

  Translation &t;
  std::string input; ///< Q as the node has it, for its element type
  std::string query, key, value, bias, pastLength, negativeInfinity;
  int64_t queryHeads = 0, keyHeads = 0, keyLength = 0; ///< 0 if not known
  bool canMaskRows = false;
};

} // namespace

static Error expandAttention(Translation &t) { return AttentionExpander(t).run(); }

/// Attention whose scores and probabilities graphs change, which see them in float at least.
static Error expandFlexAttention(Translation &t) {
  mlir::TensorType type = t.getType(t.getInput(0));
  if (!t.find("softmax_precision") && type && type.getElementTypeBitWidth() < 32)
    t.setInt("softmax_precision", ::onnx::TensorProto::FLOAT);
  return AttentionExpander(t).run();
}

/// Rotates pairs of elements by angles that depend on the position: the halves of each head, or
/// neighbours if interleaved.
static Error expandRotaryEmbedding(Translation &t) {
  std::string input = t.getInput(0).str();
  bool interleaved = t.takeInt("interleaved").value_or(0) != 0;
  int64_t heads = t.takeInt("num_heads").value_or(0),
          size = t.takeInt("rotary_embedding_dim").value_or(0);
  mlir::TensorType type = t.getType(input);
  bool flat = type && type.hasRank() ? type.getRank() == 3 : heads > 0;
  if (flat && heads <= 0)
    return createStringError("expected attribute 'num_heads' for an input of rank 3, but got none");
  if (size < 0 || size % 2 != 0)
    return createStringError("expected an even 'rotary_embedding_dim', but got " +
                             std::to_string(size));
  // Batch, heads and positions are the first dimensions, in the order in which the input has them.
  std::string x = flat ? t.addBefore("Reshape", {input, t.makeInts({0, 0, heads, -1})}) : input;
  std::string headAxis = t.makeInts({flat ? 2 : 1}), last = t.makeInts({-1});
  auto slice = [&](int64_t begin, int64_t end, int64_t step) {
    return t.addBefore("Slice",
                       {x, t.makeInts({begin}), t.makeInts({end}), last, t.makeInts({step})});
  };
  auto getAngles = [&](int index) {
    std::string cache = t.getInput(index).str(), positions = t.getInput(3).str();
    if (!positions.empty())
      cache = t.addBefore("Gather", {cache, positions}, {{"axis", 0}});
    return t.addBefore("Unsqueeze", {cache, headAxis});
  };
  std::string cos = getAngles(1), sin = getAngles(2), first, second;
  int64_t end = size > 0 ? size : std::numeric_limits<int64_t>::max();
  if (interleaved) {
    first = slice(0, end, 2);
    second = slice(1, end, 2);
  } else if (size > 0) {
    first = slice(0, size / 2, 1);
    second = slice(size / 2, size, 1);
  } else {
    first = t.addBefore("Split", {x}, {{"axis", -1}, {"num_outputs", 2}});
    second = t.getFreshName();
    t.before.back().add_output(second);
  }
  std::string real =
      t.addBefore("Sub", {t.addBefore("Mul", {cos, first}), t.addBefore("Mul", {sin, second})});
  std::string imaginary =
      t.addBefore("Add", {t.addBefore("Mul", {sin, first}), t.addBefore("Mul", {cos, second})});
  if (interleaved) {
    real = t.addBefore("Unsqueeze", {real, last});
    imaginary = t.addBefore("Unsqueeze", {imaginary, last});
  }
  std::string result = t.addBefore("Concat", {real, imaginary}, {{"axis", -1}});
  if (interleaved)
    result = t.addBefore("Reshape", {result, t.makeInts({0, 0, 0, -1})});
  if (size > 0)
    result = t.addBefore("Concat", {result, slice(size, std::numeric_limits<int64_t>::max(), 1)},
                         {{"axis", -1}});
  if (flat)
    t.replace("Reshape", {result, t.makeInts({0, 0, -1})});
  else
    t.replace("Identity", {result});
  return Error::success();
}

ArrayRef<TranslationRule> getAttentionTranslations() {
  static const TranslationRule rules[] = {
      {"Attention", 23, kAnyOpset, expandAttention},
      {"RotaryEmbedding", 23, kAnyOpset, expandRotaryEmbedding},
  };
  return rules;
}

ArrayRef<TranslationRule> getPreviewTranslations() {
  static const TranslationRule rules[] = {{"FlexAttention", 0, kAnyOpset, expandFlexAttention}};
  return rules;
}

} // namespace lathe

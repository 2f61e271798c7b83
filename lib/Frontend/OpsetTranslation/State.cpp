//===- State.cpp - Operators that carry a state in smaller ones -----------===//
#include "lib/Frontend/OpsetTranslation/Translation.h"

using namespace llvm;

namespace lathe {

static std::string slice(Translation &t, const std::string &value, const std::string &from, const std::string &to,
                         int64_t axis) {
  return t.addBefore("Slice", {value, from, to, t.makeInts({axis})});
}

/// A depthwise convolution over the state and the input, [N, C, length]; the last elements are the next state.
static Error expandCausalConvWithState(Translation &t) {
  std::string input = t.getInput(0).str(), weight = t.getInput(1).str(), bias = t.getInput(2).str(),
              past = t.getInput(3).str(), activation = t.takeString("activation", "none");
  mlir::TensorType type = t.getType(weight);
  if (!type || !type.hasStaticShape() || type.getRank() != 3)
    return createStringError("expected a weight of known shape and rank 3");
  if (activation != "none" && activation != "silu" && activation != "swish")
    return createStringError("expected activation none, silu or swish, but got " + activation);
  int64_t length = type.getDimSize(2) - 1;
  std::string whole;
  if (past.empty())
    whole = t.addBefore("Pad", {input, t.makeInts({0, 0, length, 0, 0, 0})});
  else
    whole = t.addBefore("Concat", {past, input}, {{"axis", 2}});
  std::vector<std::string> operands = {whole, weight};
  if (!bias.empty())
    operands.push_back(bias);
  std::string result = t.addBefore("Conv", operands, {{"group", type.getDimSize(0)}});
  if (t.hasOutput(1)) {
    std::string size = t.addBefore("Shape", {whole}, {{"start", 2}, {"end", 3}});
    std::string first = t.addBefore("Sub", {size, t.makeInts({length})});
    t.addAfter("Identity", {slice(t, whole, first, size, 2)}, t.node.output(1));
  }
  if (activation == "none")
    t.replace("Identity", {result});
  else
    t.replace("Mul", {result, t.addBefore("Sigmoid", {result})});
  return Error::success();
}

/// Updates of a cache from a place that each batch has of its own.
static Error expandTensorScatter(Translation &t) {
  std::string cache = t.getInput(0).str(), update = t.getInput(1).str(), starts = t.getInput(2).str(),
              mode = t.takeString("mode", "linear");
  int64_t axis = t.takeInt("axis").value_or(-2);
  mlir::TensorType type = t.getType(update);
  if (!type || !type.hasRank())
    return createStringError("expected an update of known rank");
  int64_t rank = type.getRank(), place = axis < 0 ? axis + rank : axis;
  if (place < 1 || place >= rank)
    return createStringError("expected an axis behind the first, but got " + std::to_string(axis));
  if (mode != "linear" && mode != "circular")
    return createStringError("expected mode linear or circular, but got " + mode);
  std::string length = t.addBefore("Squeeze", {t.addBefore("Shape", {update}, {{"start", place}, {"end", place + 1}}),
                                               t.makeInts({0})});
  std::string steps = t.addBefore("Range", {t.makeInt(0), length, t.makeInt(1)});
  std::vector<int64_t> column(rank - place, 1), batch(rank, 1);
  column[0] = -1;
  batch[0] = -1;
  std::string indices = t.addBefore("Reshape", {steps, t.makeInts(column)});
  if (!starts.empty())
    indices = t.addBefore("Add", {t.addBefore("Reshape", {starts, t.makeInts(batch)}), indices});
  if (mode == "circular")
    indices = t.addBefore("Mod", {indices, t.addBefore("Shape", {cache}, {{"start", place}, {"end", place + 1}})});
  indices = t.addBefore("Expand", {indices, t.addBefore("Shape", {update})});
  t.replace("ScatterElements", {cache, indices, update});
  t.setInt("axis", place);
  return Error::success();
}

ArrayRef<TranslationRule> getStateTranslations() {
  static const TranslationRule rules[] = {
      {"CausalConvWithState", 27, kAnyOpset, expandCausalConvWithState},
      {"TensorScatter", 24, kAnyOpset, expandTensorScatter},
  };
  return rules;
}

} // namespace lathe

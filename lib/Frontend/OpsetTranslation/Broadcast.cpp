//===- Broadcast.cpp - Broadcasting before opset 7 ------------------------===//
#include "lib/Frontend/OpsetTranslation/Translation.h"

using namespace llvm;

namespace lathe {

/// Makes dimension 0 of input `index` lie at dimension `axis` of input 0, by dimensions of one behind its own.
static Error alignAt(Translation &t, int index, int64_t axis) {
  mlir::TensorType whole = t.getType(t.getInput(0)), part = t.getType(t.getInput(index));
  if (!part || !part.hasRank())
    return createStringError("expected an input " + std::to_string(index) + " of known rank, but got an unknown one");
  if (part.getRank() == 0)
    return Error::success();
  if (!whole || !whole.hasRank())
    return createStringError("expected an input 0 of known rank, but got an unknown one");
  axis = axis < 0 ? axis + whole.getRank() : axis;
  int64_t behind = whole.getRank() - axis - part.getRank();
  if (axis < 0 || behind < 0)
    return createStringError("expected an axis where the dimensions of the second input fit, but got " +
                             std::to_string(axis));
  if (behind == 0)
    return Error::success();
  std::vector<int64_t> axes;
  for (int64_t i = 0; i < behind; ++i)
    axes.push_back(part.getRank() + i);
  t.setInput(index, t.addBefore("Unsqueeze", {t.getInput(index).str(), t.makeInts(axes)}));
  return Error::success();
}

/// Binary operators broadcast their second input only if told to, from the last dimensions or from `axis`.
static Error translateBroadcast(Translation &t) {
  bool broadcast = t.takeInt("broadcast").value_or(0) != 0;
  std::optional<int64_t> axis = t.takeInt("axis");
  return broadcast && axis ? alignAt(t, 1, *axis) : Error::success();
}

/// Slopes of PRelu were one for each channel.
static Error translatePRelu(Translation &t) {
  mlir::TensorType slope = t.getType(t.getInput(1));
  if (slope && slope.hasStaticShape() && slope.getNumElements() == 1)
    return Error::success();
  return alignAt(t, 1, 1);
}

ArrayRef<TranslationRule> getBroadcastTranslations() {
  static const TranslationRule rules[] = {
      {"Add", 0, 7, translateBroadcast},   {"Sub", 0, 7, translateBroadcast},     {"Mul", 0, 7, translateBroadcast},
      {"Div", 0, 7, translateBroadcast},   {"Pow", 0, 7, translateBroadcast},     {"And", 0, 7, translateBroadcast},
      {"Or", 0, 7, translateBroadcast},    {"Xor", 0, 7, translateBroadcast},     {"Equal", 0, 7, translateBroadcast},
      {"Less", 0, 7, translateBroadcast},  {"Greater", 0, 7, translateBroadcast}, {"Gemm", 0, 7, translateBroadcast},
      {"PRelu", 0, 7, translatePRelu},
  };
  return rules;
}

} // namespace lathe

//===- Math.cpp - Older forms of the math operators -----------------------===//
#include "lib/Frontend/OpsetTranslation/Translation.h"

using namespace llvm;

namespace lathe {

/// Before opset 11, the bounds were attributes.
static Error translateClip(Translation &t) {
  std::optional<float> min = t.takeFloat("min"), max = t.takeFloat("max");
  std::string input = t.getInput(0).str();
  if (min)
    t.setInput(1, t.makeFloatLike(*min, input));
  if (max)
    t.setInput(2, t.makeFloatLike(*max, input));
  return Error::success();
}

/// Before opset 13, the input was seen as a matrix whose columns are the dimensions from `axis` on,
/// by default 1.
static Error translateSoftmax(Translation &t) {
  int64_t axis = t.takeInt("axis").value_or(1);
  std::string input = t.getInput(0).str();
  mlir::TensorType type = t.getType(input);
  bool isLast = axis == -1 || (type && type.hasRank() &&
                               (axis == type.getRank() - 1 || (axis < 0 && type.getRank() == 1)));
  if (isLast || !t.hasOutput(0)) {
    t.setInt("axis", -1);
    return Error::success();
  }
  std::string matrix = t.addBefore("Flatten", {input}, {{"axis", axis}});
  std::string shape = t.addBefore("Shape", {input});
  std::string output = t.node.output(0), result = t.getFreshName();
  t.setInput(0, matrix);
  t.setInt("axis", -1);
  t.node.set_output(0, result);
  t.addAfter("Reshape", {result, shape}, output);
  return Error::success();
}

/// Before opset 20, the axis was an attribute and counted from the front by default.
static Error translateDFT(Translation &t) {
  int64_t axis = t.takeInt("axis").value_or(1);
  t.setInput(2, t.makeInt(axis));
  return Error::success();
}

/// a * sigmoid(alpha * a) * b
static Error expandSwiGLU(Translation &t) {
  std::string gate = t.getInput(0).str(), scaled = gate;
  std::optional<float> alpha = t.takeFloat("alpha");
  if (alpha && *alpha != 1)
    scaled = t.addBefore("Mul", {gate, t.makeFloatLike(*alpha, gate)});
  std::string swish = t.addBefore("Mul", {gate, t.addBefore("Sigmoid", {scaled})});
  t.node.set_op_type("Mul");
  t.setInput(0, swish);
  return Error::success();
}

/// x * sigmoid(alpha * x)
static Error expandSwish(Translation &t) {
  std::string input = t.getInput(0).str(), scaled = input;
  std::optional<float> alpha = t.takeFloat("alpha");
  if (alpha && *alpha != 1)
    scaled = t.addBefore("Mul", {input, t.makeFloatLike(*alpha, input)});
  t.node.set_op_type("Mul");
  t.setInput(1, t.addBefore("Sigmoid", {scaled}));
  return Error::success();
}

ArrayRef<TranslationRule> getMathTranslations() {
  static const TranslationRule rules[] = {
      {"Clip", 0, 11, translateClip},
      {"Softmax", 0, 13, translateSoftmax},
      {"LogSoftmax", 0, 13, translateSoftmax},
      {"Hardmax", 0, 13, translateSoftmax},
      {"DFT", 0, 20, translateDFT},
      {"SwiGLU", 28, kAnyOpset, expandSwiGLU},
      {"Swish", 24, kAnyOpset, expandSwish},
  };
  return rules;
}

} // namespace lathe

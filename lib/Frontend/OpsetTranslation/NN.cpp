//===- NN.cpp - Older forms of the neural network operators ---------------===//
#include "lib/Frontend/OpsetTranslation/Translation.h"

using namespace llvm;

namespace lathe {

/// Before opset 9, statistics could be those of single elements; before 14, more outputs meant
/// training.
static Error translateBatchNormalization(Translation &t) {
  if (t.opset < 7 && t.takeInt("is_test").value_or(0) == 0 && t.node.output_size() > 1)
    return createStringError("the form for training, with is_test = 0, is not supported");
  if (t.opset < 9 && t.takeInt("spatial").value_or(1) == 0)
    return createStringError("statistics for each element (spatial = 0) are not supported");
  for (int i = 1; i < t.node.output_size(); ++i)
    if (t.hasOutput(i))
      return createStringError(
          "the form for training, with more than one output, is not supported");
  if (t.node.output_size() > 1)
    t.node.mutable_output()->DeleteSubrange(1, t.node.output_size() - 1);
  return Error::success();
}

/// Before opset 12, the ratio was an attribute; before 10, the mask had the type of the data.
static Error translateDropout(Translation &t) {
  if (t.opset < 7)
    t.remove("is_test");
  if (std::optional<float> ratio = t.takeFloat("ratio"))
    t.setInput(1, t.makeFloatLike(*ratio, t.getInput(0)));
  if (t.opset < 10 && t.hasOutput(1)) {
    std::string mask = t.getFreshName();
    t.addAfter("CastLike", {mask, t.getInput(0).str()}, t.node.output(1));
    t.node.set_output(1, mask);
  }
  return Error::success();
}

/// Before opset 7, recurrent operators could leave out the sequence of states; outputs that are not named still may be.
static Error translateRecurrent(Translation &t) {
  t.remove("output_sequence");
  return Error::success();
}

/// Before opset 2, the norm was a float.
static Error translateLpPool(Translation &t) {
  if (std::optional<float> p = t.takeFloat("p"))
    t.setInt("p", int64_t(*p));
  return Error::success();
}

/// Before opset 21, scale and bias had an element for each group, now for each channel: repeats
/// each of them.
static Error translateGroupNormalization(Translation &t) {
  const ::onnx::AttributeProto *groups = t.find("num_groups");
  if (!groups || groups->i() <= 0)
    return createStringError("expected a positive attribute 'num_groups', but got none");
  std::string count = t.makeInts({int64_t(groups->i())}), one = t.makeInts({1}),
              all = t.makeInts({-1});
  std::string channels = t.addBefore("Shape", {t.getInput(0).str()}, {{"start", 1}, {"end", 2}});
  std::string inGroup = t.addBefore("Div", {channels, count});
  std::string shape = t.addBefore("Concat", {count, inGroup}, {{"axis", 0}});
  for (int input : {1, 2}) {
    std::string column = t.addBefore("Unsqueeze", {t.getInput(input).str(), one});
    std::string matrix = t.addBefore("Expand", {column, shape});
    t.setInput(input, t.addBefore("Reshape", {matrix, all}));
  }
  return Error::success();
}

/// Before opset 16, coordinates were not shifted by half a pixel, which is the default now.
static Error translateRoiAlign(Translation &t) {
  t.setString("coordinate_transformation_mode", "output_half_pixel");
  return Error::success();
}

/// x / sqrt(mean(x^2) + epsilon) * scale, with the steps before the product in float. ONNX Runtime
/// called it SimplifiedLayerNormalization before ONNX had it.
static Error expandRMSNormalization(Translation &t) {
  std::string input = t.getInput(0).str();
  int64_t axis = t.takeInt("axis").value_or(-1);
  float epsilon = t.takeFloat("epsilon").value_or(1e-5f);
  bool inFloat = t.takeInt("stash_type").value_or(1) == ::onnx::TensorProto::FLOAT;
  mlir::TensorType type = t.getType(input);
  if (axis >= 0) {
    if (!type || !type.hasRank())
      return createStringError("expected a negative axis for an input of unknown rank, but got " +
                               std::to_string(axis));
    axis -= type.getRank();
  }
  if (axis >= 0 || axis < -64)
    return createStringError("expected an axis within the input's rank");
  std::vector<int64_t> axes;
  for (int64_t i = axis; i < 0; ++i)
    axes.push_back(i);
  bool cast = inFloat && !(type && type.getElementType().isF32());
  std::string x = cast ? t.addBefore("Cast", {input}, {{"to", ::onnx::TensorProto::FLOAT}}) : input;
  std::string square = t.addBefore("Mul", {x, x});
  std::string mean = t.addBefore("ReduceMean", {square, t.makeInts(axes)}, {{"keepdims", 1}});
  std::string sum = t.addBefore(
      "Add", {mean, inFloat ? t.makeFloatLike(epsilon, "") : t.makeFloatLike(epsilon, input)});
  std::string result = t.addBefore("Div", {x, t.addBefore("Sqrt", {sum})});
  if (cast)
    result = t.addBefore("CastLike", {result, input});
  t.node.set_op_type("Mul");
  t.setInput(0, result);
  return Error::success();
}

ArrayRef<TranslationRule> getNNTranslations() {
  static const TranslationRule rules[] = {
      {"BatchNormalization", 0, 14, translateBatchNormalization},
      {"Dropout", 0, 12, translateDropout},
      {"GroupNormalization", 0, 21, translateGroupNormalization},
      {"GRU", 0, 7, translateRecurrent},
      {"LSTM", 0, 7, translateRecurrent},
      {"RNN", 0, 7, translateRecurrent},
      {"LpPool", 0, 2, translateLpPool},
      {"GlobalLpPool", 0, 2, translateLpPool},
      {"RMSNormalization", 23, kAnyOpset, expandRMSNormalization},
      {"RoiAlign", 0, 16, translateRoiAlign},
      {"SimplifiedLayerNormalization", 0, kAnyOpset, expandRMSNormalization},
  };
  return rules;
}

} // namespace lathe

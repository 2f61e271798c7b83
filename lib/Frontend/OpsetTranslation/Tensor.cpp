//===- Tensor.cpp - Older forms of the operators that move data -----------===//
#include "lib/Frontend/OpsetTranslation/Translation.h"

using namespace llvm;

namespace lathe {

/// Squeeze and Unsqueeze before opset 13: the axes were an attribute.
static Error translateAxes(Translation &t) {
  t.makeIntsInput("axes", 1);
  return Error::success();
}

/// Before opset 10, everything was an attribute.
static Error translateSlice(Translation &t) {
  std::optional<std::vector<int64_t>> starts = t.takeInts("starts"), ends = t.takeInts("ends");
  if (!starts || !ends)
    return createStringError("expected attributes 'starts' and 'ends', but got only one or none");
  t.setInput(1, t.makeInts(*starts));
  t.setInput(2, t.makeInts(*ends));
  t.makeIntsInput("axes", 3);
  return Error::success();
}

/// Before opset 11, padding and value were attributes.
static Error translatePad(Translation &t) {
  std::optional<float> value = t.takeFloat("value");
  t.makeIntsInput(t.opset < 2 ? "paddings" : "pads", 1);
  if (value && *value != 0)
    t.setInput(2, t.makeFloatLike(*value, t.getInput(0)));
  return Error::success();
}

/// Before opset 4, joining the second dimension was the default.
static Error translateConcat(Translation &t) {
  if (!t.find("axis"))
    t.setInt("axis", 1);
  return Error::success();
}

/// Before opset 5, the target was an attribute.
static Error translateReshape(Translation &t) {
  t.makeIntsInput("shape", 1);
  return Error::success();
}

/// Before opset 6, one dimension was repeated.
static Error translateTile(Translation &) {
  return createStringError("the form of opset 1, with inputs 'tiles' and 'axis', is not supported");
}

/// Before opset 6, the type was a name.
static Error translateCastName(Translation &t) {
  const ::onnx::AttributeProto *to = t.find("to");
  ::onnx::TensorProto::DataType type;
  if (!to || !::onnx::TensorProto::DataType_Parse(to->s(), &type))
    return createStringError("expected the name of an element type in 'to', but got another one");
  t.setInt("to", type);
  return Error::success();
}

/// Before opset 13, the sizes were an attribute.
static Error translateSplitSizes(Translation &t) {
  t.makeIntsInput("split", 1);
  return Error::success();
}

/// Before opset 18, the number of equal parts was that of the outputs.
static Error translateSplitParts(Translation &t) {
  if (t.getInput(1).empty())
    t.setInt("num_outputs", t.node.output_size());
  return Error::success();
}

/// Before opset 10, k was an attribute.
static Error translateTopK(Translation &t) {
  std::optional<int64_t> k = t.takeInt("k");
  if (!k)
    return createStringError("expected attribute 'k', but got none");
  t.setInput(1, t.makeInts({*k}));
  return Error::success();
}

static void setOldCoordinates(Translation &t) {
  t.setString("coordinate_transformation_mode", "asymmetric");
  t.setString("nearest_mode", "floor");
}

/// Upsample is Resize with an attribute or an input `scales`.
static Error translateUpsample(Translation &t) {
  std::string scales = t.getInput(1).str();
  if (t.opset < 7) {
    std::optional<float> height = t.takeFloat("height_scale"), width = t.takeFloat("width_scale");
    if (!height || !width)
      return createStringError("expected attributes 'height_scale' and 'width_scale', but got only one or none");
    scales = t.makeFloats({1, 1, *height, *width});
  }
  if (std::optional<std::vector<float>> values = t.takeFloats("scales"))
    scales = t.makeFloats(*values);
  if (scales.empty())
    return createStringError("expected scales, but got none");
  t.node.set_op_type("Resize");
  t.setInput(1, "");
  t.setInput(2, scales);
  setOldCoordinates(t);
  return Error::success();
}

/// In opset 10, the second input was `scales` and coordinates were not shifted.
static Error translateResize10(Translation &t) {
  std::string scales = t.getInput(1).str();
  t.setInput(1, "");
  t.setInput(2, scales);
  setOldCoordinates(t);
  return Error::success();
}

/// Before opset 13, inputs that are not used had to be there: empty tensors stand for absent ones,
/// also later.
static Error dropEmptyInputs(Translation &t) {
  for (int i = 1; i < t.node.input_size(); ++i) {
    mlir::TensorType type = t.getInput(i).empty() ? mlir::TensorType() : t.getType(t.getInput(i));
    if (type && type.hasStaticShape() && type.getNumElements() == 0)
      t.setInput(i, "");
  }
  return Error::success();
}

/// Scatter is the old name.
static Error translateScatter(Translation &t) {
  t.node.set_op_type("ScatterElements");
  return Error::success();
}

/// The first form worked on batches of sequences, [batch, steps, ...]: one Scan for each.
static Error translateScan8(Translation &t) {
  constexpr int64_t kMaxBatch = 1024; // each becomes nodes of its own
  if (t.node.input_size() < 2)
    return createStringError("expected at least 2 inputs, but got " + std::to_string(t.node.input_size()));
  if (!t.getInput(0).empty())
    return createStringError("the form of opset 8 with sequence lengths is not supported");
  const ::onnx::AttributeProto *count = t.find("num_scan_inputs"), *body = t.find("body");
  int64_t inputs = t.node.input_size() - 1, scanned = count ? count->i() : 0, carried = inputs - scanned;
  mlir::TensorType type = t.getType(t.getInput(t.node.input_size() - 1));
  if (!body || scanned < 1 || scanned > inputs || carried > t.node.output_size())
    return createStringError(
        "expected attributes 'num_scan_inputs' and 'body' that fit the inputs");
  if (!type || !type.hasRank() || type.getRank() < 2 || type.isDynamicDim(0))
    return createStringError(
        "the form of opset 8 is not supported for batches of a size known only at run time");
  if (type.getDimSize(0) < 1 || type.getDimSize(0) > kMaxBatch)
    return createStringError("expected a batch of 1 to " + std::to_string(kMaxBatch) + ", but got " +
                             std::to_string(type.getDimSize(0)));
  t.node.mutable_input()->DeleteSubrange(0, 1);
  if (std::optional<std::vector<int64_t>> directions = t.takeInts("directions"))
    addInts(t.node, "scan_input_directions", *directions);
  std::vector<std::vector<std::string>> parts(t.node.output_size());
  std::string first = t.makeInts({0});
  for (int64_t i = 0; i < type.getDimSize(0); ++i) {
    ::onnx::NodeProto scan = t.node;
    std::string index = t.makeInt(i);
    for (std::string &input : *scan.mutable_input())
      input = t.addBefore("Gather", {input, index}, {{"axis", 0}});
    for (std::string &output : *scan.mutable_output())
      output = t.getFreshName();
    t.before.push_back(scan);
    for (int output = 0; output < scan.output_size(); ++output)
      parts[output].push_back(t.addBefore("Unsqueeze", {scan.output(output), first}));
  }
  for (int output = 1; output < t.node.output_size(); ++output)
    if (t.hasOutput(output))
      t.addAfter("Concat", parts[output], t.node.output(output), {{"axis", 0}});
  t.replace("Concat", parts[0]);
  t.node.clear_attribute();
  t.setInt("axis", 0);
  return Error::success();
}

/// Since opset 20, the modes are called as those of Resize.
static Error translateGridSample(Translation &t) {
  const ::onnx::AttributeProto *mode = t.find("mode");
  if (!mode)
    return Error::success();
  std::string name = mode->s();
  if (name == "linear" || name == "cubic")
    t.setString("mode", "bi" + name);
  return Error::success();
}

ArrayRef<TranslationRule> getTensorTranslations() {
  static const TranslationRule rules[] = {
      {"Squeeze", 0, 13, translateAxes},
      {"Unsqueeze", 0, 13, translateAxes},
      {"Concat", 0, 4, translateConcat},
      {"Reshape", 0, 5, translateReshape},
      {"Tile", 0, 6, translateTile},
      {"Cast", 0, 6, translateCastName},
      {"Slice", 0, 10, translateSlice},
      {"Pad", 0, 11, translatePad},
      {"Split", 0, 13, translateSplitSizes},
      {"Split", 0, 18, translateSplitParts},
      {"TopK", 0, 10, translateTopK},
      {"Upsample", 0, kAnyOpset, translateUpsample},
      {"Resize", 0, 11, translateResize10},
      {"Resize", 11, kAnyOpset, dropEmptyInputs},
      {"Scatter", 0, kAnyOpset, translateScatter},
      {"Scan", 0, 9, translateScan8},
      {"GridSample", 20, kAnyOpset, translateGridSample},
  };
  return rules;
}

} // namespace lathe

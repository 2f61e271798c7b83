//===- MicrosoftQuant.cpp - Quantized operators of ONNX Runtime's domain --===//
#include "lib/Frontend/OpsetTranslation/Translation.h"

using namespace llvm;

namespace lathe {

/// The real numbers of a quantized tensor whose scale and zero point are inputs `index` + 1 and
/// `index` + 2.
static std::string dequantize(Translation &t, int index) {
  std::vector<std::string> inputs = {t.getInput(index).str(), t.getInput(index + 1).str()};
  if (!t.getInput(index + 2).empty())
    inputs.push_back(t.getInput(index + 2).str());
  return t.addBefore("DequantizeLinear", inputs);
}

/// Makes the node quantize `value` with a scale and a zero point; of an absent one, the type is
/// that of input `like`.
static void quantize(Translation &t, const std::string &value, const std::string &scale,
                     const std::string &zeroPoint, StringRef like) {
  std::string zero = zeroPoint;
  if (zero.empty())
    zero = t.makeIntLike(0, like);
  t.replace("QuantizeLinear", {value, scale, zero});
}

/// QLinearAdd and QLinearMul: A, its scale and zero point, B and the same, those of the result.
static Error expandBinary(Translation &t) {
  std::string op = t.node.op_type() == "QLinearAdd" ? "Add" : "Mul", like = t.getInput(0).str();
  std::string value = t.addBefore(op, {dequantize(t, 0), dequantize(t, 3)});
  quantize(t, value, t.getInput(6).str(), t.getInput(7).str(), like);
  return Error::success();
}

/// The result's scale and zero point, then each operand and its own.
static Error expandConcat(Translation &t) {
  std::optional<int64_t> axis = t.takeInt("axis");
  int count = (t.node.input_size() - 2) / 3;
  if (!axis || count < 1 || t.node.input_size() != 2 + 3 * count)
    return createStringError("expected attribute 'axis' and three inputs for each operand");
  std::vector<std::string> parts;
  for (int i = 0; i < count; ++i)
    parts.push_back(dequantize(t, 2 + 3 * i));
  std::string value = t.addBefore("Concat", parts, {{"axis", *axis}}), like = t.getInput(2).str();
  quantize(t, value, t.getInput(0).str(), t.getInput(1).str(), like);
  return Error::success();
}

static Error expandGlobalAveragePool(Translation &t) {
  mlir::TensorType type = t.getType(t.getInput(0));
  if (!type || !type.hasRank() || type.getRank() < 3)
    return createStringError("expected an input of a known rank of 3 or more");
  bool channelsLast = t.takeInt("channels_last").value_or(0) != 0;
  std::vector<int64_t> axes;
  for (int64_t axis = channelsLast ? 1 : 2; axis < type.getRank() - (channelsLast ? 1 : 0); ++axis)
    axes.push_back(axis);
  std::string like = t.getInput(0).str();
  std::string value =
      t.addBefore("ReduceMean", {dequantize(t, 0), t.makeInts(axes)}, {{"keepdims", 1}});
  quantize(t, value, t.getInput(3).str(), t.getInput(4).str(), like);
  return Error::success();
}

/// Of a model before opset 13, over all dimensions from `axis` on.
static Error expandSoftmax(Translation &t) {
  int64_t opset = t.takeInt("opset").value_or(13),
          axis = t.takeInt("axis").value_or(opset < 13 ? 1 : -1);
  std::string like = t.getInput(0).str(), value = dequantize(t, 0);
  if (opset < 13) {
    std::string shape = t.addBefore("Shape", {value});
    value =
        t.addBefore("Softmax", {t.addBefore("Flatten", {value}, {{"axis", axis}})}, {{"axis", -1}});
    value = t.addBefore("Reshape", {value, shape});
  } else {
    value = t.addBefore("Softmax", {value}, {{"axis", axis}});
  }
  quantize(t, value, t.getInput(3).str(), t.getInput(4).str(), like);
  return Error::success();
}

/// QLinearSigmoid and QLinearLeakyRelu.
static Error expandUnary(Translation &t) {
  std::string like = t.getInput(0).str(), value = dequantize(t, 0);
  if (t.node.op_type() == "QLinearSigmoid") {
    value = t.addBefore("Sigmoid", {value});
  } else {
    float alpha = t.takeFloat("alpha").value_or(0.01f);
    value = t.addBefore("LeakyRelu", {value});
    addFloat(t.before.back(), "alpha", alpha);
  }
  quantize(t, value, t.getInput(3).str(), t.getInput(4).str(), like);
  return Error::success();
}

/// An average over windows; the attributes that say which ones are those of AveragePool.
static Error expandAveragePool(Translation &t) {
  if (t.takeInt("channels_last").value_or(0) != 0)
    return createStringError("channels in the last dimension are not supported");
  std::string like = t.getInput(0).str(), value = dequantize(t, 0);
  ::onnx::NodeProto pool;
  pool.set_op_type("AveragePool");
  pool.add_input(value);
  pool.add_output(t.getFreshName());
  pool.mutable_attribute()->Swap(t.node.mutable_attribute());
  t.before.push_back(pool);
  quantize(t, pool.output(0), t.getInput(3).str(), t.getInput(4).str(), like);
  return Error::success();
}

/// A condition, then three inputs for each choice and the result's scale and zero point.
static Error expandWhere(Translation &t) {
  std::string like = t.getInput(1).str();
  std::string value = t.addBefore("Where", {t.getInput(0).str(), dequantize(t, 1), dequantize(t, 4)});
  quantize(t, value, t.getInput(7).str(), t.getInput(8).str(), like);
  return Error::success();
}

/// alpha * A . B + C, where C has the scale of the products. Without a scale of the result, real numbers.
static Error expandGemm(Translation &t) {
  float alpha = t.takeFloat("alpha").value_or(1);
  int64_t transA = t.takeInt("transA").value_or(0), transB = t.takeInt("transB").value_or(0);
  std::string like = t.getInput(0).str(), a = dequantize(t, 0), b = dequantize(t, 3);
  addInt(t.before.back(), "axis", transB ? 0 : 1); // a scale for each column of the product
  std::string value = t.addBefore("Gemm", {a, b}, {{"transA", transA}, {"transB", transB}});
  addFloat(t.before.back(), "alpha", alpha);
  if (std::string c = t.getInput(6).str(); !c.empty()) {
    std::string scale = t.addBefore("Mul", {t.getInput(1).str(), t.getInput(4).str()});
    scale = t.addBefore("Mul", {scale, t.makeFloatLike(alpha, t.getInput(1))});
    c = t.addBefore("Mul", {t.addBefore("CastLike", {c, scale}), scale});
    value = t.addBefore("Add", {value, c});
  }
  if (t.getInput(7).empty())
    t.replace("Identity", {value});
  else
    quantize(t, value, t.getInput(7).str(), t.getInput(8).str(), like);
  return Error::success();
}

/// The product of integers, less their zero points, times both scales, plus a bias.
static void multiplyIntegers(Translation &t, const std::string &a, const std::string &b,
                             const std::string &scaleA, const std::string &scaleB,
                             const std::string &zeroA, const std::string &zeroB,
                             const std::string &bias) {
  std::string scale = t.addBefore("Mul", {scaleA, scaleB});
  std::string sum = t.addBefore("MatMulInteger", {a, b, zeroA, zeroB});
  std::string value = t.addBefore("CastLike", {sum, scale});
  if (bias.empty())
    return t.replace("Mul", {value, scale});
  t.replace("Add", {t.addBefore("Mul", {value, scale}), bias});
}

static Error expandMatMulIntegerToFloat(Translation &t) {
  auto input = [&](int index) { return t.getInput(index).str(); };
  multiplyIntegers(t, input(0), input(1), input(2), input(3), input(4), input(5), input(6));
  return Error::success();
}

/// The same of real numbers that are quantized by their own range.
static Error expandDynamicQuantizeMatMul(Translation &t) {
  auto input = [&](int index) { return t.getInput(index).str(); };
  std::string quantized = t.addBefore("DynamicQuantizeLinear", {input(0)}), scale = t.getFreshName(),
              zero = t.getFreshName();
  t.before.back().add_output(scale);
  t.before.back().add_output(zero);
  multiplyIntegers(t, quantized, input(1), scale, input(2), zero, input(3), input(4));
  return Error::success();
}

/// QuantizeLinear and DequantizeLinear are ONNX's.
static Error keep(Translation &) { return Error::success(); }

namespace {

/// A . dequantize(B)^T + bias, where B has blocks of `block_size` numbers of `bits` bits along each row,
/// packed in bytes, lowest bits first: [N, blocks, bytes]. Scales, and zero points, which are packed
/// like the numbers or of the scales' type, hold for a block each.
class MatMulNBitsExpander {
public:
  explicit MatMulNBitsExpander(Translation &t) : t(t) {}

  Error run() {
    depth = t.takeInt("K").value_or(0);
    rows = t.takeInt("N").value_or(0);
    bits = t.takeInt("bits").value_or(4);
    block = t.takeInt("block_size").value_or(0);
    t.remove("accuracy_level"); // how exactly the products may be computed at least
    if (depth <= 0 || rows <= 0 || block <= 0 || (bits != 2 && bits != 4 && bits != 8))
      return createStringError(
          "expected positive attributes 'K', 'N' and 'block_size', and 'bits' of 2, 4 or 8");
    if (!t.getInput(4).empty())
      return createStringError("g_idx is not supported");
    blocks = (depth + block - 1) / block;
    each = 8 / bits;
    scales = reshape(t.getInput(2).str(), {rows, blocks});
    mlir::TensorType pointType = t.getType(t.getInput(3));
    bool hasFloatPoints = pointType && pointType.getElementType().isFloat();
    // Blocks that divide the rows are what DequantizeLinear has, too, which keeps the numbers as they
    // are.
    std::string weight =
        blocks * block == depth && !hasFloatPoints ? keepNumbers() : expressNumbers(hasFloatPoints);
    std::string input = t.getInput(0).str(), bias = t.getInput(5).str();
    if (bias.empty())
      t.replace("MatMul", {input, weight});
    else
      t.replace("Add", {t.addBefore("MatMul", {input, weight}), bias});
    return Error::success();
  }

private:
  std::string reshape(const std::string &value, ArrayRef<int64_t> shape) {
    return t.addBefore("Reshape", {value, t.makeInts(shape)});
  }
  std::string transpose(const std::string &value) { return t.addBefore("Transpose", {value}); }

  /// [..., bytes] as [..., bytes, each] numbers of u8.
  std::string unpack(const std::string &bytes) {
    if (bits == 8)
      return bytes;
    std::vector<std::string> parts;
    std::string mask = t.makeScalar((1 << bits) - 1, ::onnx::TensorProto::UINT8),
                last = t.makeInts({-1});
    for (int64_t i = 0; i < each; ++i) {
      std::string part = bytes;
      if (i > 0) {
        part = t.addBefore("BitShift",
                           {part, t.makeScalar(i * bits, ::onnx::TensorProto::UINT8)});
        addString(t.before.back(), "direction", "RIGHT");
      }
      part = t.addBefore("BitwiseAnd", {part, mask});
      parts.push_back(t.addBefore("Unsqueeze", {part, last}));
    }
    return t.addBefore("Concat", parts, {{"axis", -1}});
  }

  /// [N, blocks] of u8: half of the range where the model says none.
  std::string makePoints() {
    std::string points = t.getInput(3).str();
    if (points.empty())
      return t.addBefore("Expand", {t.makeScalar(1 << (bits - 1), ::onnx::TensorProto::UINT8),
                                    t.makeInts({rows, blocks})});
    // Rows of packed zero points begin at whole bytes.
    int64_t bytes = (blocks + each - 1) / each;
    points = reshape(unpack(reshape(points, {rows, bytes})), {rows, bytes * each});
    return t.addBefore("Slice", {points, t.makeInts({0}), t.makeInts({blocks}), t.makeInts({1})});
  }

  std::string keepNumbers() {
    std::string numbers = transpose(reshape(unpack(t.getInput(1).str()), {rows, depth}));
    return t.addBefore("DequantizeLinear", {numbers, transpose(scales), transpose(makePoints())},
                       {{"axis", 0}, {"block_size", block}});
  }

  std::string expressNumbers(bool hasFloatPoints) {
    std::string numbers = reshape(unpack(t.getInput(1).str()), {rows, blocks, block});
    std::string points = hasFloatPoints ? t.getInput(3).str()
                                        : t.addBefore("CastLike", {makePoints(), scales});
    numbers = t.addBefore("Sub", {t.addBefore("CastLike", {numbers, scales}),
                                  reshape(points, {rows, blocks, 1})});
    numbers = t.addBefore("Mul", {numbers, reshape(scales, {rows, blocks, 1})});
    numbers = reshape(numbers, {rows, blocks * block});
    return transpose(
        t.addBefore("Slice", {numbers, t.makeInts({0}), t.makeInts({depth}), t.makeInts({1})}));
  }

  Translation &t;
  int64_t depth = 0, rows = 0, bits = 4, block = 0;
  int64_t blocks = 0, each = 0; ///< blocks of a row, numbers in a byte
  std::string scales;
};

} // namespace

static Error expandMatMulNBits(Translation &t) { return MatMulNBitsExpander(t).run(); }

ArrayRef<TranslationRule> getMicrosoftQuantTranslations() {
  static const TranslationRule rules[] = {
      {"DequantizeLinear", 0, kAnyOpset, keep},
      {"DynamicQuantizeMatMul", 0, kAnyOpset, expandDynamicQuantizeMatMul},
      {"MatMulIntegerToFloat", 0, kAnyOpset, expandMatMulIntegerToFloat},
      {"MatMulNBits", 0, kAnyOpset, expandMatMulNBits},
      {"QGemm", 0, kAnyOpset, expandGemm},
      {"QLinearAdd", 0, kAnyOpset, expandBinary},
      {"QLinearAveragePool", 0, kAnyOpset, expandAveragePool},
      {"QLinearConcat", 0, kAnyOpset, expandConcat},
      {"QLinearGlobalAveragePool", 0, kAnyOpset, expandGlobalAveragePool},
      {"QLinearLeakyRelu", 0, kAnyOpset, expandUnary},
      {"QLinearMul", 0, kAnyOpset, expandBinary},
      {"QLinearSigmoid", 0, kAnyOpset, expandUnary},
      {"QLinearSoftmax", 0, kAnyOpset, expandSoftmax},
      {"QLinearWhere", 0, kAnyOpset, expandWhere},
      {"QuantizeLinear", 0, kAnyOpset, keep},
  };
  return rules;
}

} // namespace lathe

//===- MicrosoftNN.cpp - Fused operators of ONNX Runtime's domain ---------===//
#include "lib/Frontend/OpsetTranslation/Translation.h"

using namespace llvm;

namespace lathe {

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

/// Gelu(A + B); FastGelu is approximated by tanh, and its bias may be absent.
static Error expandBiasGelu(Translation &t) {
  std::string sum = t.getInput(0).str(), bias = t.getInput(1).str();
  if (!bias.empty())
    sum = t.addBefore("Add", {sum, bias});
  bool isFast = t.node.op_type() == "FastGelu";
  t.replace("Gelu", {sum});
  if (isFast)
    t.setString("approximate", "tanh");
  return Error::success();
}

static Error translateGelu(Translation &) { return Error::success(); }

/// x * sigmoid(alpha * x)
static Error translateQuickGelu(Translation &t) {
  if (!t.find("alpha"))
    t.setFloat("alpha", 1.702f);
  t.node.set_op_type("Swish");
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Normalizations
//===----------------------------------------------------------------------===//

/// Outputs behind the first that are not computed must not be there.
static Error refuseOutputs(const Translation &t, std::initializer_list<int> outputs) {
  for (int output : outputs)
    if (t.hasOutput(output))
      return createStringError("statistics as results are not supported");
  return Error::success();
}

/// A normalization of input + skip + bias, a sum which is a result, too.
static Error expandSkipLayerNormalization(Translation &t) {
  bool isSimple = t.node.op_type() == "SkipSimplifiedLayerNormalization";
  if (Error error = refuseOutputs(t, {1, 2}))
    return error;
  std::string gamma = t.getInput(2).str(), beta = isSimple ? "" : t.getInput(3).str(),
              bias = t.getInput(isSimple ? 3 : 4).str();
  std::string sum = t.addBefore("Add", {t.getInput(0).str(), t.getInput(1).str()});
  if (!bias.empty())
    sum = t.addBefore("Add", {sum, bias});
  if (t.hasOutput(3))
    t.addAfter("Identity", {sum}, t.node.output(3));
  if (!t.find("epsilon"))
    t.setFloat("epsilon", 1e-12f);
  t.replace(isSimple ? "RMSNormalization" : "LayerNormalization", {sum, gamma});
  if (!beta.empty())
    t.node.add_input(beta);
  t.setInt("axis", -1);
  return Error::success();
}

/// The normalized sum of embeddings of words, positions and segments; with a mask, how many words
/// of each row it keeps.
static Error expandEmbedLayerNormalization(Translation &t) {
  std::string words = t.getInput(0).str(), segments = t.getInput(1).str(),
              positions = t.getInput(8).str(), mask = t.getInput(7).str();
  t.remove("mask_index_type");
  std::string sum = t.addBefore("Gather", {t.getInput(2).str(), words}, {{"axis", 0}});
  std::string places = t.getInput(3).str();
  if (positions.empty()) {
    std::string length = t.addBefore("Shape", {words}, {{"start", 1}, {"end", 2}});
    places = t.addBefore("Slice", {places, t.makeInts({0}), length, t.makeInts({0})});
  } else {
    places = t.addBefore("Gather", {places, positions}, {{"axis", 0}});
  }
  sum = t.addBefore("Add", {sum, places});
  if (!segments.empty())
    sum = t.addBefore("Add",
                      {sum, t.addBefore("Gather", {t.getInput(4).str(), segments}, {{"axis", 0}})});
  if (t.hasOutput(1)) {
    std::string count;
    if (mask.empty()) { // not computed: zeros
      std::string batch = t.addBefore("Shape", {words}, {{"start", 0}, {"end", 1}});
      count = t.addBefore("Expand", {t.makeScalar(0, ::onnx::TensorProto::INT32), batch});
    } else {
      count = t.addBefore("ReduceSum", {mask, t.makeInts({1})}, {{"keepdims", 0}});
    }
    t.addAfter("Cast", {count}, t.node.output(1), {{"to", ::onnx::TensorProto::INT32}});
  }
  if (t.hasOutput(2))
    t.addAfter("Identity", {sum}, t.node.output(2));
  if (!t.find("epsilon"))
    t.setFloat("epsilon", 1e-12f);
  t.replace("LayerNormalization", {sum, t.getInput(5).str(), t.getInput(6).str()});
  t.setInt("axis", -1);
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// alpha * A . B, of transposed matrices where it is asked for.
static Error expandFusedMatMul(Translation &t) {
  if (t.takeInt("transBatchA").value_or(0) || t.takeInt("transBatchB").value_or(0))
    return createStringError("transposed batches are not supported");
  std::vector<std::string> operands;
  for (auto [index, name] : {std::pair(0, "transA"), std::pair(1, "transB")}) {
    std::string operand = t.getInput(index).str();
    if (t.takeInt(name).value_or(0)) {
      mlir::TensorType type = t.getType(operand);
      if (!type || !type.hasRank())
        return createStringError("expected operands of known rank");
      int64_t rank = type.getRank();
      if (rank >= 2) {
        std::vector<int64_t> permutation;
        for (int64_t dim = 0; dim < rank; ++dim)
          permutation.push_back(dim < rank - 2 ? dim : 2 * rank - 3 - dim);
        operand = t.addBefore("Transpose", {operand});
        addInts(t.before.back(), "perm", permutation);
      }
    }
    operands.push_back(operand);
  }
  float alpha = t.takeFloat("alpha").value_or(1);
  std::string input = t.getInput(0).str();
  if (alpha == 1) {
    t.replace("MatMul", operands);
    return Error::success();
  }
  std::string product = t.addBefore("MatMul", operands);
  t.replace("Mul", {product, t.makeFloatLike(alpha, input)});
  return Error::success();
}

/// activation(Conv(X, W, B) + Z)
static Error expandFusedConv(Translation &t) {
  std::string activation = t.takeString("activation", ""), sum = t.getInput(3).str(),
              output = t.node.output(0);
  std::vector<float> parameters = t.takeFloats("activation_params").value_or(std::vector<float>());
  auto parameter = [&](size_t index, float otherwise) {
    return index < parameters.size() ? parameters[index] : otherwise;
  };
  ::onnx::NodeProto last;
  std::vector<std::string> bounds;
  if (activation == "LeakyRelu") {
    addFloat(last, "alpha", parameter(0, 0.01f));
  } else if (activation == "HardSigmoid") {
    addFloat(last, "alpha", parameter(0, 0.2f));
    addFloat(last, "beta", parameter(1, 0.5f));
  } else if (activation == "Clip") {
    bounds = {t.makeFloatLike(parameter(0, -std::numeric_limits<float>::max()), t.getInput(0)),
              t.makeFloatLike(parameter(1, std::numeric_limits<float>::max()), t.getInput(0))};
  } else if (activation != "" && activation != "Relu" && activation != "Sigmoid" &&
             activation != "Tanh" && activation != "HardSwish") {
    return createStringError("activation '" + activation + "' is not supported");
  }
  t.node.set_op_type("Conv");
  if (t.node.input_size() > 3)
    t.node.mutable_input()->DeleteSubrange(3, t.node.input_size() - 3);
  auto redirect = [&](int count) { // the values before the last one get names of their own
    return count ? t.getFreshName() : output;
  };
  int rest = !sum.empty() + !activation.empty();
  std::string value = redirect(rest);
  t.node.set_output(0, value);
  if (!sum.empty()) {
    std::string next = redirect(--rest);
    t.addAfter("Add", {value, sum}, next);
    value = next;
  }
  if (activation.empty())
    return Error::success();
  last.set_op_type(activation);
  last.add_input(value);
  for (const std::string &bound : bounds)
    last.add_input(bound);
  last.add_output(output);
  t.after.push_back(last);
  return Error::success();
}

ArrayRef<TranslationRule> getMicrosoftNNTranslations() {
  static const TranslationRule rules[] = {
      {"BiasGelu", 0, kAnyOpset, expandBiasGelu},
      {"EmbedLayerNormalization", 0, kAnyOpset, expandEmbedLayerNormalization},
      {"FastGelu", 0, kAnyOpset, expandBiasGelu},
      {"FusedConv", 0, kAnyOpset, expandFusedConv},
      {"FusedMatMul", 0, kAnyOpset, expandFusedMatMul},
      {"Gelu", 0, kAnyOpset, translateGelu},
      {"QuickGelu", 0, kAnyOpset, translateQuickGelu},
      {"SkipLayerNormalization", 0, kAnyOpset, expandSkipLayerNormalization},
      {"SkipSimplifiedLayerNormalization", 0, kAnyOpset, expandSkipLayerNormalization},
  };
  return rules;
}

} // namespace lathe

//===- EncoderLayer.cpp - The blocks of a transformer's encoder -----------===//
#include "passes/Compress/Tokens/EncoderLayer.h"
#include "dialects/ONNX/IR/ONNXDialect.h"

using namespace mlir;
using namespace lathe;

/// The sequence whose projection a query, key or value is; null if it is none.
static Value getProjected(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (auto linear = dyn_cast<nn::LinearOp>(op))
      return linear.getInput();
    if (!isa<onnx::ReshapeOp, onnx::SqueezeOp, onnx::UnsqueezeOp, onnx::TransposeOp, onnx::SplitOp, onnx::SliceOp,
             onnx::GatherOp>(op))
      return {};
    value = op->getOperand(0);
  }
  return {};
}

/// Follows a value through single readers that only change its shape.
static Value skipViews(Value value) {
  while (value.hasOneUse() &&
         isa<onnx::ReshapeOp, onnx::TransposeOp, onnx::SqueezeOp, onnx::UnsqueezeOp>(*value.user_begin()) &&
         value.use_begin()->getOperandNumber() == 0)
    value = value.user_begin()->getResult(0);
  return value;
}

/// The sum of an attention's projection and its residual; null if there is none.
static Value getStream(nn::AttentionOp attention) {
  Value value = skipViews(attention.getResult());
  auto linear = value.hasOneUse() ? dyn_cast<nn::LinearOp>(*value.user_begin()) : nullptr;
  if (!linear || linear.getInput() != value)
    return {};
  for (Value extra : linear.getExtras())
    if (extra.getType() == linear.getResult().getType() && !extra.getDefiningOp<onnx::ConstantOp>())
      return linear.getResult();
  value = skipViews(linear.getResult());
  auto sum = value.hasOneUse() ? dyn_cast<onnx::AddOp>(*value.user_begin()) : nullptr;
  bool keepsType = sum && sum.getA().getType() == sum.getB().getType() && sum.getC().getType() == sum.getA().getType();
  return keepsType ? sum.getC() : Value();
}

std::string lathe::matchEncoderLayer(nn::AttentionOp attention, EncoderLayer &layer) {
  if (attention.getMask() || attention.getCausal())
    return "its scores are masked";
  if (attention.getInit())
    return "it is lowered already";
  Value sequence = getProjected(attention.getKey());
  if (!sequence || getProjected(attention.getQuery()) != sequence || getProjected(attention.getValue()) != sequence)
    return "query, key and value are not projections of one sequence";
  layer.attention = attention;
  layer.stream = getStream(attention);
  if (!layer.stream)
    return "no residual is added to its projection";
  auto type = cast<RankedTensorType>(layer.stream.getType());
  auto countTokens = [](Value value, bool headsFirst) {
    return cast<RankedTensorType>(value.getType()).getDimSize(headsFirst ? 2 : 1);
  };
  int64_t keys = countTokens(attention.getKey(), attention.getKvHeadsFirst());
  if (type.getRank() != 3 || !type.getElementType().isF32() || type.isDynamicDim(1) || type.getDimSize(1) != keys ||
      countTokens(attention.getQuery(), attention.getHeadsFirst()) != keys)
    return "its tokens are not [batch, tokens, channels] of f32 in a static number";
  layer.tokens = keys;
  return {};
}

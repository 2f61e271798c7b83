//===- ElementTypes.cpp - Element types of operators' results -------------===//
#include "lib/Frontend/ElementTypes.h"
#include "dialects/ONNX/IR/ONNXDialect.h"
#include "lib/Frontend/Tensors.h"
#include "llvm/ADT/StringSwitch.h"

using llvm::consumeError, llvm::createStringError, llvm::Error, llvm::Expected, llvm::StringMap,
    llvm::toString;
using namespace mlir;

namespace lathe {

namespace {

/// How an operator's result gets its element type.
enum class Rule {
  Operand0,
  Operand1,
  Operand2,
  Operand3,
  Operand7,
  Bool,
  Int32,
  Int64,
  Float32,
  UInt8,
  To,             // attribute `to`
  DType,          // attribute `dtype`, otherwise float
  DTypeOrOperand, // attribute `dtype`, otherwise that of operand 0
  DTypeOrInt32,   // attribute `dtype`, otherwise int32
  OutputDataType, // attribute `output_datatype`, otherwise float
  Value,          // attribute `value`, otherwise float
  Quantized,      // zero point, otherwise attribute `output_dtype`, otherwise uint8
  Dequantized,    // attribute `output_dtype`, otherwise that of the scale
  Sequence,       // a sequence of operand 0, otherwise of attribute `dtype`, otherwise of float
  Optional,       // an optional of operand 0, otherwise attribute `type`
  Contained,      // of what the sequence or optional that is operand 0 holds
};

} // namespace

static Rule getRule(StringRef op, unsigned index) {
  if (index > 0) {
    return llvm::StringSwitch<Rule>(op)
        .Cases({"TopK", "MaxPool", "Unique"}, Rule::Int64)
        .Case("Dropout", Rule::Bool)
        .Case("BatchNormalization", Rule::Operand3)
        .Case("LayerNormalization", Rule::Float32)
        .Case("DynamicQuantizeLinear", index == 1 ? Rule::Float32 : Rule::UInt8)
        .Default(Rule::Operand0);
  }
  return llvm::StringSwitch<Rule>(op)
      .Cases({"Shape", "Size", "NonZero", "ArgMax", "ArgMin", "NonMaxSuppression"}, Rule::Int64)
      .Cases({"Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"}, Rule::Bool)
      .Cases({"And", "Or", "Xor", "Not", "IsInf", "IsNaN"}, Rule::Bool)
      .Cases({"Where", "CastLike"}, Rule::Operand1)
      .Case("OneHot", Rule::Operand2)
      .Cases({"QLinearMatMul", "QLinearConv"}, Rule::Operand7)
      .Cases({"MatMulInteger", "ConvInteger"}, Rule::Int32)
      .Case("QuantizeLinear", Rule::Quantized)
      .Case("DequantizeLinear", Rule::Dequantized)
      .Case("DynamicQuantizeLinear", Rule::UInt8)
      .Cases({"Cast", "BitCast"}, Rule::To)
      .Case("ConstantOfShape", Rule::Value)
      .Cases({"RandomNormal", "RandomUniform"}, Rule::DType)
      .Cases({"RandomNormalLike", "RandomUniformLike", "EyeLike", "Bernoulli"},
             Rule::DTypeOrOperand)
      .Case("Multinomial", Rule::DTypeOrInt32)
      .Case("TfIdfVectorizer", Rule::Float32)
      .Case("SequenceLength", Rule::Int64)
      .Case("OptionalHasElement", Rule::Bool)
      .Cases({"SequenceConstruct", "SequenceEmpty", "SplitToSequence"}, Rule::Sequence)
      .Case("Optional", Rule::Optional)
      .Cases({"SequenceAt", "ConcatFromSequence", "OptionalGetElement"}, Rule::Contained)
      .Cases({"BlackmanWindow", "HammingWindow", "HannWindow", "MelWeightMatrix"},
             Rule::OutputDataType)
      .Default(Rule::Operand0);
}

Type getResultElementType(const ::onnx::NodeProto &node, unsigned index, ArrayRef<Type> operands,
                          MLIRContext *context) {
  auto find = [&](StringRef name) -> const ::onnx::AttributeProto * {
    for (const ::onnx::AttributeProto &attribute : node.attribute())
      if (attribute.name() == name)
        return &attribute;
    return nullptr;
  };
  auto operand = [&](unsigned i) { return i < operands.size() ? operands[i] : Type(); };
  auto fromDataType = [&](int32_t dataType) -> Type {
    Expected<Type> type = convertDataType(dataType, context);
    if (type)
      return *type;
    consumeError(type.takeError());
    return {};
  };
  auto fromAttribute = [&](StringRef name, Type otherwise) -> Type {
    const ::onnx::AttributeProto *attribute = find(name);
    return attribute && attribute->i() != 0 ? fromDataType(attribute->i()) : otherwise;
  };
  Type float32 = Float32Type::get(context);

  switch (getRule(node.op_type(), index)) {
  case Rule::Operand0:
    return operand(0);
  case Rule::Operand1:
    return operand(1);
  case Rule::Operand2:
    return operand(2);
  case Rule::Operand3:
    return operand(3);
  case Rule::Operand7:
    return operand(7);
  case Rule::Bool:
    return IntegerType::get(context, 1);
  case Rule::Int32:
    return IntegerType::get(context, 32);
  case Rule::Int64:
    return IntegerType::get(context, 64);
  case Rule::Float32:
    return float32;
  case Rule::UInt8:
    return fromDataType(::onnx::TensorProto::UINT8);
  case Rule::To:
    return fromAttribute("to", {});
  case Rule::DType:
    return fromAttribute("dtype", float32);
  case Rule::DTypeOrOperand:
    return fromAttribute("dtype", operand(0));
  case Rule::DTypeOrInt32:
    return fromAttribute("dtype", IntegerType::get(context, 32));
  case Rule::OutputDataType:
    return fromAttribute("output_datatype", float32);
  case Rule::Value: {
    const ::onnx::AttributeProto *value = find("value");
    return value ? fromDataType(value->t().data_type()) : float32;
  }
  case Rule::Quantized:
    if (Type zeroPoint = operand(2))
      return zeroPoint;
    return fromAttribute("output_dtype", fromDataType(::onnx::TensorProto::UINT8));
  case Rule::Dequantized:
    return fromAttribute("output_dtype", operand(1));
  case Rule::Sequence: {
    Type element = operand(0) ? operand(0) : fromAttribute("dtype", float32);
    return element ? onnx::SequenceType::get(context, element) : Type();
  }
  case Rule::Optional: {
    if (operand(0))
      return onnx::OptionalType::get(context, operand(0));
    const ::onnx::AttributeProto *type = find("type");
    Expected<Type> held = type ? convertValueType(type->tp(), context) : Type();
    if (held)
      return *held ? onnx::OptionalType::get(context, getElementTypeOrSelf(*held)) : Type();
    consumeError(held.takeError());
    return {};
  }
  case Rule::Contained:
    if (auto sequence = dyn_cast_or_null<onnx::SequenceType>(operand(0));
        sequence && node.op_type() != "OptionalGetElement")
      return sequence.getElementType();
    if (auto optional = dyn_cast_or_null<onnx::OptionalType>(operand(0)))
      return optional.getElementType();
    return node.op_type() == "OptionalGetElement" ? operand(0) : Type();
  }
  return {};
}

} // namespace lathe

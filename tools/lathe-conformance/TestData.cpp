//===- TestData.cpp - Tensors in protobuf files ---------------------------===//
#include "Protos.h"
#include "TestCase.h"
#include "lib/Support/PackedBits.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/FileSystem.h"
#include <cstring>
#include <onnx/onnx-data_pb.h>

using namespace lathe;

/// Copies a typed field of wider elements into elements of type T.
template <typename T, typename Field>
static void copyField(const Field &field, Tensor &tensor) {
  auto out = tensor.as<T>();
  for (size_t i = 0; i < out.size() && i < size_t(field.size()); ++i)
    out[i] = static_cast<T>(field.Get(int(i)));
}

/// Elements of 2 and 4 bits, which files pack and the ABI does not.
static llvm::Error fillPacked(const onnx::TensorProto &proto, Tensor &tensor) {
  llvm::SmallVector<char> packed(proto.int32_data().begin(), proto.int32_data().end());
  if (proto.has_raw_data())
    packed.assign(proto.raw_data().begin(), proto.raw_data().end());
  unsigned bits = getBits(tensor.getType());
  if (packed.size() != getPackedSize(tensor.getNumElements(), bits))
    return llvm::createStringError("packed data of " + llvm::Twine(packed.size()) + " bytes for " +
                                   llvm::Twine(tensor.getNumElements()) + " elements of " + llvm::Twine(bits) + " bits");
  bool isSigned = lathe::isSigned(tensor.getType()) && !getSemantics(tensor.getType());
  unpackBits(packed, bits, isSigned, tensor.as<char>());
  return llvm::Error::success();
}

static llvm::Error fill(const onnx::TensorProto &proto, Tensor &tensor) {
  if (getBits(tensor.getType()) < 8)
    return fillPacked(proto, tensor);
  if (proto.has_raw_data()) {
    if (proto.raw_data().size() != tensor.getNumBytes())
      return llvm::createStringError("raw data of " + llvm::Twine(proto.raw_data().size()) + " bytes, expected " +
                                     llvm::Twine(tensor.getNumBytes()));
    std::memcpy(tensor.getData(), proto.raw_data().data(), tensor.getNumBytes());
    return llvm::Error::success();
  }
  switch (tensor.getType()) {
  case LATHE_FLOAT32:
    copyField<float>(proto.float_data(), tensor);
    break;
  case LATHE_FLOAT64:
    copyField<double>(proto.double_data(), tensor);
    break;
  case LATHE_INT64:
    copyField<int64_t>(proto.int64_data(), tensor);
    break;
  case LATHE_UINT64:
    copyField<uint64_t>(proto.uint64_data(), tensor);
    break;
  case LATHE_UINT32:
    copyField<uint32_t>(proto.uint64_data(), tensor);
    break;
  case LATHE_INT32:
    copyField<int32_t>(proto.int32_data(), tensor);
    break;
  default: // 8- and 16-bit elements travel as int32
    if (sizeOf(tensor.getType()) == 1)
      copyField<uint8_t>(proto.int32_data(), tensor);
    else
      copyField<uint16_t>(proto.int32_data(), tensor);
  }
  return llvm::Error::success();
}

static llvm::Expected<Tensor> convert(const onnx::TensorProto &proto) {
  auto type = lathe_dtype(proto.data_type());
  if (proto.data_type() == onnx::TensorProto::UNDEFINED || sizeOf(type) == 0)
    return llvm::createStringError("element type " + llvm::Twine(proto.data_type()));
  llvm::SmallVector<int64_t> shape(proto.dims().begin(), proto.dims().end());
  Tensor tensor(type, shape);
  if (llvm::Error error = fill(proto, tensor))
    return std::move(error);
  return std::move(tensor);
}

/// The tensors of a sequence.
static llvm::Error convert(const onnx::SequenceProto &proto, std::vector<Tensor> &tensors) {
  if (proto.elem_type() != onnx::SequenceProto::TENSOR &&
      proto.elem_type() != onnx::SequenceProto::UNDEFINED)
    return llvm::createStringError("a sequence of other values than tensors");
  for (const onnx::TensorProto &element : proto.tensor_values()) {
    llvm::Expected<Tensor> tensor = convert(element);
    if (!tensor)
      return tensor.takeError();
    tensors.push_back(std::move(*tensor));
  }
  return llvm::Error::success();
}

/// "[2,3],[4]", or "0".
static std::string describeShapes(llvm::ArrayRef<Tensor> tensors) {
  if (tensors.empty())
    return "0";
  return llvm::join(llvm::map_range(tensors,
                                    [](const Tensor &tensor) {
                                      auto sizes = llvm::map_range(tensor.getShape(),
                                                                   [](int64_t size) { return std::to_string(size); });
                                      return "[" + llvm::join(sizes, ",") + "]";
                                    }),
                    ",");
}

/// "2,3", of whole numbers.
static std::string describeElements(const Tensor &tensor) {
  bool isLong = tensor.getType() == LATHE_INT64;
  return llvm::join(llvm::map_range(llvm::seq<size_t>(0, tensor.getNumElements()),
                                    [&](size_t i) {
                                      return std::to_string(isLong ? tensor.as<int64_t>()[i] : tensor.as<int8_t>()[i]);
                                    }),
                    ",");
}

/// Appends the tensors of a value; returns their shapes, or "none" for an optional that has
/// nothing.
static llvm::Expected<std::string> readValue(llvm::StringRef path, TestValue::Kind kind,
                                             std::vector<Tensor> &tensors) {
  auto parse = [&](google::protobuf::MessageLite &proto) { return readProto(path, proto); };
  size_t before = tensors.size();
  auto append = [&](const onnx::TensorProto &proto) -> llvm::Error {
    llvm::Expected<Tensor> tensor = convert(proto);
    if (!tensor)
      return tensor.takeError();
    tensors.push_back(std::move(*tensor));
    return llvm::Error::success();
  };
  bool isAbsent = false;
  auto read = [&]() -> llvm::Error {
    if (kind == TestValue::kTensor) {
      onnx::TensorProto proto;
      return parse(proto) ? append(proto) : llvm::createStringError("no tensor");
    }
    if (kind == TestValue::kSequence) {
      onnx::SequenceProto proto;
      return parse(proto) ? convert(proto, tensors) : llvm::createStringError("no sequence");
    }
    onnx::OptionalProto proto;
    if (!parse(proto))
      return llvm::createStringError("no optional");
    if (proto.elem_type() == onnx::OptionalProto::TENSOR && proto.has_tensor_value())
      return append(proto.tensor_value());
    if (proto.elem_type() == onnx::OptionalProto::SEQUENCE && proto.has_sequence_value())
      return convert(proto.sequence_value(), tensors);
    isAbsent = true;
    return llvm::Error::success();
  };
  if (llvm::Error error = read())
    return llvm::createStringError(path + " is or has " + llvm::toString(std::move(error)));
  return isAbsent ? "none" : describeShapes(llvm::ArrayRef(tensors).drop_front(before));
}

llvm::Expected<TestData> lathe::readTestData(llvm::StringRef folder,
                                             const TestInterface &interface) {
  TestData data;
  for (auto [prefix, values, tensors] : {std::tuple("input_", &interface.inputs, &data.inputs),
                                         std::tuple("output_", &interface.outputs, &data.outputs)})
    for (auto [i, value] : llvm::enumerate(*values)) {
      std::string path = (folder + "/" + prefix + llvm::Twine(i) + ".pb").str();
      if (!llvm::sys::fs::exists(path))
        break;
      llvm::Expected<std::string> contents = readValue(path, value.kind, *tensors);
      if (!contents)
        return contents.takeError();
      if (value.isDeclared && !value.isConstant)
        data.constants.push_back(value.name + "=" + describeElements(tensors->back()));
      if (value.isConstant || value.isDeclared)
        tensors->pop_back();
      if (values == &interface.outputs || value.isConstant || value.isDeclared)
        continue;
      if (value.kind != TestValue::kTensor)
        data.elements.push_back(value.name + "=" + *contents);
      else
        for (auto [dim, size] : llvm::zip(value.dims, tensors->back().getShape()))
          if (!dim.empty() && size == 0)
            data.dims.push_back(dim + "=0..512");
    }
  return std::move(data);
}

static TestValue::Kind getKind(const onnx::TypeProto &type) {
  if (type.has_sequence_type())
    return TestValue::kSequence;
  if (!type.has_optional_type())
    return TestValue::kTensor;
  return type.optional_type().elem_type().has_sequence_type() ? TestValue::kOptionalSequence
                                                              : TestValue::kOptional;
}

static std::vector<std::string> getDims(const onnx::TypeProto &type) {
  std::vector<std::string> names;
  for (const onnx::TensorShapeProto::Dimension &dim : type.tensor_type().shape().dim())
    names.push_back(dim.dim_param());
  return names;
}

static bool isRandom(const onnx::NodeProto &node) {
  const std::string &op = node.op_type();
  return op == "Bernoulli" || op == "Multinomial" || op.compare(0, 6, "Random") == 0 ||
         (op == "Dropout" && node.input_size() == 3);
}

/// Marks what decides how many tensors, of which shapes, are in a sequence or optional that the model returns: the
/// condition of an If, trip count and condition of a Loop, the place of SequenceInsert and a size, not a list of
/// sizes, of SplitToSequence.
static void declareInputs(const onnx::GraphProto &graph, TestInterface &interface) {
  static const llvm::StringMap<llvm::SmallVector<int>> operands = {
      {"If", {0}}, {"Loop", {0, 1}}, {"SequenceInsert", {2}}, {"SplitToSequence", {1}}};
  llvm::StringSet<> containers;
  llvm::StringMap<size_t> deciding; // and the largest rank in which they do
  for (const TestValue &output : interface.outputs)
    if (output.kind != TestValue::kTensor)
      containers.insert(output.name);
  for (const onnx::NodeProto &node : graph.node())
    if (llvm::any_of(node.output(), [&](const std::string &output) { return containers.contains(output); }))
      for (int operand : operands.lookup(node.op_type()))
        if (operand < node.input_size())
          deciding[node.input(operand)] = node.op_type() == "SplitToSequence" ? 0 : 1;
  for (TestValue &input : interface.inputs)
    if (auto it = deciding.find(input.name); it != deciding.end())
      input.isDeclared = input.kind == TestValue::kTensor && input.dims.size() <= it->second;
}

llvm::Expected<TestInterface> lathe::readInterface(llvm::StringRef path) {
  onnx::ModelProto model;
  if (!readProto(path, model))
    return llvm::createStringError(path + " is no model");
  const onnx::GraphProto &graph = model.graph();
  llvm::StringSet<> initialisers;
  for (const onnx::TensorProto &tensor : graph.initializer())
    initialisers.insert(tensor.name());
  TestInterface interface;
  for (const onnx::ValueInfoProto &input : graph.input())
    if (!initialisers.contains(input.name()))
      interface.inputs.push_back({getKind(input.type()), input.name(), getDims(input.type())});
  for (const onnx::ValueInfoProto &output : graph.output())
    interface.outputs.push_back({getKind(output.type()), output.name()});
  for (const onnx::NodeProto &node : graph.node())
    interface.isRandom |= isRandom(node);
  declareInputs(graph, interface);
  return interface;
}

//===- TestData.cpp - Tensors in protobuf files ---------------------------===//
#define ONNX_ML 1
#define ONNX_NAMESPACE onnx
#include "TestCase.h"
#include "lib/Support/PackedBits.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include <cstring>
#include <onnx/onnx_pb.h>

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

static llvm::Expected<Tensor> readTensor(llvm::StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!buffer)
    return llvm::createStringError("cannot read " + path);
  onnx::TensorProto proto;
  if (!proto.ParseFromArray((*buffer)->getBufferStart(), int((*buffer)->getBufferSize())))
    return llvm::createStringError(path + " is not a tensor");
  auto type = lathe_dtype(proto.data_type());
  if (proto.data_type() == onnx::TensorProto::UNDEFINED || sizeOf(type) == 0)
    return llvm::createStringError(path + " has element type " + llvm::Twine(proto.data_type()));
  llvm::SmallVector<int64_t> shape(proto.dims().begin(), proto.dims().end());
  Tensor tensor(type, shape);
  if (llvm::Error error = fill(proto, tensor))
    return std::move(error);
  return std::move(tensor);
}

llvm::Expected<TestData> lathe::readTestData(llvm::StringRef folder) {
  TestData data;
  for (auto [prefix, tensors] : {std::pair("input_", &data.inputs), std::pair("output_", &data.outputs)})
    for (unsigned i = 0;; ++i) {
      std::string path = (folder + "/" + prefix + llvm::Twine(i) + ".pb").str();
      if (!llvm::sys::fs::exists(path))
        break;
      llvm::Expected<Tensor> tensor = readTensor(path);
      if (!tensor)
        return tensor.takeError();
      tensors->push_back(std::move(*tensor));
    }
  return std::move(data);
}

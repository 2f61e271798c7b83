//===- Tensors.cpp - Tensors and types of ONNX to attributes and types ----===//
#include "lib/Frontend/Tensors.h"
#include "dialects/ONNX/IR/DataTypes.h"
#include "dialects/ONNX/IR/ONNXDialect.h"
#include "lib/Support/PackedBits.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"

using llvm::consumeError, llvm::createStringError, llvm::Error, llvm::Expected, llvm::StringMap,
    llvm::toString;
using namespace mlir;

namespace lathe {

static_assert(llvm::sys::IsLittleEndianHost, "ONNX's raw data is used in place");

std::string getDataTypeName(int32_t dataType) {
  static constexpr llvm::StringLiteral names[] = {
      "undefined",      "float",    "uint8",        "int8",           "uint16",
      "int16",          "int32",    "int64",        "string",         "bool",
      "float16",        "double",   "uint32",       "uint64",         "complex64",
      "complex128",     "bfloat16", "float8e4m3fn", "float8e4m3fnuz", "float8e5m2",
      "float8e5m2fnuz", "uint4",    "int4",         "float4e2m1",     "float8e8m0",
      "uint2",          "int2"};
  if (dataType < 0 || dataType >= int32_t(std::size(names)))
    return "type " + std::to_string(dataType);
  return names[dataType].str();
}

Expected<Type> convertDataType(int32_t dataType, MLIRContext *context) {
  if (Type type = onnx::getOnnxElementType(context, dataType))
    return type;
  return createStringError("element type " + getDataTypeName(dataType) + " is not supported");
}

TensorType DeclaredType::getType() const {
  if (hasRank)
    return RankedTensorType::get(shape, elementType);
  return UnrankedTensorType::get(elementType);
}

Expected<DeclaredType> convertType(const ::onnx::TypeProto &type, MLIRContext *context) {
  switch (type.value_case()) {
  case ::onnx::TypeProto::kTensorType:
    break;
  case ::onnx::TypeProto::VALUE_NOT_SET:
    return createStringError("expected a tensor type, but got none");
  case ::onnx::TypeProto::kSequenceType:
    return createStringError("expected a tensor type, but got a sequence");
  case ::onnx::TypeProto::kOptionalType:
    return createStringError("expected a tensor type, but got an optional");
  default:
    return createStringError("only tensor types are supported");
  }
  const ::onnx::TypeProto::Tensor &tensor = type.tensor_type();
  DeclaredType result;
  Expected<Type> elementType = convertDataType(tensor.elem_type(), context);
  if (!elementType)
    return elementType.takeError();
  result.elementType = *elementType;
  result.hasRank = tensor.has_shape();
  for (const ::onnx::TensorShapeProto::Dimension &dim : tensor.shape().dim()) {
    if (dim.has_dim_value() && dim.dim_value() < 0)
      return createStringError("expected dimensions of at least 0, but got " +
                               std::to_string(dim.dim_value()));
    result.shape.push_back(dim.has_dim_value() ? dim.dim_value() : ShapedType::kDynamic);
    result.dimNames.push_back(dim.has_dim_value() ? "" : dim.dim_param());
  }
  return result;
}

Expected<Type> convertValueType(const ::onnx::TypeProto &type, MLIRContext *context) {
  switch (type.value_case()) {
  case ::onnx::TypeProto::kSequenceType: {
    Expected<DeclaredType> element = convertType(type.sequence_type().elem_type(), context);
    if (!element)
      return element.takeError();
    return onnx::SequenceType::get(context, element->elementType);
  }
  case ::onnx::TypeProto::kOptionalType: {
    Expected<Type> element = convertValueType(type.optional_type().elem_type(), context);
    if (!element)
      return element.takeError();
    return onnx::OptionalType::get(context, getElementTypeOrSelf(*element));
  }
  default: {
    Expected<DeclaredType> tensor = convertType(type, context);
    if (!tensor)
      return tensor.takeError();
    return tensor->getType();
  }
  }
}

Type getUnrankedType(Type elementType) {
  if (isa<onnx::SequenceType, onnx::OptionalType>(elementType))
    return elementType;
  return UnrankedTensorType::get(elementType);
}

namespace {

/// Bytes of a tensor, one element after the other, and what keeps them alive.
struct TensorBytes {
  ArrayRef<char> bytes;
  std::shared_ptr<const void> owner;
};

} // namespace

static std::pair<char *, TensorBytes> allocateBytes(uint64_t size) {
  // operator new aligns to at least 16 bytes, which is enough for every element type.
  std::shared_ptr<char[]> storage(new char[size]);
  return {storage.get(), {ArrayRef<char>(storage.get(), size), storage}};
}

/// Converts the elements of a typed field, e.g. int32_data that holds int8.
template <typename To, typename Field>
static TensorBytes copyField(const Field &field) {
  auto [data, result] = allocateBytes(field.size() * sizeof(To));
  for (const auto &value : field) {
    To element = static_cast<To>(value);
    memcpy(data, &element, sizeof(To));
    data += sizeof(To);
  }
  return result;
}

static TensorBytes copyTypedField(const ::onnx::TensorProto &tensor, Type elementType) {
  if (onnx::isNarrow(elementType)) // the bytes of raw data
    return copyField<uint8_t>(tensor.int32_data());
  switch (tensor.data_type()) {
  case ::onnx::TensorProto::FLOAT:
    return copyField<float>(tensor.float_data());
  case ::onnx::TensorProto::DOUBLE:
    return copyField<double>(tensor.double_data());
  case ::onnx::TensorProto::INT64:
    return copyField<int64_t>(tensor.int64_data());
  case ::onnx::TensorProto::UINT32:
    return copyField<uint32_t>(tensor.uint64_data());
  case ::onnx::TensorProto::UINT64:
    return copyField<uint64_t>(tensor.uint64_data());
  case ::onnx::TensorProto::INT32:
    return copyField<int32_t>(tensor.int32_data());
  case ::onnx::TensorProto::BOOL:
  case ::onnx::TensorProto::INT8:
  case ::onnx::TensorProto::UINT8:
    return copyField<uint8_t>(tensor.int32_data());
  default: // int16, uint16, float16 and bfloat16 are in the low half
    return copyField<uint16_t>(tensor.int32_data());
  }
}

static Expected<TensorBytes> readExternal(const ::onnx::TensorProto &tensor, uint64_t expected,
                                          ModelFile &file) {
  StringRef location;
  uint64_t offset = 0;
  std::optional<uint64_t> length;
  bool hasLocation = false;
  for (const ::onnx::StringStringEntryProto &entry : tensor.external_data()) {
    StringRef value = entry.value();
    if (entry.key() == "location") {
      location = value;
      hasLocation = true;
    } else if (entry.key() == "offset" || entry.key() == "length") {
      uint64_t number = 0;
      if (value.getAsInteger(10, number))
        return createStringError("expected a number as the " + entry.key() +
                                 " of external data, but got '" + value + "'");
      if (entry.key() == "offset")
        offset = number;
      else
        length = number;
    }
  }
  if (!hasLocation)
    return createStringError("expected a location of external data, but got none");
  Expected<MappedBytes> mapped = file.getExternalFile(location);
  if (!mapped)
    return mapped.takeError();
  if (length.value_or(expected) != expected)
    return createStringError("expected " + std::to_string(expected) +
                             " bytes for its shape, but got " + std::to_string(*length));
  uint64_t size = (*mapped)->size();
  if (offset > size || expected > size - offset)
    return createStringError("expected external data of " + std::to_string(expected) +
                             " bytes at offset " + std::to_string(offset) + ", but got a file of " +
                             std::to_string(size));
  return TensorBytes{(*mapped)->slice(offset, expected), *mapped};
}

static Expected<TensorBytes> readBytes(const ::onnx::TensorProto &tensor, Type elementType,
                                       uint64_t expected, ModelFile &file) {
  if (tensor.data_location() == ::onnx::TensorProto::EXTERNAL)
    return readExternal(tensor, expected, file);
  TensorBytes result;
  if (tensor.has_raw_data()) {
    auto [data, copy] = allocateBytes(tensor.raw_data().size());
    memcpy(data, tensor.raw_data().data(), tensor.raw_data().size());
    result = copy;
  } else {
    result = copyTypedField(tensor, elementType);
  }
  if (result.bytes.size() != expected)
    return createStringError("expected " + std::to_string(expected) +
                             " bytes for its shape, but got " +
                             std::to_string(result.bytes.size()));
  return result;
}

Expected<ElementsAttr> convertTensor(const ::onnx::TensorProto &tensor, ModelFile &file,
                                     MLIRContext *context) {
  Expected<Type> elementType = convertDataType(tensor.data_type(), context);
  if (!elementType)
    return elementType.takeError();
  if (tensor.has_segment())
    return createStringError("tensors in segments are not supported");
  unsigned elementBytes = llvm::divideCeil(elementType->getIntOrFloatBitWidth(), 8);
  SmallVector<int64_t> shape(tensor.dims().begin(), tensor.dims().end());
  uint64_t count = 1, size = 0;
  bool overflow = false;
  for (int64_t dim : shape) {
    if (dim < 0)
      return createStringError("expected dimensions of at least 0, but got " + std::to_string(dim));
    overflow |= __builtin_mul_overflow(count, uint64_t(dim), &count);
  }
  if (overflow || __builtin_mul_overflow(count, elementBytes, &size) || !llvm::isUInt<62>(size))
    return createStringError(
        "expected a tensor that fits into memory, but got one of more than 2^62 bytes");
  unsigned bits = elementType->getIntOrFloatBitWidth();
  bool isPacked = bits == 2 || bits == 4;
  Expected<TensorBytes> data =
      readBytes(tensor, *elementType, isPacked ? getPackedSize(count, bits) : size, file);
  if (!data)
    return data.takeError();
  if (isPacked) { // attributes hold an element a byte, without its sign
    auto [bytes, unpacked] = allocateBytes(size);
    unpackBits(data->bytes, bits, /*isSigned=*/false, {bytes, size});
    *data = unpacked;
  }

  auto type = RankedTensorType::get(shape, *elementType);
  if (elementType->isInteger(1)) {
    SmallVector<bool> values;
    for (char byte : data->bytes)
      values.push_back(byte != 0);
    return DenseElementsAttr::get(type, values);
  }
  bool isInteger = isa<IntegerType>(*elementType);
  if (int64_t(count) <= (isInteger ? kMaxDenseElements : kMaxDenseFloats))
    return count == 0 ? DenseElementsAttr::get(type, ArrayRef<Attribute>())
                      : DenseElementsAttr::getFromRawBuffer(type, data->bytes);

  // Readers take the bytes for an array of elements; raw data in a protobuf may be at any place.
  if (!llvm::isAddrAligned(llvm::Align(elementBytes), data->bytes.data())) {
    auto [copy, aligned] = allocateBytes(size);
    memcpy(copy, data->bytes.data(), size);
    *data = aligned;
  }
  AsmResourceBlob blob = UnmanagedAsmResourceBlob::allocateWithAlign(
      data->bytes, elementBytes, [owner = data->owner](void *, size_t, size_t) {});
  return DenseResourceElementsAttr::get(type, tensor.name().empty() ? "value" : tensor.name(),
                                        std::move(blob));
}

} // namespace lathe

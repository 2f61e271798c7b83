//===- Npy.cpp - NumPy's array files --------------------------------------===//
#include "lib/Support/Npy.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>
#include <cstring>
#include <limits>

using namespace llvm;
using namespace lathe;

namespace {
struct TypeInfo {
  lathe_dtype type;
  const char *name;
  /// What a header calls it, without the byte order. bfloat16 has no name of its own in NumPy; ml_dtypes writes V2.
  const char *code;
  size_t size;
};
} // namespace

static const TypeInfo kTypes[] = {
    {LATHE_FLOAT32, "float32", "f4", 4}, {LATHE_UINT8, "uint8", "u1", 1},
    {LATHE_INT8, "int8", "i1", 1},       {LATHE_UINT16, "uint16", "u2", 2},
    {LATHE_INT16, "int16", "i2", 2},     {LATHE_INT32, "int32", "i4", 4},
    {LATHE_INT64, "int64", "i8", 8},     {LATHE_BOOL, "bool", "b1", 1},
    {LATHE_FLOAT16, "float16", "f2", 2}, {LATHE_FLOAT64, "float64", "f8", 8},
    {LATHE_UINT32, "uint32", "u4", 4},   {LATHE_UINT64, "uint64", "u8", 8},
    {LATHE_BFLOAT16, "bfloat16", "V2", 2}};

static const TypeInfo *infoOf(lathe_dtype type) {
  const TypeInfo *info = find_if(kTypes, [&](const TypeInfo &it) { return it.type == type; });
  return info == std::end(kTypes) ? nullptr : info;
}

size_t lathe::sizeOf(lathe_dtype type) {
  const TypeInfo *info = infoOf(type);
  return info ? info->size : 0;
}

StringRef lathe::nameOf(lathe_dtype type) {
  const TypeInfo *info = infoOf(type);
  return info ? info->name : "unknown";
}

NpyArray::NpyArray(lathe_dtype type, ArrayRef<int64_t> shape)
    : type(type), shape(shape), bytes(size() * sizeOf(type)) {}

int64_t NpyArray::size() const {
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  return count;
}

static const fltSemantics &halfSemantics(lathe_dtype type) {
  return type == LATHE_FLOAT16 ? APFloat::IEEEhalf() : APFloat::BFloat();
}

double NpyArray::at(int64_t index) const {
  switch (type) {
  case LATHE_FLOAT32:
    return as<float>()[index];
  case LATHE_FLOAT64:
    return as<double>()[index];
  case LATHE_UINT8:
    return as<uint8_t>()[index];
  case LATHE_INT8:
    return as<int8_t>()[index];
  case LATHE_UINT16:
    return as<uint16_t>()[index];
  case LATHE_INT16:
    return as<int16_t>()[index];
  case LATHE_INT32:
    return as<int32_t>()[index];
  case LATHE_INT64:
    return double(as<int64_t>()[index]);
  case LATHE_BOOL:
    return as<uint8_t>()[index] != 0;
  case LATHE_UINT32:
    return as<uint32_t>()[index];
  case LATHE_UINT64:
    return double(as<uint64_t>()[index]);
  case LATHE_FLOAT16:
  case LATHE_BFLOAT16: {
    APFloat value(halfSemantics(type), APInt(16, as<uint16_t>()[index]));
    bool lost;
    value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lost);
    return value.convertToDouble();
  }
  }
  return 0;
}

template <typename T> static T clampTo(double value) {
  if (std::isnan(value))
    return 0;
  double rounded = std::nearbyint(value);
  if (rounded <= double(std::numeric_limits<T>::min()))
    return std::numeric_limits<T>::min();
  if (rounded >= double(std::numeric_limits<T>::max()))
    return std::numeric_limits<T>::max();
  return T(rounded);
}

void NpyArray::set(int64_t index, double value) {
  switch (type) {
  case LATHE_FLOAT32:
    as<float>()[index] = float(value);
    return;
  case LATHE_FLOAT64:
    as<double>()[index] = value;
    return;
  case LATHE_UINT8:
    as<uint8_t>()[index] = clampTo<uint8_t>(value);
    return;
  case LATHE_INT8:
    as<int8_t>()[index] = clampTo<int8_t>(value);
    return;
  case LATHE_UINT16:
    as<uint16_t>()[index] = clampTo<uint16_t>(value);
    return;
  case LATHE_INT16:
    as<int16_t>()[index] = clampTo<int16_t>(value);
    return;
  case LATHE_INT32:
    as<int32_t>()[index] = clampTo<int32_t>(value);
    return;
  case LATHE_INT64:
    as<int64_t>()[index] = clampTo<int64_t>(value);
    return;
  case LATHE_BOOL:
    as<uint8_t>()[index] = value != 0;
    return;
  case LATHE_UINT32:
    as<uint32_t>()[index] = clampTo<uint32_t>(value);
    return;
  case LATHE_UINT64:
    as<uint64_t>()[index] = clampTo<uint64_t>(value);
    return;
  case LATHE_FLOAT16:
  case LATHE_BFLOAT16: {
    APFloat number(value);
    bool lost;
    number.convert(halfSemantics(type), APFloat::rmNearestTiesToEven, &lost);
    as<uint16_t>()[index] = uint16_t(number.bitcastToAPInt().getZExtValue());
    return;
  }
  }
}

NpyArray NpyArray::rows(int64_t begin, int64_t end) const {
  NpyArray part;
  part.type = type;
  part.shape = shape;
  part.shape[0] = end - begin;
  size_t row = shape[0] ? bytes.size() / shape[0] : 0;
  part.bytes.assign(bytes.begin() + begin * row, bytes.begin() + end * row);
  return part;
}

std::string lathe::formatShape(ArrayRef<int64_t> shape) {
  std::string text = "[";
  raw_string_ostream stream(text);
  interleaveComma(shape, stream);
  return text + "]";
}

/// The text after `'key':` in the header's Python dictionary, without leading blanks.
static StringRef valueOf(StringRef header, StringRef key) {
  for (char quote : {'\'', '"'}) {
    std::string pattern = std::string(1, quote) + key.str() + quote;
    size_t at = header.find(pattern);
    if (at == StringRef::npos)
      continue;
    StringRef rest = header.drop_front(at + pattern.size()).ltrim();
    if (rest.consume_front(":"))
      return rest.ltrim();
  }
  return {};
}

/// Puts the bytes of every element in the other order.
static void swapBytes(std::vector<char> &bytes, size_t size) {
  for (size_t i = 0; i + size <= bytes.size(); i += size)
    std::reverse(bytes.begin() + i, bytes.begin() + i + size);
}

/// Column-major data as row-major.
static void transposeFortran(NpyArray &array) {
  size_t size = sizeOf(array.type), rank = array.shape.size();
  std::vector<char> result(array.bytes.size());
  std::vector<int64_t> index(rank, 0);
  for (int64_t to = 0, count = array.size(); to < count; ++to) {
    int64_t from = 0;
    for (size_t dim = rank; dim-- > 0;)
      from = from * array.shape[dim] + index[dim];
    std::memcpy(&result[to * size], &array.bytes[from * size], size);
    for (size_t dim = rank; dim-- > 0 && ++index[dim] == array.shape[dim];)
      index[dim] = 0;
  }
  array.bytes = std::move(result);
}

/// The numbers of "(2, 3,)"; false if it is not a tuple of sizes whose product is representable.
static bool parseShape(StringRef text, std::vector<int64_t> &shape) {
  if (!text.consume_front("("))
    return false;
  StringRef inside = text.take_until([](char c) { return c == ')'; });
  if (inside.size() == text.size())
    return false;
  SmallVector<StringRef> parts;
  inside.split(parts, ',');
  int64_t count = 1;
  for (StringRef part : parts) {
    if (part.trim().empty())
      continue;
    int64_t size;
    if (part.trim().getAsInteger(10, size) || size < 0 || MulOverflow(count, size, count))
      return false;
    shape.push_back(size);
  }
  return true;
}

Expected<NpyArray> lathe::parseNpy(StringRef data, StringRef name) {
  auto fail = [&](const Twine &what) { return createStringError(name + ": " + what); };
  StringRef rest = data;
  if (!rest.consume_front("\x93NUMPY") || rest.size() < 4)
    return fail("expected a .npy file, but got something else");
  unsigned major = uint8_t(rest[0]);
  size_t lengthBytes = major == 1 ? 2 : 4;
  if (major < 1 || major > 3)
    return fail("expected .npy format 1 to 3, but got " + Twine(major));
  rest = rest.drop_front(2);
  if (rest.size() < lengthBytes)
    return fail("the header is truncated");
  size_t length = lengthBytes == 2 ? support::endian::read16le(rest.data())
                                   : support::endian::read32le(rest.data());
  rest = rest.drop_front(lengthBytes);
  if (rest.size() < length)
    return fail("the header is truncated");
  StringRef header = rest.take_front(length);
  rest = rest.drop_front(length);

  NpyArray array;
  StringRef descr = valueOf(header, "descr");
  if (descr.size() < 2 || (descr[0] != '\'' && descr[0] != '"'))
    return fail("expected one element type, but got a structure");
  descr = descr.drop_front().take_until([](char c) { return c == '\'' || c == '"'; });
  bool big = descr.starts_with(">");
  StringRef code = descr.ltrim("<>|=");
  const TypeInfo *info = find_if(kTypes, [&](const TypeInfo &it) { return code == it.code; });
  if (info == std::end(kTypes))
    return fail("expected numbers or booleans, but got elements of type '" + descr + "'");
  array.type = info->type;
  if (!parseShape(valueOf(header, "shape"), array.shape))
    return fail("expected a shape, but got a malformed header");
  int64_t wanted;
  if (MulOverflow(array.size(), int64_t(info->size), wanted) || rest.size() < size_t(wanted))
    return fail("expected " + Twine(array.size()) + " elements of " + Twine(info->size) +
                " bytes, but got " + Twine(rest.size()) + " bytes");
  array.bytes.assign(rest.begin(), rest.begin() + wanted);
  if (big)
    swapBytes(array.bytes, info->size);
  if (valueOf(header, "fortran_order").starts_with("True"))
    transposeFortran(array);
  return array;
}

Expected<NpyArray> lathe::readNpy(StringRef path) {
  ErrorOr<std::unique_ptr<MemoryBuffer>> file =
      MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!file)
    return createStringError("cannot read " + path + ": " + file.getError().message());
  return parseNpy((*file)->getBuffer(), path);
}

std::string lathe::formatNpy(const NpyArray &array) {
  const TypeInfo *info = infoOf(array.type);
  std::string header;
  raw_string_ostream stream(header);
  stream << "{'descr': '" << (info->size == 1 || *info->code == 'V' ? "|" : "<") << info->code
         << "', 'fortran_order': False, 'shape': (";
  interleaveComma(array.shape, stream);
  stream << (array.shape.size() == 1 ? ",), }" : "), }");
  header.append(63 - (10 + header.size()) % 64, ' ');
  header += '\n';
  std::string text("\x93NUMPY\x01\x00", 8);
  text += char(header.size() & 0xff);
  text += char(header.size() >> 8);
  text += header;
  text.append(array.bytes.data(), array.bytes.size());
  return text;
}

//===- Npy.cpp - NumPy's array files --------------------------------------===//
#include "lib/Support/Npy.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

using namespace llvm;
using namespace lathe;

namespace {
/// What a header calls a type, without the byte order.
struct TypeCode {
  lathe_dtype type;
  const char *code;
};
} // namespace

// bfloat16 has no name of its own in NumPy; ml_dtypes writes V2.
static const TypeCode kCodes[] = {
    {LATHE_FLOAT32, "f4"}, {LATHE_UINT8, "u1"},    {LATHE_INT8, "i1"},    {LATHE_UINT16, "u2"}, {LATHE_INT16, "i2"},
    {LATHE_INT32, "i4"},   {LATHE_INT64, "i8"},    {LATHE_BOOL, "b1"},    {LATHE_FLOAT16, "f2"}, {LATHE_FLOAT64, "f8"},
    {LATHE_UINT32, "u4"},  {LATHE_UINT64, "u8"},   {LATHE_BFLOAT16, "V2"}, {kUnnamedByte, "V1"}};

/// Integers of fewer than 8 bits are written as those of 8; of narrow floats, a file holds the bytes.
static StringRef codeOf(lathe_dtype type) {
  if (isNarrow(type))
    return getSemantics(type) ? "V1" : isSigned(type) ? "i1" : "u1";
  return find_if(kCodes, [&](const TypeCode &it) { return it.type == type; })->code;
}

NpyArray::NpyArray(lathe_dtype type, ArrayRef<int64_t> shape)
    : type(type), shape(shape), bytes(size() * sizeOf(type)) {}

int64_t NpyArray::size() const {
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  return count;
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
  default:
    break;
  }
  // The others have at most 16 bits.
  unsigned width = getBits(type);
  uint16_t bits = sizeOf(type) == 2 ? as<uint16_t>()[index] : as<uint8_t>()[index];
  APInt element(width, bits, /*isSigned=*/false, /*implicitTrunc=*/true);
  if (const fltSemantics *semantics = getSemantics(type)) {
    APFloat value(*semantics, element);
    if (value.isNaN()) // APFloat makes infinity of float8e8m0's
      return std::numeric_limits<double>::quiet_NaN();
    bool lost;
    value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lost);
    return value.convertToDouble();
  }
  return isSigned(type) ? double(element.getSExtValue()) : double(element.getZExtValue());
}

/// The nearest integer of so many bits.
static int64_t clampTo(double value, unsigned bits, bool hasSign) {
  if (std::isnan(value))
    return 0;
  double rounded = std::nearbyint(value);
  double lowest = hasSign ? -std::ldexp(1, bits - 1) : 0, limit = std::ldexp(1, bits - hasSign);
  if (rounded <= lowest)
    return int64_t(lowest);
  if (rounded >= limit)
    return int64_t(maskTrailingOnes<uint64_t>(bits - hasSign));
  return hasSign ? int64_t(rounded) : int64_t(uint64_t(rounded));
}

void NpyArray::set(int64_t index, double value) {
  size_t size = sizeOf(type);
  uint64_t bits;
  if (type == LATHE_FLOAT32) {
    bits = bit_cast<uint32_t>(float(value));
  } else if (type == LATHE_BOOL) {
    bits = value != 0;
  } else if (const fltSemantics *semantics = getSemantics(type)) {
    if (!APFloat::semanticsHasNaN(*semantics)) {
      double largest = APFloat::getLargest(*semantics).convertToDouble();
      value = std::isnan(value) ? 0 : std::clamp(value, -largest, largest);
    }
    APFloat number(value);
    bool lost;
    number.convert(*semantics, APFloat::rmNearestTiesToEven, &lost);
    bits = number.bitcastToAPInt().getZExtValue();
  } else {
    bits = uint64_t(clampTo(value, getBits(type), isSigned(type)));
  }
  std::memcpy(bytes.data() + index * size, &bits, size); // little-endian
}

void NpyArray::nameBytes(lathe_dtype wanted) {
  if (isNarrow(wanted) && (type == kUnnamedByte || type == LATHE_UINT8 || type == LATHE_INT8))
    type = wanted;
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
  const TypeCode *known = find_if(kCodes, [&](const TypeCode &it) { return code == it.code; });
  if (known == std::end(kCodes))
    return fail("expected numbers or booleans, but got elements of type '" + descr + "'");
  array.type = known->type;
  size_t elementSize = sizeOf(array.type);
  if (!parseShape(valueOf(header, "shape"), array.shape))
    return fail("expected a shape, but got a malformed header");
  int64_t wanted;
  if (MulOverflow(array.size(), int64_t(elementSize), wanted) || rest.size() < size_t(wanted))
    return fail("expected " + Twine(array.size()) + " elements of " + Twine(elementSize) +
                " bytes, but got " + Twine(rest.size()) + " bytes");
  array.bytes.assign(rest.begin(), rest.begin() + wanted);
  if (big)
    swapBytes(array.bytes, elementSize);
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
  StringRef code = codeOf(array.type);
  std::string header;
  raw_string_ostream stream(header);
  stream << "{'descr': '" << (sizeOf(array.type) == 1 || code.starts_with("V") ? "|" : "<") << code
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

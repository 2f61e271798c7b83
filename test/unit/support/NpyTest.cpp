//===- NpyTest.cpp - Tests of lib/Support/Npy.h ---------------------------===//
#include "lib/Support/Npy.h"
#include "lib/Support/PackedBits.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"
#include <catch2/catch.hpp>
#include <cmath>

using namespace lathe;

/// The text of an error, or "" of success.
template <typename T> static std::string errorOf(llvm::Expected<T> value) {
  return value ? "" : llvm::toString(value.takeError());
}

static const lathe_dtype kAll[] = {LATHE_FLOAT32, LATHE_UINT8,   LATHE_INT8,   LATHE_UINT16,
                                   LATHE_INT16,   LATHE_INT32,   LATHE_INT64,  LATHE_BOOL,
                                   LATHE_FLOAT16, LATHE_FLOAT64, LATHE_UINT32, LATHE_UINT64,
                                   LATHE_BFLOAT16};

TEST_CASE("every element type survives writing and reading") {
  for (lathe_dtype type : kAll) {
    NpyArray array(type, {2, 3});
    for (int i = 0; i < 6; ++i)
      array.set(i, type == LATHE_BOOL ? i % 2 : i);
    llvm::Expected<NpyArray> read = parseNpy(formatNpy(array), "x.npy");
    INFO(nameOf(type).str());
    REQUIRE(bool(read));
    CHECK(read->type == type);
    CHECK(read->shape == array.shape);
    CHECK(read->bytes == array.bytes);
    CHECK(read->at(5) == (type == LATHE_BOOL ? 1 : 5));
  }
}

TEST_CASE("types that NumPy does not have are written as bytes and named when they are read") {
  for (lathe_dtype type : {LATHE_FLOAT8E4M3FN, LATHE_FLOAT8E5M2FNUZ, LATHE_FLOAT8E8M0, LATHE_FLOAT4E2M1, LATHE_INT4,
                           LATHE_UINT4, LATHE_INT2, LATHE_UINT2}) {
    NpyArray array(type, {2});
    array.set(0, 1);
    array.set(1, type == LATHE_INT2 ? -2 : 2);
    llvm::Expected<NpyArray> read = parseNpy(formatNpy(array), "x.npy");
    INFO(nameOf(type).str());
    REQUIRE(bool(read));
    CHECK(read->type == (getSemantics(type) ? kUnnamedByte : isSigned(type) ? LATHE_INT8 : LATHE_UINT8));
    CHECK(read->bytes == array.bytes);
    read->nameBytes(LATHE_FLOAT32); // no narrow type
    CHECK(read->type != LATHE_FLOAT32);
    read->nameBytes(type);
    CHECK(read->type == type);
    CHECK(read->at(0) == 1);
    CHECK(read->at(1) == (type == LATHE_INT2 ? -2 : 2));
  }
  NpyArray wide(LATHE_INT16, {2});
  wide.nameBytes(LATHE_INT4); // elements of two bytes are none of one
  CHECK(wide.type == LATHE_INT16);
}

TEST_CASE("small integers are clamped and have a sign") {
  NpyArray array(LATHE_INT4, {3});
  array.set(0, 100);
  array.set(1, -100);
  array.set(2, -1);
  CHECK(array.as<int8_t>() == llvm::ArrayRef<int8_t>({7, -8, -1}));
  array.type = LATHE_UINT2;
  array.set(0, 100);
  array.set(1, -100);
  CHECK(array.at(0) == 3);
  CHECK(array.at(1) == 0);
}

TEST_CASE("what a float of 4 bits cannot hold becomes its nearest, and NaN 0") {
  NpyArray array(LATHE_FLOAT4E2M1, {4});
  array.set(0, HUGE_VAL);
  array.set(1, -100);
  array.set(2, NAN);
  array.set(3, 2.5); // between 2 and 3, whose code is odd
  CHECK(array.at(0) == 6);
  CHECK(array.at(1) == -6);
  CHECK(array.at(2) == 0);
  CHECK(array.at(3) == 2);
}

TEST_CASE("packed elements are spread over bytes") {
  char packed[] = {char(0x98), 0x07}, bytes[3];
  unpackBits(packed, 4, /*isSigned=*/true, bytes);
  CHECK(llvm::ArrayRef<char>(bytes) == llvm::ArrayRef<char>({-8, -7, 7}));
  unpackBits(packed, 4, /*isSigned=*/false, bytes);
  CHECK(llvm::ArrayRef<char>(bytes) == llvm::ArrayRef<char>({8, 9, 7}));
  char pairs[] = {char(0xe4), 0x02}, five[5];
  unpackBits(pairs, 2, /*isSigned=*/true, five);
  CHECK(llvm::ArrayRef<char>(five) == llvm::ArrayRef<char>({0, 1, -2, -1, -2}));
  CHECK(getPackedSize(5, 2) == 2);
  CHECK(getPackedSize(4, 2) == 1);
  CHECK(getPackedSize(0, 4) == 0);
}

TEST_CASE("scalars and empty arrays have their shapes") {
  for (std::vector<int64_t> shape : {std::vector<int64_t>{}, {0}, {3, 0, 2}, {1}}) {
    llvm::Expected<NpyArray> read = parseNpy(formatNpy(NpyArray(LATHE_INT64, shape)), "x.npy");
    REQUIRE(bool(read));
    CHECK(read->shape == shape);
  }
}

TEST_CASE("the data begins at a multiple of 64") {
  std::string text = formatNpy(NpyArray(LATHE_FLOAT32, {5}));
  CHECK((text.size() - 20) % 64 == 0);
}

static std::string withHeader(llvm::StringRef header, llvm::StringRef data) {
  std::string text("\x93NUMPY\x01\x00", 8);
  text += char(header.size());
  text += char(0);
  return text + header.str() + data.str();
}

TEST_CASE("Fortran order and big-endian data are converted") {
  llvm::Expected<NpyArray> read = parseNpy(
      withHeader("{'descr': '>i2', 'fortran_order': True, 'shape': (2, 2), }\n",
                 llvm::StringRef("\0\1\0\2\0\3\0\4", 8)),
      "x.npy");
  REQUIRE(bool(read));
  CHECK(read->as<int16_t>() == llvm::ArrayRef<int16_t>({1, 3, 2, 4}));
}

TEST_CASE("damaged files are refused") {
  std::string good = formatNpy(NpyArray(LATHE_FLOAT32, {4}));
  CHECK(errorOf(parseNpy("", "x.npy")) == "x.npy: expected a .npy file, but got something else");
  CHECK(errorOf(parseNpy("PK\x03\x04", "x.npy")) != "");
  CHECK(errorOf(parseNpy(llvm::StringRef(good).take_front(9), "x.npy")) != "");
  CHECK(errorOf(parseNpy(llvm::StringRef(good).take_front(40), "x.npy")) ==
        "x.npy: the header is truncated");
  CHECK(errorOf(parseNpy(llvm::StringRef(good).drop_back(), "x.npy")) ==
        "x.npy: expected 4 elements of 4 bytes, but got 15 bytes");
  for (const char *header :
       {"{}", "{'descr': '<f4'}", "{'descr': [('a', '<f4')], 'shape': (1,)}",
        "{'descr': '<f4', 'shape': (-1,)}", "{'descr': '<f4', 'shape': (x,)}",
        "{'descr': '<f4', 'shape': (4294967296, 4294967296, 4294967296)}",
        "{'descr': '<f4', 'shape': (9223372036854775807,)}", "{'descr': '|O', 'shape': (1,)}"})
    CHECK(errorOf(parseNpy(withHeader(header, "0000"), "x.npy")) != "");
}

TEST_CASE("integers are rounded and clamped, halves are rounded to even") {
  NpyArray bytes(LATHE_UINT8, {3});
  bytes.set(0, -5);
  bytes.set(1, 300);
  bytes.set(2, 2.5);
  CHECK(bytes.as<uint8_t>() == llvm::ArrayRef<uint8_t>({0, 255, 2}));
  NpyArray half(LATHE_FLOAT16, {2});
  half.set(0, 1 + 0x1p-11);
  half.set(1, INFINITY);
  CHECK(half.at(0) == 1);
  CHECK(std::isinf(half.at(1)));
}

TEST_CASE("rows are a part of the outermost dimension") {
  NpyArray array(LATHE_INT32, {3, 2});
  for (int i = 0; i < 6; ++i)
    array.set(i, i);
  NpyArray part = array.rows(1, 3);
  CHECK(part.shape == std::vector<int64_t>{2, 2});
  CHECK(part.as<int32_t>() == llvm::ArrayRef<int32_t>({2, 3, 4, 5}));
}

/// Writes a file that is deleted with the object.
struct ScratchFile {
  llvm::SmallString<128> path;

  explicit ScratchFile(llvm::StringRef contents) {
    int descriptor;
    REQUIRE(!llvm::sys::fs::createTemporaryFile("npy", "npz", descriptor, path));
    llvm::raw_fd_ostream(descriptor, /*shouldClose=*/true) << contents;
  }
  ~ScratchFile() { llvm::sys::fs::remove(path); }
};

TEST_CASE("archives survive writing and reading, and damage is noticed") {
  std::vector<std::pair<std::string, NpyArray>> arrays = {
      {"a", NpyArray(LATHE_FLOAT32, {2})}, {"b", NpyArray(LATHE_UINT8, {3, 1})}};
  arrays[0].second.set(1, 0.5);
  llvm::Expected<std::string> text = formatNpz(arrays);
  REQUIRE(bool(text));
  {
    ScratchFile file(*text);
    auto read = readNpz(file.path);
    REQUIRE(bool(read));
    REQUIRE(read->size() == 2);
    CHECK((*read)[0].first == "a");
    CHECK((*read)[0].second.at(1) == 0.5);
    CHECK((*read)[1].second.shape == std::vector<int64_t>{3, 1});
  }
  std::string damaged = *text;
  damaged[170] ^= 1; // inside the first array
  CHECK(errorOf(readNpz(ScratchFile(damaged).path)) != "");
  CHECK(errorOf(readNpz(ScratchFile(llvm::StringRef(*text).drop_back(30)).path)) != "");
  CHECK(errorOf(readNpz("does-not-exist.npz")) != "");
}

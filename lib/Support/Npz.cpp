//===- Npz.cpp - NumPy's archives of arrays -------------------------------===//
//
// A .npz is a ZIP archive of .npy files. Read: members that are stored or deflated, with ZIP64 sizes. Written: stored.
//
//===----------------------------------------------------------------------===//
#include "lib/Support/Npy.h"

#include "llvm/Support/Endian.h"
#include "llvm/Support/MemoryBuffer.h"
#include <limits>
#include <zlib.h>

using namespace llvm;
using namespace lathe;
using support::endian::read16le;
using support::endian::read32le;
using support::endian::read64le;

namespace {
/// An entry of the archive's central directory.
struct Member {
  std::string name;
  unsigned method = 0;
  uint32_t crc = 0;
  uint64_t packedSize = 0, size = 0, offset = 0;
};
} // namespace

static constexpr size_t kEndSize = 22, kEntrySize = 46, kLocalSize = 30;

/// Replaces the sizes that did not fit 32 bits by those of the ZIP64 extra field.
static void applyZip64(Member &member, StringRef extra) {
  while (extra.size() >= 4) {
    unsigned tag = read16le(extra.data()), size = read16le(extra.data() + 2);
    StringRef field = extra.drop_front(4).take_front(size);
    if (tag == 1)
      for (uint64_t *value : {&member.size, &member.packedSize, &member.offset})
        if (*value == 0xffffffffu && field.size() >= 8) {
          *value = read64le(field.data());
          field = field.drop_front(8);
        }
    extra = extra.drop_front(std::min<size_t>(extra.size(), 4 + size));
  }
}

static bool readDirectory(StringRef data, std::vector<Member> &members) {
  size_t end = data.rfind(StringRef("PK\x05\x06", 4));
  if (end == StringRef::npos || data.size() - end < kEndSize)
    return false;
  size_t count = read16le(data.data() + end + 10), at = read32le(data.data() + end + 16);
  for (size_t i = 0; i < count; ++i) {
    if (at > data.size() || data.size() - at < kEntrySize ||
        !data.substr(at).starts_with(StringRef("PK\x01\x02", 4)))
      return false;
    const char *entry = data.data() + at;
    size_t nameSize = read16le(entry + 28), extraSize = read16le(entry + 30),
           commentSize = read16le(entry + 32);
    if (data.size() - at < kEntrySize + nameSize + extraSize + commentSize)
      return false;
    Member member;
    member.method = read16le(entry + 10);
    member.crc = read32le(entry + 16);
    member.packedSize = read32le(entry + 20);
    member.size = read32le(entry + 24);
    member.offset = read32le(entry + 42);
    member.name = StringRef(entry + kEntrySize, nameSize).str();
    applyZip64(member, StringRef(entry + kEntrySize + nameSize, extraSize));
    members.push_back(std::move(member));
    at += kEntrySize + nameSize + extraSize + commentSize;
  }
  return true;
}

/// The bytes of a member, or nullopt if the archive is damaged.
static std::optional<std::string> extract(StringRef data, const Member &member) {
  if (member.offset > data.size() || data.size() - member.offset < kLocalSize)
    return std::nullopt;
  const char *local = data.data() + member.offset;
  uint64_t begin = member.offset + kLocalSize + read16le(local + 26) + read16le(local + 28);
  if (begin > data.size() || data.size() - begin < member.packedSize)
    return std::nullopt;
  StringRef packed = data.substr(begin, member.packedSize);
  std::string result;
  if (member.method == 0) {
    result = packed.str();
  } else if (member.method == 8) {
    // Deflate shrinks at most 1032 times: a larger size is a lie, and not worth its memory.
    if (member.size / 1040 > member.packedSize + 1 || packed.size() > UINT_MAX || member.size > UINT_MAX)
      return std::nullopt;
    result.resize(member.size);
    z_stream stream = {};
    stream.next_in = reinterpret_cast<Bytef *>(const_cast<char *>(packed.data()));
    stream.avail_in = unsigned(packed.size());
    stream.next_out = reinterpret_cast<Bytef *>(result.data());
    stream.avail_out = unsigned(result.size());
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
      return std::nullopt;
    int status = inflate(&stream, Z_FINISH);
    inflateEnd(&stream);
    if (status != Z_STREAM_END || stream.avail_out != 0)
      return std::nullopt;
  } else {
    return std::nullopt;
  }
  uint32_t crc = uint32_t(crc32_z(0, reinterpret_cast<const Bytef *>(result.data()), result.size()));
  if (result.size() != member.size || crc != member.crc)
    return std::nullopt;
  return result;
}

Expected<std::vector<std::pair<std::string, NpyArray>>> lathe::readNpz(StringRef path) {
  ErrorOr<std::unique_ptr<MemoryBuffer>> file =
      MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!file)
    return createStringError("cannot read " + path + ": " + file.getError().message());
  StringRef data = (*file)->getBuffer();
  std::vector<Member> members;
  if (!readDirectory(data, members))
    return createStringError(path + ": expected a .npz archive, but got something else");
  std::vector<std::pair<std::string, NpyArray>> arrays;
  for (const Member &member : members) {
    std::optional<std::string> bytes = extract(data, member);
    if (!bytes)
      return createStringError(path + ": '" + member.name + "' is damaged or packed in an unknown way");
    StringRef name = member.name;
    name.consume_back(".npy");
    Expected<NpyArray> array = parseNpy(*bytes, (path + ":" + member.name).str());
    if (!array)
      return array.takeError();
    arrays.emplace_back(name.str(), std::move(*array));
  }
  return arrays;
}

static void put16(std::string &text, uint32_t value) {
  text += char(value & 0xff);
  text += char(value >> 8 & 0xff);
}

static void put32(std::string &text, uint32_t value) {
  put16(text, value & 0xffff);
  put16(text, value >> 16);
}

Expected<std::string> lathe::formatNpz(ArrayRef<std::pair<std::string, NpyArray>> arrays) {
  std::string text, directory;
  for (const auto &[name, array] : arrays) {
    std::string member = formatNpy(array), fileName = name + ".npy";
    if (text.size() + member.size() > std::numeric_limits<uint32_t>::max() - (1u << 20))
      return createStringError("expected arrays of less than 4 GB, but got more");
    uint32_t crc = uint32_t(crc32_z(0, reinterpret_cast<const Bytef *>(member.data()), member.size()));
    std::string common;
    put16(common, 20); // version needed
    put16(common, 0);  // flags
    put16(common, 0);  // stored
    put16(common, 0);  // time
    put16(common, 33); // date: 1980-01-01, so that equal arrays make equal files
    put32(common, crc);
    put32(common, uint32_t(member.size()));
    put32(common, uint32_t(member.size()));
    put16(common, uint32_t(fileName.size()));
    put16(common, 0); // extra
    uint32_t offset = uint32_t(text.size());
    text += std::string("PK\x03\x04", 4) + common + fileName + member;
    directory += std::string("PK\x01\x02", 4);
    put16(directory, 20);
    directory += common;
    put16(directory, 0); // comment
    put16(directory, 0); // disk
    put16(directory, 0); // internal attributes
    put32(directory, 0); // external attributes
    put32(directory, offset);
    directory += fileName;
  }
  uint32_t start = uint32_t(text.size());
  text += directory + std::string("PK\x05\x06", 4);
  put32(text, 0);
  put16(text, uint32_t(arrays.size()));
  put16(text, uint32_t(arrays.size()));
  put32(text, uint32_t(directory.size()));
  put32(text, start);
  put16(text, 0);
  return text;
}

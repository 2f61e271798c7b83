//===- ModelFile.cpp - The mapped file of a model -------------------------===//
#include "lib/Frontend/ModelFile.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>
#ifdef __linux__
#include <sys/mman.h>
#endif

using namespace llvm;
using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

namespace lathe {

namespace {

/// Messages that may hold tensors, directly or in what they contain.
enum class MessageKind { Model, Graph, Node, Attribute, Tensor, Function, Other };

/// Protobuf itself stops at this depth.
constexpr unsigned kMaxMessageDepth = 100;

/// Which message is in a field; the numbers belong to the ONNX format.
MessageKind getChild(MessageKind parent, int field) {
  switch (parent) {
  case MessageKind::Model:
    return field == 7    ? MessageKind::Graph
           : field == 25 ? MessageKind::Function
                         : MessageKind::Other;
  case MessageKind::Graph:
    return field == 5 ? MessageKind::Tensor : field == 1 ? MessageKind::Node : MessageKind::Other;
  case MessageKind::Function:
    return field == 7 ? MessageKind::Node : MessageKind::Other;
  case MessageKind::Node:
    return field == 5 ? MessageKind::Attribute : MessageKind::Other;
  case MessageKind::Attribute:
    return field == 5 || field == 10   ? MessageKind::Tensor
           : field == 6 || field == 11 ? MessageKind::Graph
                                       : MessageKind::Other;
  default:
    return MessageKind::Other;
  }
}

void appendField(std::string &out, uint32_t tag, StringRef bytes) {
  for (uint64_t value : {uint64_t(tag), uint64_t(bytes.size())}) {
    for (; value >= 0x80; value >>= 7)
      out.push_back(char(value | 0x80));
    out.push_back(char(value));
  }
  out.append(bytes.data(), bytes.size());
}

/// The wire form of external data at `offset` of the model file; concatenated messages merge, so it
/// may follow a tensor.
std::string makeReference(uint64_t offset, uint64_t length) {
  ::onnx::TensorProto tensor;
  auto add = [&](const char *key, std::string value) {
    ::onnx::StringStringEntryProto *entry = tensor.add_external_data();
    entry->set_key(key);
    entry->set_value(std::move(value));
  };
  add("location", "");
  add("offset", std::to_string(offset));
  add("length", std::to_string(length));
  tensor.set_data_location(::onnx::TensorProto::EXTERNAL);
  return tensor.SerializeAsString();
}

/// Copies `message`, which is at `base` in the file, without the raw_data of its tensors: protobuf
/// would copy them. Fails if it is not in the wire format.
bool stripWeights(MessageKind kind, StringRef message, uint64_t base, unsigned depth,
                  std::string &out) {
  if (depth > kMaxMessageDepth)
    return false;
  CodedInputStream in(reinterpret_cast<const uint8_t *>(message.data()), message.size());
  in.SetTotalBytesLimit(std::numeric_limits<int>::max());
  for (int begin = 0; uint32_t tag = in.ReadTag(); begin = in.CurrentPosition()) {
    int field = WireFormatLite::GetTagFieldNumber(tag);
    bool isMessage =
        WireFormatLite::GetTagWireType(tag) == WireFormatLite::WIRETYPE_LENGTH_DELIMITED;
    bool raw = isMessage && kind == MessageKind::Tensor &&
               field == ::onnx::TensorProto::kRawDataFieldNumber;
    if (!raw && (!isMessage || getChild(kind, field) == MessageKind::Other)) {
      if (!WireFormatLite::SkipField(&in, tag))
        return false;
      out.append(message.data() + begin, in.CurrentPosition() - begin);
      continue;
    }
    uint32_t size = 0;
    if (!in.ReadVarint32(&size) || size > message.size() - in.CurrentPosition())
      return false;
    uint64_t at = in.CurrentPosition();
    in.Skip(size);
    if (raw) {
      out += makeReference(base + at, size);
      continue;
    }
    std::string inner;
    if (!stripWeights(getChild(kind, field), message.substr(at, size), base + at, depth + 1, inner))
      return false;
    appendField(out, tag, inner);
  }
  return in.ConsumedEntireMessage();
}

/// What MappedBytes point to.
struct Mapping : ArrayRef<char> {
  sys::fs::mapped_file_region region;
};

/// Maps an open file and closes its descriptor. An empty file has no mapping.
Expected<MappedBytes> mapFile(int descriptor, uint64_t size) {
  llvm::scope_exit closer([&] { sys::Process::SafelyCloseFileDescriptor(descriptor); });
  if (size == 0)
    return std::make_shared<Mapping>();
  std::error_code error;
  auto mapping = std::make_shared<Mapping>();
  mapping->region =
      sys::fs::mapped_file_region(sys::fs::convertFDToNativeFile(descriptor),
                                  sys::fs::mapped_file_region::readonly, size, 0, error);
  if (error)
    return createStringError(error, "cannot map the file: " + error.message());
  static_cast<ArrayRef<char> &>(*mapping) = ArrayRef<char>(mapping->region.const_data(), size);
  return mapping;
}

/// Opens a regular file; `status` and `realPath` describe what was opened, not what the path names
/// later.
Expected<MappedBytes> openAndMap(
    StringRef path, sys::fs::file_status &status, SmallVectorImpl<char> &realPath,
    function_ref<Error()> check = [] { return Error::success(); }) {
  int descriptor = -1;
  if (std::error_code error =
          sys::fs::openFileForRead(path, descriptor, sys::fs::OF_None, &realPath))
    return createStringError(error, "cannot open '" + path + "': " + error.message());
  Error failure = [&]() -> Error {
    if (std::error_code error = sys::fs::status(descriptor, status))
      return createStringError(error, "cannot read '" + path + "': " + error.message());
    if (status.type() != sys::fs::file_type::regular_file)
      return createStringError("expected a regular file, but got '" + path + "'");
    return check();
  }();
  if (failure) {
    sys::Process::SafelyCloseFileDescriptor(descriptor);
    return std::move(failure);
  }
  return mapFile(descriptor, status.getSize());
}

} // namespace

Expected<std::unique_ptr<ModelFile>> ModelFile::open(StringRef path) {
  auto file = std::make_unique<ModelFile>();
  file->path = path.str();
  sys::fs::file_status status;
  SmallString<128> realPath;
  Expected<MappedBytes> bytes = openAndMap(path, status, realPath);
  if (!bytes)
    return bytes.takeError();
  file->self = *bytes;
  StringRef content((*bytes)->data(), (*bytes)->size());
  if (content.empty())
    return createStringError("expected an ONNX model, but got an empty file");
  // Protobuf counts bytes in int; so do all writers, larger models have external data.
  if (content.size() > size_t(std::numeric_limits<int>::max()))
    return createStringError("expected an ONNX file below 2 GiB with external data, but got " +
                             std::to_string(content.size()) + " bytes");
  std::string stripped;
  if (!stripWeights(MessageKind::Model, content, 0, 0, stripped) ||
      !file->model.ParseFromString(stripped))
    return createStringError(
        "expected an ONNX model, but got a file that is truncated or no protobuf");
  return std::move(file);
}

void ModelFile::releasePages() {
  auto release = [](const MappedBytes &bytes) {
#ifdef __linux__
    // Not the region's dontNeed(): it calls posix_madvise, which does nothing in glibc.
    auto &region = static_cast<Mapping &>(*bytes).region;
    if (region)
      (void)::madvise(const_cast<char *>(region.const_data()), region.size(), MADV_DONTNEED);
#else
    (void)bytes;
#endif
  };
  release(self);
  for (const auto &entry : externalFiles)
    release(entry.getValue());
}

Expected<MappedBytes> ModelFile::getExternalFile(StringRef location) {
  if (location.empty())
    return self;
  if (auto it = externalFiles.find(location); it != externalFiles.end())
    return it->second;
  auto refuse = [&](const Twine &why) {
    return createStringError("expected external data inside the model's folder, but got '" +
                             location + "', " + why);
  };
  if (sys::path::is_absolute(location, sys::path::Style::posix) ||
      sys::path::is_absolute(location, sys::path::Style::windows) || location.contains('\0'))
    return refuse("an absolute path");
  if (llvm::is_contained(make_range(sys::path::begin(location), sys::path::end(location)), ".."))
    return refuse("which has '..'");

  StringRef parent = sys::path::parent_path(path);
  SmallString<128> folder, file(parent), realFile;
  if (std::error_code error = sys::fs::real_path(parent.empty() ? "." : parent, folder))
    return createStringError(error, "cannot read the model's folder: " + error.message());
  sys::path::append(file, location);
  sys::fs::file_status status;
  Expected<MappedBytes> bytes = openAndMap(file, status, realFile, [&]() -> Error {
    // The real path is that of the descriptor, so nothing can be exchanged in between.
    StringRef inside(realFile);
    if (!inside.consume_front(folder) || !(inside.starts_with("/") || folder == "/"))
      return refuse("a link to the outside");
    if (status.getLinkCount() > 1)
      return refuse("which has several hard links");
    return Error::success();
  });
  if (!bytes)
    return bytes.takeError();
  externalFiles[location] = *bytes;
  return *bytes;
}

} // namespace lathe

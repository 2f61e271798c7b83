//===- Protos.h - Messages in files ---------------------------------------===//
#ifndef TOOLS_LATHE_CONFORMANCE_PROTOS_H
#define TOOLS_LATHE_CONFORMANCE_PROTOS_H

#include "lib/Frontend/OnnxProto.h"
#include "llvm/Support/MemoryBuffer.h"

namespace lathe {

/// Reads one message; false if the file cannot be read or has something else.
inline bool readProto(llvm::StringRef path, google::protobuf::MessageLite &proto) {
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  return buffer && proto.ParseFromArray((*buffer)->getBufferStart(), int((*buffer)->getBufferSize()));
}

} // namespace lathe

#endif // TOOLS_LATHE_CONFORMANCE_PROTOS_H

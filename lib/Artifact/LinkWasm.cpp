//===- LinkWasm.cpp - A WebAssembly module of one model -------------------===//
#include "lib/Artifact/Link.h"
#include "lib/Target/WebAssembly/WebAssembly.h"

using namespace lathe;

/// What kernels keep on the stack are blocks of a tensor that fit a cache. Below them nothing lies that is used.
static constexpr unsigned kStackBytes = (1 << 20) + wasm::kLowestAddress;

llvm::Error lathe::linkWasm(const CompiledObject &object, llvm::StringRef path) {
  llvm::Expected<TemporaryFile> in = toFile(object);
  if (!in)
    return in.takeError();
  // With the stack first, one that is too deep traps instead of writing over the weights.
  return link("wasm-ld", {"--no-entry", "--stack-first", "-z", "stack-size=" + std::to_string(kStackBytes), "--strip-all",
                          "--export=" + object.name + "_run", "--export=" + object.name + "_output_shapes",
                          "--export=__heap_base", "-o", path.str(), in->path.str().str()});
}

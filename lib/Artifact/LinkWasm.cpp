//===- LinkWasm.cpp - A WebAssembly module of one model -------------------===//
#include "lib/Artifact/Link.h"
#include "lib/Target/WebAssembly/WebAssembly.h"
#include "llvm/Object/Wasm.h"

using namespace lathe;

/// The pages of the memory that the module imports.
static llvm::Expected<uint64_t> readMemoryPages(llvm::StringRef path) {
  llvm::Expected<llvm::object::OwningBinary<llvm::object::ObjectFile>> file =
      llvm::object::ObjectFile::createObjectFile(path);
  if (!file)
    return file.takeError();
  if (auto *module = llvm::dyn_cast<llvm::object::WasmObjectFile>(file->getBinary()))
    for (const llvm::wasm::WasmImport &import : module->imports())
      if (import.Kind == llvm::wasm::WASM_EXTERNAL_MEMORY)
        return import.Memory.Minimum;
  return llvm::createStringError("the module does not import a memory");
}

llvm::Expected<uint64_t> lathe::linkWasm(const CompiledObject &object, nn::TargetAttr target, llvm::StringRef path) {
  llvm::Expected<TemporaryFile> in = toFile(object);
  if (!in)
    return in.takeError();
  // With the stack first, one that is too deep traps instead of writing over the weights.
  std::vector<std::string> arguments = {"--no-entry",
                                        "--stack-first",
                                        "-z",
                                        "stack-size=" + std::to_string(wasm::kStackBytes),
                                        "--strip-all",
                                        "--export=" + object.name + "_run",
                                        "--export=" + object.name + "_output_shapes",
                                        "--export-if-defined=" + object.name + "_weights",
                                        "--export=__heap_base",
                                        "-o",
                                        path.str(),
                                        in->path.str().str()};
  bool hasThreads = wasm::hasThreads(target);
  if (hasThreads)
    llvm::append_range(
        arguments, std::vector<std::string>{"--import-memory", "--shared-memory",
                                            "--max-memory=" + std::to_string(wasm::kMaximumPages * wasm::kPageBytes),
                                            "--export-table", "--growable-table", "--export=__stack_pointer"});
  if (llvm::Error error = link("wasm-ld", arguments))
    return std::move(error);
  return hasThreads ? readMemoryPages(path) : 0;
}

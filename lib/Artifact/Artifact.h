//===- Artifact.h - What a compilation writes -----------------------------===//
#ifndef LIB_ARTIFACT_ARTIFACT_H
#define LIB_ARTIFACT_ARTIFACT_H

#include "lib/Target/Target.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <functional>
#include <string>

namespace lathe {

/// Attributes of a module in the `llvm` phase; set by codegen-to-llvm, read by the artifact writers.
inline constexpr llvm::StringLiteral kModelNameAttr = "lathe.name";
inline constexpr llvm::StringLiteral kWeightsAttr = "lathe.weights";              // ArrayAttr of ElementsAttr
inline constexpr llvm::StringLiteral kWeightOffsetsAttr = "lathe.weight_offsets"; // array<i64>
inline constexpr llvm::StringLiteral kWeightBytesAttr = "lathe.weight_bytes";
inline constexpr llvm::StringLiteral kWorkspaceBytesAttr = "lathe.workspace_bytes";
inline constexpr llvm::StringLiteral kInputsAttr = "lathe.inputs";   // array of {name, dtype, shape}
inline constexpr llvm::StringLiteral kOutputsAttr = "lathe.outputs"; // array of {name, dtype, shape}
inline constexpr llvm::StringLiteral kDeviceAttr = "lathe.device";   // of models for a GPU: {arena_bytes, ...}
inline constexpr llvm::StringLiteral kModelDimsAttr = "lathe.dims";  // array of {name, lower, upper}

/// The C header of a model: input and output structs, workspace size, `<name>_run` and `<name>_model`. C11 and C++.
std::string generateHeader(mlir::ModuleOp module);

/// What the ES module has to know of the WebAssembly module beside it.
struct WebFiles {
  std::string wasm;         ///< the module's file
  std::string weights;      ///< the file of the weights; empty if they are in the module
  std::string weightsHash;  ///< see hashWeights
  uint64_t memoryPages = 0; ///< the least memory that it imports, of 64 KB each; 0 if it has one of its own
};

/// The ES module that loads and runs a WebAssembly module, and its TypeScript declarations (.d.mts).
std::string generateWebModule(mlir::ModuleOp module, const WebFiles &files);
std::string generateWebTypes(mlir::ModuleOp module);

/// A compiled model: an object with the code, which refers to the symbol `<name>_weights`, and the bytes of that
/// symbol, which stay where the module keeps them.
struct CompiledObject {
  struct Blob {
    uint64_t offset; ///< from the start of the weights, a multiple of 64
    llvm::ArrayRef<char> bytes;
    bool splat; ///< `bytes` is one element, repeated up to `size`
    uint64_t size;
  };
  std::string name;
  Bytes code;
  llvm::SmallVector<Blob, 0> weights; ///< by rising offset; valid as long as the module
  uint64_t weightBytes = 0;
  bool hasWeights = false;   ///< `code` holds them, too
  bool callsRuntime = false; ///< it launches kernels by functions of liblathe_rt.a
};

/// Generates the code of a module in the `llvm` phase, on the threads of its context. Its time is accounted below
/// `timing`. Code for WebAssembly has room for the weights instead of their bytes if these are external. Fails after an
/// error.
mlir::FailureOr<CompiledObject> compileObject(mlir::ModuleOp module, nn::TargetAttr target,
                                              mlir::TimingScope *timing = nullptr, bool externalWeights = false);

/// One relocatable ELF object of several, whose hidden symbols become local.
llvm::Expected<Bytes> joinObjects(llvm::ArrayRef<Bytes> objects);

/// Writes one relocatable object: the code, and the weights as the bytes of a read-only section. They never become LLVM
/// constants and are not copied on the way.
llvm::Error writeObject(const CompiledObject &object, llvm::raw_ostream &stream);

/// Pages of this size hold weights of at least twice as much, where the system has them: x86-64's and AArch64's.
inline constexpr uint64_t kLargePageBytes = 2 << 20;
inline bool prefersLargePages(uint64_t weightBytes) { return weightBytes >= 2 * kLargePageBytes; }

/// Writes the weights as they lie in memory, `weightBytes` in all, which are a multiple of 4.
void writeWeights(const CompiledObject &object, llvm::raw_ostream &stream);

/// The 32-bit FNV-1a hash of the weights, taken of words (little-endian) instead of bytes, in eight hexadecimal digits.
std::string hashWeights(const CompiledObject &object);

/// The weights as one block for loading in process, aligned to 64 bytes or to large pages; null if there are none.
std::unique_ptr<llvm::MemoryBuffer> copyWeights(const CompiledObject &object);

/// Links the model to a shared object at `path` with lld in process. If it calls the runtime, that is taken from
/// `libraries`, see `linkExecutable`, and hidden in it.
llvm::Error linkShared(const CompiledObject &object, nn::TargetAttr target, llvm::StringRef path,
                       llvm::StringRef libraries);

/// Links the model to a program that runs it on .npy files (runtime/src/main.c), with the C library of the target's
/// Linux. `libraries` is the folder of liblathe_main.a and liblathe_rt.a, those of other machines than this in folders
/// below.
llvm::Error linkExecutable(const CompiledObject &object, nn::TargetAttr target, llvm::StringRef path,
                           llvm::StringRef libraries);

/// Links the model, an object for WebAssembly, to a module at `path`. It exports `<name>_run`, `<name>_output_shapes`,
/// where memory is free: `__heap_base`, and where external weights are to be written: `<name>_weights`. It exports its
/// memory and imports nothing; for a target with threads it imports a shared memory, of at least as many pages as are
/// returned, and exports the table of functions and the stack pointer.
llvm::Expected<uint64_t> linkWasm(const CompiledObject &object, nn::TargetAttr target, llvm::StringRef path);

/// Writes a file as a whole or not at all: to a temporary beside it, then renamed. "-" is stdout.
llvm::Error writeFile(llvm::StringRef path, llvm::function_ref<void(llvm::raw_ostream &)> write,
                      bool executable = false);

} // namespace lathe

#endif // LIB_ARTIFACT_ARTIFACT_H

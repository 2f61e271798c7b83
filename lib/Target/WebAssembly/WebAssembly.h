//===- WebAssembly.h - Parts of the WebAssembly family --------------------===//
#ifndef LIB_TARGET_WEBASSEMBLY_WEBASSEMBLY_H
#define LIB_TARGET_WEBASSEMBLY_WEBASSEMBLY_H

#include "dialects/NN/IR/NNDialect.h"
#include "lib/Target/DotProduct.h"

namespace llvm {
class FunctionPass;
}

namespace lathe::wasm {

const DotProduct &getDotProduct(nn::TargetAttr target);

/// Lets loads and stores have constant offsets, and bounds be one instruction; see PrepareSelection.cpp.
llvm::FunctionPass *createPrepareSelectionPass();

/// No object lies below this address, where the stack would overflow: linkWasm sees to it, and so do linkers that place
/// the stack first or data at an address of at least this.
inline constexpr unsigned kLowestAddress = 65536;

/// What kernels keep on the stack are blocks of a tensor that fit a cache. Below them nothing lies that is used.
inline constexpr unsigned kStackBytes = (1 << 20) + kLowestAddress;

/// Memory is counted in pages; a module with threads says how many there can be.
inline constexpr uint64_t kPageBytes = 65536, kMaximumPages = 65536;

/// Whether several instances of the code may run on one memory.
bool hasThreads(nn::TargetAttr target);
/// The features that an engine must have for it, by LLVM's names, beside those of every engine and threads.
llvm::SmallVector<llvm::StringRef> getNeededFeatures(nn::TargetAttr target);

} // namespace lathe::wasm

#endif // LIB_TARGET_WEBASSEMBLY_WEBASSEMBLY_H

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

} // namespace lathe::wasm

#endif // LIB_TARGET_WEBASSEMBLY_WEBASSEMBLY_H

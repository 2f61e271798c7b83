//===- TargetKind.h - What kind of machine a target is --------------------===//
#ifndef PASSES_CODEGEN_COMMON_TARGETKIND_H
#define PASSES_CODEGEN_COMMON_TARGETKIND_H

#include "dialects/NN/IR/NNDialect.h"
#include "llvm/TargetParser/Triple.h"

namespace lathe::codegen {

/// Attribute of the module beside `nn.target` where that is a GPU: the machine that calls it.
inline constexpr llvm::StringLiteral kHostTargetAttr = "nn.host_target";

/// True for a machine that runs grids of threads, launched by another one.
inline bool isGpu(nn::TargetAttr target) { return llvm::Triple(target.getTriple()).isGPU(); }

} // namespace lathe::codegen

#endif // PASSES_CODEGEN_COMMON_TARGETKIND_H

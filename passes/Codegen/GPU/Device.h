//===- Device.h - How host and device code of a module are told apart -----===//
#ifndef PASSES_CODEGEN_GPU_DEVICE_H
#define PASSES_CODEGEN_GPU_DEVICE_H

#include "llvm/ADT/StringRef.h"

namespace lathe::simt {

/// The gpu.module that holds all kernels.
inline constexpr llvm::StringLiteral kDeviceModuleName = "device";

} // namespace lathe::simt

#endif // PASSES_CODEGEN_GPU_DEVICE_H

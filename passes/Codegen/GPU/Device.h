//===- Device.h - How host and device code of a module are told apart -----===//
#ifndef PASSES_CODEGEN_GPU_DEVICE_H
#define PASSES_CODEGEN_GPU_DEVICE_H

#include "llvm/ADT/StringRef.h"
#include <cstdint>

namespace lathe::simt {

inline constexpr int64_t kWarpThreads = 32;

/// The gpu.module that holds all kernels.
inline constexpr llvm::StringLiteral kDeviceModuleName = "device";

/// The constant that holds their code after codegen-gpu-embed.
inline constexpr llvm::StringLiteral kDeviceCodeName = "device_code";

/// On a gpu.launch: blocks that a multiprocessor shall have registers for at a time.
inline constexpr llvm::StringLiteral kResidentBlocksAttr = "lathe.resident_blocks";

/// The device's own 2^x (PTX ISA, "ex2.approx.ftz.f32").
inline constexpr llvm::StringLiteral kExp2Intrinsic = "llvm.nvvm.ex2.approx.ftz.f";

/// On a module after codegen-gpu-embed: {kernels = [names], arena_bytes = i64, capability = i32, exact = bool}.
inline constexpr llvm::StringLiteral kDeviceAttr = "lathe.device";

/// On functions that run one block of a kernel, where they are to be visible.
inline constexpr llvm::StringLiteral kBlockFunctionAttr = "lathe.block_function";

} // namespace lathe::simt

#endif // PASSES_CODEGEN_GPU_DEVICE_H

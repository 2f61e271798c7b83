//===- WarpEmulation.h - What threads of a warp do together, on the host --===//
#ifndef PASSES_CODEGEN_GPU_WARPEMULATION_H
#define PASSES_CODEGEN_GPU_WARPEMULATION_H

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "passes/Codegen/Common/LoopBuilder.h"
#include "passes/Codegen/GPU/Device.h"

namespace lathe::simt {

/// Ops that a warp's threads execute together, each with registers of the others: they end a part as a barrier does.
bool isWarpOp(mlir::Operation *op);

/// An error for a warp op that there is no reference for.
mlir::LogicalResult checkWarpOp(mlir::Operation *op);

/// `mma.sync` of all warps of a block by the layout of fragments in the PTX ISA, "Warp-level matrix instructions". `a`
/// and `b` are memref<threads x registers x i32>, `c` memref<threads x 4 x f32 or i32>, which gets the result.
void emulateMma(codegen::LoopBuilder &k, mlir::ModuleOp module, mlir::NVVM::MmaOp op, mlir::Value a, mlir::Value b,
                mlir::Value c);

/// What `ldmatrix` leaves in the registers of one thread. `addresses`, memref<threads x index>, are the elements of
/// `memory` where rows of matrices begin, as each thread gave one.
mlir::Value emulateLdMatrix(codegen::LoopBuilder &k, mlir::nvgpu::LdMatrixOp op, mlir::Value memory,
                            mlir::Value addresses, mlir::Value thread);

/// The bits that `cvt.rna.tf32.f32` gives.
mlir::Value emulateTF32(codegen::LoopBuilder &k, mlir::Value x);

/// A value of 32 bits as i32.
mlir::Value toWord(codegen::LoopBuilder &k, mlir::Value value);

} // namespace lathe::simt

#endif // PASSES_CODEGEN_GPU_WARPEMULATION_H

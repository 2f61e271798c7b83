//===- AsyncCopies.h - Copies that come late, on the host -----------------===//
#ifndef PASSES_CODEGEN_GPU_ASYNCCOPIES_H
#define PASSES_CODEGEN_GPU_ASYNCCOPIES_H

#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "passes/Codegen/Common/LoopBuilder.h"

namespace lathe::simt {

/// `cp.async` of one block's threads into one array of its memory, as late as it may be: an element is garbage from the
/// copy on, and there when its thread has waited for the copy's group. So a missing wait, and a copy over what is still
/// read, give wrong results.
class AsyncCopies {
public:
  /// At the start of the block's function, for `memory` of one dimension and a kernel that holds `copies` such ops.
  AsyncCopies(codegen::LoopBuilder &k, mlir::Value memory, int64_t threads, int64_t copies);

  mlir::Value getMemory() const { return memory; }

  /// Each is what one thread does at the place of `k`; the copy's operands are those of the host.
  void copy(codegen::LoopBuilder &k, mlir::nvgpu::DeviceAsyncCopyOp op, mlir::Value thread);
  void closeGroup(codegen::LoopBuilder &k, mlir::Value thread);
  void wait(codegen::LoopBuilder &k, mlir::Value thread, int64_t groupsInFlight);

private:
  mlir::Value garbage(codegen::LoopBuilder &k);
  mlir::Value get(codegen::LoopBuilder &k, mlir::Value thread, int64_t slot);
  void set(codegen::LoopBuilder &k, mlir::Value thread, int64_t slot, mlir::Value value);

  mlir::Value memory;
  mlir::Value late;   ///< what `memory` will hold
  mlir::Value places; ///< threads x capacity x (first element, elements) of copies in flight
  mlir::Value state;  ///< threads x (numbers of copies and groups, and where groups end)
  int64_t capacity;
};

} // namespace lathe::simt

#endif // PASSES_CODEGEN_GPU_ASYNCCOPIES_H

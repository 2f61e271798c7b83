//===- BlockFunction.h - A kernel as a function that runs one block -------===//
#ifndef PASSES_CODEGEN_GPU_BLOCKFUNCTION_H
#define PASSES_CODEGEN_GPU_BLOCKFUNCTION_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/IRMapping.h"
#include "passes/Codegen/GPU/AsyncCopies.h"
#include "passes/Codegen/GPU/WarpEmulation.h"
#include <array>

namespace lathe::simt {

/// Turns a kernel into a function of the host that runs the threads of one block one after the other. Barriers split
/// what they run: all threads run the part before one, then all run the part after it (Stratton et al. 2008, "MCUDA").
/// So do ops that the threads of a warp execute together, and whose operands all of them hand over. Loops and branches
/// around either are taken by all threads alike, as CUDA demands, and stay around the parts.
class BlockFunction {
public:
  BlockFunction(mlir::gpu::GPUFuncOp kernel, mlir::ModuleOp module) : kernel(kernel), module(module) {}

  /// `@kernel(operands..., block x, y, z, grid x, y, z)` at the end of the module, or null after an error.
  mlir::func::FuncOp emit();

private:
  /// What one thread knows in one part. Values of other parts are looked up when they are used.
  struct Thread {
    mlir::Value number;
    std::array<mlir::Value, 3> ids;
    mlir::IRMapping values;
  };

  mlir::LogicalResult mapViews(mlir::Value shared, mlir::Value memory);
  void forThreads(llvm::function_ref<void(Thread &)> body);
  mlir::LogicalResult emitOps(mlir::Block &block);
  void emitPart(mlir::ArrayRef<mlir::Operation *> ops);
  void emitWarpOp(mlir::Operation *op);
  void emitMma(mlir::NVVM::MmaOp op);
  mlir::LogicalResult emitLoop(mlir::scf::ForOp loop);
  mlir::LogicalResult emitBranch(mlir::scf::IfOp branch);
  void cloneForThread(mlir::Operation *op, Thread &thread);
  /// Replaces what only a GPU has by what it does for one thread.
  void lowerForThread(mlir::Operation *op, Thread &thread);

  mlir::Value lookUp(mlir::Value value, Thread &thread);
  /// A value that all threads agree on, outside of their loops.
  mlir::Value lookUpUniform(mlir::Value value);
  mlir::Value findId(mlir::Operation *op, Thread &thread);
  /// Room for a value of each thread, from one part to another.
  mlir::Value makeBuffer(mlir::Type type, mlir::ArrayRef<int64_t> shape = {});
  /// Room that several ops use, one after the other, for their operand number `role`.
  mlir::Value getScratch(unsigned role, mlir::Type type, mlir::ArrayRef<int64_t> shape = {});
  void keep(mlir::Value value, Thread &thread, mlir::Value buffer);
  bool isUsedLater(mlir::Value value, const llvm::SmallPtrSetImpl<mlir::Operation *> &part);

  mlir::gpu::GPUFuncOp kernel;
  mlir::ModuleOp module;
  mlir::func::FuncOp function;
  codegen::LoopBuilder *k = nullptr;
  int64_t numThreads = 0;
  std::array<mlir::Value, 3> blockIds, blockSizes, gridSizes;
  mlir::IRMapping uniform;                          ///< what does not depend on the thread
  llvm::DenseMap<mlir::Value, mlir::Value> buffers; ///< by the kernel's value
  llvm::DenseMap<std::pair<unsigned, mlir::Type>, mlir::Value> scratch;
  llvm::SmallVector<AsyncCopies, 0> copies; ///< one for each array that is copied to
};

} // namespace lathe::simt

#endif // PASSES_CODEGEN_GPU_BLOCKFUNCTION_H

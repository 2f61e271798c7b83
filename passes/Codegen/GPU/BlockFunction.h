//===- BlockFunction.h - A kernel as a function that runs one block -------===//
#ifndef PASSES_CODEGEN_GPU_BLOCKFUNCTION_H
#define PASSES_CODEGEN_GPU_BLOCKFUNCTION_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/IRMapping.h"
#include "passes/Codegen/Common/LoopBuilder.h"
#include <array>

namespace lathe::simt {

/// Turns a kernel into a function of the host that runs the threads of one block one after the other. Barriers split
/// what they run: all threads run the part before one, then all run the part after it (Stratton et al. 2008, "MCUDA").
/// Loops and branches around a barrier are taken by all threads alike, as CUDA demands, and stay around the parts.
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

  void forThreads(llvm::function_ref<void(Thread &)> body);
  mlir::LogicalResult emitOps(mlir::Block &block);
  void emitPart(mlir::ArrayRef<mlir::Operation *> ops);
  mlir::LogicalResult emitLoop(mlir::scf::ForOp loop);
  mlir::LogicalResult emitBranch(mlir::scf::IfOp branch);
  void cloneForThread(mlir::Operation *op, Thread &thread);

  mlir::Value lookUp(mlir::Value value, Thread &thread);
  /// A value that all threads agree on, outside of their loops.
  mlir::Value lookUpUniform(mlir::Value value);
  mlir::Value findId(mlir::Operation *op, Thread &thread);
  /// Room for a value of each thread, from one part to another.
  mlir::Value makeBuffer(mlir::Type type);
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
};

} // namespace lathe::simt

#endif // PASSES_CODEGEN_GPU_BLOCKFUNCTION_H

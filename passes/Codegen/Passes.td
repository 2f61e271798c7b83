//===- Passes.td - Passes of the codegen phase ----------------===//
#ifndef PASSES_CODEGEN_PASSES_TD
#define PASSES_CODEGEN_PASSES_TD

include "mlir/Pass/PassBase.td"

def EmitKernels : Pass<"codegen-emit-kernels", "mlir::func::FuncOp"> {
  let summary = "Turn nn ops on memrefs into loops over vectors";
  let description = [{
    Contractions become register tiles: accumulators are carried through the reduction loops, the epilogue is
    applied to them before the only store. The outermost loop of each op is an `scf.parallel` over tasks.

    ```mlir
    nn.linear %x, %w outs(%y) : (memref<28x64xf32>, memref<1x64x32xf32>, memref<28x32xf32>) -> ()
    ```
    becomes, for 512-bit vectors,
    ```mlir
    scf.parallel (%task) = (%c0) to (%c1) step (%c1) {
      scf.for %row = %c0 to %c28 step %c14 {
        %acc:28 = scf.for %k = %c0 to %c64 step %c1 iter_args(...) -> (vector<16xf32>, ...) {
          ... vector.fma ...
        }
        vector.store %acc#0, %y[%row, %c0] ...
      }
    }
    ```
  }];
  let dependentDialects = ["mlir::arith::ArithDialect", "mlir::LLVM::LLVMDialect", "mlir::math::MathDialect",
                           "mlir::memref::MemRefDialect", "mlir::scf::SCFDialect", "mlir::vector::VectorDialect"];
}

#endif // PASSES_CODEGEN_PASSES_TD

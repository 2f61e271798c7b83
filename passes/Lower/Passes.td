//===- Passes.td - Passes of the lower phase ----------------===//
#ifndef PASSES_LOWER_PASSES_TD
#define PASSES_LOWER_PASSES_TD

include "mlir/Pass/PassBase.td"

def PrepareKernels : Pass<"lower-prepare-kernels", "::mlir::func::FuncOp"> {
  let summary = "Give nn ops destinations, packed weights and inputs that hold their padding";
  let description = [{
    Each nn op on tensors gets `outs`, a `tensor.empty` of the size that the symbolic shapes tell. Weights are packed in
    panels as NNOps.td describes them: `linalg.pack` with zeros, already lowered to padding, reshaping and transposition,
    so that constant weights are packed at compile time. Panels have two vectors of columns, or one where the second
    would mostly hold zeros. The padding of a convolution is filled into a larger input that its producer writes into;
    the channels of i8 inputs are padded to a multiple of four.

    ```mlir
    %y = nn.linear %x, %w : (tensor<?x64xf32>, tensor<64x36xf32>) -> tensor<?x36xf32>
    ```
    becomes
    ```mlir
    %e = tensor.empty(%d) : tensor<?x36xf32>
    %y = nn.linear %x, %packed outs(%e) : (tensor<?x64xf32>, tensor<3x64x16xf32>, tensor<?x36xf32>) -> tensor<?x36xf32>
    ```
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
                           "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
}

#endif // PASSES_LOWER_PASSES_TD

//===- Passes.td - Passes of the lower phase ----------------===//
#ifndef PASSES_LOWER_PASSES_TD
#define PASSES_LOWER_PASSES_TD

include "mlir/Pass/PassBase.td"

def LowerONNXToLinalg : Pass<"lower-onnx-to-linalg", "::mlir::func::FuncOp"> {
  let summary = "Lower what is left of onnx to linalg, tensor and scf on tensors";
  let description = [{
    Every `onnx` op becomes `linalg`, `tensor`, `scf` and arithmetic; `nn` ops stay. Unsigned element types become
    signless, with arithmetic chosen from the original type; arguments and results that were unsigned are marked
    `onnx.unsigned`. Sizes are arithmetic on `tensor.dim` of arguments. Ops that have no lowering are reported, all
    of them in one run.

    ```mlir
    func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
      %y = "onnx.Relu"(%x) : (tensor<2x3xf32>) -> tensor<2x3xf32>
      return %y : tensor<2x3xf32>
    }
    // becomes
    func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
      %init = tensor.empty() : tensor<2x3xf32>
      %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
          ins(%x : tensor<2x3xf32>) outs(%init : tensor<2x3xf32>) {
      ^bb0(%in: f32, %out: f32):
        %zero = arith.constant 0.0 : f32
        %max = arith.maximumf %in, %zero : f32
        linalg.yield %max : f32
      } -> tensor<2x3xf32>
      return %y : tensor<2x3xf32>
    }
    ```
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
                           "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect", "::mlir::scf::SCFDialect",
                           "::mlir::tensor::TensorDialect", "::lathe::nn::NNDialect"];
}

def LowerFuseElementwise : Pass<"lower-fuse-elementwise", "::mlir::func::FuncOp"> {
  let summary = "Fuse elementwise linalg ops with what they read";
  let description = [{
    A `linalg.generic` that reads the result of an elementwise one computes it in its own body, unless that would
    compute an expensive element (a transcendental function, a division, an indexed read) more than once: in several
    consumers, or once for each step of a loop that does not index it.

    ```mlir
    %a = linalg.generic ... ins(%x) { arith.addf }
    %b = linalg.generic ... ins(%a) { arith.mulf }
    // becomes
    %b = linalg.generic ... ins(%x) { arith.addf, arith.mulf }
    ```
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::tensor::TensorDialect"];
}

#endif // PASSES_LOWER_PASSES_TD

//===- Passes.td - Passes of the fuse phase ----------------===//
#ifndef PASSES_FUSE_PASSES_TD
#define PASSES_FUSE_PASSES_TD

include "mlir/Pass/PassBase.td"

class FusePass<string name> : Pass<name, "::mlir::func::FuncOp"> {
  let dependentDialects = ["::lathe::onnx::ONNXDialect", "::lathe::nn::NNDialect"];
}

def FuseConvBatchNorm : FusePass<"fuse-conv-batch-norm"> {
  let summary = "Folds batch normalization into the convolution before it";
  let description = [{
    Weight and bias of the convolution are scaled by `onnx` ops on constants, which constant folding evaluates. A
    normalization that follows anything else becomes a product and a sum with one element for each channel.

    ```mlir
    %0 = onnx.Conv %x, %w
    %1 = onnx.BatchNormalization %0, %scale, %b, %mean, %var
    // becomes
    %factor = onnx.Div %scale, sqrt(%var + epsilon)
    %1 = onnx.Conv %x, %w * reshape(%factor), %b - %mean * %factor
    ```
  }];
}

def FuseConvertToNN : FusePass<"fuse-convert-to-nn"> {
  let summary = "Turns convolutions, pooling, matrix products and softmax into nn ops";
  let description = [{
    Channels-first operands are transposed before and after; `fuse-propagate-layout` moves the transposes away.

    ```mlir
    %0 = onnx.Conv %x, %w, %b
    // becomes
    %1 = onnx.Transpose %x {perm = array<i64: 0, 2, 3, 1>}
    %2 = onnx.Transpose %w {perm = array<i64: 2, 3, 1, 0>}
    %3 = nn.conv %1, %2
    %4 = onnx.Add %3, %b
    %0 = onnx.Transpose %4 {perm = array<i64: 0, 3, 1, 2>}
    ```
  }];
}

def FusePropagateLayout : FusePass<"fuse-propagate-layout"> {
  let summary = "Moves transposes towards the results until they meet their inverse";
  let description = [{
    A transpose sinks through elementwise ops, reductions, concatenations, slices, pads, resizes and reshapes that do
    not mix what it separates. One that only moves dimensions of size 1 becomes a reshape. Those that remain are
    reported with the bytes they move.

    ```mlir
    %0 = onnx.Transpose %x {perm = array<i64: 0, 3, 1, 2>}
    %1 = onnx.Relu %0
    %2 = onnx.Transpose %1 {perm = array<i64: 0, 2, 3, 1>}
    // becomes
    %2 = onnx.Relu %x
    ```
  }];
}

def FuseEpilogue : FusePass<"fuse-epilogue"> {
  let summary = "Moves elementwise consumers of a contraction into its epilogue";
  let description = [{
    The contraction moves down to its consumer, whose other operands become extras; constants of one element are
    written into the epilogue.

    ```mlir
    %0 = nn.linear %x, %w
    %1 = onnx.Add %0, %bias
    %2 = onnx.Relu %1
    // becomes
    %2 = nn.linear %x, %w extras(%bias) epilogue {
    ^bb0(%acc: f32, %b: f32):
      %s = arith.addf %acc, %b : f32
      %zero = arith.constant 0.0 : f32
      %r = arith.maximumf %s, %zero : f32
      nn.yield %r : f32
    }
    ```
  }];
}

#endif // PASSES_FUSE_PASSES_TD

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

def FuseNorm : FusePass<"fuse-norm"> {
  let summary = "Recognises LayerNorm and RMSNorm over the last dimension";
  let description = [{
    Takes `onnx.LayerNormalization` and the elementwise ops that exporters spell both norms with. Norms of channels
    (instance norm, group norm, also spelled by two reshapes, and LRN) become reductions and elementwise ops, which work
    on any layout: one factor and one addend for each channel.

    ```mlir
    %2 = onnx.Pow %x, %two
    %3 = onnx.ReduceMean %2, %last
    %4 = onnx.Add %3, %epsilon
    %5 = onnx.Sqrt %4
    %6 = onnx.Div %x, %5
    %7 = onnx.Mul %6, %scale
    // becomes
    %7 = nn.norm rms %x scale(%scale) {epsilon = 1.0e-5 : f32}
    ```
  }];
}

def FuseActivation : FusePass<"fuse-activation"> {
  let summary = "Recognises GELU and hard swish spelled out in elementwise ops";
  let description = [{
    ```mlir
    %1 = onnx.Div %x, %sqrt2
    %2 = onnx.Erf %1
    %3 = onnx.Add %2, %one
    %4 = onnx.Mul %x, %3
    %5 = onnx.Mul %4, %half
    // becomes
    %5 = onnx.Gelu %x
    ```
  }];
}

def FuseAttention : FusePass<"fuse-attention"> {
  let summary = "Recognises scaled dot-product attention";
  let description = [{
    Two matrix products around a softmax over the last dimension become `nn.attention`; scales before or after the
    first product are multiplied, a mask that is added or selected becomes the mask, repeated key and value heads
    are taken without the repetition.

    ```mlir
    %0 = onnx.Transpose %k {perm = array<i64: 0, 1, 3, 2>}
    %1 = onnx.MatMul %q, %0
    %2 = onnx.Mul %1, %scale
    %3 = onnx.Add %2, %mask
    %4 = onnx.Softmax %3
    %5 = onnx.MatMul %4, %v
    // becomes
    %5 = nn.attention %q, %k, %v mask(%mask) {heads_first, kv_heads_first, scale = 0.125 : f32}
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
    not mix what it separates; before a product with a constant, the constant's rows change places. Two around a reshape
    are merged. One that only moves dimensions of size 1 becomes a reshape.

    Where an op could let a transpose pass only if another value were transposed for it, copies of the function in
    which it does are tried, and the one that moves the fewest bytes is kept:

    ```mlir
    %0 = onnx.Transpose %y {perm = array<i64: 0, 3, 1, 2>}
    %1 = onnx.Add %0, %x
    %2 = onnx.Transpose %1 {perm = array<i64: 0, 2, 3, 1>}
    %3 = onnx.Transpose %x {perm = array<i64: 0, 2, 3, 1>}
    // becomes
    %3 = onnx.Transpose %x {perm = array<i64: 0, 2, 3, 1>}
    %2 = onnx.Add %y, %3
    ```

    Those that remain are reported with the bytes they move.

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

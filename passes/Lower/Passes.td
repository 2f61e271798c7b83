//===- Passes.td - Passes of the lower phase ----------------===//
#ifndef PASSES_LOWER_PASSES_TD
#define PASSES_LOWER_PASSES_TD

include "mlir/Pass/PassBase.td"

def LowerSelectEarly : Pass<"lower-select-early", "::mlir::func::FuncOp"> {
  let summary = "Compute no more of a value than what is selected of it";
  let description = [{
    Where all that is read of a value is the same few neighbouring indices of a dimension (onnx.Gather of one constant
    index, onnx.Slice), and its op computes each of them by itself, the op computes these alone, of the same indices of its
    operands; and so on with the ops that compute those. The last layer of a transformer that classifies by its first
    token, or predicts what follows the last one, then has keys and values for all tokens and the rest for one.

    No more than half of the indices may be left. Constants and weights are not sliced, and queries of causal attention
    are only if they are the last ones.

    ```mlir
    %1 = nn.linear %x, %w : (tensor<1x197x768xf32>, tensor<768x3072xf32>) -> tensor<1x197x3072xf32>
    %2 = "onnx.Gather"(%1, %zero) {axis = 1 : i64} : (tensor<1x197x3072xf32>, tensor<i64>) -> tensor<1x3072xf32>
    // becomes
    %0 = "onnx.Slice"(%x, %begin, %end, %axis) : (tensor<1x197x768xf32>, ...) -> tensor<1x1x768xf32>
    %1 = nn.linear %0, %w : (tensor<1x1x768xf32>, tensor<768x3072xf32>) -> tensor<1x1x3072xf32>
    %2 = "onnx.Gather"(%1, %zero) {axis = 1 : i64} : (tensor<1x1x3072xf32>, tensor<i64>) -> tensor<1x3072xf32>
    ```
  }];
  let dependentDialects = ["::lathe::onnx::ONNXDialect"];
}

def LowerSplitBatch : Pass<"lower-split-batch", "::mlir::func::FuncOp"> {
  let summary = "Compute a part of the batch at a time, where the whole would leave the cache between layers";
  let description = [{
    Runs of ops that treat the samples of a batch alike, each by itself, become a loop over it, where this
    brings fewer bytes from beyond the second cache: what a layer writes for one sample may still be there when the next layer
    reads it, but weights are read once more for each step. A step takes as many samples as gain the most. Late layers,
    with large weights and small images, stay as they are.

    A symbolic batch counts with its largest size, and a step takes one sample, of which all shapes are static.

    ```mlir
    %y = nn.conv %x, %w : (tensor<8x56x56x64xf32>, tensor<1x1x64x256xf32>) -> tensor<8x56x56x256xf32>
    // becomes
    %e = tensor.empty() : tensor<8x56x56x256xf32>
    %y = scf.for %i = %c0 to %c8 step %c1 iter_args(%whole = %e) -> (tensor<8x56x56x256xf32>) {
      %xi = tensor.extract_slice %x[%i, 0, 0, 0] [1, 56, 56, 64] [1, 1, 1, 1]
      %yi = nn.conv %xi, %w : (tensor<1x56x56x64xf32>, tensor<1x1x64x256xf32>) -> tensor<1x56x56x256xf32>
      %with = tensor.insert_slice %yi into %whole[%i, 0, 0, 0] [1, 56, 56, 256] [1, 1, 1, 1]
      scf.yield %with : tensor<8x56x56x256xf32>
    }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect",
                           "::lathe::nn::NNDialect"];
}

def LowerSplitLines : Pass<"lower-split-lines", "::mlir::func::FuncOp"> {
  let summary = "Compute some lines of an image at a time, where layers without neighbourhoods follow each other";
  let description = [{
    1x1 convolutions, norms over channels and elementwise ops that follow each other, and pass on an image that leaves the
    second cache, become a loop over lines of it: the next layer then finds in the cache what the one before wrote. A step takes
    as many lines as bring the fewest bytes from beyond; weights are read again for each step. A depthwise convolution may come
    first: it then reads windows of lines of an image that holds its padding.

    ```mlir
    %y = nn.conv %x, %w : (tensor<1x56x56x64xf32>, tensor<1x1x64x256xf32>) -> tensor<1x56x56x256xf32>
    %z = nn.conv %y, %v : (tensor<1x56x56x256xf32>, tensor<1x1x256x64xf32>) -> tensor<1x56x56x64xf32>
    // becomes
    %e = tensor.empty() : tensor<1x56x56x64xf32>
    %z = scf.for %i = %c0 to %c56 step %c8 iter_args(%whole = %e) -> (tensor<1x56x56x64xf32>) {
      %xi = tensor.extract_slice %x[0, %i, 0, 0] [1, 8, 56, 64] [1, 1, 1, 1]
      %yi = nn.conv %xi, %w : (tensor<1x8x56x64xf32>, tensor<1x1x64x256xf32>) -> tensor<1x8x56x256xf32>
      %zi = nn.conv %yi, %v : (tensor<1x8x56x256xf32>, tensor<1x1x256x64xf32>) -> tensor<1x8x56x64xf32>
      %with = tensor.insert_slice %zi into %whole[0, %i, 0, 0] [1, 8, 56, 64] [1, 1, 1, 1]
      scf.yield %with : tensor<1x56x56x64xf32>
    }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::scf::SCFDialect",
                           "::mlir::tensor::TensorDialect", "::lathe::nn::NNDialect"];
}

def LowerSplitPools : Pass<"lower-split-pools", "::mlir::func::FuncOp"> {
  let summary = "Pool some lines of a convolution before the next are computed, where its result would leave the cache";
  let description = [{
    The first layers of many networks are a convolution of the whole image, the largest result of all, and a pool that reduces it
    to a quarter. They become a loop over lines of the pool, in whose steps the lines of the convolution that are pooled
    stay in the second cache. Lines that the next step reads again are carried. Lines of padding at the top, which never win a
    maximum, are minus infinity before the first step; a pool with padding at the bottom stays as it is.

    ```mlir
    %y = nn.conv %x, %w {strides = array<i64: 2, 2>} : (tensor<1x224x224x3xf32>, tensor<2x2x3x64xf32>) -> tensor<1x112x112x64xf32>
    %z = nn.pool max %y {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>} : (tensor<1x112x112x64xf32>) -> tensor<1x56x56x64xf32>
    // becomes
    %e = tensor.empty() : tensor<1x56x56x64xf32>
    %z = scf.for %i = %c0 to %c56 step %c7 iter_args(%whole = %e) -> (tensor<1x56x56x64xf32>) {
      %first = arith.muli %i, %c4
      %xi = tensor.extract_slice %x[0, %first, 0, 0] [1, 28, 224, 3] [1, 1, 1, 1]
      %yi = nn.conv %xi, %w {strides = array<i64: 2, 2>} : (tensor<1x28x224x3xf32>, tensor<2x2x3x64xf32>) -> tensor<1x14x112x64xf32>
      %zi = nn.pool max %yi {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>} : (tensor<1x14x112x64xf32>) -> tensor<1x7x56x64xf32>
      %with = tensor.insert_slice %zi into %whole[0, %i, 0, 0] [1, 7, 56, 64] [1, 1, 1, 1]
      scf.yield %with : tensor<1x56x56x64xf32>
    }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::scf::SCFDialect",
                           "::mlir::tensor::TensorDialect", "::lathe::nn::NNDialect"];
}

def LowerExtendConcats : Pass<"lower-extend-concats", "::mlir::func::FuncOp"> {
  let summary = "Write concatenations that begin with one another into one tensor";
  let description = [{
    In a densely connected network (Huang et al. 2017, arXiv:1608.06993) each layer reads the concatenation of all that came
    before: with L layers, L^2 copies. Concatenations of constant size of which each begins with all of the one before become slices
    of one tensor, to which each layer adds its part, if nobody reads the shorter one after the longer one is written.

    ```mlir
    %2 = "onnx.Concat"(%0, %1) {axis = 3 : i64} : (tensor<1x7x7x64xf32>, tensor<1x7x7x32xf32>) -> tensor<1x7x7x96xf32>
    %3 = ... // a layer that reads %2
    %4 = "onnx.Concat"(%0, %1, %3) {axis = 3 : i64} : ... -> tensor<1x7x7x128xf32>
    // becomes
    %e = tensor.empty() : tensor<1x7x7x128xf32>
    %e0 = tensor.insert_slice %0 into %e[0, 0, 0, 0] [1, 7, 7, 64] [1, 1, 1, 1]
    %e1 = tensor.insert_slice %1 into %e0[0, 0, 0, 64] [1, 7, 7, 32] [1, 1, 1, 1]
    %2 = tensor.extract_slice %e1[0, 0, 0, 0] [1, 7, 7, 96] [1, 1, 1, 1]
    %3 = ...
    %4 = tensor.insert_slice %3 into %e1[0, 0, 0, 96] [1, 7, 7, 32] [1, 1, 1, 1]
    ```
  }];
  let dependentDialects = ["::mlir::tensor::TensorDialect"];
}

def LowerONNXToLinalg : Pass<"lower-onnx-to-linalg", "::mlir::func::FuncOp"> {
  let summary = "Lower what is left of onnx to linalg, tensor and scf on tensors";
  let description = [{
    Every `onnx` op becomes `linalg`, `tensor`, `scf` and arithmetic; `nn` ops stay. Unsigned element types become
    signless, with arithmetic chosen from the original type; arguments and results that were unsigned are marked
    `onnx.unsigned`. Integers of 2 and 4 bits and floats of at most 8 become bytes, which only conversions look into.
    The number of the ONNX type of arguments and results that are changed is in `onnx.dtype`. Sizes are arithmetic on
    `tensor.dim` of arguments, and on indices that ops compute where data decides. Where data may tell a size that does not fit,
    a result `lathe.status` of one i64 has the status. Ops that have no lowering are reported, all of them in one run.

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

def LowerSplitReductions : Pass<"lower-split-reductions", "::mlir::func::FuncOp"> {
  let summary = "Sum the columns of an image by parts of its lines";
  let description = [{
    A sum, or another reduction, over the lines and pixels of an image with few channels becomes one of parts of its lines, and
    one of the partial results. Threads then read the lines that they wrote; by channels, of which there are too few to share,
    one thread would read them all, half of them from another core's cache. The number of parts does not depend on that of
    threads.

    ```mlir
    %s = linalg.generic {iterator_types = ["parallel", "reduction", "reduction", "parallel"]}
           ins(%x : tensor<1x56x56x96xf32>) outs(%zero : tensor<1x96xf32>) { arith.addf }
    // becomes
    %e = tensor.expand_shape %x : tensor<1x3136x96xf32> into tensor<1x8x392x96xf32>
    %p = linalg.generic {iterator_types = ["parallel", "parallel", "reduction", "parallel"]}
           ins(%e : tensor<1x8x392x96xf32>) outs(%zeros : tensor<8x1x96xf32>) { arith.addf }
    %s = linalg.generic {iterator_types = ["reduction", "parallel", "parallel"]}
           ins(%p : tensor<8x1x96xf32>) outs(%zero : tensor<1x96xf32>) { arith.addf }
    ```
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::tensor::TensorDialect"];
}

def LowerSparseWeights : Pass<"lower-sparse-weights", "::mlir::func::FuncOp"> {
  let summary = "Store weights that are mostly zeros by their other elements, where that is faster";
  let description = [{
    An `nn.linear`, or `nn.conv` with a window of one pixel, whose weight is a constant of f32 with zeros becomes an
    `nn.sparse_linear` if a cost model (SparseCost.h) estimates it to be faster for the op's number of rows; for the
    least number if it is dynamic. The remark tells both estimates. Coordinates have 8 bits for up to 256 input
    channels and 16 bits for more.

    ```mlir
    %y = nn.linear %x, %w : (tensor<64x512xf32>, tensor<512x512xf32>) -> tensor<64x512xf32>
    // becomes
    %y = nn.sparse_linear %x, %values, %coordinates, %positions
      : (tensor<64x512xf32>, tensor<26214xf32>, tensor<26214xi16>, tensor<513xi32>) -> tensor<64x512xf32>
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::lathe::nn::NNDialect"];
}

def LowerSplitTaps : Pass<"lower-split-taps", "::mlir::func::FuncOp"> {
  let summary = "Leave out the taps of a kernel that meet only padding, and compute those apart that mostly do";
  let description = [{
    A dilated kernel can be wider than the image (atrous pyramids: Chen et al. 2017, arXiv:1706.05587): of an `nn.conv` of f32 and
    static shape the rows and columns of taps that meet nothing but padding are left out. If at most 60 % of the pairs of a tap and
    an output that remain meet the image, the taps are convolutions of their own, each of the part of the image that it meets,
    whose sums are added up; the tap that meets all of it is the last, and has the epilogue.

    ```mlir
    %y = nn.conv %x, %w {dilations = array<i64: 24, 24>, pads = array<i64: 24, 24, 24, 24>}
      : (tensor<1x14x14x960xf32>, tensor<3x3x960x256xf32>) -> tensor<1x14x14x256xf32>
    // becomes
    %c = tensor.extract_slice %w[1, 1, 0, 0] [1, 1, 960, 256] [1, 1, 1, 1]
    %y = nn.conv %x, %c {dilations = array<i64: 24, 24>, pads = array<i64: 0, 0, 0, 0>}
      : (tensor<1x14x14x960xf32>, tensor<1x1x960x256xf32>) -> tensor<1x14x14x256xf32>
    ```
  }];
  let options = [Option<"split", "split", "bool", "true", "compute taps apart; otherwise they are only left out">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::tensor::TensorDialect", "::lathe::nn::NNDialect"];
}

def LowerApplyTuning : Pass<"lower-apply-tuning", "::mlir::func::FuncOp"> {
  let summary = "Attach choices that were measured to the ops that they are for";
  let description = [{
    A file that `lathe tune` wrote holds, for kernels of one machine, what was fastest: each `nn.conv`, `nn.linear` and
    `nn.matmul` that one of its records describes, by kind, types and attributes, gets the record's choice as `nn.tuning`.
    Whatever chooses later reads it first. Remarks tell which records were applied, which were measured on another machine than
    the target, and which no op of the model matches.

    ```mlir
    %y = nn.conv %x, %w {pads = array<i64: 1, 1, 1, 1>}
      : (tensor<1x14x14x64xf32>, tensor<3x3x64x64xf32>) -> tensor<1x14x14x64xf32>
    // becomes
    %y = nn.conv %x, %w {nn.tuning = #nn.tuning<winograd = 2, panel_width = 32>, pads = array<i64: 1, 1, 1, 1>}
      : (tensor<1x14x14x64xf32>, tensor<3x3x64x64xf32>) -> tensor<1x14x14x64xf32>
    ```
  }];
  let options = [Option<"file", "file", "std::string", /*default=*/"\"\"", "A file (YAML) of measurements">];
  let dependentDialects = ["::lathe::nn::NNDialect"];
}

def LowerWinograd : Pass<"lower-winograd", "::mlir::func::FuncOp"> {
  let summary = "Compute 3x3 convolutions by Winograd's algorithm, where that is faster";
  let description = [{
    An `nn.conv` of f32, or of quantized numbers that the target multiplies in 16 bits, with a constant 3x3 weight and
    stride 1 becomes the algorithm F(2x2, 3x3) or
    F(4x4, 3x3) of Lavin and Gray (2016), with 2.25 or 4 times fewer multiplications, if a cost model (WinogradCost.h)
    estimates it to be faster. The remark tells both estimates. A dynamic batch counts as one image and as eight, a dynamic
    height or width as 16 pixels. The weight's transform is arithmetic on constants, in f64.
    Results are rounded differently: the error of F(4x4) is
    about eight times that of the direct sum, that of F(2x2) smaller than it (test/integration/check-convolutions.py). Integers
    are exact: transforms are scaled to whole numbers, sums are taken modulo 2^32, and what F(2x2) or F(4x4) could not tell
    apart is excluded by the weight's values.

    ```mlir
    %y = nn.conv %x, %w {pads = array<i64: 1, 1, 1, 1>}
      : (tensor<1x28x28x64xf32>, tensor<3x3x64x32xf32>) -> tensor<1x28x28x32xf32>
    // becomes
    %t = nn.winograd_input %x {m = 4 : i64, pads = array<i64: 1, 1, 1, 1>}
      : (tensor<1x28x28x64xf32>) -> tensor<4x36x4x13x16xf32>
    %u = ... // G g G^T
    %y = nn.winograd_conv %t, %u {m = 4 : i64}
      : (tensor<4x36x4x13x16xf32>, tensor<36x64x32xf32>) -> tensor<1x28x28x32xf32>
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::tensor::TensorDialect", "::lathe::nn::NNDialect"];
}

def LowerFuseDepthwise : Pass<"lower-fuse-depthwise", "::mlir::func::FuncOp"> {
  let summary = "Compute a depthwise convolution together with the 1x1 convolution that expands its input";
  let description = [{
    A depthwise `nn.conv` of f32 and the 1x1 `nn.conv` that it alone reads become `nn.expand_depthwise`, if their shapes are
    static and the expanded image is larger than a quarter of the second cache. It is never written then.

    ```mlir
    %e = nn.conv %x, %a : (tensor<1x112x112x16xf32>, tensor<1x1x16x96xf32>) -> tensor<1x112x112x96xf32>
    %y = nn.conv %e, %w {group = 96 : i64, pads = array<i64: 1, 1, 1, 1>}
      : (tensor<1x112x112x96xf32>, tensor<3x3x1x96xf32>) -> tensor<1x112x112x96xf32>
    // becomes
    %b = tensor.collapse_shape %a [[0, 1, 2], [3]] : tensor<1x1x16x96xf32> into tensor<16x96xf32>
    %y = nn.expand_depthwise %x, %b, %w {pads = array<i64: 1, 1, 1, 1>}
      : (tensor<1x112x112x16xf32>, tensor<16x96xf32>, tensor<3x3x1x96xf32>) -> tensor<1x112x112x96xf32>
    ```
  }];
  let dependentDialects = ["::mlir::tensor::TensorDialect", "::lathe::nn::NNDialect"];
}

def PrepareKernels : Pass<"lower-prepare-kernels", "::mlir::func::FuncOp"> {
  let summary = "Give nn ops destinations, packed weights and inputs that hold their padding";
  let description = [{
    Each nn op on tensors gets `outs`, a `tensor.empty` of the size that the symbolic shapes tell. Weights are packed in
    panels as NNOps.td describes them: `linalg.pack` with zeros, already lowered to padding, reshaping and transposition,
    so that constant weights are packed at compile time. Panels have two vectors of columns, or one where the second
    would mostly hold zeros. The padding of a convolution is filled into a larger input that its producer writes into;
    the channels of i8 inputs are padded to a multiple of four. Rows of a multiple of 4096 bytes get a line between them:
    they would share a set of the first cache. On a GPU weights and rows stay as they are.

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

def LowerScaleWeights : Pass<"lower-scale-weights", "::mlir::func::FuncOp"> {
  let summary = "Scale the weight of a 1x1 convolution instead of the channels of a large image";
  let description = [{
    Squeeze-and-excitation (Hu et al. 2018) multiplies each channel of an image by a factor that depends on the image; a 1x1
    `nn.conv` with a packed weight reads the product. Where the image is more than twice as large as the weight, and
    the only one, the rows of the weight are multiplied instead. Products are rounded in another order; those of a weight of
    bf16 are f32.

    ```mlir
    %p = linalg.generic ins(%s, %x : tensor<1x1x1x32xf32>, tensor<1x112x112x32xf32>) { arith.mulf }
    %y = nn.conv %p, %w outs(%e) : (tensor<1x112x112x32xf32>, tensor<1x1x1x32x16xf32>, tensor<1x112x112x16xf32>) -> tensor<1x112x112x16xf32>
    // becomes
    %v = linalg.generic ins(%w, %s : tensor<1x1x1x32x16xf32>, tensor<1x1x1x32xf32>) { arith.mulf }
    %y = nn.conv %x, %v outs(%e) : (tensor<1x112x112x32xf32>, tensor<1x1x1x32x16xf32>, tensor<1x112x112x16xf32>) -> tensor<1x112x112x16xf32>
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::tensor::TensorDialect"];
}

def LowerQuant : Pass<"lower-quant", "mlir::func::FuncOp"> {
  let summary = "Rewrites quantized types to storage types";
  let description = [{
    Afterwards no value has a quantized type. Activations are `i8` that is unsigned where the quantized type was, or what
    the target multiplies instead: signed bytes that are less 128, or unsigned ones in `i16`. Weights are signed `i8`,
    accumulators `i32`. Scales, zero points and requantization are spelled out in the epilogues:

    ```mlir
    %y = nn.linear %x, %w epilogue {
    ^bb0(%acc: f32):
      nn.yield %acc : f32
    } : (tensor<4x64x!quant.uniform<u8:f32, 0.5:3>>, tensor<64x8x!quant.uniform<i8<-127:127>:f32:1, {...}>>)
      -> tensor<4x8xf32>
    // becomes
    %y = nn.linear %x, %w extras(%corrections, %scales) epilogue {
    ^bb0(%acc: i32, %correction: i32, %scale: f32):
      %sum = arith.addi %acc, %correction : i32 // correction = -zero point * sum of the channel's weights
      %real = arith.sitofp %sum : i32 to f32
      %scaled = arith.mulf %real, %scale : f32  // scale = input scale * weight scale
      nn.yield %scaled : f32
    } : (tensor<4x64xi8>, tensor<64x8xi8>, tensor<8xi32>, tensor<8xf32>) -> tensor<4x8xf32>
    ```

    A constant bias takes up the correction. Where the result is quantized, too, and is the sum `x` or `x * f(c * x)`, as a
    GELU is, bias and scales also take up the inverse of its scale. Of `x * clamp(c * x + d, 0, e)`, as a HardSwish is, they
    take up its root, with which `u * clamp(u + o, 0, l)` is one product less; where negative results saturate, `u` is bounded
    instead of the sum. A ReLU is left to saturation, and the erf of a GELU may be approximate.

    Activations in `i16` saturate as they are narrowed, so that bounds are integers where a number is known not to be far below
    them. Sums of a constant weight whose range fits 23 bits, and whose step is small beside one of the result, are read as floats
    (`FloatSums.h`); off by a step or so of the sum, which takes the place of a conversion, and with the bias that of an
    addition:

    ```mlir
    ^bb0(%acc: i32, %offset: f32, %start: i32, %scale: f32, %zero: i32):
      %sum = arith.addi %acc, %start : i32          // start: the bits of 2^23, less the least sum
      %float = arith.bitcast %sum : i32 to f32
      %scaled = arith.mulf %float, %scale : f32
      %rounded = arith.addf %scaled, %offset : f32  // offset: bias - 2^23 * scale + 3 * 2^22
      %bits = arith.bitcast %rounded : f32 to i32
      %whole = arith.subi %bits, %zero : i32        // zero: the bits of 3 * 2^22, less the zero point
    ```

    An `nn.linear` of which only the weight is quantized keeps its f32 input and accumulator: 4-bit elements are
    packed in bytes, scales and offsets of groups of rows become operands (see `nn.linear`), and a scale for each
    output a factor in the epilogue.

    A convolution's `pad_value` becomes the zero point, which makes the correction exact at the borders. Casts of
    tensors become `linalg.generic`, which fuse with elementwise neighbours.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::math::MathDialect", "::mlir::tensor::TensorDialect", "::lathe::nn::NNDialect"];
}

#endif // PASSES_LOWER_PASSES_TD

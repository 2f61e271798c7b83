//===- Passes.td - Passes of the compress phase ----------------===//
#ifndef PASSES_COMPRESS_PASSES_TD
#define PASSES_COMPRESS_PASSES_TD

include "mlir/Pass/PassBase.td"

def CompressOverrideSettings : Pass<"compress-override-settings", "mlir::func::FuncOp"> {
  let summary = "Notes on ops what a recipe asks for them";
  let description = [{
    Sets the attribute `lathe.compress` of ops with a matching node name: what transforms are to do with them instead
    of what they do elsewhere; `none` leaves an op alone. Where patterns overlap the later wins. A pattern that
    matches no op is an error.

    ```mlir
    %y = nn.linear %x, %w : (...) -> tensor<?x16xf32> loc("head/MatMul")
    // becomes, for overrides=head/*=quantize=none
    %y = nn.linear %x, %w {lathe.compress = {quantize = "none"}} : (...) -> tensor<?x16xf32> loc("head/MatMul")
    ```
  }];
  let options = [ListOption<"overrides", "overrides", "std::string", "PATTERN=TRANSFORM=TEXT; * and ? in patterns">];
}

def CompressCalibrate : Pass<"compress-calibrate", "mlir::ModuleOp"> {
  let summary = "Collects statistics of what contractions read, by running samples";
  let description = [{
    A copy of the module, as it is where this pass stands, returns the inputs of `nn.conv` and `nn.linear`; the driver
    compiles and runs the copy, and the statistics go to the pass that follows. The module stays as it is. On its own
    in `lathe-opt` it has nobody to run samples, which is an error: there, passes read a file.
  }];
}

def CompressCleanChannels : Pass<"compress-clean-channels", "mlir::func::FuncOp"> {
  let summary = "Removes channels that compute nothing, or what other channels do";
  let description = [{
    Exact up to rounding, and part of every compilation. A channel (an output of a convolution, a hidden neuron, an
    attention head: see `ChannelGroups`) goes together with all that depends on it where

    - whoever reads it multiplies it by zero;
    - it holds one number whatever the input is: the weights that compute it are zero, or meet such channels only. The
      number goes into the accumulators of its readers. A reader whose window reaches into padding, which is zero,
      can only lose a channel of zeros;
    - another channel has the same weights and parameters: its readers' weights are added up.

    This repeats until there is nothing to remove. One channel of each value stays.

    ```mlir
    // The second column of %w0 is zero: the channel holds gelu(%b0[1]).
    %h = nn.linear %x, %w0 extras(%b0) epilogue {...} : (tensor<?x8xf32>, tensor<8x3xf32>, tensor<3xf32>) -> tensor<?x3xf32>
    %y = nn.linear %h, %w1 : (tensor<?x3xf32>, tensor<3x4xf32>) -> tensor<?x4xf32>
    // becomes
    %h = nn.linear %x, %s0 extras(%c0) epilogue {...} : (tensor<?x8xf32>, tensor<8x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
    %y = nn.linear %h, %s1 extras(%c1) epilogue {...} : (tensor<?x2xf32>, tensor<2x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
    ```
  }];
  let dependentDialects = ["::lathe::onnx::ONNXDialect", "::lathe::nn::NNDialect"];
}

def CompressAdoptWeights : Pass<"compress-adopt-weights", "mlir::func::FuncOp"> {
  let summary = "Keeps weights in few bits that the model has in few bits";
  let description = [{
    A weight of `nn.linear` that DequantizeLinear makes of constants, transposed perhaps, becomes what
    `compress-quantize-weights` makes of one in f32: a constant of the model's integers with a quantized type. So a
    model whose weights were quantized before stays as small, and they are expressed in the kernel. Integers of 8
    bits have a scale for the weight, for each output, or for blocks of rows; those that need 4 or 2 bits at most have
    scales for blocks of a multiple of 32 rows. Others stay as they are, and fold to f32 when they are lowered. Exact:
    it is part of every compilation.

    ```mlir
    %f = "onnx.DequantizeLinear"(%q, %s) {axis = 0, block_size = 32} : (tensor<64x8xui8>, tensor<2x8xf32>) -> tensor<64x8xf32>
    %y = nn.linear %x, %f : (tensor<?x64xf32>, tensor<64x8xf32>) -> tensor<?x8xf32>
    // becomes, if no element of %q is above 15,
    %w = quant.scast %i : tensor<64x8xi4> to tensor<64x8x!quant.uniform<i4:f32:{0:32, 1:1}, {{...}}>>
    %y = nn.linear %x, %w : ...
    ```
  }];
  let dependentDialects = ["::lathe::onnx::ONNXDialect", "::lathe::nn::NNDialect", "::mlir::quant::QuantDialect"];
}

def CompressReduceTokens : Pass<"compress-reduce-tokens", "mlir::func::FuncOp"> {
  let summary = "Merges or prunes tokens between the layers of a vision transformer";
  let description = [{
    Leaves fewer tokens after the attention of an encoder's layers, without training. A layer is an `nn.attention` of a
    sequence to itself whose projection is added to a residual. All types after it are of fewer tokens.

    Token merging (Bolya et al., "Token Merging: Your ViT but Faster", ICLR 2023) merges tokens by the similarity of their
    keys: see `nn.token_merge`; at most half of what a layer has, without the class. Later attentions add the logarithm
    of the tokens' sizes to their scores (proportional attention).

    Token pruning (Liang et al., "Not All Patches are What You Need", ICLR 2022) keeps the tokens that the class attends
    to and fuses the others: see `nn.token_prune`. It does the one or the other to a layer.

    The tokens must end in the class, read from the first token, or in the mean of tokens. That becomes a mean weighted by
    sizes where tokens are merged; pruning needs the class. Settings of an attention (`lathe.compress`) are for its
    layer: a number of tokens or `none` for `token-merge`, `keep:S` or `none` for `token-prune`.

    ```mlir
    %a = nn.attention %q, %k, %v {...} : (...) -> tensor<?x65x3x32xf32>
    %y = nn.linear %a, %w extras(%x) epilogue {...} : (...) -> tensor<?x65x96xf32>
    // becomes
    %a = nn.attention %q, %k, %v {...} : (...) -> tensor<?x65x3x32xf32>
    %y = nn.linear %a, %w extras(%x) epilogue {...} : (...) -> tensor<?x65x96xf32>
    %m, %s = nn.token_merge %y metric(%k) {r = 8 : i64, protect_class} : (...) -> (tensor<?x57x96xf32>, tensor<?x57xf32>)
    ```

    It is an error if there is no such layer, or if tokens reach an op that needs all of them.
  }];
  let options = [
    Option<"merge", "merge", "std::string", /*default=*/"\"none\"",
           "Tokens to merge: r:N in each layer, or a number for each layer, N,N,...">,
    Option<"prune", "prune", "std::string", /*default=*/"\"none\"",
           "Tokens to keep: keep:S, a share between 0 and 1, and maybe :layers=N,N,..., counted from 0 "
           "(default: after 1/4, 1/2 and 3/4 of the layers)">];
  let dependentDialects = ["::lathe::onnx::ONNXDialect", "::lathe::nn::NNDialect"];
}

def CompressLowRank : Pass<"compress-low-rank", "mlir::func::FuncOp"> {
  let summary = "Factorizes weights into products of two thin matrices";
  let description = [{
    A constant weight W of `nn.linear`, `[K, N]`, becomes the product of `[K, r]` and `[r, N]`; one of `nn.conv`,
    `[KH, KW, C, O]`, a convolution with r outputs and a 1x1 convolution. The factors are those of least error for
    that rank: in W without statistics (the singular value decomposition), and with the inputs' Gram matrices X^T X in
    what the op computes, ||X W - X W_r||_F, as in SVD-LLM (Wang et al., ICLR 2025). For a window the pixels it covers
    count as independent of each other. The second op keeps the epilogue. Ops that share a weight share its factors.

    ```mlir
    %y = nn.linear %x, %w extras(%b) epilogue {...} : (tensor<65x384xf32>, tensor<384x96xf32>, ...) -> tensor<65x96xf32>
    // becomes, for rank 32
    %t = nn.linear %x, %v : (tensor<65x384xf32>, tensor<384x32xf32>) -> tensor<65x32xf32>
    %y = nn.linear %t, %u extras(%b) epilogue {...} : (tensor<65x32xf32>, tensor<32x96xf32>, ...) -> tensor<65x96xf32>
    ```

    `energy:E` gives each weight the smallest rank that keeps E of the squared singular values; `flops:F` chooses the
    ranks of all weights together so that F of their operations are left, by the least loss for each operation saved.
    Ranks are multiples of the target's vectors, and a weight is left alone unless its rank saves at least a tenth of
    the operations (for symbolic dimensions of 1) and what another kernel costs. Settings of an op's own
    (`lathe.compress`) are a goal for the ops with that text. It is an error if there is no constant weight at all.
  }];
  let options = [
    Option<"spec", "spec", "std::string", /*default=*/"\"none\"",
           "What ops without settings of their own keep: energy:E, flops:F, or none">,
    Option<"multiple", "multiple", "int64_t", /*default=*/"0", "Ranks are multiples of this; 0: of the target's vectors">,
    Option<"statistics", "statistics", "std::string", /*default=*/"\"\"",
           "File of calibration statistics with Gram matrices (JSON); without it errors of the weights count">];
  let dependentDialects = ["::lathe::onnx::ONNXDialect", "::lathe::nn::NNDialect"];
}

def CompressPruneChannels : Pass<"compress-prune-channels", "mlir::func::FuncOp"> {
  let summary = "Removes channels, hidden neurons and attention heads";
  let description = [{
    Structured pruning without training: what is removed is gone from all types, so that the model needs less work
    wherever it runs. Units (`ChannelGroups`) are output channels of convolutions and matrix products with all that is
    added to or made from them, hidden neurons, and whole heads of an attention. `channels:FRACTION` in `spec` says how
    much of the multiply-adds of contractions is to go. Where a group of channels has two vectors or more, whole
    vectors go. Scores say which:

    - `magnitude`: the norm of all weights of the unit, relative to its group's mean;
    - `activation`: the variance of what is read times the squared norm of the weights that read it, standardised in
      each layer (FLAP: An et al., AAAI 2024);
    - `reconstruction` (default with samples): the error of the readers' outputs, relative to their variance, when
      the weights of what stays are adapted, for each multiply-add that it saves (structured optimal brain surgeon as in
      ZipLM: Kurtic et al., NeurIPS 2023).

    What takes a unit's place in those who read it: nothing (`none`); its `mean`, in the bias, which at the border of
    a padded convolution is too much; or (`least-squares`, default with samples) the combination of the channels that
    stay which is nearest to it on samples, added to their weights.

    ```mlir
    %h = nn.linear %x, %w0 extras(%b0) epilogue {...} : (...) -> tensor<?x65x384xf32>
    %y = nn.linear %h, %w1 extras(%b1) epilogue {...} : (...) -> tensor<?x65x96xf32>
    // becomes
    %h = nn.linear %x, %s0 extras(%c0) epilogue {...} : (...) -> tensor<?x65x256xf32>
    %y = nn.linear %h, %s1 extras(%c1) epilogue {...} : (...) -> tensor<?x65x96xf32>
    ```

    An op whose settings (`lathe.compress`) say another `prune`, without channels, keeps its output channels. It is an
    error if nothing can be removed, or not as much as is asked for.
  }];
  let options = [
    Option<"spec", "spec", "std::string", /*default=*/"\"none\"",
           "What to prune; of its items this pass takes channels:FRACTION, with :magnitude, :activation or "
           ":reconstruction, and :none, :mean or :least-squares">,
    Option<"file", "statistics", "std::string", /*default=*/"\"\"", "File of calibration statistics (JSON)">,
    Option<"round", "round", "unsigned", /*default=*/"1", "Which of `rounds` passes this is">,
    Option<"rounds", "rounds", "unsigned", /*default=*/"1",
           "Passes that reach the fraction together, each with statistics of what the one before it left">];
  let dependentDialects = ["::lathe::onnx::ONNXDialect", "::lathe::nn::NNDialect"];
}

def CompressPrune : Pass<"compress-prune", "mlir::func::FuncOp"> {
  let summary = "Removes single weights of convolutions and matrix products";
  let description = [{
    Pruning after training. Constant weights of `nn.conv` and `nn.linear` that matter least become zeros, which
    lowering may use. `SCORE:S` removes the fraction S of all weights; LAMP (Lee et al., ICLR 2021) on the score
    says how much of each layer, the score which weights of it; with `:uniform` each layer loses the same fraction.
    `N:M[:SCORE]` leaves N of each M neighbouring input channels of an output, within a tap of a convolution's
    window; a last, shorter group keeps N, too. The scores:

    - `magnitude`: |w|.
    - `wanda`: |w| times the root of the input's norm (Sun et al. 2023; the exponent is that of Zhang et al. 2024).
    - `sparsegpt`: what the removal costs when the other weights make up for it (Frantar & Alistarh 2023); then they do, by
      least squares on the inputs' covariance, and the bias for the mean that is lost. Taps of a window make up for
      themselves; groups of a convolution by the bias alone.

    The last two need statistics, `sparsegpt` with the products of inputs.

    ```mlir
    %w = onnx.Constant dense<[[1.0, -2.0], [3.0, 0.5]]> : tensor<2x2xf32>
    %y = nn.linear %x, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
    // becomes, for spec=magnitude:0.5
    %v = onnx.Constant dense<[[0.0, -2.0], [3.0, 0.0]]> : tensor<2x2xf32>
    %y = nn.linear %x, %v : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
    ```

    An op whose settings (`lathe.compress`) say another `prune` gets that on its own. What is not pruned is reported as
    a missed remark with the reason; it is an error if nothing can be.
  }];
  let options = [
    Option<"spec", "spec", "std::string", /*default=*/"\"none\"",
           "What ops without settings of their own get: see `PruneSpec`">,
    Option<"statistics", "statistics", "std::string", /*default=*/"\"\"", "File of calibration statistics (JSON)">,
    Option<"minElements", "min-elements", "int64_t", /*default=*/"256", "Elements below which a weight stays dense">];
  let dependentDialects = ["::lathe::onnx::ONNXDialect"];
}

def CompressQuantize : Pass<"compress-quantize", "mlir::func::FuncOp"> {
  let summary = "Quantizes convolutions and matrix products to 8 bits after training";
  let description = [{
    Static quantization of weights and activations. A weight of `nn.conv` or `nn.linear` that is constant gets
    signed symmetric 8 bits with a scale for each output channel; its input gets unsigned 8 bits with one scale and
    zero point, chosen from calibration statistics (`CalibrationStatistics`, collected in the form after `fuse`).

    Where the input comes from a convolution or matrix product, that op's epilogue stores the 8-bit value (also if
    the op itself computes in f32); maximum pooling hands it on; elsewhere it is cast. Convolutions read 8-bit
    residuals. Everything else reads the value through `quant.dcast`. The epilogues stay as they are: they
    compute on expressed values.

    ```mlir
    %y = nn.conv %x, %w {...} : (tensor<1x8x8x16xf32>, tensor<3x3x16x16xf32>) -> tensor<1x6x6x16xf32>
    // becomes
    %q = quant.qcast %x : tensor<1x8x8x16xf32> to tensor<1x8x8x16x!quant.uniform<u8:f32, 0.1:128>>
    %s = quant.scast %i8 : tensor<3x3x16x16xi8> to tensor<3x3x16x16x!quant.uniform<i8<-127:127>:f32:3, {...}>>
    %y = nn.conv %q, %s {...} : (...) -> tensor<1x6x6x16xf32>
    ```

    An op whose settings (`lathe.compress`) say another `quantize` than int8 stays as it is. What is not quantized is
    reported as a missed remark with the reason.
  }];
  let options = [
    Option<"mode", "mode", "std::string", /*default=*/"\"int8\"",
           "What ops without settings of their own get: int8 or none">,
    Option<"statistics", "statistics", "std::string", /*default=*/"\"\"", "File of calibration statistics (JSON)">,
    Option<"calibration", "calibration", "std::string", /*default=*/"\"mse\"",
           "Range of an activation: minmax, percentile, or mse (least squared error)">,
    Option<"percentile", "percentile", "double", /*default=*/"99.99",
           "Percentage of the elements to keep at either end, for calibration=percentile">,
    Option<"minMacs", "min-macs", "int64_t", /*default=*/"8192",
           "Multiply-adds (for symbolic dimensions of 1) below which an op stays f32">];
  let dependentDialects = ["::mlir::quant::QuantDialect", "::lathe::onnx::ONNXDialect", "::lathe::nn::NNDialect"];
}

def CompressQuantizeWeights : Pass<"compress-quantize-weights", "mlir::func::FuncOp"> {
  let summary = "Quantizes weights of matrix products and tables to 8, 4, 3 or 2 bits; activations stay f32";
  let description = [{
    Weight-only quantization, for products that wait for memory more than for arithmetic. A constant weight of
    `nn.linear` is rounded: in 8 bits with a scale for each output, or with one for each output of each `group` of
    neighbouring rows; fewer bits always have groups. Symmetric weights have no zero points. The scale of a group of
    fewer than 8 bits is the one of least squared error.

    With Gram matrices of the inputs (`statistics`) weights of fewer than 8 bits are rounded by GPTQ (Frantar et al.,
    ICLR 2023): row after row, where later rows make up for what earlier ones lost. `:rtn` in the format forbids that,
    `:gptq` demands it; `:act-order` takes the rows of the largest inputs first.

    The rows of constant tables that `onnx.Gather` selects by computed indices (embeddings) are rounded to nearest, in
    4 bits or more. Whoever else reads a constant keeps reading it in f32.

    ```mlir
    %y = nn.linear %x, %w : (tensor<?x64xf32>, tensor<64x16xf32>) -> tensor<?x16xf32>
    // becomes, for format=w4:group=32
    %s = quant.scast %i4 : tensor<64x16xi4> to tensor<64x16x!quant.uniform<i4:f32:{0:32, 1:1}, {...}>>
    %y = nn.linear %x, %s : (tensor<?x64xf32>, tensor<64x16x!quant.uniform<...>>) -> tensor<?x16xf32>
    ```

    A group that does not divide the rows of a weight is an error; a table whose rows it does not divide stays f32. An op whose settings (`lathe.compress`) say
    another format gets that. What is not quantized is reported as a missed remark with the reason.
  }];
  let options = [
    Option<"format", "format", "std::string", /*default=*/"\"w8\"",
           "What ops without settings of their own get: w8, w4, w3 or w2, with :group=32, 64 or 128, :asymmetric, and "
           ":rtn, :gptq or :act-order, or none">,
    Option<"statisticsFile", "statistics", "std::string", /*default=*/"\"\"", "File of calibration statistics (JSON)">];
  let dependentDialects = ["::mlir::quant::QuantDialect", "::lathe::onnx::ONNXDialect", "::lathe::nn::NNDialect"];
}

def CompressReducePrecision : Pass<"compress-reduce-precision", "mlir::func::FuncOp"> {
  let summary = "Stores weights and tables in bf16 or f16, or lets f32 be multiplied as tf32";
  let description = [{
    Half the bytes, with 8 bits of mantissa and the range of f32. Constant weights of `nn.linear` and `nn.conv` and
    tables of `onnx.Gather` that are f32 are rounded to nearest, half to even. Kernels widen weights in registers, by a
    shift, unless their input becomes bf16, too (`compress-reduce-activations`); gathered rows are cast. Whoever else
    reads a constant keeps reading it in f32.

    ```mlir
    %y = nn.linear %x, %w : (tensor<?x64xf32>, tensor<64x16xf32>) -> tensor<?x16xf32>
    // becomes
    %y = nn.linear %x, %h : (tensor<?x64xf32>, tensor<64x16xbf16>) -> tensor<?x16xf32>
    ```

    In f16, which has 11 bits of mantissa, the same happens where the target converts it by an instruction, to constants
    whose elements it can hold: 65504 is its largest number.

    In tf32, contractions get the attribute `nn.tf32` on targets with tensor cores: their kernels may round f32 operands,
    which stay f32 in memory, to 10 bits of mantissa. Constant weights are rounded here, half away from zero, and marked by
    `nn.tf32_weight`. With bf16 and f16, contractions without a weight get `nn.tf32`, too, `nn.matmul` and `nn.attention`, of
    which the latter gets `nn.narrow = bf16` or `f16` besides: query, key and value may become that.

    What stays f32 is reported as a missed remark with the reason.
  }];
  let options = [
    Option<"format", "format", "std::string", /*default=*/"\"bf16\"",
           "What ops without settings of their own get: bf16, f16, tf32 or none">];
  let dependentDialects = ["::lathe::onnx::ONNXDialect", "::lathe::nn::NNDialect"];
}

def CompressReduceActivations : Pass<"compress-reduce-activations", "mlir::func::FuncOp"> {
  let summary = "Stores in bf16 or f16 what contractions with such weights read, for targets that multiply it";
  let description = [{
    Where the target has a product of bf16 (`bf16_product` of `nn.target`), the input of an `nn.linear` or `nn.conv`
    whose weight is bf16 becomes bf16, rounded to nearest, half to even. Products are added up in f32, and whatever lies
    between contractions computes on f32. f16 is the same on tensor cores, and where a CPU multiplies and adds it (`HalfProduct`)
    and the reduction has at least 16 steps that are neighbours in memory: its kernels add up that many products in f16, and
    their sums in f32. What is beyond 65504 becomes infinite.

    A value that comes from an epilogue, `nn.norm`, `nn.attention` or `nn.pool`, maybe through ops that move elements,
    is rounded before its only store. Epilogues (residuals), norms, poolings and depthwise convolutions extend it when
    they load it; whoever else reads it does so through a cast. Other values are cast if their contractions have 64
    multiply-adds for each element. So do query, key and value of an `nn.attention` with `nn.narrow`, all three or none.

    ```mlir
    %h = nn.norm layer %x ... : (tensor<65x96xf32>, ...) -> tensor<65x96xf32>
    %y = nn.linear %h, %w : (tensor<65x96xf32>, tensor<96x384xbf16>) -> tensor<65x384xf32>
    %z = nn.linear %y, %v : (tensor<65x384xf32>, tensor<384x96xbf16>) -> tensor<65x96xf32>
    // becomes
    %h = nn.norm layer %x ... : (tensor<65x96xf32>, ...) -> tensor<65x96xbf16>
    %y = nn.linear %h, %w epilogue {
    ^bb0(%acc: f32):
      %r = arith.truncf %acc : f32 to bf16
      nn.yield %r : bf16
    } : (tensor<65x96xbf16>, tensor<96x384xbf16>) -> tensor<65x384xbf16>
    %z = nn.linear %y, %v : (tensor<65x384xbf16>, tensor<384x96xbf16>) -> tensor<65x96xf32>
    ```

    What stays f32 is reported as a missed remark with the reason.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::lathe::onnx::ONNXDialect", "::lathe::nn::NNDialect"];
}

#endif // PASSES_COMPRESS_PASSES_TD

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

def CompressMergeTokens : Pass<"compress-merge-tokens", "mlir::func::FuncOp"> {
  let summary = "Merges similar tokens between the layers of a vision transformer";
  let description = [{
    Token merging (Bolya et al., "Token Merging: Your ViT but Faster", ICLR 2023), without training. Each layer of an
    encoder whose class is read from the first token merges tokens after its attention, by the similarity of their
    keys: see `nn.token_merge`. Later attentions add the logarithm of the tokens' sizes to their scores
    (proportional attention). All types after that are of fewer tokens.

    A layer is an `nn.attention` of a sequence to itself whose projection is added to a residual. It merges `r` tokens, or
    its number in `list`; at most half of what it has, without the class.

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
    Option<"spec", "spec", "std::string", /*default=*/"\"none\"",
           "Tokens to merge: r:N in each layer, or a number for each layer, N,N,...">];
  let dependentDialects = ["::lathe::onnx::ONNXDialect", "::lathe::nn::NNDialect"];
}

def CompressPrune : Pass<"compress-prune", "mlir::func::FuncOp"> {
  let summary = "Removes single weights of convolutions and matrix products";
  let description = [{
    Pruning after training. Constant weights of `nn.conv` and `nn.linear` that matter least become zeros, which
    lowering may use. `magnitude:S` removes the fraction S of all weights: how many of a layer follows from LAMP
    scores (Lee et al., ICLR 2021), which of them from their magnitude; with `:uniform` each layer loses the
    same fraction. `N:M` leaves N of each M neighbouring input channels of an output, within a tap of a convolution's
    window; a last, shorter group keeps N, too.

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
  let summary = "Stores weights and tables in bf16; arithmetic stays f32";
  let description = [{
    Half the bytes, with 8 bits of mantissa and the range of f32. Constant weights of `nn.linear` and `nn.conv` and
    tables of `onnx.Gather` that are f32 are rounded to nearest, half to even. Kernels widen weights in registers, by a
    shift; gathered rows are cast. Whoever else reads a constant keeps reading it in f32.

    ```mlir
    %y = nn.linear %x, %w : (tensor<?x64xf32>, tensor<64x16xf32>) -> tensor<?x16xf32>
    // becomes
    %y = nn.linear %x, %h : (tensor<?x64xf32>, tensor<64x16xbf16>) -> tensor<?x16xf32>
    ```

    What stays f32 is reported as a missed remark with the reason.
  }];
  let options = [
    Option<"format", "format", "std::string", /*default=*/"\"bf16\"",
           "What ops without settings of their own get: bf16 or none">];
  let dependentDialects = ["::lathe::onnx::ONNXDialect", "::lathe::nn::NNDialect"];
}

#endif // PASSES_COMPRESS_PASSES_TD

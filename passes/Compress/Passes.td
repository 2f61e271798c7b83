//===- Passes.td - Passes of the compress phase ----------------===//
#ifndef PASSES_COMPRESS_PASSES_TD
#define PASSES_COMPRESS_PASSES_TD

include "mlir/Pass/PassBase.td"

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

    What is not quantized is reported as a missed remark with the reason.
  }];
  let options = [
    Option<"mode", "mode", "std::string", /*default=*/"\"int8\"", "Number format: int8">,
    Option<"statistics", "statistics", "std::string", /*default=*/"\"\"", "File of calibration statistics (JSON)">,
    Option<"calibration", "calibration", "std::string", /*default=*/"\"mse\"",
           "Range of an activation: minmax, percentile, or mse (least squared error)">,
    Option<"percentile", "percentile", "double", /*default=*/"99.99",
           "Percentage of the elements to keep at either end, for calibration=percentile">,
    Option<"minMacs", "min-macs", "int64_t", /*default=*/"8192",
           "Multiply-adds (for symbolic dimensions of 1) below which an op stays f32">,
    ListOption<"skip", "skip", "std::string", "Nodes that stay f32, by name with * and ?">];
  let dependentDialects = ["::mlir::quant::QuantDialect", "::lathe::onnx::ONNXDialect", "::lathe::nn::NNDialect"];
}

def CompressQuantizeWeights : Pass<"compress-quantize-weights", "mlir::func::FuncOp"> {
  let summary = "Quantizes the weights of matrix products to 8 or 4 bits; activations stay f32";
  let description = [{
    Weight-only quantization, for products that wait for memory more than for arithmetic. A constant weight of
    `nn.linear` is rounded to nearest: in 8 bits with a scale for each output, or with one for each output of each
    `group` of neighbouring rows; 4 bits always have groups. Symmetric weights have no zero points, and 4-bit ones
    the scale of least squared error. Whoever else reads the constant keeps reading it in f32.

    ```mlir
    %y = nn.linear %x, %w : (tensor<?x64xf32>, tensor<64x16xf32>) -> tensor<?x16xf32>
    // becomes, for bits=4 group=32
    %s = quant.scast %i4 : tensor<64x16xi4> to tensor<64x16x!quant.uniform<i4:f32:{0:32, 1:1}, {...}>>
    %y = nn.linear %x, %s : (tensor<?x64xf32>, tensor<64x16x!quant.uniform<...>>) -> tensor<?x16xf32>
    ```

    A group that does not divide the rows of a weight is an error. What is not quantized is reported as a missed
    remark with the reason.
  }];
  let options = [
    Option<"bits", "bits", "unsigned", /*default=*/"8", "Bits of an element: 8 or 4">,
    Option<"group", "group", "int64_t", /*default=*/"0",
           "Rows that share a scale: 32, 64 or 128; 0 for all of them (8 bits) or 32 (4 bits)">,
    Option<"symmetric", "symmetric", "bool", /*default=*/"true", "No zero points">,
    ListOption<"skip", "skip", "std::string", "Nodes that stay f32, by name with * and ?">];
  let statistics = [Statistic<"quantized", "num-quantized", "Ops with a quantized weight">];
  let dependentDialects = ["::mlir::quant::QuantDialect", "::lathe::onnx::ONNXDialect", "::lathe::nn::NNDialect"];
}

#endif // PASSES_COMPRESS_PASSES_TD

// lathe-opt --compress-override-settings=overrides=head/*=quantize=none
func.func @main(%x: tensor<1x64xf32>) -> tensor<1x64xf32> {
  %w = onnx.Constant dense<0.5> : tensor<64x64xf32>
  %a = nn.linear %x, %w : (tensor<1x64xf32>, tensor<64x64xf32>) -> tensor<1x64xf32> loc("body/MatMul")
  %b = nn.linear %a, %w : (tensor<1x64xf32>, tensor<64x64xf32>) -> tensor<1x64xf32> loc("head/MatMul")
  return %b : tensor<1x64xf32>
}

// lathe-opt --compress-reduce-precision --canonicalize
func.func @main(%x: tensor<?x32xf32>) -> tensor<?x2xf32> {
  %w = onnx.Constant dense<0.5> : tensor<32x2xf32>
  %y = nn.linear %x, %w : (tensor<?x32xf32>, tensor<32x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// lathe-opt --compress-prune=spec=2:4 min-elements=1 --canonicalize
func.func @main(%x: tensor<1x4xf32>) -> tensor<1x2xf32> {
  %w = onnx.Constant dense<[[0.1, -0.9], [0.8, 0.2], [-0.5, 0.7], [0.3, 0.4]]> : tensor<4x2xf32>
  %y = nn.linear %x, %w : (tensor<1x4xf32>, tensor<4x2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

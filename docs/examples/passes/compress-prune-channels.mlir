// lathe-opt --compress-prune-channels=spec=channels:0.25:magnitude --canonicalize
func.func @main(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %w0 = onnx.Constant dense<[[1.0, 0.1, 2.0, 3.0], [4.0, 0.2, 5.0, 6.0]]> : tensor<2x4xf32>
  %b0 = onnx.Constant dense<[0.1, 0.2, 0.3, 0.4]> : tensor<4xf32>
  %w1 = onnx.Constant dense<[[1.0, 2.0], [0.1, 0.1], [3.0, 4.0], [5.0, 6.0]]> : tensor<4x2xf32>
  %h = nn.linear %x, %w0 extras(%b0) epilogue {
  ^bb0(%acc: f32, %bias: f32):
    %zero = arith.constant 0.0 : f32
    %sum = arith.addf %acc, %bias : f32
    %relu = arith.maximumf %sum, %zero : f32
    nn.yield %relu : f32
  } : (tensor<1x2xf32>, tensor<2x4xf32>, tensor<4xf32>) -> tensor<1x4xf32> loc("up")
  %y = nn.linear %h, %w1 : (tensor<1x4xf32>, tensor<4x2xf32>) -> tensor<1x2xf32> loc("down")
  return %y : tensor<1x2xf32>
}

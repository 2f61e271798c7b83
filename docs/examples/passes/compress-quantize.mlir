// lathe-opt --compress-quantize=statistics=test/passes/Compress/quantize.json --cse
func.func @main(%x: tensor<1x8x8x4xf32> {onnx.name = "input"}) -> tensor<1x8x8x4xf32> {
  %w0 = onnx.Constant dense<0.5> : tensor<3x3x4x32xf32>
  %w1 = onnx.Constant dense<0.25> : tensor<1x1x32x4xf32>
  %a = nn.conv %x, %w0 {pads = array<i64: 1, 1, 1, 1>} epilogue {
  ^bb0(%acc: f32):
    %zero = arith.constant 0.0 : f32
    %relu = arith.maximumf %acc, %zero : f32
    nn.yield %relu : f32
  } : (tensor<1x8x8x4xf32>, tensor<3x3x4x32xf32>) -> tensor<1x8x8x32xf32> loc("first")
  %y = nn.conv %a, %w1 : (tensor<1x8x8x32xf32>, tensor<1x1x32x4xf32>) -> tensor<1x8x8x4xf32> loc("second")
  return %y : tensor<1x8x8x4xf32>
}

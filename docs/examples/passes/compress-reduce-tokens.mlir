// lathe-opt --compress-reduce-tokens=merge=r:2 --canonicalize
func.func @class(%x: tensor<1x9x8xf32>) -> tensor<1x8xf32> {
  %w = onnx.Constant dense<0.5> : tensor<8x8xf32>
  %heads = onnx.Constant dense<[1, 9, 2, 4]> : tensor<4xi64>
  %flat = onnx.Constant dense<[1, 9, 8]> : tensor<3xi64>
  %a0 = nn.linear %x, %w : (tensor<1x9x8xf32>, tensor<8x8xf32>) -> tensor<1x9x8xf32>
  %p0 = "onnx.Reshape"(%a0, %heads) <{allowzero = 0 : i64}> : (tensor<1x9x8xf32>, tensor<4xi64>) -> tensor<1x9x2x4xf32>
  %s0 = nn.attention %p0, %p0, %p0 {scale = 0.5 : f32} : (tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>) -> tensor<1x9x2x4xf32>
  %r0 = "onnx.Reshape"(%s0, %flat) <{allowzero = 0 : i64}> : (tensor<1x9x2x4xf32>, tensor<3xi64>) -> tensor<1x9x8xf32>
  %y0 = nn.linear %r0, %w extras(%x) epilogue {
  ^bb0(%acc: f32, %e: f32):
    %sum = arith.addf %acc, %e : f32
    nn.yield %sum : f32
  } : (tensor<1x9x8xf32>, tensor<8x8xf32>, tensor<1x9x8xf32>) -> tensor<1x9x8xf32>
  %a1 = nn.linear %y0, %w : (tensor<1x9x8xf32>, tensor<8x8xf32>) -> tensor<1x9x8xf32>
  %p1 = "onnx.Reshape"(%a1, %heads) <{allowzero = 0 : i64}> : (tensor<1x9x8xf32>, tensor<4xi64>) -> tensor<1x9x2x4xf32>
  %s1 = nn.attention %p1, %p1, %p1 {scale = 0.5 : f32} : (tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>) -> tensor<1x9x2x4xf32>
  %r1 = "onnx.Reshape"(%s1, %flat) <{allowzero = 0 : i64}> : (tensor<1x9x2x4xf32>, tensor<3xi64>) -> tensor<1x9x8xf32>
  %y1 = nn.linear %r1, %w extras(%y0) epilogue {
  ^bb0(%acc: f32, %e: f32):
    %sum = arith.addf %acc, %e : f32
    nn.yield %sum : f32
  } : (tensor<1x9x8xf32>, tensor<8x8xf32>, tensor<1x9x8xf32>) -> tensor<1x9x8xf32>
  %first = onnx.Constant dense<0> : tensor<i64>
  %class = "onnx.Gather"(%y1, %first) <{axis = 1 : i64}> : (tensor<1x9x8xf32>, tensor<i64>) -> tensor<1x8xf32>
  return %class : tensor<1x8xf32>
}

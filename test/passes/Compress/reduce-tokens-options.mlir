// RUN: not lathe-opt %s --compress-reduce-tokens=merge=2 2>&1 | FileCheck %s --check-prefix=LIST
// RUN: not lathe-opt %s --compress-reduce-tokens=merge=8:r 2>&1 | FileCheck %s --check-prefix=MERGE
// RUN: not lathe-opt %s --compress-reduce-tokens=prune=keep:1.5 2>&1 | FileCheck %s --check-prefix=PRUNE
// RUN: not lathe-opt %s --compress-reduce-tokens=prune=keep:0.5:layers=1,1 2>&1 | FileCheck %s --check-prefix=ORDER
// RUN: not lathe-opt %s --compress-reduce-tokens=prune=keep:0.5:layers=0,2 2>&1 | FileCheck %s --check-prefix=LAYERS
// RUN: not lathe-opt %s --compress-reduce-tokens="merge=r:2 prune=keep:0.5" 2>&1 | FileCheck %s --check-prefix=BOTH
// RUN: not lathe-opt %s --compress-reduce-tokens="prune=keep:0.5" 2>&1 | FileCheck %s --check-prefix=CLASS
// RUN: not lathe-opt %s --compress-override-settings=overrides=layer1=token-prune=keep:0.5:layers=1 --compress-reduce-tokens 2>&1 \
// RUN:   | FileCheck %s --check-prefix=SHARE

// LIST: error: expected 2 numbers of tokens to merge, one for each layer, but got 1
// MERGE: error: token-merge: expected r:N or a number for each layer, but got '8:r'
// PRUNE: error: token-prune: expected keep:SHARE between 0 and 1, and maybe :layers=N,N,... in ascending order, but got 'keep:1.5'
// ORDER: error: token-prune: expected keep:SHARE {{.*}}, but got 'keep:0.5:layers=1,1'
// LAYERS: error: expected layers 0 to 1 to prune tokens after, but got 2
// BOTH: error: {{.*}}expected layer 0 to merge or to prune tokens, but got both
// CLASS: error: {{.*}}cannot prune tokens: expected the class to be read from the first token
// SHARE: error: {{.*}}expected the share of tokens to keep in a layer, but got keep:0.5:layers=1
func.func @mean(%x: tensor<1x9x8xf32>) -> tensor<1x8xf32> {
  %w = onnx.Constant dense<0.5> : tensor<8x8xf32>
  %heads = onnx.Constant dense<[1, 9, 2, 4]> : tensor<4xi64>
  %flat = onnx.Constant dense<[1, 9, 8]> : tensor<3xi64>
  %a0 = nn.linear %x, %w : (tensor<1x9x8xf32>, tensor<8x8xf32>) -> tensor<1x9x8xf32>
  %p0 = "onnx.Reshape"(%a0, %heads) <{allowzero = 0 : i64}> : (tensor<1x9x8xf32>, tensor<4xi64>) -> tensor<1x9x2x4xf32>
  %s0 = nn.attention %p0, %p0, %p0 {scale = 0.5 : f32} : (tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>) -> tensor<1x9x2x4xf32> loc("layer0")
  %r0 = "onnx.Reshape"(%s0, %flat) <{allowzero = 0 : i64}> : (tensor<1x9x2x4xf32>, tensor<3xi64>) -> tensor<1x9x8xf32>
  %y0 = nn.linear %r0, %w extras(%x) epilogue {
  ^bb0(%acc: f32, %e: f32):
    %sum = arith.addf %acc, %e : f32
    nn.yield %sum : f32
  } : (tensor<1x9x8xf32>, tensor<8x8xf32>, tensor<1x9x8xf32>) -> tensor<1x9x8xf32>
  %a1 = nn.linear %y0, %w : (tensor<1x9x8xf32>, tensor<8x8xf32>) -> tensor<1x9x8xf32>
  %p1 = "onnx.Reshape"(%a1, %heads) <{allowzero = 0 : i64}> : (tensor<1x9x8xf32>, tensor<4xi64>) -> tensor<1x9x2x4xf32>
  %s1 = nn.attention %p1, %p1, %p1 {scale = 0.5 : f32} : (tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>) -> tensor<1x9x2x4xf32> loc("layer1")
  %r1 = "onnx.Reshape"(%s1, %flat) <{allowzero = 0 : i64}> : (tensor<1x9x2x4xf32>, tensor<3xi64>) -> tensor<1x9x8xf32>
  %y1 = nn.linear %r1, %w extras(%y0) epilogue {
  ^bb0(%acc: f32, %e: f32):
    %sum = arith.addf %acc, %e : f32
    nn.yield %sum : f32
  } : (tensor<1x9x8xf32>, tensor<8x8xf32>, tensor<1x9x8xf32>) -> tensor<1x9x8xf32>
  %one = onnx.Constant dense<1> : tensor<1xi64>
  %mean = "onnx.ReduceMean"(%y1, %one) <{keepdims = 0 : i64, noop_with_empty_axes = 0 : i64}> : (tensor<1x9x8xf32>, tensor<1xi64>) -> tensor<1x8xf32>
  return %mean : tensor<1x8xf32>
}

// RUN: lathe-opt %s --compress-quantize="statistics=%S/quantize.json calibration=minmax min-macs=16" \
// RUN:   --remarks-filter=compress --remark-format=emitRemark -o %t 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: FileCheck %s --input-file=%t

// The first convolution has one input channel: it stays f32 and stores 8 bits, which the pool hands on to the
// second. Its reader in f32 gets a cast. The last linear has settings of its own.
// CHECK-LABEL: func @main
// CHECK: %[[A:.*]] = nn.conv %{{.*}} : (tensor<?x8x8x1xf32>, tensor<1x1x1x4xf32>)
// CHECK-SAME: -> tensor<?x8x8x4x!quant.uniform<u8:f32, 0.00999{{[0-9]*}}>>
// CHECK: %[[P:.*]] = nn.pool max %[[A]] {{.*}} -> tensor<?x4x4x4x!quant.uniform<u8:f32, 0.00999{{[0-9]*}}>>
// CHECK: %[[I:.*]] = onnx.Constant dense<127> : tensor<1x1x4x4xi8>
// CHECK: %[[W:.*]] = quant.scast %[[I]] : tensor<1x1x4x4xi8>
// CHECK-SAME: to tensor<1x1x4x4x!quant.uniform<i8<-127:127>:f32:3, {0.003937
// CHECK: %[[B:.*]] = nn.conv %[[P]], %[[W]] extras(%[[P]]) epilogue {
// CHECK: ^bb0(%{{.*}}: f32, %{{.*}}: f32):
// CHECK: -> tensor<?x4x4x4x!quant.uniform<u8:f32, 0.01999{{[0-9]*}}>>
// CHECK: %[[F:.*]] = quant.dcast %[[B]]
// CHECK: nn.conv %[[B]]
// CHECK: "onnx.ReduceMean"(%[[F]]
// CHECK: nn.linear {{.*}} : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>

// REMARK-DAG: [Missed] Quantize | Category:compress{{.*}}fewer than 4 input channels in a group
// REMARK-DAG: [Passed] Quantize | Category:compress{{.*}}InputScale
// REMARK-DAG: [Missed] Quantize | Category:compress{{.*}}left as f32 by its settings
func.func @main(%x: tensor<?x8x8x1xf32> {onnx.name = "input"}) -> tensor<?x4xf32> {
  %w0 = onnx.Constant dense<0.5> : tensor<1x1x1x4xf32>
  %w1 = onnx.Constant dense<0.5> : tensor<1x1x4x4xf32>
  %a = nn.conv %x, %w0 : (tensor<?x8x8x1xf32>, tensor<1x1x1x4xf32>) -> tensor<?x8x8x4xf32> loc("first")
  %p = nn.pool max %a {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>}
    : (tensor<?x8x8x4xf32>) -> tensor<?x4x4x4xf32>
  %b = nn.conv %p, %w1 extras(%p) epilogue {
  ^bb0(%acc: f32, %r: f32):
    %s = arith.addf %acc, %r : f32
    nn.yield %s : f32
  } : (tensor<?x4x4x4xf32>, tensor<1x1x4x4xf32>, tensor<?x4x4x4xf32>) -> tensor<?x4x4x4xf32> loc("second")
  %c = nn.conv %b, %w1 : (tensor<?x4x4x4xf32>, tensor<1x1x4x4xf32>) -> tensor<?x4x4x4xf32> loc("third")
  %axes = onnx.Constant dense<[1, 2]> : tensor<2xi64>
  %m = "onnx.ReduceMean"(%b, %axes) {keepdims = 0 : i64} : (tensor<?x4x4x4xf32>, tensor<2xi64>) -> tensor<?x4xf32> loc("mean")
  %w2 = onnx.Constant dense<0.5> : tensor<4x4xf32>
  %y = nn.linear %m, %w2 {lathe.compress = {quantize = "none"}} : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32> loc("head/linear")
  return %y : tensor<?x4xf32>
}

// RUN: lathe-opt %s --compress-prune-channels="spec=channels:0.2 round=1 rounds=2" | FileCheck %s --check-prefix=FIRST
// RUN: lathe-opt %s --compress-prune-channels="spec=channels:0.2 round=2 rounds=2" | FileCheck %s --check-prefix=LAST

// The last round has to know how many multiply-adds there were before the first one: 12 here, 16 there.
// FIRST-LABEL: func.func @whole
// FIRST-SAME: attributes {lathe.multiply_adds = 1.200000e+01 : f64}
// FIRST: nn.linear %{{.*}} : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
// LAST-LABEL: func.func @whole
// LAST-NOT: lathe.multiply_adds
// LAST: nn.linear %{{.*}} : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
func.func @whole(%x: tensor<1x2xf32> {onnx.name = "x"}) -> tensor<1x1xf32> {
  %w0 = onnx.Constant dense<[[1.0, 0.1, 2.0, 0.2], [3.0, 0.3, 4.0, 0.4]]> : tensor<2x4xf32>
  %w1 = onnx.Constant dense<[[5.0], [4.0], [7.0], [0.5]]> : tensor<4x1xf32>
  %h = nn.linear %x, %w0 : (tensor<1x2xf32>, tensor<2x4xf32>) -> tensor<1x4xf32> loc("hidden")
  %y = nn.linear %h, %w1 : (tensor<1x4xf32>, tensor<4x1xf32>) -> tensor<1x1xf32> loc("out")
  return %y : tensor<1x1xf32>
}

// The first round has taken a fifth and more of 16: nothing is left for the last one to do.
// FIRST-LABEL: func.func @cut
// LAST-LABEL: func.func @cut
// LAST-NOT: lathe.multiply_adds
// LAST: nn.linear %{{.*}} : (tensor<1x2xf32>, tensor<2x4xf32>) -> tensor<1x4xf32>
func.func @cut(%x: tensor<1x2xf32> {onnx.name = "x"}) -> tensor<1x1xf32> attributes {lathe.multiply_adds = 16.0 : f64} {
  %w0 = onnx.Constant dense<[[1.0, 0.1, 2.0, 0.2], [3.0, 0.3, 4.0, 0.4]]> : tensor<2x4xf32>
  %w1 = onnx.Constant dense<[[5.0], [4.0], [7.0], [0.5]]> : tensor<4x1xf32>
  %h = nn.linear %x, %w0 : (tensor<1x2xf32>, tensor<2x4xf32>) -> tensor<1x4xf32> loc("hidden")
  %y = nn.linear %h, %w1 : (tensor<1x4xf32>, tensor<4x1xf32>) -> tensor<1x1xf32> loc("out")
  return %y : tensor<1x1xf32>
}

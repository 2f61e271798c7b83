// RUN: lathe-opt %s --lower-quant --canonicalize --split-input-file | FileCheck %s

// A scale for each output is a factor of the sums.
// CHECK-LABEL: func @per_output
// CHECK-DAG: %[[W:.*]] = arith.constant dense<{{\[\[}}1, -2], [3, 100]]> : tensor<2x2xi8>
// CHECK-DAG: %[[S:.*]] = arith.constant dense<[5.000000e-01, 2.500000e-01]> : tensor<2xf32>
// CHECK: nn.linear %{{.*}}, %[[W]] extras(%{{.*}}, %[[S]]) epilogue {
// CHECK: ^bb0(%[[ACC:.*]]: f32, %[[B:.*]]: f32, %[[SCALE:.*]]: f32):
// CHECK: %[[Y:.*]] = arith.mulf %[[ACC]], %[[SCALE]] : f32
// CHECK: arith.addf %[[Y]], %[[B]] : f32
// CHECK: (tensor<?x2xf32>, tensor<2x2xi8>, tensor<2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
func.func @per_output(%x: tensor<?x2xf32>, %bias: tensor<2xf32>) -> tensor<?x2xf32> {
  %c = arith.constant dense<[[1, -2], [3, 100]]> : tensor<2x2xi8>
  %w = quant.scast %c : tensor<2x2xi8> to tensor<2x2x!quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>>
  %y = nn.linear %x, %w extras(%bias) epilogue {
  ^bb0(%acc: f32, %b: f32):
    %s = arith.addf %acc, %b : f32
    nn.yield %s : f32
  } : (tensor<?x2xf32>, tensor<2x2x!quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>>, tensor<2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// Zero points become offsets: -0.5 * 3 and -0.25 * -1.
// CHECK-LABEL: func @asymmetric
// CHECK-DAG: %[[S:.*]] = arith.constant dense<{{\[\[}}5.000000e-01, 2.500000e-01]]> : tensor<1x2xf32>
// CHECK-DAG: %[[O:.*]] = arith.constant dense<{{\[\[}}-1.500000e+00, 2.500000e-01]]> : tensor<1x2xf32>
// CHECK: nn.linear %{{.*}}, %{{.*}} scales(%[[S]]) offsets(%[[O]]) : (tensor<?x2xf32>, tensor<2x2xi8>, tensor<1x2xf32>, tensor<1x2xf32>)
func.func @asymmetric(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
  %c = arith.constant dense<[[1, -2], [3, 100]]> : tensor<2x2xi8>
  %w = quant.scast %c : tensor<2x2xi8> to tensor<2x2x!quant.uniform<i8:f32:1, {0.5:3, 0.25:-1}>>
  %y = nn.linear %x, %w : (tensor<?x2xf32>, tensor<2x2x!quant.uniform<i8:f32:1, {0.5:3, 0.25:-1}>>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

!w4 = !quant.uniform<i4:f32:{0:2, 1:1}, {{0.5, 0.25}, {1.0, 2.0}}>

// Two rows in a byte, 8 added: (1, 3) -> 9 + 11 * 16 = 185, (-2, 7) -> 6 + 15 * 16 = 246, (-8, 0) -> 128, (-1, 1) -> 151.
// CHECK-LABEL: func @nibbles
// CHECK-DAG: %[[W:.*]] = arith.constant dense<{{\[\[}}-71, -10], [-128, -105]]> : tensor<2x2xi8>
// CHECK-DAG: %[[S:.*]] = arith.constant dense<{{\[\[}}5.000000e-01, 2.500000e-01], [1.000000e+00, 2.000000e+00]]> : tensor<2x2xf32>
// CHECK: nn.linear %{{.*}}, %[[W]] scales(%[[S]]) {nibbles} : (tensor<?x4xf32>, tensor<2x2xi8>, tensor<2x2xf32>) -> tensor<?x2xf32>
func.func @nibbles(%x: tensor<?x4xf32>) -> tensor<?x2xf32> {
  %c = arith.constant dense<[[1, -2], [3, 7], [-8, -1], [0, 1]]> : tensor<4x2xi4>
  %w = quant.scast %c : tensor<4x2xi4> to tensor<4x2x!w4>
  %y = nn.linear %x, %w : (tensor<?x4xf32>, tensor<4x2x!w4>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

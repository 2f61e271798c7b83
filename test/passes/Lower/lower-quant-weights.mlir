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

!w4 = !quant.uniform<i4:f32:{0:32, 1:1}, {{0.5}}>

// Eight rows in a word, each 8 higher than it is.
// CHECK-LABEL: func @words_of_4_bits
// CHECK-DAG: %[[W:.*]] = arith.constant dense<{{\[\[}}1985229328], [-19088744], [1985229328], [-19088744]]> : tensor<4x1xi32>
// CHECK-DAG: %[[S:.*]] = arith.constant dense<5.000000e-01> : tensor<1x1xf32>
// CHECK: nn.linear %{{.*}}, %[[W]] scales(%[[S]]) {bits = 4 : i64} : (tensor<?x32xf32>, tensor<4x1xi32>, tensor<1x1xf32>) -> tensor<?x1xf32>
func.func @words_of_4_bits(%x: tensor<?x32xf32>) -> tensor<?x1xf32> {
  %c = arith.constant dense<[[-8], [-7], [-6], [-5], [-4], [-3], [-2], [-1], [0], [1], [2], [3], [4], [5], [6], [7], [-8], [-7], [-6], [-5], [-4], [-3], [-2], [-1], [0], [1], [2], [3], [4], [5], [6], [7]]> : tensor<32x1xi4>
  %w = quant.scast %c : tensor<32x1xi4> to tensor<32x1x!w4>
  %y = nn.linear %x, %w : (tensor<?x32xf32>, tensor<32x1x!w4>) -> tensor<?x1xf32>
  return %y : tensor<?x1xf32>
}

// -----

!w3 = !quant.uniform<i3:f32:{0:32, 1:1}, {{0.5}}>

// 32 rows in three words; rows 10 and 21 lie in two of them.
// CHECK-LABEL: func @words_of_3_bits
// CHECK-DAG: %[[W:.*]] = arith.constant dense<{{\[\[}}-1468477784], [-827819826], [2026809464]]> : tensor<3x1xi32>
// CHECK-DAG: %[[S:.*]] = arith.constant dense<5.000000e-01> : tensor<1x1xf32>
// CHECK: nn.linear %{{.*}}, %[[W]] scales(%[[S]]) {bits = 3 : i64} : (tensor<?x32xf32>, tensor<3x1xi32>, tensor<1x1xf32>) -> tensor<?x1xf32>
func.func @words_of_3_bits(%x: tensor<?x32xf32>) -> tensor<?x1xf32> {
  %c = arith.constant dense<[[-4], [1], [-2], [3], [0], [-3], [2], [-1], [-4], [1], [-2], [3], [0], [-3], [2], [-1], [-4], [1], [-2], [3], [0], [-3], [2], [-1], [-4], [1], [-2], [3], [0], [-3], [2], [-1]]> : tensor<32x1xi3>
  %w = quant.scast %c : tensor<32x1xi3> to tensor<32x1x!w3>
  %y = nn.linear %x, %w : (tensor<?x32xf32>, tensor<32x1x!w3>) -> tensor<?x1xf32>
  return %y : tensor<?x1xf32>
}

// -----

!w2 = !quant.uniform<i2:f32:{0:32, 1:1}, {{0.5}}>

// 16 rows in a word.
// CHECK-LABEL: func @words_of_2_bits
// CHECK-DAG: %[[W:.*]] = arith.constant dense<{{\[\[}}1819044972], [-1313754703]]> : tensor<2x1xi32>
// CHECK-DAG: %[[S:.*]] = arith.constant dense<5.000000e-01> : tensor<1x1xf32>
// CHECK: nn.linear %{{.*}}, %[[W]] scales(%[[S]]) {bits = 2 : i64} : (tensor<?x32xf32>, tensor<2x1xi32>, tensor<1x1xf32>) -> tensor<?x1xf32>
func.func @words_of_2_bits(%x: tensor<?x32xf32>) -> tensor<?x1xf32> {
  %c = arith.constant dense<[[-2], [1], [0], [-1], [-2], [1], [0], [-1], [-2], [1], [0], [-1], [-2], [1], [0], [-1], [-1], [-2], [1], [0], [-1], [-2], [1], [0], [-1], [-2], [1], [0], [-1], [-2], [1], [0]]> : tensor<32x1xi2>
  %w = quant.scast %c : tensor<32x1xi2> to tensor<32x1x!w2>
  %y = nn.linear %x, %w : (tensor<?x32xf32>, tensor<32x1x!w2>) -> tensor<?x1xf32>
  return %y : tensor<?x1xf32>
}

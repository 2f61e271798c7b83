// RUN: lathe-opt %s --lower-onnx-to-linalg --canonicalize --split-input-file | FileCheck %s

!w8 = !quant.uniform<i8<-127:127>:f32:0, {0.5, 0.25}>

// CHECK-LABEL: func @bytes
// CHECK-DAG: %[[W:.*]] = arith.constant dense<{{\[\[}}1, -2, 3], [4, 5, -6]]> : tensor<2x3xi8>
// CHECK-DAG: %[[S:.*]] = arith.constant dense<{{\[\[}}5.000000e-01], [2.500000e-01]]> : tensor<2x1xf32>
// CHECK: linalg.generic
// CHECK: tensor.extract %[[W]]
// CHECK: arith.sitofp
// CHECK: tensor.extract %[[S]]
// CHECK: arith.mulf
func.func @bytes(%i: tensor<?xi64> {onnx.dims = ["n"], onnx.name = "i"}) -> tensor<?x3xf32> {
  %c = onnx.Constant dense<[[1, -2, 3], [4, 5, -6]]> : tensor<2x3xi8>
  %w = quant.scast %c : tensor<2x3xi8> to tensor<2x3x!w8>
  %y = "onnx.Gather"(%w, %i) {axis = 0 : i64} : (tensor<2x3x!w8>, tensor<?xi64>) -> tensor<?x3xf32>
  return %y : tensor<?x3xf32>
}

// -----

!w4 = !quant.uniform<i4:f32:{0:1, 1:2}, {{0.5:1, 0.25}}>

// Two elements in a byte, 8 added: (1, -2) -> 9 + 6 * 16 = 105, (7, -8) -> 15.
// CHECK-LABEL: func @halves
// CHECK-DAG: arith.constant dense<{{\[\[}}105, 15]]> : tensor<1x2xi8>
// CHECK-DAG: %[[S:.*]] = arith.constant dense<{{\[\[}}5.000000e-01, 2.500000e-01]]> : tensor<1x2xf32>
// CHECK-DAG: %[[Z:.*]] = arith.constant dense<{{\[\[}}1, 0]]> : tensor<1x2xi8>
// CHECK: linalg.generic
// CHECK: arith.shrui
// CHECK: tensor.extract %[[Z]]
// CHECK: tensor.extract %[[S]]
func.func @halves(%i: tensor<?xi64> {onnx.dims = ["n"], onnx.name = "i"}) -> tensor<?x4xf32> {
  %c = onnx.Constant dense<[[1, -2, 7, -8]]> : tensor<1x4xi4>
  %w = quant.scast %c : tensor<1x4xi4> to tensor<1x4x!w4>
  %y = "onnx.Gather"(%w, %i) {axis = 0 : i64} : (tensor<1x4x!w4>, tensor<?xi64>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

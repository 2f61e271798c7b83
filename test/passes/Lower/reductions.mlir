// RUN: lathe-opt %s -lower-onnx-to-linalg | FileCheck %s

// CHECK-LABEL: func @mean
// CHECK: linalg.fill {{.*}} -> tensor<?x64xf32>
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "reduction", "reduction", "parallel"]
// CHECK: arith.addf
// CHECK: linalg.generic
// CHECK: arith.divf
// CHECK: tensor.expand_shape {{.*}} into tensor<?x1x1x64xf32>
func.func @mean(%x: tensor<?x7x7x64xf32>) -> tensor<?x1x1x64xf32> {
  %axes = onnx.Constant dense<[1, 2]> : tensor<2xi64>
  %0 = "onnx.ReduceMean"(%x, %axes) {keepdims = 1 : i64} : (tensor<?x7x7x64xf32>, tensor<2xi64>) -> tensor<?x1x1x64xf32>
  return %0 : tensor<?x1x1x64xf32>
}

// CHECK-LABEL: func @half_sum
// CHECK: arith.extf
// CHECK: arith.addf {{.*}} : f32
// CHECK: arith.truncf
func.func @half_sum(%x: tensor<4x8xf16>) -> tensor<1x1xf16> {
  %0 = "onnx.ReduceSum"(%x) : (tensor<4x8xf16>) -> tensor<1x1xf16>
  return %0 : tensor<1x1xf16>
}

// CHECK-LABEL: func @argmax
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "reduction"]
// CHECK: linalg.index 1
// CHECK: arith.cmpf olt
// CHECK: } -> (tensor<3xf32>, tensor<3xi64>)
func.func @argmax(%x: tensor<3x5xf32>) -> tensor<3xi64> {
  %0 = "onnx.ArgMax"(%x) {axis = 1 : i64, keepdims = 0 : i64} : (tensor<3x5xf32>) -> tensor<3xi64>
  return %0 : tensor<3xi64>
}

// RUN: lathe-opt %s --lower-onnx-to-linalg | FileCheck %s

// CHECK-LABEL: func.func @compress
// CHECK: %[[LIST:.*]]:2 = scf.for
// CHECK: tensor.extract %arg1
// CHECK: tensor.insert
// CHECK: linalg.generic {{.*}} ins(%[[LIST]]#0
func.func @compress(%x: tensor<3x2xf32>, %c: tensor<3xi1>) -> tensor<2x2xf32> {
  %0 = "onnx.Compress"(%x, %c) <{axis = 0 : i64}> : (tensor<3x2xf32>, tensor<3xi1>) -> tensor<2x2xf32>
  return %0 : tensor<2x2xf32>
}

// CHECK-LABEL: func.func @nonzero
// CHECK: arith.cmpf une
// CHECK: return %{{.*}} : tensor<2x3xi64>
func.func @nonzero(%x: tensor<3x2xf32>) -> tensor<2x3xi64> {
  %0 = "onnx.NonZero"(%x) : (tensor<3x2xf32>) -> tensor<2x3xi64>
  return %0 : tensor<2x3xi64>
}

// CHECK-LABEL: func.func @unique
// CHECK: linalg.generic {{.*}}["parallel", "reduction"]
// CHECK: linalg.generic {{.*}}["parallel", "reduction"]
// CHECK: scf.for
func.func @unique(%x: tensor<6xf32>) -> (tensor<4xf32>, tensor<4xi64>) {
  %0, %1 = "onnx.Unique"(%x) {resultSegmentSizes = array<i32: 1, 0, 0, 1>} : (tensor<6xf32>) -> (tensor<4xf32>, tensor<4xi64>)
  return %0, %1 : tensor<4xf32>, tensor<4xi64>
}

// CHECK-LABEL: func.func @non_max_suppression
// CHECK-COUNT-4: scf.for
func.func @non_max_suppression(%boxes: tensor<1x6x4xf32>, %scores: tensor<1x1x6xf32>, %n: tensor<1xi64>) -> tensor<3x3xi64> {
  %0 = "onnx.NonMaxSuppression"(%boxes, %scores, %n) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>} : (tensor<1x6x4xf32>, tensor<1x1x6xf32>, tensor<1xi64>) -> tensor<3x3xi64>
  return %0 : tensor<3x3xi64>
}

// RUN: lathe-opt %s --import-decompose | FileCheck %s

// A filter as wide as the result's elements, as a matrix: halves of pairs with quarters around them.
// CHECK-LABEL: func.func @antialias
// CHECK: %[[ROWS:.*]] = onnx.Constant dense<{{.*}}> : tensor<2x4xf32>
// CHECK: %[[DOWN:.*]] = "onnx.MatMul"(%[[ROWS]], %arg0) : (tensor<2x4xf32>, tensor<1x1x4x6xf32>) -> tensor<1x1x2x6xf32>
// CHECK: "onnx.MatMul"(%[[DOWN]], %{{.*}}) : (tensor<1x1x2x6xf32>, tensor<6x3xf32>) -> tensor<1x1x2x3xf32>
// CHECK-NOT: onnx.Resize
func.func @antialias(%x: tensor<1x1x4x6xf32>) -> tensor<1x1x2x3xf32> {
  %scales = onnx.Constant dense<[1.0, 1.0, 0.5, 0.5]> : tensor<4xf32>
  %0 = "onnx.Resize"(%x, %scales) {antialias = 1 : i64, mode = "linear", operandSegmentSizes = array<i32: 1, 0, 1, 0>} : (tensor<1x1x4x6xf32>, tensor<4xf32>) -> tensor<1x1x2x3xf32>
  return %0 : tensor<1x1x2x3xf32>
}

// Scales known at run time leave it as it is, to be reported.
// CHECK-LABEL: func.func @late
// CHECK: onnx.Resize
func.func @late(%x: tensor<1x1x4x6xf32>, %scales: tensor<4xf32>) -> tensor<1x1x2x3xf32> {
  %0 = "onnx.Resize"(%x, %scales) {antialias = 1 : i64, mode = "linear", operandSegmentSizes = array<i32: 1, 0, 1, 0>} : (tensor<1x1x4x6xf32>, tensor<4xf32>) -> tensor<1x1x2x3xf32>
  return %0 : tensor<1x1x2x3xf32>
}

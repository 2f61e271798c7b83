// RUN: lathe-opt %s -split-input-file -lower-onnx-to-linalg -verify-diagnostics | FileCheck %s

// CHECK-LABEL: func @nearest
// CHECK: linalg.generic
// CHECK: math.floor
// CHECK-COUNT-1: tensor.extract %arg0
func.func @nearest(%x: tensor<1x4x8x8xf32>) -> tensor<1x4x16x16xf32> {
  %scales = onnx.Constant dense<[1.0, 1.0, 2.0, 2.0]> : tensor<4xf32>
  %0 = "onnx.Resize"(%x, %scales) {coordinate_transformation_mode = "asymmetric", nearest_mode = "floor",
      operandSegmentSizes = array<i32: 1, 0, 1, 0>} : (tensor<1x4x8x8xf32>, tensor<4xf32>) -> tensor<1x4x16x16xf32>
  return %0 : tensor<1x4x16x16xf32>
}

// -----

// CHECK-LABEL: func @bilinear
// CHECK-COUNT-4: tensor.extract %arg0
// CHECK-NOT: tensor.extract
func.func @bilinear(%x: tensor<1x4x8x8xf32>) -> tensor<1x4x16x16xf32> {
  %sizes = onnx.Constant dense<[1, 4, 16, 16]> : tensor<4xi64>
  %0 = "onnx.Resize"(%x, %sizes) {mode = "linear", operandSegmentSizes = array<i32: 1, 0, 0, 1>}
      : (tensor<1x4x8x8xf32>, tensor<4xi64>) -> tensor<1x4x16x16xf32>
  return %0 : tensor<1x4x16x16xf32>
}

// -----

func.func @antialias(%x: tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32> {
  %sizes = onnx.Constant dense<[1, 4, 4, 4]> : tensor<4xi64>
  // expected-error @+1 {{expected static shapes and constant scales for antialias}}
  %0 = "onnx.Resize"(%x, %sizes) {mode = "linear", antialias = 1 : i64, operandSegmentSizes = array<i32: 1, 0, 0, 1>}
      : (tensor<1x4x8x8xf32>, tensor<4xi64>) -> tensor<1x4x4x4xf32>
  return %0 : tensor<1x4x4x4xf32>
}

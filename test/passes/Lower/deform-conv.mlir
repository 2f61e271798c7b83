// RUN: lathe-opt %s -lower-onnx-to-linalg | FileCheck %s

// Elements at shifted places, interpolated and masked, then a product with the weight.
// CHECK-LABEL: func.func @deform_conv
// CHECK: %[[COLUMNS:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<1x2x2x2x3x3xf32>)
// CHECK-COUNT-2: tensor.extract %arg2
// CHECK-COUNT-4: tensor.extract %arg0
// CHECK: tensor.extract %arg3
// CHECK: linalg.generic {{.*}}"reduction", "reduction", "reduction"]}
func.func @deform_conv(%x: tensor<1x2x4x4xf32>, %w: tensor<3x2x2x2xf32>, %offset: tensor<1x8x3x3xf32>, %mask: tensor<1x4x3x3xf32>) -> tensor<1x3x3x3xf32> {
  %0 = "onnx.DeformConv"(%x, %w, %offset, %mask) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 1>} : (tensor<1x2x4x4xf32>, tensor<3x2x2x2xf32>, tensor<1x8x3x3xf32>, tensor<1x4x3x3xf32>) -> tensor<1x3x3x3xf32>
  return %0 : tensor<1x3x3x3xf32>
}

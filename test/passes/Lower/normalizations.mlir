// RUN: lathe-opt %s -lower-onnx-to-linalg -canonicalize | FileCheck %s

// CHECK-LABEL: func @group_norm
// CHECK: tensor.expand_shape %arg0 {{.*}} into tensor<2x4x2x5x5xf32>
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "parallel", "reduction", "reduction", "reduction"]
// CHECK: math.sqrt
// CHECK: tensor.collapse_shape {{.*}} into tensor<2x8x5x5xf32>
func.func @group_norm(%x: tensor<2x8x5x5xf32>, %s: tensor<8xf32>, %b: tensor<8xf32>) -> tensor<2x8x5x5xf32> {
  %0 = "onnx.GroupNormalization"(%x, %s, %b) {num_groups = 4 : i64} : (tensor<2x8x5x5xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<2x8x5x5xf32>
  return %0 : tensor<2x8x5x5xf32>
}

// CHECK-LABEL: func @instance_norm
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "parallel", "reduction"]
// CHECK: math.sqrt
func.func @instance_norm(%x: tensor<2x8x5xf32>, %s: tensor<8xf32>, %b: tensor<8xf32>) -> tensor<2x8x5xf32> {
  %0 = "onnx.InstanceNormalization"(%x, %s, %b) : (tensor<2x8x5xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<2x8x5xf32>
  return %0 : tensor<2x8x5xf32>
}

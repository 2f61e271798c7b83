// RUN: lathe-opt %s -import-decompose -split-input-file | FileCheck %s

// Stride 2 and four taps: each of four phases has two by two, computed as 4 x 8 channels of 5x5 places, of which the first and the last
// give one line each.
// CHECK-LABEL: func @transposed
// CHECK: %[[W:.*]] = "onnx.Reshape"(%arg1, %{{.*}}) {{.*}} -> tensor<3x8x2x2x2x2xf32>
// CHECK: %[[T:.*]] = "onnx.Transpose"(%[[W]]) <{perm = array<i64: 3, 5, 1, 0, 2, 4>}>
// CHECK: "onnx.Reshape"(%[[T]], %{{.*}}) {{.*}} -> tensor<32x3x2x2xf32>
// CHECK: "onnx.Conv"(%arg0, {{.*}}pads = array<i64: 1, 1, 1, 1>{{.*}} -> tensor<?x32x5x5xf32>
// CHECK: "onnx.Transpose"({{.*}}) <{perm = array<i64: 0, 3, 4, 1, 5, 2>}> : (tensor<?x2x2x8x5x5xf32>) -> tensor<?x8x5x2x5x2xf32>
// CHECK: "onnx.Slice"({{.*}} -> tensor<?x8x8x10xf32>
// CHECK: "onnx.Slice"({{.*}} -> tensor<?x8x8x8xf32>
func.func @transposed(%x: tensor<?x3x4x4xf32>, %w: tensor<3x8x4x4xf32>, %b: tensor<8xf32>) -> tensor<?x8x8x8xf32> {
  %0 = "onnx.ConvTranspose"(%x, %w, %b) {strides = array<i64: 2, 2>, pads = array<i64: 1, 1, 1, 1>}
    : (tensor<?x3x4x4xf32>, tensor<3x8x4x4xf32>, tensor<8xf32>) -> tensor<?x8x8x8xf32>
  return %0 : tensor<?x8x8x8xf32>
}

// -----

// Groups and dilations stay.
// CHECK-LABEL: func @stays
// CHECK: "onnx.ConvTranspose"
// CHECK: "onnx.ConvTranspose"
func.func @stays(%x: tensor<1x4x4x4xf32>, %w: tensor<4x2x3x3xf32>, %v: tensor<4x4x3x3xf32>) -> (tensor<1x4x6x6xf32>, tensor<1x4x8x8xf32>) {
  %0 = "onnx.ConvTranspose"(%x, %w) {group = 2 : i64} : (tensor<1x4x4x4xf32>, tensor<4x2x3x3xf32>) -> tensor<1x4x6x6xf32>
  %1 = "onnx.ConvTranspose"(%x, %v) {dilations = array<i64: 2, 2>} : (tensor<1x4x4x4xf32>, tensor<4x4x3x3xf32>) -> tensor<1x4x8x8xf32>
  return %0, %1 : tensor<1x4x6x6xf32>, tensor<1x4x8x8xf32>
}

// RUN: lathe-opt %s -fuse-convert-to-nn -canonicalize -split-input-file | FileCheck %s
// RUN: lathe-opt %s -fuse-convert-to-nn -split-input-file --remark-format=emitRemark --remarks-filter=fuse -o %t 2>&1 | FileCheck %s --check-prefix=REMARK

// Slices are images.
// CHECK-LABEL: func @within_slices
func.func @within_slices(%x: tensor<?x2x6x9x9xf32>, %w: tensor<4x2x1x3x3xf32>, %b: tensor<4xf32>) -> tensor<?x4x6x5x5xf32> {
  // CHECK: %[[X:.*]] = "onnx.Transpose"(%arg0) <{perm = array<i64: 0, 2, 3, 4, 1>}>
  // CHECK: %[[W:.*]] = "onnx.Transpose"(%arg1) <{perm = array<i64: 2, 3, 4, 1, 0>}>
  // CHECK: %[[TAPS:.*]] = "onnx.Reshape"(%[[W]], {{.*}} -> tensor<3x3x2x4xf32>
  // CHECK: %[[IMAGES:.*]] = "onnx.Reshape"(%[[X]], {{.*}} -> tensor<?x9x9x2xf32>
  // CHECK: %[[CONV:.*]] = nn.conv %[[IMAGES]], %[[TAPS]] {pads = array<i64: 1, 1, 1, 1>, strides = array<i64: 2, 2>}
  // CHECK-SAME: -> tensor<?x5x5x4xf32>
  // CHECK: %[[SUM:.*]] = "onnx.Add"(%[[CONV]], %arg2)
  // CHECK: %[[Y:.*]] = "onnx.Reshape"(%[[SUM]], {{.*}} -> tensor<?x6x5x5x4xf32>
  // CHECK: "onnx.Transpose"(%[[Y]]) <{perm = array<i64: 0, 4, 1, 2, 3>}>
  %0 = "onnx.Conv"(%x, %w, %b) {pads = array<i64: 0, 1, 1, 0, 1, 1>, strides = array<i64: 1, 2, 2>}
    : (tensor<?x2x6x9x9xf32>, tensor<4x2x1x3x3xf32>, tensor<4xf32>) -> tensor<?x4x6x5x5xf32>
  return %0 : tensor<?x4x6x5x5xf32>
}

// -----

// Slices that no window meets are left out.
// CHECK-LABEL: func @every_second_slice
// CHECK: "onnx.Slice"({{.*}} : (tensor<1x7x4x4x2xf32>, {{.*}} -> tensor<1x4x4x4x2xf32>
// CHECK: nn.conv {{.*}} {strides = array<i64: 2, 2>} : (tensor<4x4x4x2xf32>, tensor<1x1x2x4xf32>) -> tensor<4x2x2x4xf32>
func.func @every_second_slice(%x: tensor<1x2x7x4x4xf32>, %w: tensor<4x2x1x1x1xf32>) -> tensor<1x4x4x2x2xf32> {
  %0 = "onnx.Conv"(%x, %w) {strides = array<i64: 2, 2, 2>} : (tensor<1x2x7x4x4xf32>, tensor<4x2x1x1x1xf32>) -> tensor<1x4x4x2x2xf32>
  return %0 : tensor<1x4x4x2x2xf32>
}

// -----

// Slices are lines; the padding is of lines, too.
// CHECK-LABEL: func @across_slices
// CHECK: nn.conv {{.*}} {dilations = array<i64: 2, 1>, group = 2 : i64, pads = array<i64: 2, 0, 1, 0>, strides = array<i64: 2, 1>}
// CHECK-SAME: (tensor<?x6x20x2xf32>, tensor<3x1x1x4xf32>) -> tensor<?x3x20x4xf32>
// CHECK: "onnx.Reshape"({{.*}} -> tensor<?x3x4x5x4xf32>
func.func @across_slices(%x: tensor<?x2x6x4x5xf32>, %w: tensor<4x1x3x1x1xf32>) -> tensor<?x4x3x4x5xf32> {
  %0 = "onnx.Conv"(%x, %w) {pads = array<i64: 2, 0, 0, 1, 0, 0>, strides = array<i64: 2, 1, 1>, dilations = array<i64: 2, 1, 1>, group = 2 : i64}
    : (tensor<?x2x6x4x5xf32>, tensor<4x1x3x1x1xf32>) -> tensor<?x4x3x4x5xf32>
  return %0 : tensor<?x4x3x4x5xf32>
}

// -----

// The three slices that a window meets are 3 x 2 channels.
// CHECK-LABEL: func @dense
// CHECK: "onnx.Pad"({{.*}} -> tensor<1x8x10x10x2xf32>
// CHECK-COUNT-3: "onnx.Slice"({{.*}} -> tensor<1x6x10x10x2xf32>
// CHECK: "onnx.Concat"({{.*}} -> tensor<1x6x10x10x6xf32>
// CHECK: "onnx.Transpose"({{.*}} <{perm = array<i64: 1, 2, 0, 3, 4>}> : (tensor<3x3x3x2x4xf32>)
// CHECK: nn.conv {{.*}} : (tensor<6x10x10x6xf32>, tensor<3x3x6x4xf32>) -> tensor<6x8x8x4xf32>
func.func @dense(%x: tensor<1x2x6x8x8xf32>, %w: tensor<4x2x3x3x3xf32>) -> tensor<1x4x6x8x8xf32> {
  %0 = "onnx.Conv"(%x, %w) {pads = array<i64: 1, 1, 1, 1, 1, 1>} : (tensor<1x2x6x8x8xf32>, tensor<4x2x3x3x3xf32>) -> tensor<1x4x6x8x8xf32>
  return %0 : tensor<1x4x6x8x8xf32>
}

// -----

// Groups keep channels apart.
// CHECK-LABEL: func @dense_groups
// CHECK: %[[A:.*]] = nn.conv {{.*}} {group = 4 : i64} : (tensor<5x8x8x4xf32>, tensor<3x3x1x4xf32>) -> tensor<5x6x6x4xf32>
// CHECK: %[[B:.*]] = nn.conv {{.*}} {group = 4 : i64}
// CHECK: "onnx.Add"(%[[A]], %[[B]])
func.func @dense_groups(%x: tensor<1x4x6x8x8xf32>, %w: tensor<4x1x2x3x3xf32>) -> tensor<1x4x5x6x6xf32> {
  %0 = "onnx.Conv"(%x, %w) {group = 4 : i64} : (tensor<1x4x6x8x8xf32>, tensor<4x1x2x3x3xf32>) -> tensor<1x4x5x6x6xf32>
  return %0 : tensor<1x4x5x6x6xf32>
}

// -----

// CHECK-LABEL: func @pool
// CHECK: %[[A:.*]] = nn.pool max {{.*}} {kernel = array<i64: 3, 3>, pads = array<i64: 1, 1, 1, 1>, strides = array<i64: 2, 2>}
// CHECK-SAME: (tensor<?x8x8x4xf32>) -> tensor<?x4x4x4xf32>
// CHECK: nn.pool max {{.*}} {kernel = array<i64: 3, 1>, pads = array<i64: 1, 0, 1, 0>} : (tensor<?x6x16x4xf32>) -> tensor<?x6x16x4xf32>
// CHECK: "onnx.Reshape"({{.*}} -> tensor<?x6x4x4x4xf32>
func.func @pool(%x: tensor<?x4x6x8x8xf32>) -> tensor<?x4x6x4x4xf32> {
  %0 = "onnx.MaxPool"(%x) {kernel_shape = array<i64: 3, 3, 3>, pads = array<i64: 1, 1, 1, 1, 1, 1>, strides = array<i64: 1, 2, 2>, resultSegmentSizes = array<i32: 1, 0>}
    : (tensor<?x4x6x8x8xf32>) -> tensor<?x4x6x4x4xf32>
  return %0 : tensor<?x4x6x4x4xf32>
}

// -----

// Fewer slices come first where they are fewer by more.
// CHECK-LABEL: func @pool_slices_first
// CHECK: nn.pool avg {{.*}} {count_include_pad, kernel = array<i64: 3, 1>, strides = array<i64: 3, 1>} : (tensor<1x6x64x4xf32>) -> tensor<1x2x64x4xf32>
// CHECK: nn.pool avg {{.*}} {count_include_pad, kernel = array<i64: 1, 2>} : (tensor<2x8x8x4xf32>) -> tensor<2x8x7x4xf32>
func.func @pool_slices_first(%x: tensor<1x4x6x8x8xf32>) -> tensor<1x4x2x8x7xf32> {
  %0 = "onnx.AveragePool"(%x) {kernel_shape = array<i64: 3, 1, 2>, strides = array<i64: 3, 1, 1>, count_include_pad = 1 : i64}
    : (tensor<1x4x6x8x8xf32>) -> tensor<1x4x2x8x7xf32>
  return %0 : tensor<1x4x2x8x7xf32>
}

// -----

// CHECK-LABEL: func @unknown
// CHECK: onnx.Conv
// REMARK: remark: [Missed] ConvertToNN
// REMARK-SAME: onnx.Conv stays: a size other than the batch is not known
func.func @unknown(%x: tensor<1x2x?x4x4xf32>, %w: tensor<4x2x1x3x3xf32>) -> tensor<1x4x?x2x2xf32> {
  %0 = "onnx.Conv"(%x, %w) : (tensor<1x2x?x4x4xf32>, tensor<4x2x1x3x3xf32>) -> tensor<1x4x?x2x2xf32>
  return %0 : tensor<1x4x?x2x2xf32>
}

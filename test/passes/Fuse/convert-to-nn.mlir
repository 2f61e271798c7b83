// RUN: lathe-opt %s -fuse-convert-to-nn | FileCheck %s
// RUN: lathe-opt %s -fuse-convert-to-nn --remark-format=emitRemark --remarks-filter=fuse -o %t 2>&1 | FileCheck %s --check-prefix=REMARK

// CHECK-LABEL: func @conv
func.func @conv(%x: tensor<?x8x9x9xf32>, %b: tensor<4xf32>) -> tensor<?x4x5x5xf32> {
  %w = onnx.Constant dense<0.1> : tensor<4x2x3x3xf32>
  // CHECK: %[[X:.*]] = "onnx.Transpose"(%arg0) <{perm = array<i64: 0, 2, 3, 1>}>
  // CHECK: %[[W:.*]] = "onnx.Transpose"(%{{.*}}) <{perm = array<i64: 2, 3, 1, 0>}>
  // CHECK-SAME: -> tensor<3x3x2x4xf32>
  // CHECK: %[[CONV:.*]] = nn.conv %[[X]], %[[W]] {group = 4 : i64, pads = array<i64: 1, 1, 1, 1>, strides = array<i64: 2, 2>}
  // CHECK-SAME: -> tensor<?x5x5x4xf32>
  // CHECK: %[[SUM:.*]] = "onnx.Add"(%[[CONV]], %arg1)
  // CHECK: "onnx.Transpose"(%[[SUM]]) <{perm = array<i64: 0, 3, 1, 2>}>
  // CHECK-SAME: -> tensor<?x4x5x5xf32>
  %0 = "onnx.Conv"(%x, %w, %b) {auto_pad = "SAME_UPPER", group = 4 : i64, strides = array<i64: 2, 2>} : (tensor<?x8x9x9xf32>, tensor<4x2x3x3xf32>, tensor<4xf32>) -> tensor<?x4x5x5xf32>
  return %0 : tensor<?x4x5x5xf32>
}

// CHECK-LABEL: func @conv_1d
func.func @conv_1d(%x: tensor<?x2x?xf32>) -> tensor<?x4x?xf32> {
  %w = onnx.Constant dense<0.1> : tensor<4x2x3xf32>
  // CHECK: "onnx.Unsqueeze"(%arg0
  // CHECK-SAME: -> tensor<?x2x1x?xf32>
  // CHECK: nn.conv {{.*}} {pads = array<i64: 0, 1, 0, 1>}
  // CHECK-SAME: (tensor<?x1x?x2xf32>, tensor<1x3x2x4xf32>) -> tensor<?x1x?x4xf32>
  // CHECK: "onnx.Squeeze"
  // CHECK-SAME: -> tensor<?x4x?xf32>
  %0 = "onnx.Conv"(%x, %w) {pads = array<i64: 1, 1>} : (tensor<?x2x?xf32>, tensor<4x2x3xf32>) -> tensor<?x4x?xf32>
  return %0 : tensor<?x4x?xf32>
}

// REMARK: remark: [Missed] ConvertToNN
// REMARK-SAME: onnx.Conv stays: neither 1-D nor 2-D nor 3-D
// CHECK-LABEL: func @conv_4d
func.func @conv_4d(%x: tensor<1x2x4x4x4x4xf32>) -> tensor<1x4x4x4x4x4xf32> {
  %w = onnx.Constant dense<0.1> : tensor<4x2x1x1x1x1xf32>
  // CHECK: onnx.Conv
  %0 = "onnx.Conv"(%x, %w) : (tensor<1x2x4x4x4x4xf32>, tensor<4x2x1x1x1x1xf32>) -> tensor<1x4x4x4x4x4xf32>
  return %0 : tensor<1x4x4x4x4x4xf32>
}

// A window of ceil_mode that begins in the padding at the end does not exist, so one more element of padding suffices.
// CHECK-LABEL: func @pools
func.func @pools(%x: tensor<1x4x8x8xf32>) -> (tensor<1x4x4x4xf32>, tensor<1x4x1x1xf32>) {
  // CHECK: nn.pool max {{.*}} {kernel = array<i64: 3, 3>, pads = array<i64: 0, 0, 1, 1>, strides = array<i64: 2, 2>}
  %0 = "onnx.MaxPool"(%x) {ceil_mode = 1 : i64, kernel_shape = array<i64: 3, 3>, strides = array<i64: 2, 2>, resultSegmentSizes = array<i32: 1, 0>} : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32>
  // CHECK: "onnx.ReduceMean"(%arg0
  %1 = "onnx.GlobalAveragePool"(%x) : (tensor<1x4x8x8xf32>) -> tensor<1x4x1x1xf32>
  return %0, %1 : tensor<1x4x4x4xf32>, tensor<1x4x1x1xf32>
}

// REMARK: remark: [Missed] ConvertToNN
// REMARK-SAME: ceil_mode reaches past padding that is counted
// CHECK-LABEL: func @ceil_counted
func.func @ceil_counted(%x: tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32> {
  // CHECK: onnx.AveragePool
  %0 = "onnx.AveragePool"(%x) {ceil_mode = 1 : i64, count_include_pad = 1 : i64, kernel_shape = array<i64: 3, 3>, strides = array<i64: 2, 2>} : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32>
  return %0 : tensor<1x4x4x4xf32>
}

// CHECK-LABEL: func @gemm
func.func @gemm(%x: tensor<?x16xf32>, %c: tensor<10xf32>) -> tensor<?x10xf32> {
  %w = onnx.Constant dense<0.3> : tensor<10x16xf32>
  // CHECK: %[[W:.*]] = "onnx.Transpose"
  // CHECK: %[[SCALED:.*]] = "onnx.Mul"(%[[W]]
  // CHECK: %[[Y:.*]] = nn.linear %arg0, %[[SCALED]] : (tensor<?x16xf32>, tensor<16x10xf32>) -> tensor<?x10xf32>
  // CHECK: "onnx.Add"(%[[Y]], %arg1)
  %0 = "onnx.Gemm"(%x, %w, %c) {alpha = 2.0 : f32, transB = 1 : i64} : (tensor<?x16xf32>, tensor<10x16xf32>, tensor<10xf32>) -> tensor<?x10xf32>
  return %0 : tensor<?x10xf32>
}

// CHECK-LABEL: func @products
func.func @products(%x: tensor<?x4x16xf32>, %y: tensor<?x16x5xf32>, %v: tensor<16xf32>) -> (tensor<?x4x5xf32>, tensor<?x4xf32>) {
  // CHECK: nn.matmul %arg0, %arg1
  %0 = "onnx.MatMul"(%x, %y) : (tensor<?x4x16xf32>, tensor<?x16x5xf32>) -> tensor<?x4x5xf32>
  // CHECK: %[[COLUMN:.*]] = "onnx.Unsqueeze"(%arg2
  // CHECK: %[[PRODUCT:.*]] = nn.matmul %arg0, %[[COLUMN]]
  // CHECK: "onnx.Squeeze"(%[[PRODUCT]]
  %1 = "onnx.MatMul"(%x, %v) : (tensor<?x4x16xf32>, tensor<16xf32>) -> tensor<?x4xf32>
  return %0, %1 : tensor<?x4x5xf32>, tensor<?x4xf32>
}

// CHECK-LABEL: func @softmax
func.func @softmax(%x: tensor<?x4x16xf32>) -> (tensor<?x4x16xf32>, tensor<?x4x16xf32>) {
  // CHECK: nn.softmax %arg0 {log}
  %0 = "onnx.LogSoftmax"(%x) : (tensor<?x4x16xf32>) -> tensor<?x4x16xf32>
  // CHECK: %[[T:.*]] = "onnx.Transpose"(%arg0) <{perm = array<i64: 0, 2, 1>}>
  // CHECK: %[[S:.*]] = nn.softmax %[[T]]
  // CHECK: "onnx.Transpose"(%[[S]]) <{perm = array<i64: 0, 2, 1>}>
  %1 = "onnx.Softmax"(%x) {axis = 1 : i64} : (tensor<?x4x16xf32>) -> tensor<?x4x16xf32>
  return %0, %1 : tensor<?x4x16xf32>, tensor<?x4x16xf32>
}

// REMARK: remark: [Missed] ConvertToNN
// REMARK-SAME: onnx.MatMul stays: element type is not f32
// CHECK-LABEL: func @integers
func.func @integers(%x: tensor<4x4xi32>) -> tensor<4x4xi32> {
  // CHECK: onnx.MatMul
  %0 = "onnx.MatMul"(%x, %x) : (tensor<4x4xi32>, tensor<4x4xi32>) -> tensor<4x4xi32>
  return %0 : tensor<4x4xi32>
}

// CHECK-LABEL: func @pad
func.func @pad(%x: tensor<1x4x8x8xf32>) -> tensor<1x4x9x9xf32> {
  %pads = onnx.Constant dense<[0, 0, 0, 0, 0, 0, 1, 1]> : tensor<8xi64>
  %none = onnx.Constant dense<0> : tensor<8xi64>
  %w = onnx.Constant dense<0.1> : tensor<4x4x3x3xf32>
  // CHECK-NOT: onnx.Pad
  // CHECK: nn.conv {{.*}} {pads = array<i64: 1, 1, 2, 2>}
  // CHECK-NOT: onnx.Pad
  // CHECK: return
  %0 = "onnx.Pad"(%x, %pads) {operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<1x4x8x8xf32>, tensor<8xi64>) -> tensor<1x4x9x9xf32>
  %1 = "onnx.Conv"(%0, %w) {pads = array<i64: 1, 1, 1, 1>} : (tensor<1x4x9x9xf32>, tensor<4x4x3x3xf32>) -> tensor<1x4x9x9xf32>
  %2 = "onnx.Pad"(%1, %none) {operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<1x4x9x9xf32>, tensor<8xi64>) -> tensor<1x4x9x9xf32>
  return %2 : tensor<1x4x9x9xf32>
}

// Padding with another value stays.
// CHECK-LABEL: func @pad_value
func.func @pad_value(%x: tensor<1x4x8x8xf32>) -> tensor<1x4x7x7xf32> {
  %pads = onnx.Constant dense<[0, 0, 0, 0, 0, 0, 1, 1]> : tensor<8xi64>
  %one = onnx.Constant dense<1.0> : tensor<f32>
  %w = onnx.Constant dense<0.1> : tensor<4x4x3x3xf32>
  // CHECK: onnx.Pad
  %0 = "onnx.Pad"(%x, %pads, %one) {operandSegmentSizes = array<i32: 1, 1, 1, 0>} : (tensor<1x4x8x8xf32>, tensor<8xi64>, tensor<f32>) -> tensor<1x4x9x9xf32>
  %1 = "onnx.Conv"(%0, %w) : (tensor<1x4x9x9xf32>, tensor<4x4x3x3xf32>) -> tensor<1x4x7x7xf32>
  return %1 : tensor<1x4x7x7xf32>
}

// Kernels take groups of channels apart.
// CHECK-LABEL: func @unknown_channels
// CHECK: onnx.Conv
func.func @unknown_channels(%x: tensor<1x?x8x8xf32>, %w: tensor<4x8x2x2xf32>) -> tensor<1x4x7x7xf32> {
  %0 = "onnx.Conv"(%x, %w) {group = 2 : i64} : (tensor<1x?x8x8xf32>, tensor<4x8x2x2xf32>) -> tensor<1x4x7x7xf32>
  return %0 : tensor<1x4x7x7xf32>
}

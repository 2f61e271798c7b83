// RUN: lathe-opt %s -fuse-conv-batch-norm | FileCheck %s
// RUN: lathe-opt %s -fuse-conv-batch-norm --remark-format=emitRemark --remarks-filter=fuse -o %t 2>&1 | FileCheck %s --check-prefix=REMARK

// REMARK: remark: [Passed] BatchNormIntoConv
// CHECK-LABEL: func @fold
// CHECK-SAME: (%[[X:.*]]: tensor<?x3x8x8xf32>)
func.func @fold(%x: tensor<?x3x8x8xf32>) -> tensor<?x4x8x8xf32> {
  %w = onnx.Constant dense<0.1> : tensor<4x3x1x1xf32>
  %p = onnx.Constant dense<1.0> : tensor<4xf32>
  %b = onnx.Constant dense<2.0> : tensor<4xf32>
  // CHECK: %[[FACTOR:.*]] = "onnx.Div"
  // CHECK: %[[COLUMN:.*]] = "onnx.Reshape"(%[[FACTOR]]
  // CHECK-SAME: tensor<4x1x1x1xf32>
  // CHECK: %[[W:.*]] = "onnx.Mul"(%{{.*}}, %[[COLUMN]])
  // CHECK: %[[CENTRED:.*]] = "onnx.Sub"
  // CHECK: %[[SCALED:.*]] = "onnx.Mul"(%[[CENTRED]], %[[FACTOR]])
  // CHECK: %[[B:.*]] = "onnx.Add"(%[[SCALED]]
  // CHECK: %[[Y:.*]] = "onnx.Conv"(%[[X]], %[[W]], %[[B]])
  // CHECK-NOT: BatchNormalization
  // CHECK: return %[[Y]]
  %0 = "onnx.Conv"(%x, %w, %b) : (tensor<?x3x8x8xf32>, tensor<4x3x1x1xf32>, tensor<4xf32>) -> tensor<?x4x8x8xf32>
  %1 = "onnx.BatchNormalization"(%0, %p, %p, %p, %p) {resultSegmentSizes = array<i32: 1, 0, 0>} : (tensor<?x4x8x8xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<?x4x8x8xf32>
  return %1 : tensor<?x4x8x8xf32>
}

// The convolution is used twice: its weight must stay.
// REMARK: remark: [Missed] BatchNormIntoConv
// REMARK-SAME: the convolution has other uses; became a product and a sum
// CHECK-LABEL: func @two_uses
func.func @two_uses(%x: tensor<1x3x8x8xf32>) -> (tensor<1x4x8x8xf32>, tensor<1x4x8x8xf32>) {
  %w = onnx.Constant dense<0.1> : tensor<4x3x1x1xf32>
  %p = onnx.Constant dense<1.0> : tensor<4xf32>
  // CHECK: %[[CONV:.*]] = "onnx.Conv"
  // CHECK: %[[MUL:.*]] = "onnx.Mul"(%[[CONV]], %{{.*}}) : (tensor<1x4x8x8xf32>, tensor<4x1x1xf32>)
  // CHECK: %[[ADD:.*]] = "onnx.Add"(%[[MUL]], %{{.*}}) : (tensor<1x4x8x8xf32>, tensor<4x1x1xf32>)
  // CHECK: return %[[CONV]], %[[ADD]]
  %0 = "onnx.Conv"(%x, %w) : (tensor<1x3x8x8xf32>, tensor<4x3x1x1xf32>) -> tensor<1x4x8x8xf32>
  %1 = "onnx.BatchNormalization"(%0, %p, %p, %p, %p) {resultSegmentSizes = array<i32: 1, 0, 0>} : (tensor<1x4x8x8xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x4x8x8xf32>
  return %0, %1 : tensor<1x4x8x8xf32>, tensor<1x4x8x8xf32>
}

// REMARK: remark: [Missed] BatchNormIntoConv
// REMARK-SAME: training mode
// CHECK-LABEL: func @training
func.func @training(%x: tensor<1x4x8x8xf32>, %p: tensor<4xf32>) -> tensor<1x4x8x8xf32> {
  // CHECK: onnx.BatchNormalization
  %1 = "onnx.BatchNormalization"(%x, %p, %p, %p, %p) {training_mode = 1 : i64, resultSegmentSizes = array<i32: 1, 0, 0>} : (tensor<1x4x8x8xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x4x8x8xf32>
  return %1 : tensor<1x4x8x8xf32>
}

// RUN: lathe-opt %s --import-simplify | FileCheck %s

// CHECK-LABEL: func.func @transposes(
// CHECK-SAME: %[[X:.*]]: tensor<2x3x4xf32>
// CHECK-NEXT: return %[[X]]
func.func @transposes(%x: tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
  %0 = "onnx.Transpose"(%x) {perm = array<i64: 1, 2, 0>} : (tensor<2x3x4xf32>) -> tensor<3x4x2xf32>
  %1 = "onnx.Transpose"(%0) {perm = array<i64: 2, 0, 1>} : (tensor<3x4x2xf32>) -> tensor<2x3x4xf32>
  return %1 : tensor<2x3x4xf32>
}

// CHECK-LABEL: func.func @one_transpose
// CHECK: "onnx.Transpose"(%{{.*}}) <{perm = array<i64: 2, 0, 1>}> : (tensor<2x3x4xf32>) -> tensor<4x2x3xf32>
// CHECK-NEXT: return
func.func @one_transpose(%x: tensor<2x3x4xf32>) -> tensor<4x2x3xf32> {
  %0 = "onnx.Transpose"(%x) {perm = array<i64: 1, 2, 0>} : (tensor<2x3x4xf32>) -> tensor<3x4x2xf32>
  %1 = "onnx.Transpose"(%0) {perm = array<i64: 1, 2, 0>} : (tensor<3x4x2xf32>) -> tensor<4x2x3xf32>
  return %1 : tensor<4x2x3xf32>
}

// CHECK-LABEL: func.func @reshapes
// CHECK: %[[TARGET:.*]] = onnx.Constant dense<[-1, 12]> : tensor<2xi64>
// CHECK: "onnx.Reshape"(%arg0, %[[TARGET]])
// CHECK-SAME: (tensor<?x3x4xf32>, tensor<2xi64>) -> tensor<?x12xf32>
func.func @reshapes(%x: tensor<?x3x4xf32>) -> tensor<?x12xf32> {
  %axis = onnx.Constant dense<1> : tensor<1xi64>
  %0 = "onnx.Unsqueeze"(%x, %axis) : (tensor<?x3x4xf32>, tensor<1xi64>) -> tensor<?x1x3x4xf32>
  %1 = "onnx.Flatten"(%0) : (tensor<?x1x3x4xf32>) -> tensor<?x12xf32>
  return %1 : tensor<?x12xf32>
}

// Two unknown sizes have no constant target.
// CHECK-LABEL: func.func @two_unknown
// CHECK: onnx.Unsqueeze
// CHECK: onnx.Reshape
func.func @two_unknown(%x: tensor<?x?x4xf32>, %t: tensor<3xi64>) -> tensor<?x?x2xf32> {
  %axis = onnx.Constant dense<1> : tensor<1xi64>
  %0 = "onnx.Unsqueeze"(%x, %axis) : (tensor<?x?x4xf32>, tensor<1xi64>) -> tensor<?x1x?x4xf32>
  %1 = "onnx.Reshape"(%0, %t) : (tensor<?x1x?x4xf32>, tensor<3xi64>) -> tensor<?x?x2xf32>
  return %1 : tensor<?x?x2xf32>
}

// CHECK-LABEL: func.func @nothing(
// CHECK-SAME: %[[X:.*]]: tensor<4xf32>
// CHECK-NEXT: return %[[X]]
func.func @nothing(%x: tensor<4xf32>) -> tensor<4xf32> {
  %one = onnx.Constant dense<1> : tensor<1xi64>
  %zero = onnx.Constant dense<0> : tensor<1xi64>
  %four = onnx.Constant dense<4> : tensor<1xi64>
  %pads = onnx.Constant dense<0> : tensor<2xi64>
  %0 = "onnx.Cast"(%x) {to = 1 : i64} : (tensor<4xf32>) -> tensor<4xf32>
  %1 = "onnx.Expand"(%0, %one) : (tensor<4xf32>, tensor<1xi64>) -> tensor<4xf32>
  %2 = "onnx.Slice"(%1, %zero, %four, %zero, %one) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1>} : (tensor<4xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<4xf32>
  %3 = "onnx.Pad"(%2, %pads) {operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<4xf32>, tensor<2xi64>) -> tensor<4xf32>
  %4 = "onnx.Concat"(%3) {axis = 0 : i64} : (tensor<4xf32>) -> tensor<4xf32>
  return %4 : tensor<4xf32>
}

// Reversing keeps the shape.
// CHECK-LABEL: func.func @reverse
// CHECK: onnx.Slice
func.func @reverse(%x: tensor<4xf32>) -> tensor<4xf32> {
  %start = onnx.Constant dense<-1> : tensor<1xi64>
  %end = onnx.Constant dense<-9223372036854775807> : tensor<1xi64>
  %zero = onnx.Constant dense<0> : tensor<1xi64>
  %step = onnx.Constant dense<-1> : tensor<1xi64>
  %0 = "onnx.Slice"(%x, %start, %end, %zero, %step) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1>} : (tensor<4xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

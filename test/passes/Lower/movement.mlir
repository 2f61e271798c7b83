// RUN: lathe-opt %s -lower-onnx-to-linalg -canonicalize -cse | FileCheck %s

// CHECK-LABEL: func @gather_one
// CHECK-NOT: linalg.generic
// CHECK: tensor.extract_slice %arg0[0, 64, 0] [%{{.*}}, 1, 192]
func.func @gather_one(%x: tensor<?x65x192xf32>) -> tensor<?x192xf32> {
  %last = onnx.Constant dense<-1> : tensor<i64>
  %0 = "onnx.Gather"(%x, %last) {axis = 1 : i64} : (tensor<?x65x192xf32>, tensor<i64>) -> tensor<?x192xf32>
  return %0 : tensor<?x192xf32>
}

// Indices of the input are kept inside the table.
// CHECK-LABEL: func @embedding
// CHECK: linalg.generic
// CHECK: arith.minsi
// CHECK: arith.maxsi
// CHECK: tensor.extract %arg0
func.func @embedding(%t: tensor<20x192xf32>, %i: tensor<?x7xi64>) -> tensor<?x7x192xf32> {
  %0 = "onnx.Gather"(%t, %i) : (tensor<20x192xf32>, tensor<?x7xi64>) -> tensor<?x7x192xf32>
  return %0 : tensor<?x7x192xf32>
}

// CHECK-LABEL: func @concat
// CHECK: %[[A:.*]] = tensor.insert_slice %arg0 into
// CHECK: tensor.insert_slice %arg1 into %[[A]][0, 1, 0]
func.func @concat(%a: tensor<?x1x8xf32> {onnx.dims = ["n", "", ""]}, %b: tensor<?x64x8xf32> {onnx.dims = ["n", "", ""]}) -> tensor<?x65x8xf32> {
  %0 = "onnx.Concat"(%a, %b) {axis = 1 : i64} : (tensor<?x1x8xf32>, tensor<?x64x8xf32>) -> tensor<?x65x8xf32>
  return %0 : tensor<?x65x8xf32>
}

// CHECK-LABEL: func @split_heads
// CHECK: tensor.expand_shape %arg0 {{\[\[}}0], [1], [2, 3]]
// CHECK: linalg.transpose
func.func @split_heads(%x: tensor<?x65x64xf32>) -> tensor<?x4x65x16xf32> {
  %shape = onnx.Constant dense<[0, 65, 4, 16]> : tensor<4xi64>
  %0 = "onnx.Reshape"(%x, %shape) : (tensor<?x65x64xf32>, tensor<4xi64>) -> tensor<?x65x4x16xf32>
  %1 = "onnx.Transpose"(%0) {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x65x4x16xf32>) -> tensor<?x4x65x16xf32>
  return %1 : tensor<?x4x65x16xf32>
}

// Only dimensions of size 1 move: no element does.
// CHECK-LABEL: func @transpose_unit
// CHECK-NOT: linalg.transpose
func.func @transpose_unit(%x: tensor<?x1x1x64xf32>) -> tensor<?x64x1x1xf32> {
  %0 = "onnx.Transpose"(%x) {perm = array<i64: 0, 3, 1, 2>} : (tensor<?x1x1x64xf32>) -> tensor<?x64x1x1xf32>
  return %0 : tensor<?x64x1x1xf32>
}

// CHECK-LABEL: func @slices
// CHECK: tensor.extract_slice %arg0[1, 0] [2, 8] [2, 1]
// CHECK: linalg.generic
// CHECK: tensor.extract %arg0
func.func @slices(%x: tensor<6x8xf32>) -> (tensor<2x8xf32>, tensor<6x8xf32>) {
  %one = onnx.Constant dense<1> : tensor<1xi64>
  %five = onnx.Constant dense<5> : tensor<1xi64>
  %zero = onnx.Constant dense<0> : tensor<1xi64>
  %two = onnx.Constant dense<2> : tensor<1xi64>
  %back = onnx.Constant dense<-1> : tensor<1xi64>
  %far = onnx.Constant dense<-100> : tensor<1xi64>
  %0 = "onnx.Slice"(%x, %one, %five, %zero, %two) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1>} : (tensor<6x8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<2x8xf32>
  %1 = "onnx.Slice"(%x, %back, %far, %one, %back) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1>} : (tensor<6x8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<6x8xf32>
  return %0, %1 : tensor<2x8xf32>, tensor<6x8xf32>
}

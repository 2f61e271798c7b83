// RUN: lathe-opt %s -lower-onnx-to-linalg -canonicalize | FileCheck %s

// CHECK-LABEL: func @constant
// CHECK: %[[FILLED:.*]] = linalg.fill
// CHECK: tensor.insert_slice %arg0 into %[[FILLED]][0, 1] [%{{.*}}, 8] [1, 1]
func.func @constant(%x: tensor<?x8xf32>) -> tensor<?x11xf32> {
  %pads = onnx.Constant dense<[0, 1, 0, 2]> : tensor<4xi64>
  %0 = "onnx.Pad"(%x, %pads) {operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<?x8xf32>, tensor<4xi64>) -> tensor<?x11xf32>
  return %0 : tensor<?x11xf32>
}

// CHECK-LABEL: func @reflect
// CHECK: linalg.generic
// CHECK: arith.remsi
// CHECK: tensor.extract %arg0
func.func @reflect(%x: tensor<8xf32>) -> tensor<12xf32> {
  %pads = onnx.Constant dense<[2, 2]> : tensor<2xi64>
  %0 = "onnx.Pad"(%x, %pads) {mode = "reflect", operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<8xf32>, tensor<2xi64>) -> tensor<12xf32>
  return %0 : tensor<12xf32>
}

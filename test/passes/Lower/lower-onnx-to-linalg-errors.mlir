// RUN: not lathe-opt %s -lower-onnx-to-linalg 2>&1 | FileCheck %s

// All of them in one run.
// CHECK: error: 'onnx.Hardmax' op is not supported: operands 'tensor<2x2xf32>', results 'tensor<2x2xf32>'
// CHECK: error: 'onnx.CumSum' op expected an axis that is known at compile time
func.func @main(%x: tensor<2x2xf32>, %axis: tensor<i64>) -> (tensor<2x2xf32>, tensor<2x2xf32>) {
  %0 = "onnx.Hardmax"(%x) : (tensor<2x2xf32>) -> tensor<2x2xf32>
  %1 = "onnx.CumSum"(%x, %axis) : (tensor<2x2xf32>, tensor<i64>) -> tensor<2x2xf32>
  return %0, %1 : tensor<2x2xf32>, tensor<2x2xf32>
}

// RUN: not lathe-opt %s -lower-onnx-to-linalg 2>&1 | FileCheck %s

// All of them in one run.
// CHECK: error: 'onnx.Bernoulli' op is not supported: operands 'tensor<2x2xf32>', results 'tensor<2x2xf32>'
// CHECK: error: 'onnx.Dropout' op in training mode is not supported
func.func @main(%x: tensor<2x2xf32>) -> (tensor<2x2xf32>, tensor<2x2xf32>) {
  %true = onnx.Constant dense<true> : tensor<i1>
  %0 = "onnx.Bernoulli"(%x) : (tensor<2x2xf32>) -> tensor<2x2xf32>
  %1 = "onnx.Dropout"(%x, %true) {operandSegmentSizes = array<i32: 1, 0, 1>} : (tensor<2x2xf32>, tensor<i1>) -> tensor<2x2xf32>
  return %0, %1 : tensor<2x2xf32>, tensor<2x2xf32>
}

// RUN: lathe-opt %s -test-dim-flow -verify-diagnostics

func.func @reduce(%x: tensor<2x3x4xf32>, %unknown: tensor<1xi64>) {
  %axes = onnx.Constant dense<[-2]> : tensor<1xi64>
  // expected-remark@+2 {{operand 0 to result 0: same(0) reduced same(2)}}
  // expected-remark@+1 {{operand 1 to result 0: none}}
  %0 = "onnx.ReduceMean"(%x, %axes) : (tensor<2x3x4xf32>, tensor<1xi64>) -> tensor<2x1x4xf32>
  // expected-remark@+2 {{operand 0 to result 0: same(0) reduced same(1)}}
  // expected-remark@+1 {{operand 1 to result 0: none}}
  %1 = "onnx.ReduceSum"(%x, %axes) {keepdims = 0 : i64} : (tensor<2x3x4xf32>, tensor<1xi64>) -> tensor<2x4xf32>
  // expected-remark@+1 {{operand 0 to result 0: reduced reduced reduced}}
  %2 = "onnx.ReduceMax"(%x) : (tensor<2x3x4xf32>) -> tensor<1x1x1xf32>
  // expected-remark@+1 {{operand 0 to result 0: same(0) same(1) same(2)}}
  %3 = "onnx.ReduceMax"(%x) {noop_with_empty_axes = 1 : i64} : (tensor<2x3x4xf32>) -> tensor<2x3x4xf32>
  // expected-remark@+2 {{operand 0 to result 0: mixed(0) mixed(0) mixed(0)}}
  // expected-remark@+1 {{operand 1 to result 0: none}}
  %4 = "onnx.ReduceMin"(%x, %unknown) : (tensor<2x3x4xf32>, tensor<1xi64>) -> tensor<?x?x?xf32>
  // expected-remark@+1 {{operand 0 to result 0: same(0) same(1) reduced}}
  %5 = "onnx.ArgMax"(%x) {axis = -1 : i64, keepdims = 0 : i64} : (tensor<2x3x4xf32>) -> tensor<2x3xi64>
  return
}

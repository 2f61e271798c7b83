// RUN: lathe-opt %s -test-dim-flow -verify-diagnostics

func.func @binary(%x: tensor<?x4x8xf32>, %y: tensor<1x8xf32>) {
  // expected-remark@+2 {{operand 0 to result 0: same(0) same(1) same(2)}}
  // expected-remark@+1 {{operand 1 to result 0: broadcast(1) same(2)}}
  %0 = "onnx.Add"(%x, %y) : (tensor<?x4x8xf32>, tensor<1x8xf32>) -> tensor<?x4x8xf32>
  // expected-remark@+1 {{operand 0 to result 0: same(0) same(1) same(2)}}
  %1 = "onnx.Cast"(%x) {to = 10 : i64} : (tensor<?x4x8xf32>) -> tensor<?x4x8xf16>
  // expected-remark@+1 {{operand 0 to result 0: same(0) mixed(1) same(2)}}
  %2 = "onnx.Softmax"(%x) {axis = 1 : i64} : (tensor<?x4x8xf32>) -> tensor<?x4x8xf32>
  return
}

func.func @expand(%x: tensor<4x1xf32>, %s: tensor<3xi64>) {
  // expected-remark@+2 {{operand 0 to result 0: same(1) broadcast(2)}}
  // expected-remark@+1 {{operand 1 to result 0: none}}
  %0 = "onnx.Expand"(%x, %s) : (tensor<4x1xf32>, tensor<3xi64>) -> tensor<2x4x8xf32>
  return
}

func.func @unranked(%x: tensor<*xf32>, %y: tensor<4xf32>) {
  // expected-remark@+1 {{operand 1 to result 0: mixed(0)}}
  %0 = "onnx.Add"(%x, %y) : (tensor<*xf32>, tensor<4xf32>) -> tensor<*xf32>
  return
}

func.func @quantize(%x: tensor<2x4xf32>, %s: tensor<4xf32>, %b: tensor<2x2xf32>) {
  // expected-remark@+2 {{operand 0 to result 0: same(0) same(1)}}
  // expected-remark@+1 {{operand 1 to result 0: same(1)}}
  %0 = "onnx.QuantizeLinear"(%x, %s) : (tensor<2x4xf32>, tensor<4xf32>) -> tensor<2x4xi8>
  // expected-remark@+2 {{operand 0 to result 0: same(0) same(1)}}
  // expected-remark@+1 {{operand 1 to result 0: same(0) split(1)}}
  %1 = "onnx.QuantizeLinear"(%x, %b) {block_size = 2 : i64} : (tensor<2x4xf32>, tensor<2x2xf32>) -> tensor<2x4xi8>
  return
}

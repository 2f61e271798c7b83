// RUN: lathe-opt %s -test-dim-flow -verify-diagnostics

func.func @concat_split(%x: tensor<2x4xf32>) {
  // expected-remark@+2 {{operand 0 to result 0: same(0) windowed(1)}}
  // expected-remark@+1 {{operand 1 to result 0: same(0) windowed(1)}}
  %0 = "onnx.Concat"(%x, %x) {axis = 1 : i64} : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x8xf32>
  // expected-remark@+2 {{operand 0 to result 0: same(0) windowed(1)}}
  // expected-remark@+1 {{operand 0 to result 1: same(0) windowed(1)}}
  %1:2 = "onnx.Split"(%x) {axis = 1 : i64} : (tensor<2x4xf32>) -> (tensor<2x2xf32>, tensor<2x2xf32>)
  return
}

func.func @transpose(%x: tensor<2x3x4xf32>) {
  // expected-remark@+1 {{operand 0 to result 0: same(2) same(0) same(1)}}
  %0 = "onnx.Transpose"(%x) {perm = array<i64: 1, 2, 0>} : (tensor<2x3x4xf32>) -> tensor<3x4x2xf32>
  // expected-remark@+1 {{operand 0 to result 0: same(2) same(1) same(0)}}
  %1 = "onnx.Transpose"(%x) : (tensor<2x3x4xf32>) -> tensor<4x3x2xf32>
  return
}

func.func @reshape(%x: tensor<?x12x64xf32>, %y: tensor<?x?x64xf32>, %s: tensor<4xi64>, %u: tensor<1x4x1xf32>, %t: tensor<2xi64>) {
  // expected-remark@+2 {{operand 0 to result 0: same(0) same(1) split(2)}}
  // expected-remark@+1 {{operand 1 to result 0: none}}
  %0 = "onnx.Reshape"(%x, %s) : (tensor<?x12x64xf32>, tensor<4xi64>) -> tensor<?x12x8x8xf32>
  // expected-remark@+2 {{operand 0 to result 0: same(0) split(1) same(3)}}
  // expected-remark@+1 {{operand 1 to result 0: none}}
  %1 = "onnx.Reshape"(%x, %s) : (tensor<?x12x64xf32>, tensor<4xi64>) -> tensor<?x3x4x64xf32>
  // expected-remark@+2 {{operand 0 to result 0: split(0) split(0) same(1)}}
  // expected-remark@+1 {{operand 1 to result 0: none}}
  %2 = "onnx.Reshape"(%x, %t) : (tensor<?x12x64xf32>, tensor<2xi64>) -> tensor<?x64xf32>
  // expected-remark@+2 {{operand 0 to result 0: split(0) same(0) same(1)}}
  // expected-remark@+1 {{operand 1 to result 0: none}}
  %3 = "onnx.Reshape"(%u, %t) : (tensor<1x4x1xf32>, tensor<2xi64>) -> tensor<4x1xf32>
  %zeros = onnx.Constant dense<[0, 0, 8, 8]> : tensor<4xi64>
  // expected-remark@+2 {{operand 0 to result 0: same(0) same(1) split(2)}}
  // expected-remark@+1 {{operand 1 to result 0: none}}
  %4 = "onnx.Reshape"(%y, %zeros) : (tensor<?x?x64xf32>, tensor<4xi64>) -> tensor<?x?x8x8xf32>
  // expected-remark@+1 {{operand 0 to result 0: same(0) split(1) split(1)}}
  %5 = "onnx.Flatten"(%x) {axis = 1 : i64} : (tensor<?x12x64xf32>) -> tensor<?x768xf32>
  return
}

func.func @squeeze(%x: tensor<?x1x?xf32>) {
  %one = onnx.Constant dense<1> : tensor<1xi64>
  // expected-remark@+2 {{operand 0 to result 0: same(0) split(1) same(1)}}
  // expected-remark@+1 {{operand 1 to result 0: none}}
  %0 = "onnx.Squeeze"(%x, %one) : (tensor<?x1x?xf32>, tensor<1xi64>) -> tensor<?x?xf32>
  // expected-remark@+2 {{operand 0 to result 0: same(0) same(2) same(3)}}
  // expected-remark@+1 {{operand 1 to result 0: none}}
  %1 = "onnx.Unsqueeze"(%x, %one) : (tensor<?x1x?xf32>, tensor<1xi64>) -> tensor<?x1x1x?xf32>
  return
}

func.func @slice_pad(%x: tensor<?x8xf32>, %s: tensor<1xi64>) {
  %one = onnx.Constant dense<1> : tensor<1xi64>
  %pads = onnx.Constant dense<[0, 1, 0, 2]> : tensor<4xi64>
  // expected-remark@+4 {{operand 0 to result 0: same(0) windowed(1)}}
  // expected-remark@+3 {{operand 1 to result 0: none}}
  // expected-remark@+2 {{operand 2 to result 0: none}}
  // expected-remark@+1 {{operand 3 to result 0: none}}
  %0 = "onnx.Slice"(%x, %s, %s, %one) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 0>} : (tensor<?x8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<?x?xf32>
  // expected-remark@+2 {{operand 0 to result 0: same(0) windowed(1)}}
  // expected-remark@+1 {{operand 1 to result 0: none}}
  %1 = "onnx.Pad"(%x, %pads) {operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<?x8xf32>, tensor<4xi64>) -> tensor<?x11xf32>
  return
}

func.func @gather(%x: tensor<30x8xf32>, %i: tensor<2x?xi64>, %p: tensor<i64>) {
  // expected-remark@+2 {{operand 0 to result 0: mixed(0) same(2)}}
  // expected-remark@+1 {{operand 1 to result 0: same(0) same(1)}}
  %0 = "onnx.Gather"(%x, %i) : (tensor<30x8xf32>, tensor<2x?xi64>) -> tensor<2x?x8xf32>
  // expected-remark@+1 {{operand 0 to result 0: same(0) reduced}}
  %1 = "onnx.Gather"(%x, %p) {axis = 1 : i64} : (tensor<30x8xf32>, tensor<i64>) -> tensor<30xf32>
  return
}

func.func @sizes(%x: tensor<30x8xf32>) {
  // expected-remark@+1 {{operand 0 to result 0: none none}}
  %0 = "onnx.Shape"(%x) : (tensor<30x8xf32>) -> tensor<2xi64>
  return
}

// RUN: lathe-opt %s -test-dim-flow -verify-diagnostics

func.func @matmul(%a: tensor<?x4x8xf32>, %b: tensor<5x1x8x6xf32>, %v: tensor<8xf32>) {
  // expected-remark@+2 {{operand 0 to result 0: same(1) same(2) reduced}}
  // expected-remark@+1 {{operand 1 to result 0: same(0) broadcast(1) reduced same(3)}}
  %0 = "onnx.MatMul"(%a, %b) : (tensor<?x4x8xf32>, tensor<5x1x8x6xf32>) -> tensor<5x?x4x6xf32>
  // expected-remark@+2 {{operand 0 to result 0: same(0) same(1) reduced}}
  // expected-remark@+1 {{operand 1 to result 0: reduced}}
  %1 = "onnx.MatMul"(%a, %v) : (tensor<?x4x8xf32>, tensor<8xf32>) -> tensor<?x4xf32>
  return
}

func.func @gemm(%a: tensor<8x6xf32>, %b: tensor<4x8xf32>, %c: tensor<4xf32>) {
  // expected-remark@+3 {{operand 0 to result 0: reduced same(0)}}
  // expected-remark@+2 {{operand 1 to result 0: same(1) reduced}}
  // expected-remark@+1 {{operand 2 to result 0: same(1)}}
  %0 = "onnx.Gemm"(%a, %b, %c) {transA = 1 : i64, transB = 1 : i64} : (tensor<8x6xf32>, tensor<4x8xf32>, tensor<4xf32>) -> tensor<6x4xf32>
  return
}

func.func @einsum(%a: tensor<2x3x4x8xf32>, %m: tensor<8x6xf32>) {
  // expected-remark@+2 {{operand 0 to result 0: same(1) same(2) same(3) reduced}}
  // expected-remark@+1 {{operand 1 to result 0: reduced same(0)}}
  %0 = "onnx.Einsum"(%a, %m) {equation = "...ij, jk -> k...i"} : (tensor<2x3x4x8xf32>, tensor<8x6xf32>) -> tensor<6x2x3x4xf32>
  // expected-remark@+2 {{operand 0 to result 0: same(0) reduced}}
  // expected-remark@+1 {{operand 1 to result 0: same(1) reduced}}
  %1 = "onnx.Einsum"(%m, %m) {equation = "ba,ca"} : (tensor<8x6xf32>, tensor<8x6xf32>) -> tensor<8x8xf32>
  return
}

func.func @integers(%a: tensor<3x8xi8>, %b: tensor<8x6xi8>, %z: tensor<6xi8>) {
  // expected-remark@+3 {{operand 0 to result 0: same(0) reduced}}
  // expected-remark@+2 {{operand 1 to result 0: reduced same(1)}}
  // expected-remark@+1 {{operand 2 to result 0: same(1)}}
  %0 = "onnx.MatMulInteger"(%a, %b, %z) {operandSegmentSizes = array<i32: 1, 1, 0, 1>} : (tensor<3x8xi8>, tensor<8x6xi8>, tensor<6xi8>) -> tensor<3x6xi32>
  return
}

func.func @recurrent(%x: tensor<?x2x4xf32>, %w: tensor<1x15x4xf32>, %r: tensor<1x15x5xf32>, %h: tensor<1x2x5xf32>) {
  // expected-remark@+4 {{operand 0 to result 0: reduced same(1) reduced}}
  // expected-remark@+3 {{operand 1 to result 0: same(0) split(2) none}}
  // expected-remark@+2 {{operand 2 to result 0: same(0) split(2) none}}
  // expected-remark@+1 {{operand 3 to result 0: same(0) same(1) mixed(2)}}
  %0 = "onnx.GRU"(%x, %w, %r, %h) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1>, resultSegmentSizes = array<i32: 0, 1>} : (tensor<?x2x4xf32>, tensor<1x15x4xf32>, tensor<1x15x5xf32>, tensor<1x2x5xf32>) -> tensor<1x2x5xf32>
  // expected-remark@+3 {{operand 0 to result 0: mixed(0) same(2) reduced}}
  // expected-remark@+2 {{operand 1 to result 0: same(1) split(3) none}}
  // expected-remark@+1 {{operand 2 to result 0: same(1) split(3) none}}
  %1 = "onnx.GRU"(%x, %w, %r) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0>} : (tensor<?x2x4xf32>, tensor<1x15x4xf32>, tensor<1x15x5xf32>) -> tensor<?x1x2x5xf32>
  return
}

// RUN: lathe-opt %s -test-dim-flow -verify-diagnostics

func.func @convolutions(%x: tensor<1x4x8x8xf32>, %w: tensor<6x4x3x1xf32>, %d: tensor<4x1x3x3xf32>, %g: tensor<6x2x3x3xf32>, %t: tensor<4x6x3x3xf32>, %b: tensor<6xf32>) {
  // expected-remark@+3 {{operand 0 to result 0: same(0) reduced windowed(2) same(3)}}
  // expected-remark@+2 {{operand 1 to result 0: same(1) none none none}}
  // expected-remark@+1 {{operand 2 to result 0: same(1)}}
  %0 = "onnx.Conv"(%x, %w, %b) : (tensor<1x4x8x8xf32>, tensor<6x4x3x1xf32>, tensor<6xf32>) -> tensor<1x6x6x8xf32>
  // expected-remark@+2 {{operand 0 to result 0: same(0) same(1) windowed(2) windowed(3)}}
  // expected-remark@+1 {{operand 1 to result 0: same(1) none none none}}
  %1 = "onnx.Conv"(%x, %d) {group = 4 : i64} : (tensor<1x4x8x8xf32>, tensor<4x1x3x3xf32>) -> tensor<1x4x6x6xf32>
  // expected-remark@+2 {{operand 0 to result 0: same(0) mixed(1) windowed(2) windowed(3)}}
  // expected-remark@+1 {{operand 1 to result 0: same(1) none none none}}
  %2 = "onnx.Conv"(%x, %g) {group = 2 : i64} : (tensor<1x4x8x8xf32>, tensor<6x2x3x3xf32>) -> tensor<1x6x6x6xf32>
  // expected-remark@+2 {{operand 0 to result 0: same(0) reduced windowed(2) windowed(3)}}
  // expected-remark@+1 {{operand 1 to result 0: none same(1) none none}}
  %3 = "onnx.ConvTranspose"(%x, %t) : (tensor<1x4x8x8xf32>, tensor<4x6x3x3xf32>) -> tensor<1x6x10x10xf32>
  return
}

func.func @pools(%x: tensor<1x4x8x8xf32>) {
  // expected-remark@+1 {{operand 0 to result 0: same(0) same(1) windowed(2) windowed(3)}}
  %0 = "onnx.MaxPool"(%x) {kernel_shape = array<i64: 2, 2>} : (tensor<1x4x8x8xf32>) -> tensor<1x4x7x7xf32>
  // expected-remark@+1 {{operand 0 to result 0: same(0) same(1) reduced reduced}}
  %1 = "onnx.GlobalAveragePool"(%x) : (tensor<1x4x8x8xf32>) -> tensor<1x4x1x1xf32>
  return
}

func.func @norms(%x: tensor<2x4x8xf32>, %c: tensor<4xf32>, %s: tensor<8xf32>) {
  // expected-remark@+5 {{operand 0 to result 0: same(0) same(1) same(2)}}
  // expected-remark@+4 {{operand 1 to result 0: same(1)}}
  // expected-remark@+3 {{operand 2 to result 0: same(1)}}
  // expected-remark@+2 {{operand 3 to result 0: same(1)}}
  // expected-remark@+1 {{operand 4 to result 0: same(1)}}
  %0 = "onnx.BatchNormalization"(%x, %c, %c, %c, %c) {resultSegmentSizes = array<i32: 1, 0, 0>} : (tensor<2x4x8xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<2x4x8xf32>
  // expected-remark@+2 {{operand 0 to result 0: same(0) same(1) mixed(2)}}
  // expected-remark@+1 {{operand 1 to result 0: same(2)}}
  %1 = "onnx.LayerNormalization"(%x, %s) {resultSegmentSizes = array<i32: 1, 0, 0>} : (tensor<2x4x8xf32>, tensor<8xf32>) -> tensor<2x4x8xf32>
  // expected-remark@+3 {{operand 0 to result 0: same(0) same(1) mixed(2)}}
  // expected-remark@+2 {{operand 1 to result 0: same(1)}}
  // expected-remark@+1 {{operand 2 to result 0: same(1)}}
  %2 = "onnx.InstanceNormalization"(%x, %c, %c) : (tensor<2x4x8xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<2x4x8xf32>
  return
}

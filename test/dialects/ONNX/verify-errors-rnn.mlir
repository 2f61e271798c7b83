// RUN: lathe-opt %s -verify-diagnostics -split-input-file

func.func @valid(%x: tensor<?x2x4xf32>, %w: tensor<2x15x4xf32>, %r: tensor<2x15x5xf32>, %b: tensor<2x30xf32>) -> tensor<*xf32> {
  %0 = "onnx.GRU"(%x, %w, %r, %b) {direction = "bidirectional", hidden_size = 5 : i64, operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>, resultSegmentSizes = array<i32: 1, 0>} : (tensor<?x2x4xf32>, tensor<2x15x4xf32>, tensor<2x15x5xf32>, tensor<2x30xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @direction(%x: tensor<?x2x4xf32>, %w: tensor<1x15x4xf32>, %r: tensor<1x15x5xf32>) -> tensor<*xf32> {
  // expected-error@+1 {{'onnx.GRU' op expected direction forward, reverse or bidirectional, but got 'backward'}}
  %0 = "onnx.GRU"(%x, %w, %r) {direction = "backward", operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0>} : (tensor<?x2x4xf32>, tensor<1x15x4xf32>, tensor<1x15x5xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @rank(%x: tensor<2x4xf32>, %w: tensor<1x15x4xf32>, %r: tensor<1x15x5xf32>) -> tensor<*xf32> {
  // expected-error@+1 {{expected X of rank 3, but got 'tensor<2x4xf32>'}}
  %0 = "onnx.GRU"(%x, %w, %r) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0>} : (tensor<2x4xf32>, tensor<1x15x4xf32>, tensor<1x15x5xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @hidden(%x: tensor<?x2x4xf32>, %w: tensor<1x15x4xf32>, %r: tensor<1x15x5xf32>) -> tensor<*xf32> {
  // expected-error@+1 {{expected size 6 in dimension 2 of R, but got 'tensor<1x15x5xf32>'}}
  %0 = "onnx.GRU"(%x, %w, %r) {hidden_size = 6 : i64, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0>} : (tensor<?x2x4xf32>, tensor<1x15x4xf32>, tensor<1x15x5xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @directions(%x: tensor<?x2x4xf32>, %w: tensor<1x5x4xf32>, %r: tensor<1x5x5xf32>) -> tensor<*xf32> {
  // expected-error@+1 {{'onnx.RNN' op expected size 2 in dimension 0 of W, but got 'tensor<1x5x4xf32>'}}
  %0 = "onnx.RNN"(%x, %w, %r) {direction = "bidirectional", operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0>} : (tensor<?x2x4xf32>, tensor<1x5x4xf32>, tensor<1x5x5xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @gates(%x: tensor<?x2x4xf32>, %w: tensor<1x15x4xf32>, %r: tensor<1x15x5xf32>) -> tensor<*xf32> {
  // expected-error@+1 {{'onnx.LSTM' op expected size 20 in dimension 1 of R, but got 'tensor<1x15x5xf32>'}}
  %0 = "onnx.LSTM"(%x, %w, %r) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0>} : (tensor<?x2x4xf32>, tensor<1x15x4xf32>, tensor<1x15x5xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @features(%x: tensor<?x2x3xf32>, %w: tensor<1x15x4xf32>, %r: tensor<1x15x5xf32>) -> tensor<*xf32> {
  // expected-error@+1 {{expected size 3 in dimension 2 of W, but got 'tensor<1x15x4xf32>'}}
  %0 = "onnx.GRU"(%x, %w, %r) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0>} : (tensor<?x2x3xf32>, tensor<1x15x4xf32>, tensor<1x15x5xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @bias(%x: tensor<?x2x4xf32>, %w: tensor<1x15x4xf32>, %r: tensor<1x15x5xf32>, %b: tensor<1x15xf32>) -> tensor<*xf32> {
  // expected-error@+1 {{expected size 30 in dimension 1 of B, but got 'tensor<1x15xf32>'}}
  %0 = "onnx.GRU"(%x, %w, %r, %b) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>, resultSegmentSizes = array<i32: 1, 0>} : (tensor<?x2x4xf32>, tensor<1x15x4xf32>, tensor<1x15x5xf32>, tensor<1x15xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @layout(%x: tensor<?x2x4xf32>, %w: tensor<1x15x4xf32>, %r: tensor<1x15x5xf32>) -> tensor<*xf32> {
  // expected-error@+1 {{expected layout 0 or 1, but got 2}}
  %0 = "onnx.GRU"(%x, %w, %r) {layout = 2 : i64, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0>} : (tensor<?x2x4xf32>, tensor<1x15x4xf32>, tensor<1x15x5xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @hidden_size(%x: tensor<3x2x4xf32>, %w: tensor<1x5x4xf32>, %r: tensor<1x5x5xf32>) {
  // expected-error @+1 {{expected a hidden_size of at least 1, but got 0}}
  %0 = "onnx.RNN"(%x, %w, %r) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0>, hidden_size = 0 : i64} : (tensor<3x2x4xf32>, tensor<1x5x4xf32>, tensor<1x5x5xf32>) -> tensor<*xf32>
  return
}

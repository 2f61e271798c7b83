// RUN: lathe-opt %s -split-input-file -verify-diagnostics -lower-onnx-to-linalg

// What has to be known at compile time.

func.func @transposed(%x: tensor<1x2x?xf32> {onnx.dims = ["", "", "n"], onnx.name = "x"}, %w: tensor<2x3x3xf32>) {
  // expected-error @+1 {{expected sizes that are known at compile time for auto_pad or output_shape}}
  %0 = "onnx.ConvTranspose"(%x, %w) {output_shape = array<i64: 8>, strides = array<i64: 2>} : (tensor<1x2x?xf32>, tensor<2x3x3xf32>) -> tensor<1x3x8xf32>
  return
}

// -----

func.func @auto_pad(%x: tensor<1x2x?xf32> {onnx.dims = ["", "", "n"], onnx.name = "x"}, %w: tensor<2x2x3xf32>) {
  // expected-error @+1 {{expected a size that is known at compile time for auto_pad SAME_UPPER}}
  %0 = "onnx.Conv"(%x, %w) {auto_pad = "SAME_UPPER", strides = array<i64: 2>} : (tensor<1x2x?xf32>, tensor<2x2x3xf32>) -> tensor<1x2x?xf32>
  return
}

// -----

func.func @pads(%x: tensor<2x3xf32>, %p: tensor<2xi64>, %a: tensor<1xi64>) {
  // expected-error @+1 {{expected pads and axes that are known at compile time}}
  %0 = "onnx.Pad"(%x, %p, %a) {operandSegmentSizes = array<i32: 1, 1, 0, 1>} : (tensor<2x3xf32>, tensor<2xi64>, tensor<1xi64>) -> tensor<2x5xf32>
  return
}

// -----

func.func @keys(%q: tensor<1x4x?xf32> {onnx.dims = ["", "", "n"], onnx.name = "q"}, %k: tensor<1x4x?xf32> {onnx.dims = ["", "", "n"], onnx.name = "k"}, %v: tensor<1x4x8xf32>) {
  // expected-error @+1 {{expected keys of a size that is known at compile time}}
  %0 = "onnx.LinearAttention"(%q, %k, %v) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0>, q_num_heads = 2 : i64, kv_num_heads = 2 : i64, update_rule = "linear"} : (tensor<1x4x?xf32>, tensor<1x4x?xf32>, tensor<1x4x8xf32>) -> tensor<1x4x8xf32>
  return
}

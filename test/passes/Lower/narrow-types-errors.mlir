// RUN: lathe-opt %s -lower-onnx-to-linalg -split-input-file -verify-diagnostics

// Bytes would be compared, not numbers.
func.func @equal(%a: tensor<4xf8E4M3FN>) -> tensor<4xi1> {
  // expected-error @below {{computes with elements that are only converted and moved: operands 'tensor<4xf8E4M3FN>', 'tensor<4xf8E4M3FN>'}}
  %0 = "onnx.Equal"(%a, %a) : (tensor<4xf8E4M3FN>, tensor<4xf8E4M3FN>) -> tensor<4xi1>
  return %0 : tensor<4xi1>
}

// -----

func.func @round_mode(%a: tensor<4xf32>) -> tensor<4xf8E8M0FNU> {
  // expected-error @below {{expected a round_mode of up, down or nearest, but got 'sideways'}}
  %0 = "onnx.Cast"(%a) {to = 24 : i64, round_mode = "sideways"} : (tensor<4xf32>) -> tensor<4xf8E8M0FNU>
  return %0 : tensor<4xf8E8M0FNU>
}

// -----

func.func @zero_point_type(%x: tensor<4xf32>, %scale: tensor<f32>, %zero: tensor<ui4>) -> tensor<4xi4> {
  // expected-error @below {{expected zero points of 'i4', as output_dtype says, but got 'ui4'}}
  %0 = "onnx.QuantizeLinear"(%x, %scale, %zero) {output_dtype = 22 : i64} : (tensor<4xf32>, tensor<f32>, tensor<ui4>) -> tensor<4xi4>
  return %0 : tensor<4xi4>
}

// -----

func.func @zero_point_of_other_type(%x: tensor<4xi4>, %scale: tensor<f32>, %zero: tensor<ui4>) -> tensor<4xf32> {
  // expected-error @below {{expected zero points of 'i4', but got 'ui4'}}
  %0 = "onnx.DequantizeLinear"(%x, %scale, %zero) : (tensor<4xi4>, tensor<f32>, tensor<ui4>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @zero_point_rank(%x: tensor<4x4xi4>, %scale: tensor<4xf32>, %zero: tensor<4x2xi4>) -> tensor<4x4xf32> {
  // expected-error @below {{expected one for the tensor, one for each slice, or blocks, but got zero points of rank 2}}
  %0 = "onnx.DequantizeLinear"(%x, %scale, %zero) : (tensor<4x4xi4>, tensor<4xf32>, tensor<4x2xi4>) -> tensor<4x4xf32>
  return %0 : tensor<4x4xf32>
}

// -----

func.func @precision(%x: tensor<4xf32>, %scale: tensor<f32>) -> tensor<4xui8> {
  // expected-error @below {{expected a precision of 16 to 64 bits, but got ONNX data type 17}}
  %0 = "onnx.QuantizeLinear"(%x, %scale) {precision = 17 : i64} : (tensor<4xf32>, tensor<f32>) -> tensor<4xui8>
  return %0 : tensor<4xui8>
}

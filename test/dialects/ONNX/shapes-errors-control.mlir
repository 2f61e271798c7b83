// RUN: lathe-opt %s -split-input-file -verify-diagnostics -import-infer-shapes

// Loops that do not fit their bodies, and values that are no tensors any more.

func.func @body(%n: tensor<i64>, %x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{expected a body that takes and yields 1 values, but got one of 2 arguments and 2 results}}
  %0 = "onnx.Loop"(%n, %x) <{operandSegmentSizes = array<i32: 1, 0, 1>}> ({
  ^bb0(%i: tensor<i64>, %go: tensor<i1>):
    onnx.Yield %go, %x : tensor<i1>, tensor<4xf32>
  }) : (tensor<i64>, tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @sequence(%n: tensor<i64>, %x: !onnx.sequence<f32>) -> !onnx.sequence<f32> {
  // expected-error @+1 {{expected tensors in a loop that is not unrolled, but got '!onnx.sequence<f32>'}}
  %0 = "onnx.Loop"(%n, %x) <{operandSegmentSizes = array<i32: 1, 0, 1>}> ({
  ^bb0(%i: tensor<i64>, %go: tensor<i1>, %s: !onnx.sequence<f32>):
    onnx.Yield %go, %s : tensor<i1>, !onnx.sequence<f32>
  }) : (tensor<i64>, !onnx.sequence<f32>) -> !onnx.sequence<f32>
  return %0 : !onnx.sequence<f32>
}

// -----

func.func @identity(%x: !onnx.sequence<f32>) -> !onnx.sequence<f32> {
  // expected-error @+1 {{expected a tensor, but got '!onnx.sequence<f32>'}}
  %0 = "onnx.Identity"(%x) : (!onnx.sequence<f32>) -> !onnx.sequence<f32>
  return %0 : !onnx.sequence<f32>
}

// -----

func.func private @f(tensor<?xf32>) -> tensor<?xf32>
func.func @unknown(%x: tensor<?xf32>) -> tensor<?xf32> {
  // expected-error @+1 {{has a result of unknown shape}}
  %0 = func.call @f(%x) : (tensor<?xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

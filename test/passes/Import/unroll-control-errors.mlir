// RUN: lathe-opt %s --split-input-file --verify-diagnostics --import-unroll-control

// Only the first of a chain is reported.
func.func @position(%x: tensor<4xf32>, %y: tensor<2xf32>, %i: tensor<i64>) -> tensor<*xi64> {
  %0 = "onnx.SequenceConstruct"(%x, %y) : (tensor<4xf32>, tensor<2xf32>) -> !onnx.sequence<f32>
  // expected-error @below {{expected a sequence or optional, and positions in it, known at compile time}}
  %1 = "onnx.SequenceErase"(%0, %i) : (!onnx.sequence<f32>, tensor<i64>) -> !onnx.sequence<f32>
  %2 = "onnx.SequenceLength"(%1) : (!onnx.sequence<f32>) -> tensor<*xi64>
  return %2 : tensor<*xi64>
}

// -----

func.func @outside(%x: tensor<4xf32>) -> tensor<*xf32> {
  %two = onnx.Constant dense<2> : tensor<i64>
  %0 = "onnx.SequenceConstruct"(%x) : (tensor<4xf32>) -> !onnx.sequence<f32>
  // expected-error @below {{expected a sequence or optional, and positions in it, known at compile time}}
  %1 = "onnx.SequenceAt"(%0, %two) : (!onnx.sequence<f32>, tensor<i64>) -> tensor<*xf32>
  return %1 : tensor<*xf32>
}

// -----

// expected-error @below {{output 'y' is a sequence or optional that is only known at run time, or absent}}
func.func @absent() -> (!onnx.optional<f32> {onnx.name = "y"}) {
  %0 = "onnx.Optional"() {type = tensor<4xf32>} : () -> !onnx.optional<f32>
  return %0 : !onnx.optional<f32>
}

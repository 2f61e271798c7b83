// RUN: lathe-opt %s --verify-diagnostics --lower-onnx-to-linalg

// What a run has to refuse is asked once, at its end.
func.func @refuses(%n: tensor<i64>, %x: tensor<4xf32>, %k: tensor<1xi64>) -> tensor<4xf32> {
  // expected-error @below {{expected a loop without sizes that the data may tell too large}}
  %0:2 = "onnx.Loop"(%n, %x, %k) <{operandSegmentSizes = array<i32: 1, 0, 2>}> ({
  ^bb0(%i: tensor<i64>, %go: tensor<i1>, %s: tensor<4xf32>, %size: tensor<1xi64>):
    %1 = "onnx.ConstantOfShape"(%size) : (tensor<1xi64>) -> tensor<?xf32>
    %2 = "onnx.ReduceSum"(%1) <{keepdims = 1 : i64, noop_with_empty_axes = 0 : i64}> : (tensor<?xf32>) -> tensor<1xf32>
    %3 = "onnx.Add"(%s, %2) : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
    onnx.Yield %go, %3, %size : tensor<i1>, tensor<4xf32>, tensor<1xi64>
  }) : (tensor<i64>, tensor<4xf32>, tensor<1xi64>) -> (tensor<4xf32>, tensor<1xi64>)
  return %0#0 : tensor<4xf32>
}

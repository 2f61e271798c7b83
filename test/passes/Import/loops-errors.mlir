// RUN: lathe-opt %s --split-input-file --verify-diagnostics --import-unroll-control --import-infer-shapes

// What is carried has to keep its shape where the number of iterations is not known.
func.func @grows(%n: tensor<i64>, %x: tensor<1xf32>) -> tensor<*xf32> {
  // expected-error @below {{expected values of one type in all iterations, but got 'tensor<1xf32>' before and 'tensor<2xf32>' after the first}}
  %0 = "onnx.Loop"(%n, %x) <{operandSegmentSizes = array<i32: 1, 0, 1>}> ({
  ^bb0(%i: tensor<i64>, %go: tensor<i1>, %s: tensor<*xf32>):
    %1 = "onnx.Concat"(%s, %s) <{axis = 0 : i64}> : (tensor<*xf32>, tensor<*xf32>) -> tensor<*xf32>
    onnx.Yield %go, %1 : tensor<i1>, tensor<*xf32>
  }) : (tensor<i64>, tensor<1xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

// Each iteration finds another number of elements.
func.func @finds(%n: tensor<i64>, %x: tensor<4xf32>) -> tensor<*xi64> {
  // expected-error @below {{expected results of one shape of all iterations, but got sizes that depend on data}}
  %0:2 = "onnx.Loop"(%n, %x) <{operandSegmentSizes = array<i32: 1, 0, 1>}> ({
  ^bb0(%i: tensor<i64>, %go: tensor<i1>, %s: tensor<*xf32>):
    %1 = "onnx.Neg"(%s) : (tensor<*xf32>) -> tensor<*xf32>
    %2 = "onnx.NonZero"(%s) : (tensor<*xf32>) -> tensor<*xi64>
    onnx.Yield %go, %1, %2 : tensor<i1>, tensor<*xf32>, tensor<*xi64>
  }) : (tensor<i64>, tensor<4xf32>) -> (tensor<*xf32>, tensor<*xi64>)
  return %0#1 : tensor<*xi64>
}

// RUN: lathe-opt %s --split-input-file --verify-diagnostics --lower-onnx-to-linalg

// What branches use from around is what the op captures.
func.func @arguments(%c: tensor<i1>, %x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @below {{expected branches of 1 arguments and 1 results, but got 0 and 1}}
  %0 = "onnx.If"(%c, %x) ({
    onnx.Yield %x : tensor<4xf32>
  }, {
    onnx.Yield %x : tensor<4xf32>
  }) : (tensor<i1>, tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @ranks(%c: tensor<i1>) -> tensor<?xf32> {
  // expected-error @below {{expected results of one rank and element type of both branches of an If whose condition is only known at run time, but got 'tensor<f32>' and 'tensor<2xf32>'}}
  %0 = "onnx.If"(%c) ({
    %1 = onnx.Constant dense<1.0> : tensor<2xf32>
    onnx.Yield %1 : tensor<2xf32>
  }, {
    %1 = onnx.Constant dense<1.0> : tensor<f32>
    onnx.Yield %1 : tensor<f32>
  }) : (tensor<i1>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

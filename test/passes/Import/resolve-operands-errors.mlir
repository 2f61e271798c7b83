// RUN: lathe-opt %s --split-input-file --verify-diagnostics --import-infer-shapes --import-resolve-operands

func.func @no_axes(%x: tensor<3x4xf32>, %axes: tensor<1xi64>) -> tensor<*xf32> {
  // expected-error @below {{expected axes known at compile time, but got values known only at run time}}
  %0 = "onnx.ReduceSum"(%x, %axes) : (tensor<3x4xf32>, tensor<1xi64>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @rank(%x: tensor<3x4xf32>, %repeats: tensor<2xi64>) -> tensor<12xf32> {
  // expected-error @below {{expected a declared result that fits the operands, but got 'tensor<12xf32>'}}
  %0 = "onnx.Tile"(%x, %repeats) : (tensor<3x4xf32>, tensor<2xi64>) -> tensor<12xf32>
  return %0 : tensor<12xf32>
}

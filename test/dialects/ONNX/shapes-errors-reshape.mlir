// RUN: lathe-opt %s -split-input-file -verify-diagnostics -import-infer-shapes

// Shapes that elements cannot be brought into.

func.func @two_open(%x: tensor<2x3xf32>) {
  %s = onnx.Constant dense<[-1, -1]> : tensor<2xi64>
  // expected-error @+1 {{expected at most one size of -1, but got two}}
  %0 = "onnx.Reshape"(%x, %s) : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<*xf32>
  return
}

// -----

func.func @negative(%x: tensor<2x3xf32>) {
  %s = onnx.Constant dense<[-2, 3]> : tensor<2xi64>
  // expected-error @+1 {{expected sizes of -1 or more, but got -2}}
  %0 = "onnx.Reshape"(%x, %s) : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<*xf32>
  return
}

// -----

func.func @no_dimension(%x: tensor<6xf32>) {
  %s = onnx.Constant dense<[6, 0]> : tensor<2xi64>
  // expected-error @+1 {{expected an input dimension for a size of 0, but got an input of rank 1}}
  %0 = "onnx.Reshape"(%x, %s) : (tensor<6xf32>, tensor<2xi64>) -> tensor<*xf32>
  return
}

// -----

func.func @empty(%x: tensor<?x3xf32>) {
  %s = onnx.Constant dense<[0, -1]> : tensor<2xi64>
  // expected-error @+1 {{expected a size for -1, but got a reshape of an empty tensor}}
  %0 = "onnx.Reshape"(%x, %s) {allowzero = 1 : i64} : (tensor<?x3xf32>, tensor<2xi64>) -> tensor<*xf32>
  return
}

// -----

func.func @squeeze(%x: tensor<2x3xf32>) {
  %a = onnx.Constant dense<[1]> : tensor<1xi64>
  // expected-error @+1 {{expected size 1 in dimension 1, but got 3}}
  %0 = "onnx.Squeeze"(%x, %a) : (tensor<2x3xf32>, tensor<1xi64>) -> tensor<*xf32>
  return
}

// -----

func.func @transpose(%a_x: tensor<2x3x4xf32>) {
  %x = "onnx.Identity"(%a_x) : (tensor<2x3x4xf32>) -> tensor<*xf32>
  // expected-error @+1 {{expected a permutation of 3 axes, but got 2}}
  %0 = "onnx.Transpose"(%x) {perm = array<i64: 1, 0>} : (tensor<*xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @depth_rank(%x: tensor<2x4x3xf32>) {
  // expected-error @+1 {{expected an input of rank 4, but got rank 3}}
  %0 = "onnx.DepthToSpace"(%x) {blocksize = 2 : i64} : (tensor<2x4x3xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @depth(%x: tensor<1x6x3x3xf32>) {
  // expected-error @+1 {{expected a multiple of 4}}
  %0 = "onnx.DepthToSpace"(%x) {blocksize = 2 : i64} : (tensor<1x6x3x3xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @space(%x: tensor<1x6x3x4xf32>) {
  // expected-error @+1 {{expected a multiple of 2, but got size 3}}
  %0 = "onnx.SpaceToDepth"(%x) {blocksize = 2 : i64} : (tensor<1x6x3x4xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @theta(%t: tensor<1x2x2x3xf32>) {
  %s = onnx.Constant dense<[1, 1, 2, 2]> : tensor<4xi64>
  // expected-error @+1 {{expected theta of the dimensions [N, 2, 3] or [N, 3, 4], but got others}}
  %0 = "onnx.AffineGrid"(%t, %s) : (tensor<1x2x2x3xf32>, tensor<4xi64>) -> tensor<*xf32>
  return
}

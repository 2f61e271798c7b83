// RUN: lathe-opt %s -verify-diagnostics -split-input-file

func.func @softmax(%x: tensor<2x3xf32>) -> tensor<*xf32> {
  // expected-error@+1 {{'onnx.Softmax' op expected an axis in [-2, 2), but got 2}}
  %0 = "onnx.Softmax"(%x) {axis = 2 : i64} : (tensor<2x3xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @log_softmax(%x: tensor<2x3xf32>) -> tensor<*xf32> {
  // expected-error@+1 {{expected an axis in [-2, 2), but got -3}}
  %0 = "onnx.LogSoftmax"(%x) {axis = -3 : i64} : (tensor<2x3xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @hardmax(%x: tensor<f32>) -> tensor<*xf32> {
  // expected-error@+1 {{expected an axis in [-1, 1), but got 1}}
  %0 = "onnx.Hardmax"(%x) {axis = 1 : i64} : (tensor<f32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @arg_max(%x: tensor<2x3xf32>) -> tensor<*xi64> {
  // expected-error@+1 {{expected an axis in [-2, 2), but got 2}}
  %0 = "onnx.ArgMax"(%x) {axis = 2 : i64} : (tensor<2x3xf32>) -> tensor<*xi64>
  return %0 : tensor<*xi64>
}

// -----

func.func @arg_min(%x: tensor<2x3xf32>) -> tensor<*xi64> {
  // expected-error@+1 {{expected an axis in [-2, 2), but got 2}}
  %0 = "onnx.ArgMin"(%x) {axis = 2 : i64} : (tensor<2x3xf32>) -> tensor<*xi64>
  return %0 : tensor<*xi64>
}

// -----

func.func @gather(%x: tensor<2x3xf32>, %i: tensor<4xi64>) -> tensor<*xf32> {
  // expected-error@+1 {{expected an axis in [-2, 2), but got 2}}
  %0 = "onnx.Gather"(%x, %i) {axis = 2 : i64} : (tensor<2x3xf32>, tensor<4xi64>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @gather_scalar(%x: tensor<f32>, %i: tensor<4xi64>) -> tensor<*xf32> {
  // expected-error@+1 {{expected data of rank 1 or more, but got 'tensor<f32>'}}
  %0 = "onnx.Gather"(%x, %i) : (tensor<f32>, tensor<4xi64>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @gather_elements(%x: tensor<2x3xf32>, %i: tensor<4xi64>) -> tensor<*xf32> {
  // expected-error@+1 {{expected indices of the data's rank, 2, but got 'tensor<4xi64>'}}
  %0 = "onnx.GatherElements"(%x, %i) : (tensor<2x3xf32>, tensor<4xi64>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @flatten(%x: tensor<2x3xf32>) -> tensor<*xf32> {
  // expected-error@+1 {{expected an axis in [-2, 2], but got 3}}
  %0 = "onnx.Flatten"(%x) {axis = 3 : i64} : (tensor<2x3xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @concat_ranks(%x: tensor<2x3xf32>, %y: tensor<2xf32>) -> tensor<*xf32> {
  // expected-error@+1 {{expected inputs of equal ranks, but got 'tensor<2x3xf32>' and 'tensor<2xf32>'}}
  %0 = "onnx.Concat"(%x, %y) {axis = 0 : i64} : (tensor<2x3xf32>, tensor<2xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @concat_axis(%x: tensor<2x3xf32>) -> tensor<*xf32> {
  // expected-error@+1 {{expected an axis in [-2, 2), but got 2}}
  %0 = "onnx.Concat"(%x, %x) {axis = 2 : i64} : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @concat_sizes(%x: tensor<2x3xf32>, %y: tensor<2x4xf32>) -> tensor<*xf32> {
  // expected-error@+1 {{expected inputs of equal sizes in dimension 1, but got 'tensor<2x3xf32>' and 'tensor<2x4xf32>'}}
  %0 = "onnx.Concat"(%x, %y) {axis = 0 : i64} : (tensor<2x3xf32>, tensor<2x4xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @concat_scalars(%x: tensor<f32>) -> tensor<*xf32> {
  // expected-error@+1 {{expected inputs of rank 1 or more, but got 'tensor<f32>'}}
  %0 = "onnx.Concat"(%x, %x) {axis = 0 : i64} : (tensor<f32>, tensor<f32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @split_axis(%x: tensor<2x3xf32>) -> tensor<*xf32> {
  // expected-error@+1 {{expected an axis in [-2, 2), but got 2}}
  %0 = "onnx.Split"(%x) {axis = 2 : i64} : (tensor<2x3xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @split_sizes(%x: tensor<2x3xf32>, %s: tensor<2xi64>) -> tensor<*xf32> {
  // expected-error@+1 {{expected a size in split for each of 1 results, but got 'tensor<2xi64>'}}
  %0 = "onnx.Split"(%x, %s) : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @split_count(%x: tensor<2x3xf32>) -> tensor<*xf32> {
  // expected-error@+1 {{expected a num_outputs of 1, but got 2}}
  %0 = "onnx.Split"(%x) {num_outputs = 2 : i64} : (tensor<2x3xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @transpose(%x: tensor<2x3xf32>) -> tensor<*xf32> {
  // expected-error@+1 {{expected each of 0 to 1 once in perm, but got [0, 0]}}
  %0 = "onnx.Transpose"(%x) {perm = array<i64: 0, 0>} : (tensor<2x3xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @transpose_range(%x: tensor<*xf32>) -> tensor<*xf32> {
  // expected-error@+1 {{expected each of 0 to 1 once in perm, but got [-1, 0]}}
  %0 = "onnx.Transpose"(%x) {perm = array<i64: -1, 0>} : (tensor<*xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @transpose_rank(%x: tensor<2x3xf32>) -> tensor<*xf32> {
  // expected-error@+1 {{expected a perm of 2 dimensions, but got 3}}
  %0 = "onnx.Transpose"(%x) {perm = array<i64: 0, 2, 1>} : (tensor<2x3xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @gemm(%a: tensor<2x3x4xf32>, %b: tensor<3x4xf32>) -> tensor<*xf32> {
  // expected-error@+1 {{expected matrices, but got 'tensor<2x3x4xf32>'}}
  %0 = "onnx.Gemm"(%a, %b) : (tensor<2x3x4xf32>, tensor<3x4xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @gemm_reduction(%a: tensor<2x3xf32>, %b: tensor<3x4xf32>) -> tensor<*xf32> {
  // expected-error@+1 {{expected equal sizes to contract, but got 3 and 4}}
  %0 = "onnx.Gemm"(%a, %b) {transB = 1 : i64} : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @gemm_c(%a: tensor<2x3xf32>, %b: tensor<3x4xf32>, %c: tensor<1x2x4xf32>) -> tensor<*xf32> {
  // expected-error@+1 {{expected a C of rank 2 at most, but got 'tensor<1x2x4xf32>'}}
  %0 = "onnx.Gemm"(%a, %b, %c) : (tensor<2x3xf32>, tensor<3x4xf32>, tensor<1x2x4xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @matmul(%a: tensor<f32>, %b: tensor<3x4xf32>) -> tensor<*xf32> {
  // expected-error@+1 {{expected operands of rank 1 or more, but got 'tensor<f32>'}}
  %0 = "onnx.MatMul"(%a, %b) : (tensor<f32>, tensor<3x4xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @matmul_reduction(%a: tensor<5x2x3xf32>, %b: tensor<4x3xf32>) -> tensor<*xf32> {
  // expected-error@+1 {{expected equal sizes to contract, but got 3 and 4}}
  %0 = "onnx.MatMul"(%a, %b) : (tensor<5x2x3xf32>, tensor<4x3xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @cast(%x: tensor<2xf32>) -> tensor<*xf32> {
  // expected-error@+1 {{expected a type of numbers in to, but got data type 8}}
  %0 = "onnx.Cast"(%x) {to = 8 : i64} : (tensor<2xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @reshape(%x: tensor<2xf32>, %s: tensor<1x2xi64>) -> tensor<*xf32> {
  // expected-error@+1 {{expected a shape of rank 1, but got 'tensor<1x2xi64>'}}
  %0 = "onnx.Reshape"(%x, %s) : (tensor<2xf32>, tensor<1x2xi64>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @reshape_rank(%x: tensor<2xf32>, %s: tensor<3xi64>) -> tensor<1x2xf32> {
  // expected-error@+1 {{expected a shape of 2 sizes, but got 'tensor<3xi64>'}}
  %0 = "onnx.Reshape"(%x, %s) : (tensor<2xf32>, tensor<3xi64>) -> tensor<1x2xf32>
  return %0 : tensor<1x2xf32>
}

// -----

func.func @squeeze(%x: tensor<2xf32>, %s: tensor<1x2xi64>) -> tensor<*xf32> {
  // expected-error@+1 {{expected axes of rank 1, but got 'tensor<1x2xi64>'}}
  %0 = "onnx.Squeeze"(%x, %s) : (tensor<2xf32>, tensor<1x2xi64>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @unsqueeze(%x: tensor<2xf32>, %s: tensor<1x2xi64>) -> tensor<*xf32> {
  // expected-error@+1 {{expected axes of rank 1, but got 'tensor<1x2xi64>'}}
  %0 = "onnx.Unsqueeze"(%x, %s) : (tensor<2xf32>, tensor<1x2xi64>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @pad_mode(%x: tensor<2xf32>, %p: tensor<2xi64>) -> tensor<*xf32> {
  // expected-error@+1 {{expected mode constant, reflect, edge or wrap, but got 'mirror'}}
  %0 = "onnx.Pad"(%x, %p) {mode = "mirror", operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<2xf32>, tensor<2xi64>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @pad_count(%x: tensor<2xf32>, %p: tensor<4xi64>) -> tensor<*xf32> {
  // expected-error@+1 {{expected 2 pads, but got 'tensor<4xi64>'}}
  %0 = "onnx.Pad"(%x, %p) {operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<2xf32>, tensor<4xi64>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @resize_mode(%x: tensor<1x1x2x2xf32>, %s: tensor<4xf32>) -> tensor<*xf32> {
  // expected-error@+1 {{expected mode nearest, linear or cubic, but got 'area'}}
  %0 = "onnx.Resize"(%x, %s) {mode = "area", operandSegmentSizes = array<i32: 1, 0, 1, 0>} : (tensor<1x1x2x2xf32>, tensor<4xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @resize_coordinate_transformation_mode(%x: tensor<1x1x2x2xf32>, %s: tensor<4xf32>) -> tensor<*xf32> {
  // expected-error@+1 {{expected coordinate_transformation_mode half_pixel, half_pixel_symmetric, pytorch_half_pixel, align_corners, asymmetric, tf_half_pixel_for_nn or tf_crop_and_resize, but got 'corner'}}
  %0 = "onnx.Resize"(%x, %s) {coordinate_transformation_mode = "corner", operandSegmentSizes = array<i32: 1, 0, 1, 0>} : (tensor<1x1x2x2xf32>, tensor<4xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @resize_nearest_mode(%x: tensor<1x1x2x2xf32>, %s: tensor<4xf32>) -> tensor<*xf32> {
  // expected-error@+1 {{expected nearest_mode round_prefer_floor, round_prefer_ceil, floor or ceil, but got 'round'}}
  %0 = "onnx.Resize"(%x, %s) {nearest_mode = "round", operandSegmentSizes = array<i32: 1, 0, 1, 0>} : (tensor<1x1x2x2xf32>, tensor<4xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @resize_keep_aspect_ratio_policy(%x: tensor<1x1x2x2xf32>, %s: tensor<4xf32>) -> tensor<*xf32> {
  // expected-error@+1 {{expected keep_aspect_ratio_policy stretch, not_larger or not_smaller, but got 'keep'}}
  %0 = "onnx.Resize"(%x, %s) {keep_aspect_ratio_policy = "keep", operandSegmentSizes = array<i32: 1, 0, 1, 0>} : (tensor<1x1x2x2xf32>, tensor<4xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @resize_sizes(%x: tensor<2xf32>) -> tensor<*xf32> {
  // expected-error@+1 {{expected scales or sizes, but got neither}}
  %0 = "onnx.Resize"(%x) {operandSegmentSizes = array<i32: 1, 0, 0, 0>} : (tensor<2xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// RUN: lathe-opt %s -split-input-file -verify-diagnostics -import-infer-shapes

// Positions, slices and parts that do not fit what they are taken from.

func.func @gather(%x: tensor<2x3xf32>) {
  %s = "onnx.Shape"(%x) : (tensor<2x3xf32>) -> tensor<*xi64>
  %i = onnx.Constant dense<3> : tensor<1xi64>
  // expected-error @+1 {{expected indices within 2 elements, but got more}}
  %0 = "onnx.Gather"(%s, %i) : (tensor<*xi64>, tensor<1xi64>) -> tensor<*xi64>
  return
}

// -----

func.func @reverse(%x: tensor<4x2x3xf32>, %l: tensor<2xi64>) {
  // expected-error @+1 {{expected the axes 0 and 1 of an input of rank 2 or more, but got}}
  %0 = "onnx.ReverseSequence"(%x, %l) {batch_axis = 2 : i64, time_axis = 0 : i64} : (tensor<4x2x3xf32>, tensor<2xi64>) -> tensor<*xf32>
  return
}

// -----

func.func @gather_elements(%x: tensor<2x3xf32>, %a_i: tensor<2xi64>) {
  %i = "onnx.Identity"(%a_i) : (tensor<2xi64>) -> tensor<*xi64>
  // expected-error @+1 {{expected indices of rank 2, but got 1}}
  %0 = "onnx.GatherElements"(%x, %i) : (tensor<2x3xf32>, tensor<*xi64>) -> tensor<*xf32>
  return
}

// -----

func.func @concat_none() {
  // expected-error @+1 {{expected at least one operand, but got none}}
  %0 = "onnx.Concat"() {axis = 0 : i64} : () -> tensor<*xf32>
  return
}

// -----

func.func @concat_ranks(%a_x: tensor<2x3xf32>, %y: tensor<2xf32>) {
  %x = "onnx.Identity"(%a_x) : (tensor<2x3xf32>) -> tensor<*xf32>
  // expected-error @+1 {{expected operands of one rank, but got ranks 2 and 1}}
  %0 = "onnx.Concat"(%x, %y) {axis = 0 : i64} : (tensor<*xf32>, tensor<2xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @slice_ends(%x: tensor<4x3xf32>) {
  %s = onnx.Constant dense<[0, 0]> : tensor<2xi64>
  %e = onnx.Constant dense<[1]> : tensor<1xi64>
  %a = onnx.Constant dense<[0, 1]> : tensor<2xi64>
  // expected-error @+1 {{expected as many ends, axes and steps as starts, but got another number}}
  %0 = "onnx.Slice"(%x, %s, %e, %a) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 0>} : (tensor<4x3xf32>, tensor<2xi64>, tensor<1xi64>, tensor<2xi64>) -> tensor<*xf32>
  return
}

// -----

func.func @slice_step(%x: tensor<4x3xf32>) {
  %s = onnx.Constant dense<[0]> : tensor<1xi64>
  %e = onnx.Constant dense<[1]> : tensor<1xi64>
  %a = onnx.Constant dense<[0]> : tensor<1xi64>
  %t = onnx.Constant dense<[0]> : tensor<1xi64>
  // expected-error @+1 {{expected a step other than 0, but got 0}}
  %0 = "onnx.Slice"(%x, %s, %e, %a, %t) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1>} : (tensor<4x3xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<*xf32>
  return
}

// -----

func.func @split_none(%x: tensor<6xf32>) {
  // expected-error @+1 {{expected at least one result, but got none}}
  "onnx.Split"(%x) {axis = 0 : i64} : (tensor<6xf32>) -> ()
  return
}

// -----

func.func @split_number(%x: tensor<6xf32>) {
  %c = onnx.Constant dense<[1, 2, 3]> : tensor<3xi64>
  %p = "onnx.Identity"(%c) : (tensor<3xi64>) -> tensor<*xi64>
  // expected-error @+1 {{expected a size for each of 2 results, but got 3}}
  %0:2 = "onnx.Split"(%x, %p) {axis = 0 : i64} : (tensor<6xf32>, tensor<*xi64>) -> (tensor<*xf32>, tensor<*xf32>)
  return
}

// -----

func.func @split_sizes(%x: tensor<6xf32>) {
  %p = onnx.Constant dense<[2, 3]> : tensor<2xi64>
  // expected-error @+1 {{expected sizes that add up to 6, but got}}
  %0:2 = "onnx.Split"(%x, %p) {axis = 0 : i64} : (tensor<6xf32>, tensor<2xi64>) -> (tensor<*xf32>, tensor<*xf32>)
  return
}

// -----

func.func @top_k(%x: tensor<6xf32>) {
  %k = onnx.Constant dense<[2, 3]> : tensor<2xi64>
  // expected-error @+1 {{expected one number as K, but got 2}}
  %0:2 = "onnx.TopK"(%x, %k) : (tensor<6xf32>, tensor<2xi64>) -> (tensor<*xf32>, tensor<*xi64>)
  return
}

// -----

func.func @top_k_more(%x: tensor<6xf32>) {
  %k = onnx.Constant dense<[7]> : tensor<1xi64>
  // expected-error @+1 {{expected K of at most 6, but got 7}}
  %0:2 = "onnx.TopK"(%x, %k) : (tensor<6xf32>, tensor<1xi64>) -> (tensor<*xf32>, tensor<*xi64>)
  return
}

// -----

func.func @one_hot(%x: tensor<6xi64>, %v: tensor<2xf32>) {
  %k = onnx.Constant dense<[2, 3]> : tensor<2xi64>
  // expected-error @+1 {{expected one number as depth, but got 2}}
  %0 = "onnx.OneHot"(%x, %k, %v) {axis = -1 : i64} : (tensor<6xi64>, tensor<2xi64>, tensor<2xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @grid(%x: tensor<1x2x4x4xf32>, %a_g: tensor<1x4x2xf32>) {
  %g = "onnx.Identity"(%a_g) : (tensor<1x4x2xf32>) -> tensor<*xf32>
  // expected-error @+1 {{expected input and grid of the same rank of 3 or more, but got ranks 4 and 3}}
  %0 = "onnx.GridSample"(%x, %g) : (tensor<1x2x4x4xf32>, tensor<*xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @condition(%x: tensor<6xf32>, %c: tensor<2x3xi1>) {
  // expected-error @+1 {{expected a condition of rank 1, but got rank 2}}
  %0 = "onnx.Compress"(%x, %c) : (tensor<6xf32>, tensor<2x3xi1>) -> tensor<*xf32>
  return
}

// -----

func.func @long_condition(%x: tensor<6xf32>, %c: tensor<7xi1>) {
  // expected-error @+1 {{expected a condition of at most 6 elements, but got 7}}
  %0 = "onnx.Compress"(%x, %c) {axis = 0 : i64} : (tensor<6xf32>, tensor<7xi1>) -> tensor<*xf32>
  return
}

// -----

func.func @boxes(%b: tensor<5x4xf32>, %s: tensor<1x1x5xf32>) {
  // expected-error @+1 {{expected boxes and scores of rank 3, but got ranks 2 and 3}}
  %0 = "onnx.NonMaxSuppression"(%b, %s) {operandSegmentSizes = array<i32: 1, 1, 0, 0, 0>} : (tensor<5x4xf32>, tensor<1x1x5xf32>) -> tensor<*xi64>
  return
}

// -----

func.func @scores(%b: tensor<1x5x4xf32>, %s: tensor<1x1x6xf32>) {
  // expected-error @+1 {{expected as many boxes as scores, but got 5 and 6}}
  %0 = "onnx.NonMaxSuppression"(%b, %s) {operandSegmentSizes = array<i32: 1, 1, 0, 0, 0>} : (tensor<1x5x4xf32>, tensor<1x1x6xf32>) -> tensor<*xi64>
  return
}

// -----

func.func @gather_nd(%x: tensor<2x3xf32>, %a_i: tensor<4x3xi64>) {
  %i = "onnx.Identity"(%a_i) : (tensor<4x3xi64>) -> tensor<*xi64>
  // expected-error @+1 {{expected at most 2 indices, but got 3}}
  %0 = "onnx.GatherND"(%x, %i) : (tensor<2x3xf32>, tensor<*xi64>) -> tensor<*xf32>
  return
}

// -----

func.func @scatter_nd(%x: tensor<2x3xf32>, %a_i: tensor<4x3xi64>, %u: tensor<4xf32>) {
  %i = "onnx.Identity"(%a_i) : (tensor<4x3xi64>) -> tensor<*xi64>
  // expected-error @+1 {{expected at most 2 indices, but got 3}}
  %0 = "onnx.ScatterND"(%x, %i, %u) : (tensor<2x3xf32>, tensor<*xi64>, tensor<4xf32>) -> tensor<*xf32>
  return
}

// RUN: not lathe-opt %s --split-input-file --import-infer-shapes --mlir-print-op-on-diagnostic=false 2>&1 | FileCheck %s

// A size that depends on data is equal to itself only.

func.func @broadcast(%x: tensor<4xf32>, %y: tensor<4xf32>, %z: tensor<3xf32>) -> (tensor<*xi64>, tensor<*xi64>) {
  %a = "onnx.NonZero"(%x) : (tensor<4xf32>) -> tensor<*xi64> loc("a")
  %b = "onnx.NonZero"(%y) : (tensor<4xf32>) -> tensor<*xi64> loc("b")
  // CHECK: error: 'onnx.Add' op has sizes a and b that do not broadcast
  %0 = "onnx.Add"(%a, %b) : (tensor<*xi64>, tensor<*xi64>) -> tensor<*xi64>
  %three = onnx.Constant dense<[1, 2, 3]> : tensor<3xi64>
  // CHECK: error: 'onnx.Add' op has sizes a and 3 that do not broadcast
  %1 = "onnx.Add"(%a, %three) : (tensor<*xi64>, tensor<3xi64>) -> tensor<*xi64>
  return %0, %1 : tensor<*xi64>, tensor<*xi64>
}

// -----

func.func @contract(%x: tensor<4x4xf32>, %c: tensor<4xi1>, %w: tensor<4x2xf32>) -> tensor<*xf32> {
  %a = "onnx.Compress"(%x, %c) <{axis = 1 : i64}> : (tensor<4x4xf32>, tensor<4xi1>) -> tensor<*xf32> loc("a")
  // CHECK: error: 'onnx.MatMul' op expected equal sizes to contract, but got a and 4
  %0 = "onnx.MatMul"(%a, %w) : (tensor<*xf32>, tensor<4x2xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @concat(%x: tensor<4x4xf32>, %c: tensor<4xi1>) -> tensor<*xf32> {
  %a = "onnx.Compress"(%x, %c) <{axis = 1 : i64}> : (tensor<4x4xf32>, tensor<4xi1>) -> tensor<*xf32> loc("a")
  // CHECK: error: 'onnx.Concat' op expected equal sizes in dimension 1, but got 4 and a
  %0 = "onnx.Concat"(%x, %a) {axis = 0 : i64} : (tensor<4x4xf32>, tensor<*xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @reshape(%x: tensor<4xf32>) -> tensor<*xi64> {
  %a = "onnx.NonZero"(%x) : (tensor<4xf32>) -> tensor<*xi64> loc("a")
  %t = onnx.Constant dense<[-1, 2]> : tensor<2xi64>
  // CHECK: error: 'onnx.Reshape' op expected as many elements as in [1, a], but got [-1, 2]
  %0 = "onnx.Reshape"(%a, %t) : (tensor<*xi64>, tensor<2xi64>) -> tensor<*xi64>
  return %0 : tensor<*xi64>
}

// -----

func.func @two_data(%x: tensor<4x4xf32>, %c: tensor<4xi1>, %d: tensor<4xi1>) -> tensor<*xf32> {
  %a = "onnx.Compress"(%x, %c) <{axis = 1 : i64}> : (tensor<4x4xf32>, tensor<4xi1>) -> tensor<*xf32> loc("a")
  %b = "onnx.Compress"(%x, %d) <{axis = 1 : i64}> : (tensor<4x4xf32>, tensor<4xi1>) -> tensor<*xf32> loc("b")
  // CHECK: error: 'onnx.LayerNormalization' op expected operands whose sizes depend on the same data, but got a and b
  %y = "onnx.LayerNormalization"(%a, %b) {operandSegmentSizes = array<i32: 1, 1, 0>, resultSegmentSizes = array<i32: 1, 0, 0>} : (tensor<*xf32>, tensor<*xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @scalar(%x: tensor<f32>) -> tensor<*xi64> {
  // CHECK: error: 'onnx.NonZero' op expected an input of rank 1 or more, but got a scalar
  %0 = "onnx.NonZero"(%x) : (tensor<f32>) -> tensor<*xi64>
  return %0 : tensor<*xi64>
}

// -----

// The rank of a result is known at compile time.

func.func @rank(%x: tensor<2x3xf32>, %axes: tensor<1xi64>, %target: tensor<?xi64> {onnx.dims = ["rank"]}) -> (tensor<*xf32>, tensor<*xf32>) {
  // CHECK: error: 'onnx.Squeeze' op expected axes known at compile time, but got values known only at run time
  %0 = "onnx.Squeeze"(%x, %axes) : (tensor<2x3xf32>, tensor<1xi64>) -> tensor<*xf32>
  // CHECK: error: 'onnx.Reshape' op expected the result's rank known at compile time, but got values known only at run time
  %1 = "onnx.Reshape"(%x, %target) : (tensor<2x3xf32>, tensor<?xi64>) -> tensor<*xf32>
  return %0, %1 : tensor<*xf32>, tensor<*xf32>
}

// -----

// CHECK: error: expected a symbolic dimension of the model, or a size that depends on data, but got `lost`; the model has a
func.func @bound(%x: tensor<4xf32>) -> tensor<*xi64> attributes {onnx.dim_bounds = {lost = array<i64: 0, 2>}} {
  %a = "onnx.NonZero"(%x) : (tensor<4xf32>) -> tensor<*xi64> loc("a")
  return %a : tensor<*xi64>
}

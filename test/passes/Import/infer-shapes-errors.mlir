// RUN: not lathe-opt %s --split-input-file --import-infer-shapes --mlir-print-op-on-diagnostic=false 2>&1 | FileCheck %s

// One error for each problem, all of them in one run; %sum depends on %bad and is not reported.
func.func @two_problems(%x: tensor<2x3xf32>, %y: tensor<4x5xf32>) -> (tensor<*xf32>, tensor<*xf32>) {
  %later = "onnx.Relu"(%x) : (tensor<2x3xf32>) -> tensor<*xf32>
  // CHECK: error: 'onnx.MatMul' op expected equal sizes to contract, but got 3 and 4
  %bad = "onnx.MatMul"(%later, %y) : (tensor<*xf32>, tensor<4x5xf32>) -> tensor<*xf32>
  // CHECK-NOT: error: 'onnx.Add'
  %sum = "onnx.Add"(%bad, %x) : (tensor<*xf32>, tensor<2x3xf32>) -> tensor<*xf32>
  // CHECK: error: 'onnx.Softmax' op expected an axis in [-2, 2), but got 5
  %wrong = "onnx.Softmax"(%later) {axis = 5 : i64} : (tensor<*xf32>) -> tensor<*xf32>
  return %sum, %wrong : tensor<*xf32>, tensor<*xf32>
}

// -----

func.func @broadcast(%x: tensor<2x3xf32>, %y: tensor<4xf32>) -> tensor<*xf32> {
  // CHECK: error: 'onnx.Mul' op has sizes 3 and 4 that do not broadcast
  %0 = "onnx.Mul"(%x, %y) : (tensor<2x3xf32>, tensor<4xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @reshape(%x: tensor<?x3xf32> {onnx.dims = ["batch", ""]}) -> tensor<*xf32> {
  %target = onnx.Constant dense<[1, 6]> : tensor<2xi64>
  // CHECK: error: 'onnx.Reshape' op expected as many elements as in [batch, 3], but got [1, 6]
  %0 = "onnx.Reshape"(%x, %target) : (tensor<?x3xf32>, tensor<2xi64>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @run_time(%x: tensor<2x3xf32>, %axes: tensor<1xi64>) -> tensor<*xf32> {
  // CHECK: error: 'onnx.ReduceSum' op expected axes known at compile time, but got values known only at run time
  %0 = "onnx.ReduceSum"(%x, %axes) : (tensor<2x3xf32>, tensor<1xi64>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

// CHECK: error: expected an input of known rank, but got 'tensor<*xf32>' for input
func.func @unranked(%x: tensor<*xf32> {onnx.name = "input"}) -> tensor<*xf32> {
  return %x : tensor<*xf32>
}

// -----

func.func @axes(%x: tensor<2x3xf32>, %y: tensor<2x3x4x5xf32>) -> (tensor<*xf32>, tensor<*xf32>, tensor<*xf32>, tensor<*xf32>) {
  // CHECK: error: 'onnx.LpNormalization' op expected an axis in [-2, 2), but got 2
  %0 = "onnx.LpNormalization"(%x) {axis = 2 : i64} : (tensor<2x3xf32>) -> tensor<*xf32>
  // CHECK: error: 'onnx.LpNormalization' op expected an axis in [-2, 2), but got -3
  %1 = "onnx.LpNormalization"(%x) {axis = -3 : i64} : (tensor<2x3xf32>) -> tensor<*xf32>
  // The default axes, 0, 2 and 3, are of an input of rank 4.
  // CHECK: error: 'onnx.MeanVarianceNormalization' op expected an axis in [-2, 2), but got 2
  %2 = "onnx.MeanVarianceNormalization"(%x) : (tensor<2x3xf32>) -> tensor<*xf32>
  // CHECK: error: 'onnx.MeanVarianceNormalization' op expected each axis once, but got axis 1 twice
  %3 = "onnx.MeanVarianceNormalization"(%y) {axes = array<i64: 1, -3>} : (tensor<2x3x4x5xf32>) -> tensor<*xf32>
  return %0, %1, %2, %3 : tensor<*xf32>, tensor<*xf32>, tensor<*xf32>, tensor<*xf32>
}

// -----

// A size that need not be 1 cannot go.
func.func @squeeze(%x: tensor<?x4xf32>) -> tensor<*xf32> {
  %axis = onnx.Constant dense<0> : tensor<1xi64>
  // CHECK: error: 'onnx.Squeeze' op expected size 1 in dimension 0, but got {{.*}}, which may be more: fix it by --dim, so that it is 1
  %0 = "onnx.Squeeze"(%x, %axis) : (tensor<?x4xf32>, tensor<1xi64>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @choice(%c: tensor<i1>, %x: tensor<4xf32>, %y: tensor<1x4xf32>) -> tensor<*xf32> {
  // CHECK: error: 'onnx.If' op expected results of one rank and element type of both branches of an If whose condition is only known at run time, but got 'tensor<1x4xf32>' and 'tensor<4xf32>'; sizes or inputs that decide it can be fixed by --dim or --constant
  %0 = "onnx.If"(%c) ({
    onnx.Yield %x : tensor<4xf32>
  }, {
    onnx.Yield %y : tensor<1x4xf32>
  }) : (tensor<i1>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

// expected-error @below {{expected sizes that fit each other, but n would have to be 5 or more and 3 or less}}
func.func @contradiction(%x: tensor<?x4xf32> {onnx.dims = ["n", ""]}, %three: tensor<3x4xf32>, %five: tensor<5x4xf32>) -> (tensor<*xf32>, tensor<*xf32>) {
  %0 = "onnx.Add"(%x, %three) : (tensor<?x4xf32>, tensor<3x4xf32>) -> tensor<*xf32>
  %1 = "onnx.Add"(%x, %five) : (tensor<?x4xf32>, tensor<5x4xf32>) -> tensor<*xf32>
  return %0, %1 : tensor<*xf32>, tensor<*xf32>
}

// RUN: lathe-opt %s --split-input-file --import-infer-shapes --import-resolve-operands | FileCheck %s

// CHECK-LABEL: func.func @reshape
// CHECK: %[[SHAPE:.*]] = onnx.Constant dense<[2, 6]>
// CHECK: "onnx.Reshape"(%arg0, %[[SHAPE]])
func.func @reshape(%x: tensor<3x4xf32>, %shape: tensor<2xi64>) -> tensor<2x6xf32> {
  %0 = "onnx.Reshape"(%x, %shape) : (tensor<3x4xf32>, tensor<2xi64>) -> tensor<2x6xf32>
  return %0 : tensor<2x6xf32>
}

// -----

// CHECK-LABEL: func.func @unsqueeze
// CHECK: %[[SHAPE:.*]] = onnx.Constant dense<[3, 1, 4]>
// CHECK: "onnx.Reshape"(%arg0, %[[SHAPE]])
func.func @unsqueeze(%x: tensor<3x4xf32>, %axes: tensor<1xi64>) -> tensor<3x1x4xf32> {
  %0 = "onnx.Unsqueeze"(%x, %axes) : (tensor<3x4xf32>, tensor<1xi64>) -> tensor<3x1x4xf32>
  return %0 : tensor<3x1x4xf32>
}

// -----

// CHECK-LABEL: func.func @tile
// CHECK: %[[REPEATS:.*]] = onnx.Constant dense<[2, 1]>
// CHECK: "onnx.Tile"(%arg0, %[[REPEATS]])
func.func @tile(%x: tensor<3x4xf32>, %repeats: tensor<2xi64>) -> tensor<6x4xf32> {
  %0 = "onnx.Tile"(%x, %repeats) : (tensor<3x4xf32>, tensor<2xi64>) -> tensor<6x4xf32>
  return %0 : tensor<6x4xf32>
}

// -----

// CHECK-LABEL: func.func @top_k
// CHECK: %[[K:.*]] = onnx.Constant dense<2>
// CHECK: "onnx.TopK"(%arg0, %[[K]])
func.func @top_k(%x: tensor<3x4xf32>, %k: tensor<1xi64>) -> (tensor<3x2xf32>, tensor<3x2xi64>) {
  %0, %1 = "onnx.TopK"(%x, %k) : (tensor<3x4xf32>, tensor<1xi64>) -> (tensor<3x2xf32>, tensor<3x2xi64>)
  return %0, %1 : tensor<3x2xf32>, tensor<3x2xi64>
}

// -----

// A slice is a gather at places that are computed.
// CHECK-LABEL: func.func @slice
// CHECK-NOT: onnx.Slice
// CHECK: "onnx.Gather"(%arg0, %{{.*}}) <{axis = 0
// CHECK-SAME: -> tensor<2x4xf32>
// CHECK: "onnx.Gather"(%{{.*}}, %{{.*}}) <{axis = 1
// CHECK-NOT: onnx.Slice
func.func @slice(%x: tensor<3x4xf32>, %starts: tensor<1xi64>, %ends: tensor<1xi64>) -> tensor<2x4xf32> {
  %0 = "onnx.Slice"(%x, %starts, %ends) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>} : (tensor<3x4xf32>, tensor<1xi64>, tensor<1xi64>) -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// -----

// CHECK-LABEL: func.func @pad
// CHECK-NOT: onnx.Pad
// CHECK: "onnx.Gather"(%arg0, %{{.*}}) <{axis = 0
// CHECK: %[[MOVED:.*]] = "onnx.Gather"(%{{.*}}, %{{.*}}) <{axis = 1
// CHECK: "onnx.Where"(%{{.*}}, %[[MOVED]], %{{.*}}) : (tensor<5x6xi1>
func.func @pad(%x: tensor<3x4xf32>, %pads: tensor<4xi64>) -> tensor<5x6xf32> {
  %0 = "onnx.Pad"(%x, %pads) {operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<3x4xf32>, tensor<4xi64>) -> tensor<5x6xf32>
  return %0 : tensor<5x6xf32>
}

// -----

// Two axes have the same size: both sums are computed.
// CHECK-LABEL: func.func @reduce
// CHECK: %[[FIRST:.*]] = "onnx.ReduceSum"(%arg0, %{{.*}}) <{keepdims = 0
// CHECK: %[[SECOND:.*]] = "onnx.ReduceSum"(%arg0, %{{.*}}) <{keepdims = 0
// CHECK: "onnx.Where"(%{{.*}}, %[[SECOND]], %[[FIRST]])
func.func @reduce(%x: tensor<3x2x2xf32>, %axes: tensor<1xi64>) -> tensor<3x2xf32> {
  %0 = "onnx.ReduceSum"(%x, %axes) <{keepdims = 0 : i64}> : (tensor<3x2x2xf32>, tensor<1xi64>) -> tensor<3x2xf32>
  return %0 : tensor<3x2xf32>
}

// -----

// CHECK-LABEL: func.func @cumsum
// CHECK-COUNT-2: "onnx.CumSum"(%arg0,
// CHECK: "onnx.Where"
func.func @cumsum(%x: tensor<3x4xf32>, %axis: tensor<i64>) -> tensor<3x4xf32> {
  %0 = "onnx.CumSum"(%x, %axis) : (tensor<3x4xf32>, tensor<i64>) -> tensor<3x4xf32>
  return %0 : tensor<3x4xf32>
}

// -----

// What is declared of the root holds for the sum.
// CHECK-LABEL: func.func @declared_behind
// CHECK: "onnx.ReduceSum"({{.*}} -> tensor<3x1xf32>
func.func @declared_behind(%x: tensor<3x4xf32>, %axes: tensor<1xi64>) -> tensor<3x1xf32> {
  %0 = "onnx.ReduceSum"(%x, %axes) <{keepdims = 1 : i64}> : (tensor<3x4xf32>, tensor<1xi64>) -> tensor<*xf32>
  %1 = "onnx.Sqrt"(%0) : (tensor<*xf32>) -> tensor<3x1xf32>
  return %1 : tensor<3x1xf32>
}

// -----

// The transform along each axis, and the one asked for.
// CHECK-LABEL: func.func @dft
// CHECK-COUNT-2: "onnx.DFT"
// CHECK: "onnx.Where"
func.func @dft(%x: tensor<1x4x4x1xf32>, %axis: tensor<i64>) -> tensor<1x4x4x2xf32> {
  %0 = "onnx.DFT"(%x, %axis) {operandSegmentSizes = array<i32: 1, 0, 1>} : (tensor<1x4x4x1xf32>, tensor<i64>) -> tensor<1x4x4x2xf32>
  return %0 : tensor<1x4x4x2xf32>
}

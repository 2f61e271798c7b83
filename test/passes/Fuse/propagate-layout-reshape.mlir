// RUN: lathe-opt %s -fuse-propagate-layout -canonicalize -cse | FileCheck %s

// Blocks out of channels: one transpose moves them, the one for the result's layout goes away.
// CHECK-LABEL: func @depth_to_space
func.func @depth_to_space(%x: tensor<1x8x8x16xf32>) -> tensor<1x16x16x4xf32> {
  // CHECK: %[[S:.*]] = "onnx.Reshape"(%arg0{{.*}} -> tensor<1x8x8x2x2x4xf32>
  // CHECK: %[[T:.*]] = "onnx.Transpose"(%[[S]]) <{perm = array<i64: 0, 1, 3, 2, 4, 5>}>
  // CHECK: %[[M:.*]] = "onnx.Reshape"(%[[T]]{{.*}} -> tensor<1x16x16x4xf32>
  // CHECK: return %[[M]]
  %0 = "onnx.Transpose"(%x) {perm = array<i64: 0, 3, 1, 2>} : (tensor<1x8x8x16xf32>) -> tensor<1x16x8x8xf32>
  %1 = "onnx.DepthToSpace"(%0) {blocksize = 2 : i64, mode = "DCR"} : (tensor<1x16x8x8xf32>) -> tensor<1x4x16x16xf32>
  %2 = "onnx.Transpose"(%1) {perm = array<i64: 0, 2, 3, 1>} : (tensor<1x4x16x16xf32>) -> tensor<1x16x16x4xf32>
  return %2 : tensor<1x16x16x4xf32>
}

// CHECK-LABEL: func @space_to_depth
func.func @space_to_depth(%x: tensor<?x8x8x4xf32>) -> tensor<?x4x4x16xf32> {
  // CHECK: %[[S:.*]] = "onnx.Reshape"(%arg0{{.*}} -> tensor<?x4x2x4x2x4xf32>
  // CHECK: %[[T:.*]] = "onnx.Transpose"(%[[S]]) <{perm = array<i64: 0, 1, 3, 2, 4, 5>}>
  // CHECK: %[[M:.*]] = "onnx.Reshape"(%[[T]]{{.*}} -> tensor<?x4x4x16xf32>
  // CHECK: return %[[M]]
  %0 = "onnx.Transpose"(%x) {perm = array<i64: 0, 3, 1, 2>} : (tensor<?x8x8x4xf32>) -> tensor<?x4x8x8xf32>
  %1 = "onnx.SpaceToDepth"(%0) {blocksize = 2 : i64} : (tensor<?x4x8x8xf32>) -> tensor<?x16x4x4xf32>
  %2 = "onnx.Transpose"(%1) {perm = array<i64: 0, 2, 3, 1>} : (tensor<?x16x4x4xf32>) -> tensor<?x4x4x16xf32>
  return %2 : tensor<?x4x4x16xf32>
}

// Patches as MobileViT takes them: reshapes that split and merge at once, between three transposes.
// CHECK-LABEL: func @unfold
func.func @unfold(%x: tensor<1x12x12x16xf32>) -> tensor<4x36x16xf32> {
  // CHECK: %[[S:.*]] = "onnx.Reshape"(%arg0{{.*}} -> tensor<6x2x6x2x16xf32>
  // CHECK: %[[T:.*]] = "onnx.Transpose"(%[[S]]) <{perm = array<i64: 1, 3, 0, 2, 4>}>
  // CHECK: %[[M:.*]] = "onnx.Reshape"(%[[T]]{{.*}} -> tensor<4x36x16xf32>
  // CHECK-NOT: onnx.Transpose
  // CHECK: return %[[M]]
  %a = onnx.Constant dense<[96, 2, 6, 2]> : tensor<4xi64>
  %b = onnx.Constant dense<[1, 16, 36, 4]> : tensor<4xi64>
  %c = onnx.Constant dense<[4, 36, 16]> : tensor<3xi64>
  %0 = "onnx.Transpose"(%x) {perm = array<i64: 0, 3, 1, 2>} : (tensor<1x12x12x16xf32>) -> tensor<1x16x12x12xf32>
  %1 = "onnx.Reshape"(%0, %a) : (tensor<1x16x12x12xf32>, tensor<4xi64>) -> tensor<96x2x6x2xf32>
  %2 = "onnx.Transpose"(%1) {perm = array<i64: 0, 2, 1, 3>} : (tensor<96x2x6x2xf32>) -> tensor<96x6x2x2xf32>
  %3 = "onnx.Reshape"(%2, %b) : (tensor<96x6x2x2xf32>, tensor<4xi64>) -> tensor<1x16x36x4xf32>
  %4 = "onnx.Transpose"(%3) {perm = array<i64: 0, 3, 2, 1>} : (tensor<1x16x36x4xf32>) -> tensor<1x4x36x16xf32>
  %5 = "onnx.Reshape"(%4, %c) : (tensor<1x4x36x16xf32>, tensor<3xi64>) -> tensor<4x36x16xf32>
  return %5 : tensor<4x36x16xf32>
}

// A constant takes its rows in the order of the flattened elements.
// CHECK-LABEL: func @flatten
func.func @flatten(%x: tensor<?x8x8x4xf32>) -> tensor<?x10xf32> {
  %w = onnx.Constant dense<1.0> : tensor<256x10xf32>
  // CHECK: %[[W4:.*]] = "onnx.Reshape"(%{{.*}} -> tensor<4x8x8x10xf32>
  // CHECK: %[[T:.*]] = "onnx.Transpose"(%[[W4]]) <{perm = array<i64: 1, 2, 0, 3>}>
  // CHECK: %[[W:.*]] = "onnx.Reshape"(%[[T]]{{.*}} -> tensor<256x10xf32>
  // CHECK: %[[X:.*]] = "onnx.Reshape"(%arg0{{.*}} -> tensor<?x256xf32>
  // CHECK: nn.linear %[[X]], %[[W]]
  %0 = "onnx.Transpose"(%x) {perm = array<i64: 0, 3, 1, 2>} : (tensor<?x8x8x4xf32>) -> tensor<?x4x8x8xf32>
  %1 = "onnx.Flatten"(%0) : (tensor<?x4x8x8xf32>) -> tensor<?x256xf32>
  %2 = nn.linear %1, %w : (tensor<?x256xf32>, tensor<256x10xf32>) -> tensor<?x10xf32>
  return %2 : tensor<?x10xf32>
}

// The batch is not in front: rows would change places, too.
// CHECK-LABEL: func @flatten_batch_inside
func.func @flatten_batch_inside(%x: tensor<8x2x8x4xf32>) -> tensor<2x10xf32> {
  %w = onnx.Constant dense<1.0> : tensor<256x10xf32>
  // CHECK: "onnx.Transpose"(%arg0)
  %0 = "onnx.Transpose"(%x) {perm = array<i64: 1, 3, 0, 2>} : (tensor<8x2x8x4xf32>) -> tensor<2x4x8x8xf32>
  %1 = "onnx.Flatten"(%0) : (tensor<2x4x8x8xf32>) -> tensor<2x256xf32>
  %2 = nn.linear %1, %w : (tensor<2x256xf32>, tensor<256x10xf32>) -> tensor<2x10xf32>
  return %2 : tensor<2x10xf32>
}

// Sizes that have no common finer dimensions: elements of several dimensions mix.
// CHECK-LABEL: func @mixed
func.func @mixed(%x: tensor<9x4xf32>) -> tensor<9x4xf32> {
  // CHECK: "onnx.Transpose"(%arg0)
  // CHECK: "onnx.Reshape"
  // CHECK: "onnx.Transpose"
  %s = onnx.Constant dense<[6, 6]> : tensor<2xi64>
  %r = onnx.Constant dense<[9, 4]> : tensor<2xi64>
  %0 = "onnx.Transpose"(%x) {perm = array<i64: 1, 0>} : (tensor<9x4xf32>) -> tensor<4x9xf32>
  %1 = "onnx.Reshape"(%0, %s) : (tensor<4x9xf32>, tensor<2xi64>) -> tensor<6x6xf32>
  %2 = "onnx.Transpose"(%1) {perm = array<i64: 1, 0>} : (tensor<6x6xf32>) -> tensor<6x6xf32>
  %3 = "onnx.Reshape"(%2, %r) : (tensor<6x6xf32>, tensor<2xi64>) -> tensor<9x4xf32>
  return %3 : tensor<9x4xf32>
}

// The size that is not known is split and merged with those beside it.
// CHECK-LABEL: func @dynamic_merge
func.func @dynamic_merge(%x: tensor<?x3x5x4xf32>) -> tensor<?x4xf32> {
  // CHECK: "onnx.Reshape"(%arg0
  // CHECK-SAME: -> tensor<?x4xf32>
  // CHECK-NOT: onnx.Transpose
  // CHECK: return
  %s = onnx.Constant dense<[4, -1]> : tensor<2xi64>
  %0 = "onnx.Transpose"(%x) {perm = array<i64: 3, 0, 1, 2>} : (tensor<?x3x5x4xf32>) -> tensor<4x?x3x5xf32>
  %1 = "onnx.Reshape"(%0, %s) : (tensor<4x?x3x5xf32>, tensor<2xi64>) -> tensor<4x?xf32>
  %2 = "onnx.Transpose"(%1) {perm = array<i64: 1, 0>} : (tensor<4x?xf32>) -> tensor<?x4xf32>
  return %2 : tensor<?x4xf32>
}

// CHECK-LABEL: func @axes
func.func @axes(%x: tensor<1x8x8x4xf32>) -> (tensor<1x8x8x4xf32>, tensor<1x8x8xi64>, tensor<1x16x8x4xf32>, tensor<1x8x8x4xui8>) {
  %axis = onnx.Constant dense<2> : tensor<i64>
  %repeats = onnx.Constant dense<[1, 1, 2, 1]> : tensor<4xi64>
  %scale = onnx.Constant dense<1.0> : tensor<4xf32>
  %zero = onnx.Constant dense<0> : tensor<4xui8>
  // CHECK-DAG: %[[ONE:.*]] = onnx.Constant dense<1> : tensor<i64>
  // CHECK-DAG: %[[REPEATS:.*]] = onnx.Constant dense<[1, 2, 1, 1]> : tensor<4xi64>
  // CHECK-DAG: "onnx.CumSum"(%arg0, %[[ONE]])
  // CHECK-DAG: "onnx.ArgMax"(%arg0) <{axis = 3 : i64, keepdims = 0 : i64
  // CHECK-DAG: "onnx.Tile"(%arg0, %[[REPEATS]])
  // CHECK-DAG: "onnx.QuantizeLinear"(%arg0, {{.*}}) <{axis = 3 : i64
  // CHECK-NOT: onnx.Transpose
  %0 = "onnx.Transpose"(%x) {perm = array<i64: 0, 3, 1, 2>} : (tensor<1x8x8x4xf32>) -> tensor<1x4x8x8xf32>
  %1 = "onnx.CumSum"(%0, %axis) : (tensor<1x4x8x8xf32>, tensor<i64>) -> tensor<1x4x8x8xf32>
  %2 = "onnx.ArgMax"(%0) {axis = 1 : i64, keepdims = 0 : i64} : (tensor<1x4x8x8xf32>) -> tensor<1x8x8xi64>
  %3 = "onnx.Tile"(%0, %repeats) : (tensor<1x4x8x8xf32>, tensor<4xi64>) -> tensor<1x4x16x8xf32>
  %4 = "onnx.QuantizeLinear"(%0, %scale, %zero) {axis = 1 : i64} : (tensor<1x4x8x8xf32>, tensor<4xf32>, tensor<4xui8>) -> tensor<1x4x8x8xui8>
  %5 = "onnx.Transpose"(%1) {perm = array<i64: 0, 2, 3, 1>} : (tensor<1x4x8x8xf32>) -> tensor<1x8x8x4xf32>
  %6 = "onnx.Transpose"(%3) {perm = array<i64: 0, 2, 3, 1>} : (tensor<1x4x16x8xf32>) -> tensor<1x16x8x4xf32>
  %7 = "onnx.Transpose"(%4) {perm = array<i64: 0, 2, 3, 1>} : (tensor<1x4x8x8xui8>) -> tensor<1x8x8x4xui8>
  return %5, %2, %6, %7 : tensor<1x8x8x4xf32>, tensor<1x8x8xi64>, tensor<1x16x8x4xf32>, tensor<1x8x8x4xui8>
}

// CHECK-LABEL: func @product
func.func @product(%a: tensor<2x5x3xf32>, %b: tensor<2x7x5xf32>) -> tensor<2x7x3xf32> {
  // CHECK: %[[P:.*]] = nn.matmul %arg1, %arg0 : {{.*}} -> tensor<2x7x3xf32>
  // CHECK: return %[[P]]
  %0 = "onnx.Transpose"(%a) {perm = array<i64: 0, 2, 1>} : (tensor<2x5x3xf32>) -> tensor<2x3x5xf32>
  %1 = "onnx.Transpose"(%b) {perm = array<i64: 0, 2, 1>} : (tensor<2x7x5xf32>) -> tensor<2x5x7xf32>
  %2 = nn.matmul %0, %1 : (tensor<2x3x5xf32>, tensor<2x5x7xf32>) -> tensor<2x3x7xf32>
  %3 = "onnx.Transpose"(%2) {perm = array<i64: 0, 2, 1>} : (tensor<2x3x7xf32>) -> tensor<2x7x3xf32>
  return %3 : tensor<2x7x3xf32>
}

// What a recurrent layer of one batch and two directions is followed by: no element moves, so no transpose is left.
// CHECK-LABEL: func @units_inside_a_group
func.func @units_inside_a_group(%x: tensor<32x2x1x128xf32>) -> tensor<32x1x256xf32> {
  %shape = onnx.Constant dense<[32, 1, -1]> : tensor<3xi64>
  // CHECK-NOT: onnx.Transpose
  // CHECK: %[[R:.*]] = "onnx.Reshape"(%arg0, {{.*}}) {{.*}} -> tensor<32x1x256xf32>
  // CHECK: return %[[R]]
  %0 = "onnx.Transpose"(%x) {perm = array<i64: 0, 2, 1, 3>} : (tensor<32x2x1x128xf32>) -> tensor<32x1x2x128xf32>
  %1 = "onnx.Reshape"(%0, %shape) : (tensor<32x1x2x128xf32>, tensor<3xi64>) -> tensor<32x1x256xf32>
  return %1 : tensor<32x1x256xf32>
}

// RUN: lathe-opt %s -fuse-propagate-layout -canonicalize | FileCheck %s
// RUN: lathe-opt %s -fuse-propagate-layout --remark-format=emitRemark --remarks-filter=fuse -o %t 2>&1 | FileCheck %s --check-prefix=REMARK

// A per-channel constant is moved, an equal transpose is skipped, the pair cancels.
// CHECK-LABEL: func @elementwise
func.func @elementwise(%x: tensor<?x8x8x4xf32>, %y: tensor<?x8x8x4xf32>) -> tensor<?x8x8x4xf32> {
  %c = onnx.Constant dense<[[[1.0]], [[2.0]], [[3.0]], [[4.0]]]> : tensor<4x1x1xf32>
  // CHECK: %[[SUM:.*]] = "onnx.Add"(%arg0, %arg1) : (tensor<?x8x8x4xf32>
  // CHECK: %[[C:.*]] = "onnx.Transpose"(%{{.*}}) <{perm = array<i64: 0, 2, 3, 1>}> : (tensor<1x4x1x1xf32>) -> tensor<1x1x1x4xf32>
  // CHECK: %[[MUL:.*]] = "onnx.Mul"(%[[SUM]], %[[C]])
  // CHECK: return %[[MUL]]
  %0 = "onnx.Transpose"(%x) {perm = array<i64: 0, 3, 1, 2>} : (tensor<?x8x8x4xf32>) -> tensor<?x4x8x8xf32>
  %1 = "onnx.Transpose"(%y) {perm = array<i64: 0, 3, 1, 2>} : (tensor<?x8x8x4xf32>) -> tensor<?x4x8x8xf32>
  %2 = "onnx.Add"(%0, %1) : (tensor<?x4x8x8xf32>, tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  %3 = "onnx.Mul"(%2, %c) : (tensor<?x4x8x8xf32>, tensor<4x1x1xf32>) -> tensor<?x4x8x8xf32>
  %4 = "onnx.Transpose"(%3) {perm = array<i64: 0, 2, 3, 1>} : (tensor<?x4x8x8xf32>) -> tensor<?x8x8x4xf32>
  return %4 : tensor<?x8x8x4xf32>
}

// An operand that is not transposed would have to be.
// REMARK: remark: [Missed] TransposeLeft
// REMARK-SAME: tensor<1x4x8x8xf32> moves 1024 bytes
// CHECK-LABEL: func @blocked
func.func @blocked(%x: tensor<1x8x8x4xf32>, %y: tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32> {
  // CHECK: %[[T:.*]] = "onnx.Transpose"(%arg0)
  // CHECK: "onnx.Add"(%[[T]], %arg1)
  %0 = "onnx.Transpose"(%x) {perm = array<i64: 0, 3, 1, 2>} : (tensor<1x8x8x4xf32>) -> tensor<1x4x8x8xf32>
  %1 = "onnx.Add"(%0, %y) : (tensor<1x4x8x8xf32>, tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
  return %1 : tensor<1x4x8x8xf32>
}

// CHECK-LABEL: func @reduce
func.func @reduce(%x: tensor<?x8x8x4xf32>) -> tensor<?x4xf32> {
  %axes = onnx.Constant dense<[2, 3]> : tensor<2xi64>
  %shape = onnx.Constant dense<[-1, 4]> : tensor<2xi64>
  // CHECK-DAG: %[[AXES:.*]] = onnx.Constant dense<[1, 2]> : tensor<2xi64>
  // CHECK: %[[R:.*]] = "onnx.ReduceMean"(%arg0, %[[AXES]])
  // CHECK-SAME: -> tensor<?x1x1x4xf32>
  // CHECK: "onnx.Reshape"(%[[R]]
  // CHECK-NOT: onnx.Transpose
  // CHECK: return
  %0 = "onnx.Transpose"(%x) {perm = array<i64: 0, 3, 1, 2>} : (tensor<?x8x8x4xf32>) -> tensor<?x4x8x8xf32>
  %1 = "onnx.ReduceMean"(%0, %axes) {keepdims = 1 : i64} : (tensor<?x4x8x8xf32>, tensor<2xi64>) -> tensor<?x4x1x1xf32>
  %2 = "onnx.Reshape"(%1, %shape) : (tensor<?x4x1x1xf32>, tensor<2xi64>) -> tensor<?x4xf32>
  return %2 : tensor<?x4xf32>
}

// The patches of a vision transformer: merging the spatial dimensions leaves the inverse of the last transpose.
// CHECK-LABEL: func @merge
func.func @merge(%x: tensor<?x8x8x4xf32>) -> tensor<?x64x4xf32> {
  %shape = onnx.Constant dense<[-1, 4, 64]> : tensor<3xi64>
  // CHECK: %[[R:.*]] = "onnx.Reshape"(%arg0
  // CHECK-SAME: -> tensor<?x64x4xf32>
  // CHECK-NEXT: return %[[R]]
  %0 = "onnx.Transpose"(%x) {perm = array<i64: 0, 3, 1, 2>} : (tensor<?x8x8x4xf32>) -> tensor<?x4x8x8xf32>
  %1 = "onnx.Reshape"(%0, %shape) : (tensor<?x4x8x8xf32>, tensor<3xi64>) -> tensor<?x4x64xf32>
  %2 = "onnx.Transpose"(%1) {perm = array<i64: 0, 2, 1>} : (tensor<?x4x64xf32>) -> tensor<?x64x4xf32>
  return %2 : tensor<?x64x4xf32>
}

// Flattening channels with space needs the transpose.
// CHECK-LABEL: func @flatten
func.func @flatten(%x: tensor<2x8x8x4xf32>) -> tensor<2x256xf32> {
  // CHECK: onnx.Transpose
  // CHECK: onnx.Flatten
  %0 = "onnx.Transpose"(%x) {perm = array<i64: 0, 3, 1, 2>} : (tensor<2x8x8x4xf32>) -> tensor<2x4x8x8xf32>
  %1 = "onnx.Flatten"(%0) : (tensor<2x4x8x8xf32>) -> tensor<2x256xf32>
  return %1 : tensor<2x256xf32>
}

// CHECK-LABEL: func @movement
func.func @movement(%x: tensor<?x8x8x4xf32>) -> tensor<?x18x18x7xf32> {
  %pads = onnx.Constant dense<[0, 0, 1, 1, 0, 0, 1, 1]> : tensor<8xi64>
  %scales = onnx.Constant dense<[1.0, 1.0, 2.0, 2.0]> : tensor<4xf32>
  %one = onnx.Constant dense<1> : tensor<1xi64>
  %four = onnx.Constant dense<4> : tensor<1xi64>
  // CHECK-DAG: %[[THREE:.*]] = onnx.Constant dense<3> : tensor<1xi64>
  // CHECK-DAG: %[[PADS:.*]] = onnx.Constant dense<[0, 1, 1, 0, 0, 1, 1, 0]>
  // CHECK-DAG: %[[SCALES:.*]] = onnx.Constant dense<[1.000000e+00, 2.000000e+00, 2.000000e+00, 1.000000e+00]>
  // CHECK: %[[RESIZED:.*]] = "onnx.Resize"(%arg0, %[[SCALES]])
  // CHECK: %[[PADDED:.*]] = "onnx.Pad"(%[[RESIZED]], %[[PADS]])
  // CHECK: %[[SLICED:.*]] = "onnx.Slice"(%[[PADDED]], %{{.*}}, %{{.*}}, %[[THREE]])
  // CHECK: %[[ALL:.*]] = "onnx.Concat"(%[[SLICED]], %[[PADDED]]) <{axis = 3 : i64}>
  // CHECK: return %[[ALL]]
  %0 = "onnx.Transpose"(%x) {perm = array<i64: 0, 3, 1, 2>} : (tensor<?x8x8x4xf32>) -> tensor<?x4x8x8xf32>
  %1 = "onnx.Resize"(%0, %scales) {operandSegmentSizes = array<i32: 1, 0, 1, 0>} : (tensor<?x4x8x8xf32>, tensor<4xf32>) -> tensor<?x4x16x16xf32>
  %2 = "onnx.Pad"(%1, %pads) {operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<?x4x16x16xf32>, tensor<8xi64>) -> tensor<?x4x18x18xf32>
  %3 = "onnx.Slice"(%2, %one, %four, %one) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 0>} : (tensor<?x4x18x18xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<?x3x18x18xf32>
  %4 = "onnx.Concat"(%3, %2) {axis = 1 : i64} : (tensor<?x3x18x18xf32>, tensor<?x4x18x18xf32>) -> tensor<?x7x18x18xf32>
  %5 = "onnx.Transpose"(%4) {perm = array<i64: 0, 2, 3, 1>} : (tensor<?x7x18x18xf32>) -> tensor<?x18x18x7xf32>
  return %5 : tensor<?x18x18x7xf32>
}

// Heads change places inside the op.
// CHECK-LABEL: func @attention
func.func @attention(%q: tensor<1x5x4x8xf32>, %k: tensor<1x6x2x8xf32>, %v: tensor<1x6x2x8xf32>) -> tensor<1x5x4x8xf32> {
  // CHECK: %[[A:.*]] = nn.attention %arg0, %arg1, %arg2 {scale = 5.000000e-01 : f32} : {{.*}} -> tensor<1x5x4x8xf32>
  // CHECK: return %[[A]]
  %0 = "onnx.Transpose"(%q) {perm = array<i64: 0, 2, 1, 3>} : (tensor<1x5x4x8xf32>) -> tensor<1x4x5x8xf32>
  %1 = "onnx.Transpose"(%k) {perm = array<i64: 0, 2, 1, 3>} : (tensor<1x6x2x8xf32>) -> tensor<1x2x6x8xf32>
  %2 = "onnx.Transpose"(%v) {perm = array<i64: 0, 2, 1, 3>} : (tensor<1x6x2x8xf32>) -> tensor<1x2x6x8xf32>
  %3 = nn.attention %0, %1, %2 {heads_first, kv_heads_first, scale = 0.5 : f32} : (tensor<1x4x5x8xf32>, tensor<1x2x6x8xf32>, tensor<1x2x6x8xf32>) -> tensor<1x4x5x8xf32>
  %4 = "onnx.Transpose"(%3) {perm = array<i64: 0, 2, 1, 3>} : (tensor<1x4x5x8xf32>) -> tensor<1x5x4x8xf32>
  return %4 : tensor<1x5x4x8xf32>
}

// Both operands are free to transpose: no ping-pong between them.
// CHECK-LABEL: func @free_transposes
// CHECK-NOT: onnx.Transpose
func.func @free_transposes(%a: tensor<1x1x1x8xf32>, %b: tensor<1x8x1x1xf32>) -> tensor<1x8x1x1xf32> {
  %0 = "onnx.Transpose"(%a) <{perm = array<i64: 0, 3, 1, 2>}> : (tensor<1x1x1x8xf32>) -> tensor<1x8x1x1xf32>
  %1 = "onnx.Mul"(%0, %b) : (tensor<1x8x1x1xf32>, tensor<1x8x1x1xf32>) -> tensor<1x8x1x1xf32>
  return %1 : tensor<1x8x1x1xf32>
}

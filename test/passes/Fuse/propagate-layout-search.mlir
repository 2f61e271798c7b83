// RUN: lathe-opt %s -fuse-propagate-layout -canonicalize -cse | FileCheck %s
// RUN: lathe-opt %s -fuse-propagate-layout --remark-format=emitRemark --remarks-filter=fuse -o %t 2>&1 | FileCheck %s --check-prefix=REMARK

// The input is transposed once, for the convolution and for the sum, and nothing after that.
// REMARK: [Passed] LayoutSearch
// REMARK-SAME: BytesAfter=8192
// REMARK-SAME: BytesBefore=16384
// CHECK-LABEL: func @residual
func.func @residual(%x: tensor<1x16x8x8xf32>, %w: tensor<1x1x16x16xf32>) -> tensor<1x16x8x8xf32> {
  // CHECK: %[[X:.*]] = "onnx.Transpose"(%arg0) <{perm = array<i64: 0, 2, 3, 1>}>
  // CHECK: %[[A:.*]] = nn.conv %[[X]]
  // CHECK: %[[S:.*]] = "onnx.Add"(%[[A]], %[[X]])
  // CHECK: %[[R:.*]] = "onnx.Relu"(%[[S]])
  // CHECK: %[[B:.*]] = nn.conv %[[R]]
  // CHECK: %[[Y:.*]] = "onnx.Transpose"(%[[B]])
  // CHECK: return %[[Y]]
  %0 = "onnx.Transpose"(%x) {perm = array<i64: 0, 2, 3, 1>} : (tensor<1x16x8x8xf32>) -> tensor<1x8x8x16xf32>
  %1 = nn.conv %0, %w : (tensor<1x8x8x16xf32>, tensor<1x1x16x16xf32>) -> tensor<1x8x8x16xf32>
  %2 = "onnx.Transpose"(%1) {perm = array<i64: 0, 3, 1, 2>} : (tensor<1x8x8x16xf32>) -> tensor<1x16x8x8xf32>
  %3 = "onnx.Add"(%2, %x) : (tensor<1x16x8x8xf32>, tensor<1x16x8x8xf32>) -> tensor<1x16x8x8xf32>
  %4 = "onnx.Relu"(%3) : (tensor<1x16x8x8xf32>) -> tensor<1x16x8x8xf32>
  %5 = "onnx.Transpose"(%4) {perm = array<i64: 0, 2, 3, 1>} : (tensor<1x16x8x8xf32>) -> tensor<1x8x8x16xf32>
  %6 = nn.conv %5, %w : (tensor<1x8x8x16xf32>, tensor<1x1x16x16xf32>) -> tensor<1x8x8x16xf32>
  %7 = "onnx.Transpose"(%6) {perm = array<i64: 0, 3, 1, 2>} : (tensor<1x8x8x16xf32>) -> tensor<1x16x8x8xf32>
  return %7 : tensor<1x16x8x8xf32>
}

// Two others are transposed for the sake of what comes after both.
// CHECK-LABEL: func @chain
func.func @chain(%x: tensor<1x8x8x16xf32>, %m: tensor<1x1x8x8xf32>, %k: tensor<1x4x8x8xf32>, %w: tensor<1x1x20x16xf32>) -> tensor<1x8x8x16xf32> {
  // CHECK: %[[M:.*]] = "onnx.Reshape"(%arg1
  // CHECK: %[[P:.*]] = "onnx.Mul"(%arg0, %[[M]])
  // CHECK: %[[K:.*]] = "onnx.Transpose"(%arg2)
  // CHECK: %[[C:.*]] = "onnx.Concat"(%[[P]], %[[K]]) <{axis = 3 : i64}>
  // CHECK: nn.conv %[[C]]
  // CHECK-NOT: onnx.Transpose
  // CHECK: return
  %0 = "onnx.Transpose"(%x) {perm = array<i64: 0, 3, 1, 2>} : (tensor<1x8x8x16xf32>) -> tensor<1x16x8x8xf32>
  %1 = "onnx.Mul"(%0, %m) : (tensor<1x16x8x8xf32>, tensor<1x1x8x8xf32>) -> tensor<1x16x8x8xf32>
  %2 = "onnx.Concat"(%1, %k) {axis = 1 : i64} : (tensor<1x16x8x8xf32>, tensor<1x4x8x8xf32>) -> tensor<1x20x8x8xf32>
  %3 = "onnx.Transpose"(%2) {perm = array<i64: 0, 2, 3, 1>} : (tensor<1x20x8x8xf32>) -> tensor<1x8x8x20xf32>
  %4 = nn.conv %3, %w : (tensor<1x8x8x20xf32>, tensor<1x1x20x16xf32>) -> tensor<1x8x8x16xf32>
  return %4 : tensor<1x8x8x16xf32>
}

// Nothing after the sum has use for channels last.
// CHECK-LABEL: func @edge
func.func @edge(%x: tensor<1x8x8x16xf32>, %y: tensor<1x16x8x8xf32>) -> tensor<1x16x8x8xf32> {
  // CHECK: %[[T:.*]] = "onnx.Transpose"(%arg0)
  // CHECK: %[[S:.*]] = "onnx.Add"(%[[T]], %arg1)
  // CHECK: %[[R:.*]] = "onnx.Relu"(%[[S]])
  // CHECK: return %[[R]]
  %0 = "onnx.Transpose"(%x) {perm = array<i64: 0, 3, 1, 2>} : (tensor<1x8x8x16xf32>) -> tensor<1x16x8x8xf32>
  %1 = "onnx.Add"(%0, %y) : (tensor<1x16x8x8xf32>, tensor<1x16x8x8xf32>) -> tensor<1x16x8x8xf32>
  %2 = "onnx.Relu"(%1) : (tensor<1x16x8x8xf32>) -> tensor<1x16x8x8xf32>
  return %2 : tensor<1x16x8x8xf32>
}

// The wide operand would cost more than what it saves.
// CHECK-LABEL: func @too_wide
func.func @too_wide(%x: tensor<1x8x8x2xf32>, %y: tensor<1x64x8x8xf32>, %w: tensor<1x1x2x16xf32>) -> tensor<1x8x8x16xf32> {
  // CHECK: "onnx.Concat"(%{{.*}}, %arg1) <{axis = 1 : i64}>
  %start = onnx.Constant dense<0> : tensor<1xi64>
  %end = onnx.Constant dense<2> : tensor<1xi64>
  %axis = onnx.Constant dense<1> : tensor<1xi64>
  %0 = "onnx.Transpose"(%x) {perm = array<i64: 0, 3, 1, 2>} : (tensor<1x8x8x2xf32>) -> tensor<1x2x8x8xf32>
  %1 = "onnx.Concat"(%0, %y) {axis = 1 : i64} : (tensor<1x2x8x8xf32>, tensor<1x64x8x8xf32>) -> tensor<1x66x8x8xf32>
  %2 = "onnx.Slice"(%1, %start, %end, %axis) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 0>} : (tensor<1x66x8x8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<1x2x8x8xf32>
  %3 = "onnx.Transpose"(%2) {perm = array<i64: 0, 2, 3, 1>} : (tensor<1x2x8x8xf32>) -> tensor<1x8x8x2xf32>
  %4 = nn.conv %3, %w : (tensor<1x8x8x2xf32>, tensor<1x1x2x16xf32>) -> tensor<1x8x8x16xf32>
  return %4 : tensor<1x8x8x16xf32>
}

// A channel shuffle takes one transpose, of pairs of channels; what is before and after it stays channels last.
// CHECK-LABEL: func @shuffle
func.func @shuffle(%x: tensor<1x8x8x16xf32>, %w: tensor<1x1x8x8xf32>) -> (tensor<1x8x8x8xf32>, tensor<1x8x8x8xf32>) {
  // CHECK: %[[S:.*]] = "onnx.Reshape"(%arg0{{.*}} -> tensor<1x8x8x2x8xf32>
  // CHECK: %[[T:.*]] = "onnx.Transpose"(%[[S]]) <{perm = array<i64: 0, 1, 2, 4, 3>}>
  // CHECK: %[[M:.*]] = "onnx.Reshape"(%[[T]]{{.*}} -> tensor<1x8x8x16xf32>
  // CHECK: %[[P:.*]]:2 = "onnx.Split"(%[[M]]{{.*}} <{axis = 3 : i64}>
  // CHECK: nn.conv %[[P]]#0
  // CHECK-NOT: onnx.Transpose
  // CHECK: return
  %groups = onnx.Constant dense<[1, 2, 8, 8, 8]> : tensor<5xi64>
  %whole = onnx.Constant dense<[1, 16, 8, 8]> : tensor<4xi64>
  %half = onnx.Constant dense<8> : tensor<2xi64>
  %0 = "onnx.Transpose"(%x) {perm = array<i64: 0, 3, 1, 2>} : (tensor<1x8x8x16xf32>) -> tensor<1x16x8x8xf32>
  %1 = "onnx.Reshape"(%0, %groups) : (tensor<1x16x8x8xf32>, tensor<5xi64>) -> tensor<1x2x8x8x8xf32>
  %2 = "onnx.Transpose"(%1) {perm = array<i64: 0, 2, 1, 3, 4>} : (tensor<1x2x8x8x8xf32>) -> tensor<1x8x2x8x8xf32>
  %3 = "onnx.Reshape"(%2, %whole) : (tensor<1x8x2x8x8xf32>, tensor<4xi64>) -> tensor<1x16x8x8xf32>
  %4:2 = "onnx.Split"(%3, %half) {axis = 1 : i64} : (tensor<1x16x8x8xf32>, tensor<2xi64>) -> (tensor<1x8x8x8xf32>, tensor<1x8x8x8xf32>)
  %5 = "onnx.Transpose"(%4#0) {perm = array<i64: 0, 2, 3, 1>} : (tensor<1x8x8x8xf32>) -> tensor<1x8x8x8xf32>
  %6 = nn.conv %5, %w : (tensor<1x8x8x8xf32>, tensor<1x1x8x8xf32>) -> tensor<1x8x8x8xf32>
  %7 = "onnx.Transpose"(%4#1) {perm = array<i64: 0, 2, 3, 1>} : (tensor<1x8x8x8xf32>) -> tensor<1x8x8x8xf32>
  return %6, %7 : tensor<1x8x8x8xf32>, tensor<1x8x8x8xf32>
}

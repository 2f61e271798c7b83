// RUN: lathe-opt %s -fuse-epilogue | FileCheck %s
// RUN: lathe-opt %s -fuse-epilogue --remark-format=emitRemark --remarks-filter=fuse -o %t 2>&1 | FileCheck %s --check-prefix=REMARK

// REMARK: remark: [Passed] Epilogue
// REMARK-SAME: Ops=Add
// REMARK: remark: [Passed] Epilogue
// REMARK-SAME: Ops=Clip
// CHECK-LABEL: func @bias_clip_residual
func.func @bias_clip_residual(%x: tensor<?x16xf32>, %b: tensor<8xf32>, %r: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %w = onnx.Constant dense<0.5> : tensor<16x8xf32>
  %lo = onnx.Constant dense<0.0> : tensor<f32>
  %hi = onnx.Constant dense<6.0> : tensor<f32>
  // The product moves below what its epilogue reads.
  // CHECK: %[[R:.*]] = "onnx.Neg"(%arg2)
  // CHECK: %[[Y:.*]] = nn.linear %arg0, %{{.*}} extras(%arg1, %[[R]]) epilogue {
  // CHECK: ^bb0(%[[ACC:.*]]: f32, %[[B:.*]]: f32, %[[E:.*]]: f32):
  // CHECK: %[[SUM:.*]] = arith.addf %[[ACC]], %[[B]]
  // CHECK: arith.constant 6.0
  // CHECK: arith.subf %[[E]]
  // CHECK: nn.yield
  // CHECK: } : (tensor<?x16xf32>, tensor<16x8xf32>, tensor<8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  // CHECK-NEXT: return %[[Y]]
  %0 = nn.linear %x, %w : (tensor<?x16xf32>, tensor<16x8xf32>) -> tensor<?x8xf32>
  %1 = "onnx.Add"(%0, %b) : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  %2 = "onnx.Clip"(%1, %lo, %hi) {operandSegmentSizes = array<i32: 1, 1, 1>} : (tensor<?x8xf32>, tensor<f32>, tensor<f32>) -> tensor<?x8xf32>
  %3 = "onnx.Neg"(%r) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %4 = "onnx.Sub"(%3, %2) : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return %4 : tensor<?x8xf32>
}

// Both uses of the sum meet again.
// REMARK: Ops=Sigmoid+Mul
// CHECK-LABEL: func @silu
func.func @silu(%x: tensor<4x16xf32>, %w: tensor<16x8xf32>) -> tensor<4x8xf32> {
  // CHECK: nn.linear {{.*}} epilogue
  // CHECK-NOT: onnx.
  // CHECK: return
  %0 = nn.linear %x, %w : (tensor<4x16xf32>, tensor<16x8xf32>) -> tensor<4x8xf32>
  %1 = "onnx.Sigmoid"(%0) : (tensor<4x8xf32>) -> tensor<4x8xf32>
  %2 = "onnx.Mul"(%0, %1) : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  return %2 : tensor<4x8xf32>
}

// One of two convolutions takes the sum, the other becomes its operand.
// CHECK-LABEL: func @two_branches
func.func @two_branches(%x: tensor<1x8x8x4xf32>, %w: tensor<1x1x4x4xf32>, %v: tensor<3x3x4x4xf32>) -> tensor<1x8x8x4xf32> {
  // CHECK: %[[B:.*]] = nn.conv %arg0, %arg2 {pads
  // CHECK: nn.conv %arg0, %arg1 extras(%[[B]]) epilogue
  // CHECK-NOT: onnx.
  // CHECK: return
  %0 = nn.conv %x, %w : (tensor<1x8x8x4xf32>, tensor<1x1x4x4xf32>) -> tensor<1x8x8x4xf32>
  %1 = nn.conv %x, %v {pads = array<i64: 1, 1, 1, 1>} : (tensor<1x8x8x4xf32>, tensor<3x3x4x4xf32>) -> tensor<1x8x8x4xf32>
  %2 = "onnx.Add"(%0, %1) : (tensor<1x8x8x4xf32>, tensor<1x8x8x4xf32>) -> tensor<1x8x8x4xf32>
  %3 = "onnx.Relu"(%2) : (tensor<1x8x8x4xf32>) -> tensor<1x8x8x4xf32>
  return %3 : tensor<1x8x8x4xf32>
}

// REMARK: remark: [Missed] Epilogue
// REMARK-SAME: stops after 0 steps: there are several consumers
// CHECK-LABEL: func @escapes
func.func @escapes(%x: tensor<4x16xf32>, %w: tensor<16x8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>) {
  // CHECK: nn.linear %arg0, %arg1 :
  // CHECK: onnx.Relu
  %0 = nn.linear %x, %w : (tensor<4x16xf32>, tensor<16x8xf32>) -> tensor<4x8xf32>
  %1 = "onnx.Relu"(%0) : (tensor<4x8xf32>) -> tensor<4x8xf32>
  return %0, %1 : tensor<4x8xf32>, tensor<4x8xf32>
}

// REMARK: remark: [Missed] Epilogue
// REMARK-SAME: the consumer changes the shape
// CHECK-LABEL: func @enlarged
func.func @enlarged(%x: tensor<1x16xf32>, %w: tensor<16x8xf32>, %y: tensor<4x8xf32>) -> tensor<4x8xf32> {
  // CHECK: onnx.Add
  %0 = nn.linear %x, %w : (tensor<1x16xf32>, tensor<16x8xf32>) -> tensor<1x8xf32>
  %1 = "onnx.Add"(%0, %y) : (tensor<1x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  return %1 : tensor<4x8xf32>
}

// A view of the result as a volume goes behind what is computed of it.
// CHECK-LABEL: func @volume
func.func @volume(%x: tensor<?x8x20x4xf32>, %w: tensor<3x1x4x6xf32>, %b: tensor<1x1x1x1x6xf32>, %r: tensor<?x8x4x5x6xf32>) -> tensor<?x8x4x5x6xf32> {
  // CHECK-DAG: %[[B:.*]] = "onnx.Reshape"(%arg2, {{.*}} -> tensor<6xf32>
  // CHECK-DAG: %[[R:.*]] = "onnx.Reshape"(%arg3, {{.*}} -> tensor<?x8x20x6xf32>
  // CHECK: %[[Y:.*]] = nn.conv %arg0, %arg1 extras(%[[B]], %[[R]]) {{.*}}epilogue {
  // CHECK: arith.addf
  // CHECK: arith.addf
  // CHECK: arith.maximumf
  // CHECK: } : {{.*}} -> tensor<?x8x20x6xf32>
  // CHECK: %[[V:.*]] = "onnx.Reshape"(%[[Y]], {{.*}} -> tensor<?x8x4x5x6xf32>
  // CHECK-NEXT: return %[[V]]
  %s = onnx.Constant dense<[-1, 8, 4, 5, 6]> : tensor<5xi64>
  %0 = nn.conv %x, %w {pads = array<i64: 1, 0, 1, 0>} : (tensor<?x8x20x4xf32>, tensor<3x1x4x6xf32>) -> tensor<?x8x20x6xf32>
  %1 = "onnx.Reshape"(%0, %s) {allowzero = 0 : i64} : (tensor<?x8x20x6xf32>, tensor<5xi64>) -> tensor<?x8x4x5x6xf32>
  %2 = "onnx.Add"(%1, %b) : (tensor<?x8x4x5x6xf32>, tensor<1x1x1x1x6xf32>) -> tensor<?x8x4x5x6xf32>
  %3 = "onnx.Add"(%2, %r) : (tensor<?x8x4x5x6xf32>, tensor<?x8x4x5x6xf32>) -> tensor<?x8x4x5x6xf32>
  %4 = "onnx.Relu"(%3) : (tensor<?x8x4x5x6xf32>) -> tensor<?x8x4x5x6xf32>
  return %4 : tensor<?x8x4x5x6xf32>
}

// What varies along a dimension that the view splits keeps it where it is.
// CHECK-LABEL: func @volume_lines
func.func @volume_lines(%x: tensor<1x8x20x4xf32>, %w: tensor<1x1x4x6xf32>, %b: tensor<5x1xf32>) -> tensor<1x8x4x5x6xf32> {
  // CHECK: nn.conv
  // CHECK: onnx.Reshape
  // CHECK: onnx.Mul
  %s = onnx.Constant dense<[1, 8, 4, 5, 6]> : tensor<5xi64>
  %0 = nn.conv %x, %w : (tensor<1x8x20x4xf32>, tensor<1x1x4x6xf32>) -> tensor<1x8x20x6xf32>
  %1 = "onnx.Reshape"(%0, %s) {allowzero = 0 : i64} : (tensor<1x8x20x6xf32>, tensor<5xi64>) -> tensor<1x8x4x5x6xf32>
  %2 = "onnx.Mul"(%1, %b) : (tensor<1x8x4x5x6xf32>, tensor<5x1xf32>) -> tensor<1x8x4x5x6xf32>
  return %2 : tensor<1x8x4x5x6xf32>
}

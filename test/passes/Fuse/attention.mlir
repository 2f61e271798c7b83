// RUN: lathe-opt %s -fuse-attention | FileCheck %s
// RUN: lathe-opt %s -fuse-attention --remark-format=emitRemark --remarks-filter=fuse -o %t 2>&1 | FileCheck %s --check-prefix=REMARK

// Key and value heads are used as they were before their repetition.
// REMARK: remark: [Passed] Attention
// REMARK-SAME: HeadRepeats=2, Mask=add
// CHECK-LABEL: func @grouped_heads
func.func @grouped_heads(%q: tensor<1x4x?x32xf32>, %k: tensor<1x2x?x32xf32>, %v: tensor<1x2x?x32xf32>, %mask: tensor<1x1x?x?xf32>,
                         %s5: tensor<5xi64>, %s4: tensor<4xi64>) -> tensor<1x4x?x32xf32> {
  %scale = onnx.Constant dense<0.25> : tensor<f32>
  %two = onnx.Constant dense<2> : tensor<1xi64>
  // CHECK: %[[A:.*]] = nn.attention %arg0, %arg1, %arg2 mask(%arg3) {heads_first, kv_heads_first, scale = 2.500000e-01 : f32}
  // CHECK-SAME: -> tensor<1x4x?x32xf32>
  // CHECK: return %[[A]]
  %0 = "onnx.Unsqueeze"(%k, %two) : (tensor<1x2x?x32xf32>, tensor<1xi64>) -> tensor<1x2x1x?x32xf32>
  %1 = "onnx.Expand"(%0, %s5) : (tensor<1x2x1x?x32xf32>, tensor<5xi64>) -> tensor<1x2x2x?x32xf32>
  %2 = "onnx.Reshape"(%1, %s4) : (tensor<1x2x2x?x32xf32>, tensor<4xi64>) -> tensor<1x4x?x32xf32>
  %3 = "onnx.Unsqueeze"(%v, %two) : (tensor<1x2x?x32xf32>, tensor<1xi64>) -> tensor<1x2x1x?x32xf32>
  %4 = "onnx.Expand"(%3, %s5) : (tensor<1x2x1x?x32xf32>, tensor<5xi64>) -> tensor<1x2x2x?x32xf32>
  %5 = "onnx.Reshape"(%4, %s4) : (tensor<1x2x2x?x32xf32>, tensor<4xi64>) -> tensor<1x4x?x32xf32>
  %6 = "onnx.Transpose"(%2) {perm = array<i64: 0, 1, 3, 2>} : (tensor<1x4x?x32xf32>) -> tensor<1x4x32x?xf32>
  %7 = "onnx.MatMul"(%q, %6) : (tensor<1x4x?x32xf32>, tensor<1x4x32x?xf32>) -> tensor<1x4x?x?xf32>
  %8 = "onnx.Mul"(%7, %scale) : (tensor<1x4x?x?xf32>, tensor<f32>) -> tensor<1x4x?x?xf32>
  %9 = "onnx.Add"(%8, %mask) : (tensor<1x4x?x?xf32>, tensor<1x1x?x?xf32>) -> tensor<1x4x?x?xf32>
  %10 = "onnx.Softmax"(%9) : (tensor<1x4x?x?xf32>) -> tensor<1x4x?x?xf32>
  %11 = "onnx.MatMul"(%10, %5) : (tensor<1x4x?x?xf32>, tensor<1x4x?x32xf32>) -> tensor<1x4x?x32xf32>
  return %11 : tensor<1x4x?x32xf32>
}

// The scale is split on query and key, the mask selects; one transpose of the key is left.
// CHECK-LABEL: func @split_scale
func.func @split_scale(%q: tensor<2x4x5x8xf32>, %k: tensor<2x6x4x8xf32>, %v: tensor<2x4x6x8xf32>, %keep: tensor<5x6xi1>) -> tensor<2x4x5x8xf32> {
  %half = onnx.Constant dense<0.5> : tensor<f32>
  %inf = onnx.Constant dense<0xFF800000> : tensor<f32>
  // CHECK-DAG: %[[K:.*]] = "onnx.Transpose"(%arg1) <{perm = array<i64: 0, 2, 1, 3>}>
  // CHECK-DAG: %[[M:.*]] = "onnx.Unsqueeze"(%arg3
  // CHECK: nn.attention %arg0, %[[K]], %arg2 mask(%[[M]]) {heads_first, kv_heads_first, scale = 2.500000e-01 : f32}
  // CHECK-SAME: tensor<1x1x5x6xi1>
  %0 = "onnx.Mul"(%q, %half) : (tensor<2x4x5x8xf32>, tensor<f32>) -> tensor<2x4x5x8xf32>
  %1 = "onnx.Transpose"(%k) {perm = array<i64: 0, 2, 3, 1>} : (tensor<2x6x4x8xf32>) -> tensor<2x4x8x6xf32>
  %2 = "onnx.Mul"(%1, %half) : (tensor<2x4x8x6xf32>, tensor<f32>) -> tensor<2x4x8x6xf32>
  %3 = "onnx.MatMul"(%0, %2) : (tensor<2x4x5x8xf32>, tensor<2x4x8x6xf32>) -> tensor<2x4x5x6xf32>
  %4 = "onnx.Where"(%keep, %3, %inf) : (tensor<5x6xi1>, tensor<2x4x5x6xf32>, tensor<f32>) -> tensor<2x4x5x6xf32>
  %5 = "onnx.Softmax"(%4) : (tensor<2x4x5x6xf32>) -> tensor<2x4x5x6xf32>
  %6 = "onnx.MatMul"(%5, %v) : (tensor<2x4x5x6xf32>, tensor<2x4x6x8xf32>) -> tensor<2x4x5x8xf32>
  return %6 : tensor<2x4x5x8xf32>
}

// A batch of heads.
// CHECK-LABEL: func @matrices
func.func @matrices(%q: tensor<?x5x8xf32>, %k: tensor<?x8x5xf32>, %v: tensor<?x5x8xf32>) -> tensor<?x5x8xf32> {
  // CHECK: nn.attention
  // CHECK-SAME: -> tensor<1x?x5x8xf32>
  // CHECK: "onnx.Squeeze"
  // CHECK-SAME: -> tensor<?x5x8xf32>
  %0 = "onnx.MatMul"(%q, %k) : (tensor<?x5x8xf32>, tensor<?x8x5xf32>) -> tensor<?x5x5xf32>
  %1 = "onnx.Softmax"(%0) : (tensor<?x5x5xf32>) -> tensor<?x5x5xf32>
  %2 = "onnx.MatMul"(%1, %v) : (tensor<?x5x5xf32>, tensor<?x5x8xf32>) -> tensor<?x5x8xf32>
  return %2 : tensor<?x5x8xf32>
}

// Weights that are an output have to be computed.
// REMARK: remark: [Missed] Attention
// REMARK-SAME: the weights have other uses
// CHECK-LABEL: func @weights_used
func.func @weights_used(%q: tensor<4x5x8xf32>, %k: tensor<4x8x5xf32>, %v: tensor<4x5x8xf32>) -> (tensor<4x5x8xf32>, tensor<4x5x5xf32>) {
  // CHECK-NOT: nn.attention
  %0 = "onnx.MatMul"(%q, %k) : (tensor<4x5x8xf32>, tensor<4x8x5xf32>) -> tensor<4x5x5xf32>
  %1 = "onnx.Softmax"(%0) : (tensor<4x5x5xf32>) -> tensor<4x5x5xf32>
  %2 = "onnx.MatMul"(%1, %v) : (tensor<4x5x5xf32>, tensor<4x5x8xf32>) -> tensor<4x5x8xf32>
  return %2, %1 : tensor<4x5x8xf32>, tensor<4x5x5xf32>
}

// REMARK: remark: [Missed] Attention
// REMARK-SAME: the mask is scaled
// CHECK-LABEL: func @scaled_mask
func.func @scaled_mask(%q: tensor<4x5x8xf32>, %k: tensor<4x8x5xf32>, %v: tensor<4x5x8xf32>, %mask: tensor<5x5xf32>) -> tensor<4x5x8xf32> {
  // CHECK-NOT: nn.attention
  %half = onnx.Constant dense<0.5> : tensor<f32>
  %0 = "onnx.MatMul"(%q, %k) : (tensor<4x5x8xf32>, tensor<4x8x5xf32>) -> tensor<4x5x5xf32>
  %1 = "onnx.Add"(%0, %mask) : (tensor<4x5x5xf32>, tensor<5x5xf32>) -> tensor<4x5x5xf32>
  %2 = "onnx.Mul"(%1, %half) : (tensor<4x5x5xf32>, tensor<f32>) -> tensor<4x5x5xf32>
  %3 = "onnx.Softmax"(%2) : (tensor<4x5x5xf32>) -> tensor<4x5x5xf32>
  %4 = "onnx.MatMul"(%3, %v) : (tensor<4x5x5xf32>, tensor<4x5x8xf32>) -> tensor<4x5x8xf32>
  return %4 : tensor<4x5x8xf32>
}

// Turned, a product of two softmaxes would be one like it, and again.
// CHECK-LABEL: func @softmax_by_itself
func.func @softmax_by_itself(%x: tensor<4x5x5xf32>) -> tensor<4x5x5xf32> {
  // CHECK: "onnx.MatMul"(%{{.*}}, %{{.*}})
  // CHECK-NOT: "onnx.MatMul"
  %0 = "onnx.Softmax"(%x) : (tensor<4x5x5xf32>) -> tensor<4x5x5xf32>
  %1 = "onnx.Transpose"(%0) {perm = array<i64: 0, 2, 1>} : (tensor<4x5x5xf32>) -> tensor<4x5x5xf32>
  %2 = "onnx.MatMul"(%0, %1) : (tensor<4x5x5xf32>, tensor<4x5x5xf32>) -> tensor<4x5x5xf32>
  return %2 : tensor<4x5x5xf32>
}

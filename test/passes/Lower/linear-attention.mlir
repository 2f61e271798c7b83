// RUN: lathe-opt %s -lower-onnx-to-linalg | FileCheck %s

// A loop over tokens carries the state, [batch, heads, dk, dv], in f32.
// CHECK-LABEL: func.func @gated_delta
// CHECK: scf.for %[[TOKEN:.*]] = {{.*}} iter_args(%[[STATE:.*]] = %{{.*}}, %[[RESULT:.*]] = %{{.*}}) -> (tensor<2x4x8x8xf32>, tensor<2x3x4x2x8xf16>)
// CHECK: %[[KEY:.*]] = tensor.extract_slice %{{.*}}[0, %[[TOKEN]], 0, 0]
// CHECK: %[[FOUND:.*]] = linalg.generic {{.*}}"reduction"]} ins(%[[STATE]], %[[KEY]], %{{.*}} : tensor<2x4x8x8xf32>, tensor<2x4x8xf16>, tensor<2x4x8xf16>)
// CHECK: math.exp
// CHECK: %[[WRITE:.*]] = linalg.generic {{.*}} ins(%{{.*}}, %[[FOUND]], %{{.*}} :
// CHECK: %[[NEXT:.*]] = linalg.generic {{.*}} ins(%[[KEY]], %[[WRITE]], %{{.*}}) outs(%[[STATE]]
// CHECK: %[[READ:.*]] = linalg.generic {{.*}}"reduction"]} ins(%{{.*}}, %[[NEXT]]
// CHECK: tensor.insert_slice %{{.*}} into %[[RESULT]][0, %[[TOKEN]], 0, 0, 0]
func.func @gated_delta(%q: tensor<2x3x64xf16>, %k: tensor<2x3x32xf16>, %v: tensor<2x3x32xf16>, %g: tensor<2x3x32xf16>, %b: tensor<2x3x4xf16>) -> (tensor<2x3x64xf16>, tensor<2x4x8x8xf16>) {
  %0, %1 = "onnx.LinearAttention"(%q, %k, %v, %g, %b) <{q_num_heads = 8 : i64, kv_num_heads = 4 : i64, operandSegmentSizes = array<i32: 1, 1, 1, 0, 1, 1>}> : (tensor<2x3x64xf16>, tensor<2x3x32xf16>, tensor<2x3x32xf16>, tensor<2x3x32xf16>, tensor<2x3x4xf16>) -> (tensor<2x3x64xf16>, tensor<2x4x8x8xf16>)
  return %0, %1 : tensor<2x3x64xf16>, tensor<2x4x8x8xf16>
}

// Without decay and delta rule, the state is only added to.
// CHECK-LABEL: func.func @linear
// CHECK: scf.for
// CHECK-NOT: math.exp
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<1x2x4x6xf32>)
func.func @linear(%q: tensor<1x3x8xf32>, %v: tensor<1x3x12xf32>, %s: tensor<1x2x4x6xf32>) -> tensor<1x3x12xf32> {
  %0 = "onnx.LinearAttention"(%q, %q, %v, %s) <{q_num_heads = 2 : i64, kv_num_heads = 2 : i64, update_rule = "linear", operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}> : (tensor<1x3x8xf32>, tensor<1x3x8xf32>, tensor<1x3x12xf32>, tensor<1x2x4x6xf32>) -> tensor<1x3x12xf32>
  return %0 : tensor<1x3x12xf32>
}

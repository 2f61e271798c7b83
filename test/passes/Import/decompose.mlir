// RUN: lathe-opt %s --import-decompose | FileCheck %s
// RUN: lathe-opt %s --pass-pipeline='builtin.module(func.func(import-decompose{batch-norm=true}))' | FileCheck %s --check-prefix=NORM

// CHECK-LABEL: func.func @global_average_pool
// CHECK: %[[AXES:.*]] = onnx.Constant dense<[2, 3]> : tensor<2xi64>
// CHECK: "onnx.ReduceMean"(%{{.*}}, %[[AXES]]) <{keepdims = 1 : i64
func.func @global_average_pool(%x: tensor<1x8x4x4xf32>) -> tensor<1x8x1x1xf32> {
  %0 = "onnx.GlobalAveragePool"(%x) : (tensor<1x8x4x4xf32>) -> tensor<1x8x1x1xf32>
  return %0 : tensor<1x8x1x1xf32>
}

// CHECK-LABEL: func.func @removed(
// CHECK-SAME: %[[X:.*]]: tensor<4xf32>
// CHECK-NEXT: return %[[X]]
func.func @removed(%x: tensor<4xf32>) -> tensor<4xf32> {
  %ratio = onnx.Constant dense<0.5> : tensor<f32>
  %0 = "onnx.Identity"(%x) : (tensor<4xf32>) -> tensor<4xf32>
  %1 = "onnx.Dropout"(%0, %ratio) {operandSegmentSizes = array<i32: 1, 1, 0>, resultSegmentSizes = array<i32: 1, 0>} : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  return %1 : tensor<4xf32>
}

// Dropout in training draws random numbers.
// CHECK-LABEL: func.func @training
// CHECK: onnx.Dropout
func.func @training(%x: tensor<4xf32>) -> tensor<4xf32> {
  %ratio = onnx.Constant dense<0.5> : tensor<f32>
  %yes = onnx.Constant dense<true> : tensor<i1>
  %0 = "onnx.Dropout"(%x, %ratio, %yes) {operandSegmentSizes = array<i32: 1, 1, 1>, resultSegmentSizes = array<i32: 1, 0>} : (tensor<4xf32>, tensor<f32>, tensor<i1>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// CHECK-LABEL: func.func @variadic(
// CHECK-SAME: %[[A:.*]]: tensor<4xf32>, %[[B:.*]]: tensor<3x1xf32>, %[[C:.*]]: tensor<1xf32>
// CHECK: %[[THREE:.*]] = onnx.Constant dense<3.000000e+00> : tensor<f32>
// CHECK: %[[AB:.*]] = "onnx.Add"(%[[A]], %[[B]]) : (tensor<4xf32>, tensor<3x1xf32>) -> tensor<3x4xf32>
// CHECK: %[[ABC:.*]] = "onnx.Add"(%[[AB]], %[[C]]) : (tensor<3x4xf32>, tensor<1xf32>) -> tensor<3x4xf32>
// CHECK: "onnx.Div"(%[[ABC]], %[[THREE]])
func.func @variadic(%a: tensor<4xf32>, %b: tensor<3x1xf32>, %c: tensor<1xf32>) -> tensor<3x4xf32> {
  %0 = "onnx.Mean"(%a, %b, %c) : (tensor<4xf32>, tensor<3x1xf32>, tensor<1xf32>) -> tensor<3x4xf32>
  return %0 : tensor<3x4xf32>
}

// CHECK-LABEL: func.func @log_sum_exp
// CHECK: "onnx.ReduceMax"{{.*}} -> tensor<2x1xf32>
// CHECK: "onnx.Sub"
// CHECK: "onnx.Exp"
// CHECK: "onnx.ReduceSum"{{.*}} -> tensor<2xf32>
// CHECK: "onnx.Log"
// CHECK: "onnx.Add"{{.*}} -> tensor<2xf32>
func.func @log_sum_exp(%x: tensor<2x3xf32>) -> tensor<2xf32> {
  %axes = onnx.Constant dense<1> : tensor<1xi64>
  %0 = "onnx.ReduceLogSumExp"(%x, %axes) {keepdims = 0 : i64} : (tensor<2x3xf32>, tensor<1xi64>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// CHECK-LABEL: func.func @batch_norm
// CHECK: onnx.BatchNormalization
// NORM-LABEL: func.func @batch_norm
// NORM-NOT: onnx.BatchNormalization
// NORM: %[[P:.*]] = "onnx.Mul"(%{{.*}}, %{{.*}}) : (tensor<1x8x4x4xf32>, tensor<8x1x1xf32>) -> tensor<1x8x4x4xf32>
// NORM: "onnx.Add"(%[[P]],
func.func @batch_norm(%x: tensor<1x8x4x4xf32>, %s: tensor<8xf32>, %b: tensor<8xf32>, %m: tensor<8xf32>, %v: tensor<8xf32>) -> tensor<1x8x4x4xf32> {
  %0 = "onnx.BatchNormalization"(%x, %s, %b, %m, %v) {resultSegmentSizes = array<i32: 1, 0, 0>} : (tensor<1x8x4x4xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<1x8x4x4xf32>
  return %0 : tensor<1x8x4x4xf32>
}

// x * theta[:, :, 0] + y * theta[:, :, 1] + theta[:, :, 2]
// CHECK-LABEL: func.func @affine_grid
// CHECK: %[[Y:.*]] = onnx.Constant dense<{{.*}}[-5.000000e-01]{{.*}}[5.000000e-01]{{.*}}> : tensor<2x1x1xf32>
// CHECK: "onnx.Mul"(%{{.*}}, %[[Y]]) : (tensor<1x1x1x2xf32>, tensor<2x1x1xf32>) -> tensor<1x2x1x2xf32>
// CHECK: "onnx.Add"(%{{.*}}, %{{.*}}) : (tensor<1x1x4x2xf32>, tensor<1x2x1x2xf32>) -> tensor<1x2x4x2xf32>
func.func @affine_grid(%theta: tensor<1x2x3xf32>) -> tensor<1x2x4x2xf32> {
  %size = onnx.Constant dense<[1, 3, 2, 4]> : tensor<4xi64>
  %0 = "onnx.AffineGrid"(%theta, %size) : (tensor<1x2x3xf32>, tensor<4xi64>) -> tensor<1x2x4x2xf32>
  return %0 : tensor<1x2x4x2xf32>
}

// CHECK-LABEL: func.func @cast_like
// CHECK: %[[HALF:.*]] = "onnx.Cast"(%arg0) {{.*}}to = 10
// CHECK: return %[[HALF]], %arg0
func.func @cast_like(%x: tensor<4xf32>, %y: tensor<2xf16>, %z: tensor<2xf32>) -> (tensor<4xf16>, tensor<4xf32>) {
  %0 = "onnx.CastLike"(%x, %y) : (tensor<4xf32>, tensor<2xf16>) -> tensor<4xf16>
  %1 = "onnx.CastLike"(%x, %z) : (tensor<4xf32>, tensor<2xf32>) -> tensor<4xf32>
  return %0, %1 : tensor<4xf16>, tensor<4xf32>
}

// CHECK-LABEL: func.func @half_lstm
// CHECK: %[[X:.*]] = "onnx.Cast"(%arg0) {{.*}}to = 1
// CHECK: %[[H:.*]] = "onnx.LSTM"(%[[X]], %{{.*}}, %{{.*}}, %arg3) {{.*}} -> tensor<1x2x8xf32>
// CHECK: "onnx.Cast"(%[[H]]) {{.*}}to = 10
func.func @half_lstm(%x: tensor<5x2x4xf16>, %w: tensor<1x32x4xf16>, %r: tensor<1x32x8xf16>, %n: tensor<2xi32>) -> tensor<1x2x8xf16> {
  %0 = "onnx.LSTM"(%x, %w, %r, %n) {hidden_size = 8 : i64,
      operandSegmentSizes = array<i32: 1, 1, 1, 0, 1, 0, 0, 0>, resultSegmentSizes = array<i32: 0, 1, 0>}
      : (tensor<5x2x4xf16>, tensor<1x32x4xf16>, tensor<1x32x8xf16>, tensor<2xi32>) -> tensor<1x2x8xf16>
  return %0 : tensor<1x2x8xf16>
}

// RUN: lathe-opt %s --import-decompose | FileCheck %s

// CHECK-LABEL: func.func @matmul_integer
// CHECK: %[[A:.*]] = "onnx.Cast"(%arg0) {{.*}}to = 6
// CHECK: %[[ZERO:.*]] = "onnx.Cast"(%arg2) {{.*}}to = 6
// CHECK: %[[LEFT:.*]] = "onnx.Sub"(%[[A]], %[[ZERO]])
// CHECK: "onnx.MatMul"(%[[LEFT]], %{{.*}}) : (tensor<4x3xi32>, tensor<3x2xi32>) -> tensor<4x2xi32>
func.func @matmul_integer(%a: tensor<4x3xui8>, %b: tensor<3x2xui8>, %za: tensor<ui8>) -> tensor<4x2xi32> {
  %0 = "onnx.MatMulInteger"(%a, %b, %za) {operandSegmentSizes = array<i32: 1, 1, 1, 0>} : (tensor<4x3xui8>, tensor<3x2xui8>, tensor<ui8>) -> tensor<4x2xi32>
  return %0 : tensor<4x2xi32>
}

// CHECK-LABEL: func.func @qlinear_matmul
// CHECK: %[[SUM:.*]] = "onnx.MatMul"
// CHECK: %[[REAL:.*]] = "onnx.Cast"(%[[SUM]]) {{.*}}to = 1
// CHECK: %[[SCALED:.*]] = "onnx.Mul"(%[[REAL]], %{{.*}})
// CHECK: "onnx.QuantizeLinear"(%[[SCALED]], %arg4, %arg1)
func.func @qlinear_matmul(%a: tensor<2x4xui8>, %z: tensor<ui8>, %s: tensor<f32>, %b: tensor<4x3xui8>, %t: tensor<f32>) -> tensor<2x3xui8> {
  %0 = "onnx.QLinearMatMul"(%a, %s, %z, %b, %s, %z, %t, %z) : (tensor<2x4xui8>, tensor<f32>, tensor<ui8>, tensor<4x3xui8>, tensor<f32>, tensor<ui8>, tensor<f32>, tensor<ui8>) -> tensor<2x3xui8>
  return %0 : tensor<2x3xui8>
}

// CHECK-LABEL: func.func @einsum
// CHECK: %[[B:.*]] = "onnx.Transpose"(%arg1) <{perm = array<i64: 0, 2, 1>}>
// CHECK: "onnx.MatMul"(%arg0, %[[B]]) : (tensor<5x2x3xf32>, tensor<5x3x4xf32>) -> tensor<5x2x4xf32>
func.func @einsum(%a: tensor<5x2x3xf32>, %b: tensor<5x4x3xf32>) -> tensor<5x2x4xf32> {
  %0 = "onnx.Einsum"(%a, %b) <{equation = "bij, bkj -> bik"}> : (tensor<5x2x3xf32>, tensor<5x4x3xf32>) -> tensor<5x2x4xf32>
  return %0 : tensor<5x2x4xf32>
}

// CHECK-LABEL: func.func @trace
// CHECK: %[[DIAGONAL:.*]] = "onnx.Gather"
// CHECK: "onnx.ReduceSum"(%[[DIAGONAL]],
func.func @trace(%a: tensor<3x3xf32>) -> tensor<f32> {
  %0 = "onnx.Einsum"(%a) <{equation = "ii->"}> : (tensor<3x3xf32>) -> tensor<f32>
  return %0 : tensor<f32>
}

// CHECK-LABEL: func.func @window
// CHECK: onnx.Constant dense<[0.000000e+00, 5.000000e-01, 1.000000e+00, 5.000000e-01]> : tensor<4xf32>
func.func @window() -> tensor<4xf32> {
  %size = onnx.Constant dense<4> : tensor<i64>
  %0 = "onnx.HannWindow"(%size) : (tensor<i64>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// CHECK-LABEL: func.func @dft
// CHECK-COUNT-2: "onnx.MatMul"{{.*}} (tensor<2x8xf32>, tensor<8x5xf32>) -> tensor<2x5xf32>
// CHECK: return %{{.*}} : tensor<2x5x2xf32>
func.func @dft(%x: tensor<2x8x1xf32>) -> tensor<2x5x2xf32> {
  %0 = "onnx.DFT"(%x) {onesided = 1 : i64, operandSegmentSizes = array<i32: 1, 0, 0>} : (tensor<2x8x1xf32>) -> tensor<2x5x2xf32>
  return %0 : tensor<2x5x2xf32>
}

// CHECK-LABEL: func.func @hardmax
// CHECK: %[[PLACE:.*]] = "onnx.ArgMax"(%arg0) <{axis = 1
// CHECK: %[[HERE:.*]] = "onnx.Equal"(%[[PLACE]],
// CHECK: "onnx.Cast"(%[[HERE]])
func.func @hardmax(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %0 = "onnx.Hardmax"(%x) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// CHECK-LABEL: func.func @softmax_f16
// CHECK: "onnx.Softmax"(%{{.*}}) {{.*}} : (tensor<2x3xf32>) -> tensor<2x3xf32>
// CHECK: "onnx.Cast"{{.*}} -> tensor<2x3xf16>
func.func @softmax_f16(%x: tensor<2x3xf16>) -> tensor<2x3xf16> {
  %0 = "onnx.Softmax"(%x) : (tensor<2x3xf16>) -> tensor<2x3xf16>
  return %0 : tensor<2x3xf16>
}

// RUN: lathe-opt %s --pass-pipeline='builtin.module(func.func(import-infer-shapes{annotate=true}))' | FileCheck %s

// CHECK-LABEL: func.func @windows
// CHECK: "onnx.Conv"{{.*}}onnx.shape = {{\[}}["n", "8", "(h - 1) floordiv 2 + 1", "16"]]
// CHECK: "onnx.ConvTranspose"{{.*}} -> tensor<?x4x?x33xf32>
// CHECK: "onnx.MaxPool"{{.*}}onnx.shape = {{\[}}["n", "3", "h", "32"]]
func.func @windows(%x: tensor<?x3x?x32xf32> {onnx.dims = ["n", "", "h", ""]}, %w: tensor<8x3x3x3xf32>, %t: tensor<8x4x3x3xf32>)
    -> (tensor<*xf32>, tensor<*xf32>) {
  %0 = "onnx.Conv"(%x, %w) {strides = array<i64: 2, 2>, pads = array<i64: 1, 1, 1, 1>} : (tensor<?x3x?x32xf32>, tensor<8x3x3x3xf32>) -> tensor<*xf32>
  %1 = "onnx.ConvTranspose"(%0, %t) {strides = array<i64: 2, 2>} : (tensor<*xf32>, tensor<8x4x3x3xf32>) -> tensor<*xf32>
  %2 = "onnx.MaxPool"(%x) {kernel_shape = array<i64: 3, 3>, auto_pad = "SAME_UPPER"} : (tensor<?x3x?x32xf32>) -> tensor<*xf32>
  return %1, %2 : tensor<*xf32>, tensor<*xf32>
}

// CHECK-LABEL: func.func @contractions
// CHECK: "onnx.MatMul"{{.*}} -> tensor<5x?x4x6xf32>
// CHECK: "onnx.MatMul"{{.*}} -> tensor<?x4xf32>
// CHECK: "onnx.Einsum"{{.*}}onnx.shape = {{\[}}["n", "6", "4"]]
// CHECK: "onnx.Gemm"{{.*}} -> tensor<6x4xf32>
func.func @contractions(%a: tensor<?x4x8xf32> {onnx.dims = ["n", "", ""]}, %b: tensor<5x1x8x6xf32>, %v: tensor<8xf32>, %m: tensor<8x6xf32>, %c: tensor<4x8xf32>)
    -> (tensor<*xf32>, tensor<*xf32>, tensor<*xf32>, tensor<*xf32>) {
  %0 = "onnx.MatMul"(%a, %b) : (tensor<?x4x8xf32>, tensor<5x1x8x6xf32>) -> tensor<*xf32>
  %1 = "onnx.MatMul"(%a, %v) : (tensor<?x4x8xf32>, tensor<8xf32>) -> tensor<*xf32>
  %2 = "onnx.Einsum"(%a, %m) {equation = "...ij, jk -> ...ki"} : (tensor<?x4x8xf32>, tensor<8x6xf32>) -> tensor<*xf32>
  %3 = "onnx.Gemm"(%m, %c) {transA = 1 : i64, transB = 1 : i64} : (tensor<8x6xf32>, tensor<4x8xf32>) -> tensor<*xf32>
  return %0, %1, %2, %3 : tensor<*xf32>, tensor<*xf32>, tensor<*xf32>, tensor<*xf32>
}

// CHECK-LABEL: func.func @reductions
// CHECK: "onnx.ReduceMean"{{.*}} -> tensor<2x1x4xf32>
// CHECK: "onnx.ReduceMax"{{.*}} -> tensor<f32>
// CHECK: "onnx.ArgMax"{{.*}} -> tensor<2x3xi64>
// CHECK: "onnx.TopK"{{.*}} -> (tensor<2x3x2xf32>, tensor<2x3x2xi64>)
func.func @reductions(%x: tensor<2x3x4xf32>) -> (tensor<*xf32>, tensor<*xf32>, tensor<*xi64>, tensor<*xi64>) {
  %one = onnx.Constant dense<1> : tensor<1xi64>
  %two = onnx.Constant dense<2> : tensor<1xi64>
  %0 = "onnx.ReduceMean"(%x, %one) : (tensor<2x3x4xf32>, tensor<1xi64>) -> tensor<*xf32>
  %1 = "onnx.ReduceMax"(%x) {keepdims = 0 : i64} : (tensor<2x3x4xf32>) -> tensor<*xf32>
  %2 = "onnx.ArgMax"(%x) {axis = -1 : i64, keepdims = 0 : i64} : (tensor<2x3x4xf32>) -> tensor<*xi64>
  %3:2 = "onnx.TopK"(%x, %two) : (tensor<2x3x4xf32>, tensor<1xi64>) -> (tensor<*xf32>, tensor<*xi64>)
  return %0, %1, %2, %3#1 : tensor<*xf32>, tensor<*xf32>, tensor<*xi64>, tensor<*xi64>
}

// CHECK-LABEL: func.func @movement
// CHECK: "onnx.Split"{{.*}} -> (tensor<2x2x4xf32>, tensor<2x1x4xf32>)
// CHECK: "onnx.Resize"{{.*}} -> tensor<2x6x2xf32>
// CHECK: "onnx.OneHot"{{.*}} -> tensor<2x3x4x5xf32>
// CHECK: "onnx.Pad"{{.*}} -> tensor<2x3x7xf32>
// CHECK: "onnx.Tile"{{.*}} -> tensor<2x6x4xf32>
// CHECK: "onnx.QuantizeLinear"{{.*}} -> tensor<2x3x4xi8>
func.func @movement(%x: tensor<2x3x4xf32>, %i: tensor<2x3x4xi64>) -> (tensor<*xf32>, tensor<*xf32>, tensor<*xf32>, tensor<*xf32>, tensor<*xf32>, tensor<*xi8>) {
  %parts = onnx.Constant dense<[2, 1]> : tensor<2xi64>
  %scales = onnx.Constant dense<[1.0, 2.0, 0.5]> : tensor<3xf32>
  %depth = onnx.Constant dense<5> : tensor<i64>
  %values = onnx.Constant dense<[0.0, 1.0]> : tensor<2xf32>
  %pads = onnx.Constant dense<[1, 2]> : tensor<2xi64>
  %axis = onnx.Constant dense<-1> : tensor<1xi64>
  %repeats = onnx.Constant dense<[1, 2, 1]> : tensor<3xi64>
  %scale = onnx.Constant dense<0.5> : tensor<f32>
  %zero = onnx.Constant dense<0> : tensor<i8>
  %0:2 = "onnx.Split"(%x, %parts) {axis = 1 : i64} : (tensor<2x3x4xf32>, tensor<2xi64>) -> (tensor<*xf32>, tensor<*xf32>)
  %1 = "onnx.Resize"(%x, %scales) {operandSegmentSizes = array<i32: 1, 0, 1, 0>} : (tensor<2x3x4xf32>, tensor<3xf32>) -> tensor<*xf32>
  %2 = "onnx.OneHot"(%i, %depth, %values) : (tensor<2x3x4xi64>, tensor<i64>, tensor<2xf32>) -> tensor<*xf32>
  %3 = "onnx.Pad"(%x, %pads, %axis) {operandSegmentSizes = array<i32: 1, 1, 0, 1>} : (tensor<2x3x4xf32>, tensor<2xi64>, tensor<1xi64>) -> tensor<*xf32>
  %4 = "onnx.Tile"(%x, %repeats) : (tensor<2x3x4xf32>, tensor<3xi64>) -> tensor<*xf32>
  %5 = "onnx.QuantizeLinear"(%x, %scale, %zero) : (tensor<2x3x4xf32>, tensor<f32>, tensor<i8>) -> tensor<*xi8>
  return %0#0, %1, %2, %3, %4, %5 : tensor<*xf32>, tensor<*xf32>, tensor<*xf32>, tensor<*xf32>, tensor<*xf32>, tensor<*xi8>
}

// CHECK-LABEL: func.func @recurrent
// CHECK: "onnx.GRU"{{.*}}onnx.shape = {{\[}}["t", "2", "n", "16"], ["2", "n", "16"]]
func.func @recurrent(%x: tensor<?x?x8xf32> {onnx.dims = ["t", "n", ""]}, %w: tensor<2x48x8xf32>, %r: tensor<2x48x16xf32>) -> (tensor<*xf32>, tensor<*xf32>) {
  %0:2 = "onnx.GRU"(%x, %w, %r) {direction = "bidirectional", operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 1>}
    : (tensor<?x?x8xf32>, tensor<2x48x8xf32>, tensor<2x48x16xf32>) -> (tensor<*xf32>, tensor<*xf32>)
  return %0#0, %0#1 : tensor<*xf32>, tensor<*xf32>
}

// RUN: lathe-opt %s --lower-onnx-to-linalg | FileCheck %s

// Products of types without a kernel.

// CHECK-DAG: #[[INPUT:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d4, d3 * 2 + d5)>
// CHECK-DAG: #[[A:.*]] = affine_map<(d0, d1, d2, d3) -> (d1, d3)>
// CHECK-DAG: #[[B:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d3, d2)>

// Sums of f16 are f32.
// CHECK-LABEL: func.func @matmul
// CHECK: %[[SUM:.*]] = linalg.generic {indexing_maps = [#[[A]], #[[B]], {{.*}}], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%arg0, %arg1
// CHECK: arith.mulf %{{.*}} : f32
// CHECK: arith.truncf
func.func @matmul(%a: tensor<2x3xf16>, %b: tensor<5x3x4xf16>) -> tensor<5x2x4xf16> {
  %0 = "onnx.MatMul"(%a, %b) : (tensor<2x3xf16>, tensor<5x3x4xf16>) -> tensor<5x2x4xf16>
  return %0 : tensor<5x2x4xf16>
}

// CHECK-LABEL: func.func @gemm
// CHECK: arith.muli %{{.*}} : i32
func.func @gemm(%a: tensor<3x2xi32>, %b: tensor<3x4xi32>) -> tensor<2x4xi32> {
  %0 = "onnx.Gemm"(%a, %b) <{transA = 1 : i64}> : (tensor<3x2xi32>, tensor<3x4xi32>) -> tensor<2x4xi32>
  return %0 : tensor<2x4xi32>
}

// CHECK-LABEL: func.func @conv_integer
// CHECK: arith.subi
// CHECK: linalg.generic {indexing_maps = [#[[INPUT]],
// CHECK: arith.muli
func.func @conv_integer(%x: tensor<1x4x9xui8>, %w: tensor<2x2x3xui8>, %z: tensor<ui8>) -> tensor<1x2x4xi32> {
  %0 = "onnx.ConvInteger"(%x, %w, %z) {group = 2 : i64, strides = array<i64: 2>, operandSegmentSizes = array<i32: 1, 1, 1, 0>} : (tensor<1x4x9xui8>, tensor<2x2x3xui8>, tensor<ui8>) -> tensor<1x2x4xi32>
  return %0 : tensor<1x2x4xi32>
}

// The input is spread, the weight turned round.
// CHECK-LABEL: func.func @conv_transpose
// CHECK: arith.remsi
// CHECK: tensor.extract %arg0
// CHECK: tensor.extract %arg1
// CHECK: linalg.generic
// CHECK: arith.mulf
func.func @conv_transpose(%x: tensor<1x2x4xf32>, %w: tensor<2x3x3xf32>) -> tensor<1x3x9xf32> {
  %0 = "onnx.ConvTranspose"(%x, %w) <{strides = array<i64: 2>}> : (tensor<1x2x4xf32>, tensor<2x3x3xf32>) -> tensor<1x3x9xf32>
  return %0 : tensor<1x3x9xf32>
}

// Elimination with row exchanges.
// CHECK-LABEL: func.func @det
// CHECK: scf.for
// CHECK: math.absf
// CHECK: arith.divf
func.func @det(%x: tensor<2x3x3xf32>) -> tensor<2xf32> {
  %0 = "onnx.Det"(%x) : (tensor<2x3x3xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

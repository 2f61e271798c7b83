// RUN: lathe-opt %s -lower-onnx-to-linalg -split-input-file | FileCheck %s

// Elements of at most 8 bits are bytes; the signature remembers ONNX's number of the type. What moves them does not look into
// them.
// CHECK-LABEL: func @moved(%arg0: tensor<2x3xi8> {onnx.dtype = 17 : i32}, %arg1: tensor<2x3xi8> {onnx.dtype = 21 : i32, onnx.unsigned})
// CHECK-SAME: -> (tensor<3x2xi8> {onnx.dtype = 17 : i32}, tensor<6xi8> {onnx.dtype = 21 : i32, onnx.unsigned})
// CHECK: linalg.transpose ins(%arg0 : tensor<2x3xi8>)
// CHECK: tensor.collapse_shape %arg1 {{.*}} : tensor<2x3xi8> into tensor<6xi8>
// CHECK-NOT: arith
func.func @moved(%a: tensor<2x3xf8E4M3FN>, %b: tensor<2x3xui4>) -> (tensor<3x2xf8E4M3FN>, tensor<6xui4>) {
  %0 = "onnx.Transpose"(%a) {perm = array<i64: 1, 0>} : (tensor<2x3xf8E4M3FN>) -> tensor<3x2xf8E4M3FN>
  %shape = onnx.Constant dense<6> : tensor<1xi64>
  %1 = "onnx.Reshape"(%b, %shape) : (tensor<2x3xui4>, tensor<1xi64>) -> tensor<6xui4>
  return %0, %1 : tensor<3x2xf8E4M3FN>, tensor<6xui4>
}

// -----

// Constants are extended with their sign, if they have one; floats keep their bits.
// CHECK-LABEL: func @constants
// CHECK: arith.constant dense<[-8, 7]> : tensor<2xi8>
// CHECK: arith.constant dense<[8, 15]> : tensor<2xi8>
// CHECK: arith.constant dense<[2, 15]> : tensor<2xi8>
// CHECK: arith.constant dense<[56, 127]> : tensor<2xi8>
func.func @constants() -> (tensor<2xi4>, tensor<2xui4>, tensor<2xf4E2M1FN>, tensor<2xf8E4M3FN>) {
  %0 = onnx.Constant dense<[-8, 7]> : tensor<2xi4>
  %1 = onnx.Constant dense<[8, 15]> : tensor<2xui4>
  %2 = onnx.Constant dense<[1.0, -6.0]> : tensor<2xf4E2M1FN>
  %3 = onnx.Constant dense<[1.0, 0x7f]> : tensor<2xf8E4M3FN>
  return %0, %1, %2, %3 : tensor<2xi4>, tensor<2xui4>, tensor<2xf4E2M1FN>, tensor<2xf8E4M3FN>
}

// -----

// Four low bits and their sign, or zeros above them.
// CHECK-LABEL: func @from_integers
// CHECK: %[[LEFT:.*]] = arith.shli %{{.*}}, %[[FOUR:.*]] : i8
// CHECK: arith.shrsi %[[LEFT]], %[[FOUR]] : i8
// CHECK: arith.sitofp {{.*}} : i8 to f32
// CHECK: arith.andi %{{.*}}, %c15_i8 : i8
// CHECK: arith.uitofp {{.*}} : i8 to f32
func.func @from_integers(%a: tensor<4xi4>, %b: tensor<4xui4>) -> (tensor<4xf32>, tensor<4xf32>) {
  %0 = "onnx.Cast"(%a) {to = 1 : i64} : (tensor<4xi4>) -> tensor<4xf32>
  %1 = "onnx.Cast"(%b) {to = 1 : i64} : (tensor<4xui4>) -> tensor<4xf32>
  return %0, %1 : tensor<4xf32>, tensor<4xf32>
}

// -----

// The bits of a normal number, a multiple of the smallest subnormal one, or NaN; then the sign.
// CHECK-LABEL: func @from_float
// CHECK: arith.extui {{.*}} : i8 to i32
// CHECK: arith.shli {{.*}}, %c20_i32 : i32
// CHECK: arith.mulf {{.*}} : f32
// CHECK: arith.select {{.*}} : i32
// CHECK: arith.select {{.*}} : i32
// CHECK: arith.ori {{.*}} : i32
// CHECK: arith.bitcast {{.*}} : i32 to f32
func.func @from_float(%a: tensor<4xf8E4M3FN>) -> tensor<4xf32> {
  %0 = "onnx.Cast"(%a) {to = 1 : i64} : (tensor<4xf8E4M3FN>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

// Without saturation, 0x7f, NaN, is what is beyond 0x7e; with it, 0x7e is.
// CHECK-LABEL: func @to_float
// CHECK: %[[MAX:.*]] = arith.constant 126 : i32
// CHECK: %[[BEYOND:.*]] = arith.cmpi ugt, %[[CODE:.*]], %[[MAX]]
// CHECK: %[[NAN:.*]] = arith.constant 127 : i32
// CHECK: arith.select %[[BEYOND]], %[[NAN]], %[[CODE]]
// CHECK: arith.trunci {{.*}} : i32 to i8
// CHECK: %[[MAX2:.*]] = arith.constant 126 : i32
// CHECK: %[[BEYOND2:.*]] = arith.cmpi ugt, %[[CODE2:.*]], %[[MAX3:.*]] : i32
// CHECK: %[[MAX4:.*]] = arith.constant 126 : i32
// CHECK: arith.select %[[BEYOND2]], %[[MAX4]], %[[CODE2]]
func.func @to_float(%a: tensor<4xf32>) -> (tensor<4xf8E4M3FN>, tensor<4xf8E4M3FN>) {
  %0 = "onnx.Cast"(%a) {to = 17 : i64, saturate = 0 : i64} : (tensor<4xf32>) -> tensor<4xf8E4M3FN>
  %1 = "onnx.Cast"(%a) {to = 17 : i64} : (tensor<4xf32>) -> tensor<4xf8E4M3FN>
  return %0, %1 : tensor<4xf8E4M3FN>, tensor<4xf8E4M3FN>
}

// -----

// A scale for each block of two elements. The quotient is rounded to the scale's type before it is rounded to a whole number.
// CHECK: #[[BLOCK:.*]] = affine_map<(d0, d1) -> (d0, d1 floordiv 2)>
// CHECK-LABEL: func @quantize
// CHECK: linalg.generic {{.*}} ins(%arg0, %arg1, %arg2 : tensor<3x4xf16>, tensor<3x2xf16>, tensor<3x2xi8>)
// CHECK: arith.divf {{.*}} : f32
// CHECK: arith.truncf {{.*}} : f32 to f16
// CHECK: math.roundeven
// CHECK: arith.maxnumf
// CHECK: arith.minnumf
// CHECK: arith.trunci {{.*}} : i32 to i8
func.func @quantize(%x: tensor<3x4xf16>, %scale: tensor<3x2xf16>, %zero: tensor<3x2xi4>) -> tensor<3x4xi4> {
  %0 = "onnx.QuantizeLinear"(%x, %scale, %zero) {axis = 1 : i64, block_size = 2 : i64}
      : (tensor<3x4xf16>, tensor<3x2xf16>, tensor<3x2xi4>) -> tensor<3x4xi4>
  return %0 : tensor<3x4xi4>
}

// -----

// Scales may be powers of two.
// CHECK-LABEL: func @dequantize
// CHECK: ins(%arg0, %arg1 : tensor<4x32xi8>, tensor<4x1xi8>)
// CHECK: arith.mulf
// CHECK: arith.truncf {{.*}} : f32 to bf16
func.func @dequantize(%x: tensor<4x32xf4E2M1FN>, %scale: tensor<4x1xf8E8M0FNU>) -> tensor<4x32xbf16> {
  %0 = "onnx.DequantizeLinear"(%x, %scale) {axis = 1 : i64, block_size = 32 : i64, output_dtype = 16 : i64}
      : (tensor<4x32xf4E2M1FN>, tensor<4x1xf8E8M0FNU>) -> tensor<4x32xbf16>
  return %0 : tensor<4x32xbf16>
}

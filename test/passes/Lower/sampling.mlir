// RUN: lathe-opt %s --split-input-file --verify-diagnostics --lower-onnx-to-linalg | FileCheck %s

// CHECK-LABEL: func.func @grid_sample
// CHECK: math.floor
// CHECK-COUNT-4: tensor.extract %arg0
func.func @grid_sample(%x: tensor<1x2x4x4xf32>, %g: tensor<1x3x3x2xf32>) -> tensor<1x2x3x3xf32> {
  %0 = "onnx.GridSample"(%x, %g) : (tensor<1x2x4x4xf32>, tensor<1x3x3x2xf32>) -> tensor<1x2x3x3xf32>
  return %0 : tensor<1x2x3x3xf32>
}

// -----

// CHECK-LABEL: func.func @roi_align
// CHECK: scf.for
// CHECK: scf.for
// CHECK-COUNT-4: tensor.extract %arg0
func.func @roi_align(%x: tensor<1x2x8x8xf32>, %r: tensor<3x4xf32>, %b: tensor<3xi64>) -> tensor<3x2x2x2xf32> {
  %0 = "onnx.RoiAlign"(%x, %r, %b) <{output_height = 2 : i64, output_width = 2 : i64}> : (tensor<1x2x8x8xf32>, tensor<3x4xf32>, tensor<3xi64>) -> tensor<3x2x2x2xf32>
  return %0 : tensor<3x2x2x2xf32>
}

// -----

// CHECK-LABEL: func.func @quantize
// CHECK: math.roundeven
// CHECK: arith.maxnumf
// CHECK: arith.minnumf
// CHECK: arith.fptosi
func.func @quantize(%x: tensor<2x3xf32>, %s: tensor<3xf32>, %z: tensor<3xui8>) -> tensor<2x3xui8> {
  %0 = "onnx.QuantizeLinear"(%x, %s, %z) : (tensor<2x3xf32>, tensor<3xf32>, tensor<3xui8>) -> tensor<2x3xui8>
  return %0 : tensor<2x3xui8>
}

// -----

func.func @bad_mode(%x: tensor<1x2x4x4xf32>, %g: tensor<1x3x3x2xf32>) -> tensor<1x2x3x3xf32> {
  // expected-error @below {{expected padding_mode zeros, border or reflection, but got mirror}}
  %0 = "onnx.GridSample"(%x, %g) <{padding_mode = "mirror"}> : (tensor<1x2x4x4xf32>, tensor<1x3x3x2xf32>) -> tensor<1x2x3x3xf32>
  return %0 : tensor<1x2x3x3xf32>
}

// -----

// CHECK-LABEL: func.func @max_roi_pool
// CHECK: linalg.generic
// CHECK-COUNT-2: scf.for
// CHECK: tensor.extract %arg0
// CHECK: arith.maximumf
func.func @max_roi_pool(%x: tensor<2x3x8x8xf32>, %rois: tensor<4x5xf32>) -> tensor<4x3x2x2xf32> {
  %0 = "onnx.MaxRoiPool"(%x, %rois) {pooled_shape = array<i64: 2, 2>, spatial_scale = 0.5 : f32} : (tensor<2x3x8x8xf32>, tensor<4x5xf32>) -> tensor<4x3x2x2xf32>
  return %0 : tensor<4x3x2x2xf32>
}

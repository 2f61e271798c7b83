// RUN: lathe-opt %s -lower-onnx-to-linalg | FileCheck %s

// Constants of one value move into the body; other operands broadcast through their maps.
// CHECK-DAG: #[[ID:.*]] = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
// CHECK-DAG: #[[ROWS:.*]] = affine_map<(d0, d1, d2) -> (d1, 0)>
// CHECK-LABEL: func @broadcast
// CHECK: %[[SIZE:.*]] = tensor.dim %arg0
// CHECK: tensor.empty(%[[SIZE]]) : tensor<?x4x8xf32>
// CHECK: linalg.generic {indexing_maps = [#[[ID]], #[[ROWS]], #[[ID]]]
// CHECK: arith.addf
func.func @broadcast(%x: tensor<?x4x8xf32> {onnx.dims = ["batch", "", ""]}, %s: tensor<4x1xf32>) -> tensor<?x4x8xf32> {
  %0 = "onnx.Add"(%x, %s) : (tensor<?x4x8xf32>, tensor<4x1xf32>) -> tensor<?x4x8xf32>
  return %0 : tensor<?x4x8xf32>
}

// CHECK-LABEL: func @square
// CHECK-NOT: math.powf
// CHECK: arith.mulf %[[X:.*]], %[[X]]
func.func @square(%x: tensor<4xf32>) -> tensor<4xf32> {
  %c = onnx.Constant dense<2.0> : tensor<f32>
  %0 = "onnx.Pow"(%x, %c) : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// CHECK-LABEL: func @unsigned(%arg0: tensor<4xi8> {onnx.dtype = 2 : i32, onnx.name = "x", onnx.unsigned}
// CHECK-SAME: -> (tensor<4xi8> {onnx.dtype = 2 : i32, onnx.unsigned})
// CHECK: arith.divui {{.*}} : i8
func.func @unsigned(%x: tensor<4xui8> {onnx.name = "x"}, %y: tensor<4xui8>) -> tensor<4xui8> {
  %0 = "onnx.Div"(%x, %y) : (tensor<4xui8>, tensor<4xui8>) -> tensor<4xui8>
  return %0 : tensor<4xui8>
}

// CHECK-LABEL: func @half
// CHECK: arith.extf {{.*}} : f16 to f32
// CHECK: math.tanh {{.*}} : f32
// CHECK: arith.truncf {{.*}} : f32 to f16
func.func @half(%x: tensor<4xf16>) -> tensor<4xf16> {
  %0 = "onnx.Tanh"(%x) : (tensor<4xf16>) -> tensor<4xf16>
  return %0 : tensor<4xf16>
}

// CHECK-LABEL: func @fewer_bits
// CHECK: arith.fptosi {{.*}} : f32 to i32
// CHECK: arith.trunci {{.*}} : i32 to i8
func.func @fewer_bits(%x: tensor<4xf32>) -> tensor<4xui8> {
  %0 = "onnx.Cast"(%x) {to = 2 : i64} : (tensor<4xf32>) -> tensor<4xui8>
  return %0 : tensor<4xui8>
}

// CHECK-LABEL: func.func @bit_cast
// CHECK: arith.bitcast %{{.*}} : f32 to i32
// CHECK: arith.extui %{{.*}} : i1 to i8
func.func @bit_cast(%x: tensor<4xf32>, %b: tensor<4xi1>) -> (tensor<4xi32>, tensor<4xui8>) {
  %0 = "onnx.BitCast"(%x) {to = 6 : i64} : (tensor<4xf32>) -> tensor<4xi32>
  %1 = "onnx.BitCast"(%b) {to = 2 : i64} : (tensor<4xi1>) -> tensor<4xui8>
  return %0, %1 : tensor<4xi32>, tensor<4xui8>
}

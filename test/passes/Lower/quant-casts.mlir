// RUN: lathe-opt %s --lower-onnx-to-linalg --lower-quant | FileCheck %s

!u8 = !quant.uniform<u8:f32, 5.000000e-01:3>

// Sizes come from the model's arguments, not from the values that are cast.
// CHECK-LABEL: func @main
// CHECK-SAME: %[[X:.*]]: tensor<?x4xf32>
// CHECK-NOT: quant
// CHECK: arith.maximumf
// CHECK: %[[DIM:.*]] = tensor.dim %[[X]]
// CHECK: %[[INIT:.*]] = tensor.empty(%[[DIM]]) : tensor<?x4xi8>
// CHECK: %[[Q:.*]] = linalg.generic {{.*}} outs(%[[INIT]] : tensor<?x4xi8>)
// CHECK: arith.trunci
// CHECK-NOT: quant
// CHECK: linalg.generic {{.*}} ins(%[[Q]] : tensor<?x4xi8>) outs(%{{.*}} : tensor<?x4xf32>)
// CHECK: arith.extui
// CHECK-NOT: quant
func.func @main(%x: tensor<?x4xf32> {onnx.name = "x", onnx.dims = ["n", ""]}) -> tensor<?x4xf32> {
  %r = "onnx.Relu"(%x) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %q = quant.qcast %r : tensor<?x4xf32> to tensor<?x4x!u8>
  %d = quant.dcast %q : tensor<?x4x!u8> to tensor<?x4xf32>
  return %d : tensor<?x4xf32>
}

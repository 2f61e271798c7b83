// RUN: lathe-opt %s --lower-onnx-to-linalg --lower-quant | FileCheck %s

!u8 = !quant.uniform<u8:f32, 5.000000e-01:3>
!i8 = !quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>

// What is quantized is stored in 16 bits where it is computed; the upper bound is an integer, which narrowing saturates to.
// CHECK-LABEL: func @main
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<4x2xi16>)
// CHECK: ^bb0(%{{.*}}: f32, %{{.*}}: i16):
// CHECK: arith.select
// CHECK-NOT: arith.select
// CHECK: %[[BOUNDED:.*]] = arith.minsi
// CHECK: arith.trunci %[[BOUNDED]] overflow<nsw, nuw> : i32 to i16
// CHECK-NOT: arith.extui
// CHECK: nn.linear
#wasm = #nn.target<triple = "wasm32-unknown-unknown", cpu = "generic", features = "+simd128", vector_bits = 128,
  vector_registers = 16, dot_product = "dot_i16x8", l1_bytes = 32768, l2_bytes = 262144>
module attributes {nn.target = #wasm} {
  func.func @main(%x: tensor<4x2xf32> {onnx.name = "x", onnx.dims = ["", ""]}) -> tensor<4x2xf32> {
    %c = arith.constant dense<[[1, -2], [3, 100]]> : tensor<2x2xi8>
    %w = quant.scast %c : tensor<2x2xi8> to tensor<2x2x!i8>
    %e = "onnx.Exp"(%x) : (tensor<4x2xf32>) -> tensor<4x2xf32>
    %q = quant.qcast %e : tensor<4x2xf32> to tensor<4x2x!u8>
    %y = nn.linear %q, %w : (tensor<4x2x!u8>, tensor<2x2x!i8>) -> tensor<4x2xf32>
    return %y : tensor<4x2xf32>
  }
}

// RUN: lathe-opt %s -split-input-file -codegen-emit-kernels | FileCheck %s

#wasm = #nn.target<triple = "wasm32-unknown-unknown", cpu = "generic", features = "+simd128", vector_bits = 128,
  vector_registers = 16, dot_product = "dot_i16x8", l1_bytes = 32768, l2_bytes = 262144>

// Eight channels at once, in 16 bits; no vector has a mask.
// CHECK-LABEL: @input
// CHECK-COUNT-36: vector.load {{.*}} vector<8xi16>
//   CHECK-NOT: mask
//       CHECK: arith.muli {{.*}} : vector<8xi16>
// CHECK-COUNT-36: vector.store {{.*}} vector<8xi16>
module attributes {nn.target = #wasm} {
  func.func @input(%x: memref<1x6x6x16xi16>, %t: memref<1x36x2x1x8xi16>) {
    nn.winograd_input %x outs(%t) {m = 4 : i64} : (memref<1x6x6x16xi16>, memref<1x36x2x1x8xi16>) -> ()
    return
  }
}

// -----

#wasm = #nn.target<triple = "wasm32-unknown-unknown", cpu = "generic", features = "+simd128", vector_bits = 128,
  vector_registers = 16, dot_product = "dot_i16x8", l1_bytes = 32768, l2_bytes = 262144>

// Pairs of products are added to i32; what is transformed back is divided by 576: by 9 and by 2^6.
// CHECK-LABEL: @conv
//       CHECK: memref.alloca() {{.*}}: memref<36x1x8xi32>
//       CHECK: llvm.call_intrinsic "llvm.wasm.dot"
//       CHECK: %[[INVERSE:.*]] = arith.constant dense<954437177> : vector<4xi32>
//       CHECK: %[[SUM:.*]] = arith.muli %{{.*}}, %[[INVERSE]]
//       CHECK: %[[SIX:.*]] = arith.constant dense<6> : vector<4xi32>
//       CHECK: arith.shrsi %[[SUM]], %[[SIX]]
module attributes {nn.target = #wasm} {
  func.func @conv(%t: memref<1x36x2x1x8xi16>, %w: memref<1x36x8x8x2xi16>, %y: memref<1x4x4x8xi32>) {
    nn.winograd_conv %t, %w outs(%y) {m = 4 : i64}
      : (memref<1x36x2x1x8xi16>, memref<1x36x8x8x2xi16>, memref<1x4x4x8xi32>) -> ()
    return
  }
}

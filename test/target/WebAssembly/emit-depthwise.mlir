// RUN: lathe-opt %s -codegen-emit-kernels | FileCheck %s

// The channels of two lines of the window come side by side, as their weights lie in memory: one product for both, and one
// for the third line beside zeros. Four pixels see three columns each: 4 * 3 * 2 products.
// CHECK-LABEL: @depthwise
//       CHECK: vector.load %{{.*}} : memref<72xi8>, vector<8xi8>
//       CHECK: arith.extsi {{.*}} : vector<8xi8> to vector<8xi16>
//       CHECK: vector.shuffle {{.*}} [0, 4, 1, 5, 2, 6, 3, 7] : vector<4xi16>, vector<4xi16>
// CHECK-COUNT-24: llvm.call_intrinsic "llvm.wasm.dot"
//   CHECK-NOT: llvm.call_intrinsic "llvm.wasm.dot"
//       CHECK: return
module attributes {nn.target = #nn.target<triple = "wasm32-unknown-unknown", cpu = "generic", features = "+simd128",
    vector_bits = 128, vector_registers = 16, dot_product = "dot_i16x8", l1_bytes = 32768, l2_bytes = 262144>} {
  func.func @depthwise(%x: memref<1x6x6x8xi16>, %w: memref<3x3x1x8xi8>, %y: memref<1x4x4x8xi32>) {
    nn.conv %x, %w outs(%y) {group = 8 : i64} : (memref<1x6x6x8xi16>, memref<3x3x1x8xi8>, memref<1x4x4x8xi32>) -> ()
    return
  }
}

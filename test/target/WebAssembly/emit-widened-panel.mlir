// RUN: lathe-opt %s -codegen-emit-kernels -split-input-file | FileCheck %s

// Where many tiles meet a panel of bytes, these are widened once for all of them: 16 tiles of four rows.
// CHECK-LABEL: @many_rows
//       CHECK: %[[COPY:.*]] = memref.alloca() {{.*}}: memref<1x8x16xi16>
//       CHECK: scf.for
//       CHECK:   %[[BYTES:.*]] = vector.load %{{.*}} : memref<2x128xi8>, vector<8xi8>
//       CHECK:   %[[WIDE:.*]] = arith.extsi %[[BYTES]] : vector<8xi8> to vector<8xi16>
//       CHECK:   vector.store %[[WIDE]]
//       CHECK: scf.for
//   CHECK-NOT:   arith.extsi
//       CHECK:   vector.load %[[COPY]]{{.*}} : memref<1x8x16xi16>, vector<8xi16>
//   CHECK-NOT:   arith.extsi
//       CHECK:   llvm.call_intrinsic "llvm.wasm.dot"
#wasm = #nn.target<triple = "wasm32-unknown-unknown", cpu = "generic", features = "+simd128",
    vector_bits = 128, vector_registers = 16, dot_product = "dot_i16x8", l1_bytes = 32768, l2_bytes = 262144>
module attributes {nn.target = #wasm} {
  func.func @many_rows(%x: memref<64x16xi16>, %w: memref<2x8x8x2xi8>, %y: memref<64x16xi32>) {
    nn.linear %x, %w outs(%y) : (memref<64x16xi16>, memref<2x8x8x2xi8>, memref<64x16xi32>) -> ()
    return
  }
}

// -----

// The same for the window of a convolution.
// CHECK-LABEL: @window
//       CHECK: memref.alloca() {{.*}}: memref<1x3x24x16xi16>
//       CHECK: vector.load %{{.*}} : memref<1x3x24x16xi16>, vector<8xi16>
//       CHECK: llvm.call_intrinsic "llvm.wasm.dot"
#wasm = #nn.target<triple = "wasm32-unknown-unknown", cpu = "generic", features = "+simd128",
    vector_bits = 128, vector_registers = 16, dot_product = "dot_i16x8", l1_bytes = 32768, l2_bytes = 262144>
module attributes {nn.target = #wasm} {
  func.func @window(%x: memref<1x17x17x16xi16>, %w: memref<1x3x3x8x8x2xi8>, %y: memref<1x8x8x8xi32>) {
    nn.conv %x, %w outs(%y) {strides = array<i64: 2, 2>}
      : (memref<1x17x17x16xi16>, memref<1x3x3x8x8x2xi8>, memref<1x8x8x8xi32>) -> ()
    return
  }
}

// -----

// A few tiles widen what they read.
// CHECK-LABEL: @few_rows
//   CHECK-NOT: memref.alloca
//       CHECK: vector.load %{{.*}} : memref<2x8x16xi8>, vector<8xi8>
//       CHECK: arith.extsi
//       CHECK: llvm.call_intrinsic "llvm.wasm.dot"
#wasm = #nn.target<triple = "wasm32-unknown-unknown", cpu = "generic", features = "+simd128",
    vector_bits = 128, vector_registers = 16, dot_product = "dot_i16x8", l1_bytes = 32768, l2_bytes = 262144>
module attributes {nn.target = #wasm} {
  func.func @few_rows(%x: memref<8x16xi16>, %w: memref<2x8x8x2xi8>, %y: memref<8x16xi32>) {
    nn.linear %x, %w outs(%y) : (memref<8x16xi16>, memref<2x8x8x2xi8>, memref<8x16xi32>) -> ()
    return
  }
}

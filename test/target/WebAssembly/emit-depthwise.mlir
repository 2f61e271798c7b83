// RUN: lathe-opt %s -codegen-emit-kernels -split-input-file | FileCheck %s

// The channels of two lines of the window come side by side, as their weights lie in memory, and so do those of two columns
// of the third line: of a window of nine, five products, for each of four pixels.
// CHECK-LABEL: @depthwise
//       CHECK: vector.load %{{.*}} : memref<72xi8>, vector<8xi8>
//       CHECK: arith.extsi {{.*}} : vector<8xi8> to vector<8xi16>
//       CHECK: vector.shuffle {{.*}} [0, 4, 1, 5, 2, 6, 3, 7] : vector<4xi16>, vector<4xi16>
// CHECK-COUNT-20: llvm.call_intrinsic "llvm.wasm.dot"
//   CHECK-NOT: llvm.call_intrinsic "llvm.wasm.dot"
//       CHECK: return
module attributes {nn.target = #nn.target<triple = "wasm32-unknown-unknown", cpu = "generic", features = "+simd128",
    vector_bits = 128, vector_registers = 16, dot_product = "dot_i16x8", l1_bytes = 32768, l2_bytes = 262144>} {
  func.func @depthwise(%x: memref<1x6x6x8xi16>, %w: memref<3x3x1x8xi8>, %y: memref<1x4x4x8xi32>) {
    nn.conv %x, %w outs(%y) {group = 8 : i64} : (memref<1x6x6x8xi16>, memref<3x3x1x8xi8>, memref<1x4x4x8xi32>) -> ()
    return
  }
}

// -----

// Two pixels of 16 bits fill a register as they leave, with the same operands.
// CHECK-LABEL: @narrowed
//       CHECK: %[[START:.*]] = vector.load %{{.*}} : memref<8xi32>, vector<4xi32>
//       CHECK: llvm.call_intrinsic "llvm.wasm.dot"
//       CHECK: arith.addi %[[START]]
//       CHECK: arith.trunci {{.*}} : vector<8xi32> to vector<8xi16>
//       CHECK: vector.store {{.*}} vector<4xi16>
//       CHECK: vector.store {{.*}} vector<4xi16>
module attributes {nn.target = #nn.target<triple = "wasm32-unknown-unknown", cpu = "generic", features = "+simd128",
    vector_bits = 128, vector_registers = 16, dot_product = "dot_i16x8", l1_bytes = 32768, l2_bytes = 262144>} {
  func.func @narrowed(%x: memref<1x6x6x8xi16>, %w: memref<3x3x1x8xi8>, %b: memref<8xi32>, %y: memref<1x4x4x8xi16>) {
    nn.conv %x, %w extras(%b) outs(%y) {group = 8 : i64} epilogue {
    ^bb0(%sum: i32, %start: i32):
      %whole = arith.addi %sum, %start : i32
      %short = arith.trunci %whole overflow<nsw, nuw> : i32 to i16
      nn.yield %short : i16
    } : (memref<1x6x6x8xi16>, memref<3x3x1x8xi8>, memref<8xi32>, memref<1x4x4x8xi16>) -> ()
    return
  }
}

// RUN: lathe-opt %s -split-input-file -codegen-emit-kernels | FileCheck %s

// Bytes are widened in registers; their scales are in the epilogue.
// CHECK-LABEL: @bytes
//       CHECK: scf.for
//       CHECK: vector.load %arg1{{.*}} : memref<1x64x32xi8>, vector<16xi8>
//       CHECK: arith.extsi {{.*}} : vector<16xi8> to vector<16xi32>
//       CHECK: arith.sitofp {{.*}} : vector<16xi32> to vector<16xf32>
//       CHECK: vector.fma
//       CHECK: vector.load %arg2
//       CHECK: arith.mulf
func.func @bytes(%x: memref<1x64xf32>, %w: memref<1x64x32xi8>, %s: memref<32xf32>, %y: memref<1x32xf32>) {
  nn.linear %x, %w extras(%s) outs(%y) epilogue {
  ^bb0(%acc: f32, %scale: f32):
    %scaled = arith.mulf %acc, %scale : f32
    nn.yield %scaled : f32
  } : (memref<1x64xf32>, memref<1x64x32xi8>, memref<32xf32>, memref<1x32xf32>) -> ()
  return
}

// -----

// Both halves of a byte meet the input; a group has its scale, and the 8 that was added goes with it.
// CHECK-LABEL: @nibbles
//       CHECK: scf.for %{{.*}} = %{{.*}} to %c2
//       CHECK: vector.load %arg1{{.*}} : memref<1x32x32xi8>, vector<16xi8>
//       CHECK: arith.extui {{.*}} : vector<16xi8> to vector<16xi32>
//       CHECK: arith.andi
//       CHECK: arith.sitofp
//       CHECK: vector.load %arg2{{.*}} : memref<1x2x32xf32>, vector<16xf32>
//       CHECK: arith.shrui
//       CHECK: vector.store
func.func @nibbles(%x: memref<3x64xf32>, %w: memref<1x32x32xi8>, %s: memref<1x2x32xf32>, %y: memref<3x32xf32>) {
  nn.linear %x, %w scales(%s) outs(%y) {nibbles}
    : (memref<3x64xf32>, memref<1x32x32xi8>, memref<1x2x32xf32>, memref<3x32xf32>) -> ()
  return
}

// -----

// CHECK-LABEL: @offsets
//       CHECK: vector.load %arg2
//       CHECK: vector.load %arg3
//       CHECK: vector.fma
func.func @offsets(%x: memref<3x64xf32>, %w: memref<1x64x32xi8>, %s: memref<1x2x32xf32>, %o: memref<1x2x32xf32>,
                   %y: memref<3x32xf32>) {
  nn.linear %x, %w scales(%s) offsets(%o) outs(%y)
    : (memref<3x64xf32>, memref<1x64x32xi8>, memref<1x2x32xf32>, memref<1x2x32xf32>, memref<3x32xf32>) -> ()
  return
}

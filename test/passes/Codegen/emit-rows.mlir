// RUN: lathe-opt %s -split-input-file -codegen-emit-kernels | FileCheck %s

// CHECK-LABEL: @softmax
//       CHECK: scf.parallel
//       CHECK: vector.reduction <maximumf>
//       CHECK: math.fma {{.*}} : vector<16xf32>
//       CHECK: vector.reduction <add>
//       CHECK: vector.create_mask
//       CHECK: vector.maskedstore
func.func @softmax(%x: memref<4x?xf32>, %y: memref<4x?xf32>) {
  nn.softmax %x outs(%y) : (memref<4x?xf32>, memref<4x?xf32>) -> ()
  return
}

// -----

// CHECK-LABEL: @layer
//       CHECK: vector.reduction <add>
//       CHECK: vector.fma
//       CHECK: math.sqrt
//       CHECK: vector.load %arg1
//       CHECK: vector.store
func.func @layer(%x: memref<4x64xf32>, %s: memref<64xf32>, %y: memref<4x64xf32>) {
  nn.norm layer %x scale(%s) outs(%y) {epsilon = 1.0e-5 : f32} : (memref<4x64xf32>, memref<64xf32>, memref<4x64xf32>) -> ()
  return
}

// -----

// The window is cut at the borders, padding is never read.
// CHECK-LABEL: @pool
//       CHECK: arith.maxsi
//       CHECK: arith.minsi
//       CHECK: arith.maximumf {{.*}} : vector<16xf32>
func.func @pool(%x: memref<1x8x8x64xf32>, %y: memref<1x4x4x64xf32>) {
  nn.pool max %x outs(%y) {kernel = array<i64: 3, 3>, strides = array<i64: 2, 2>, pads = array<i64: 1, 1, 0, 0>}
    : (memref<1x8x8x64xf32>, memref<1x4x4x64xf32>) -> ()
  return
}

// -----

// The batch of the left operand broadcasts over that of the right one.
// CHECK-LABEL: @matmul
//       CHECK: memref.load %arg0[%c0
//       CHECK: vector.fma
func.func @matmul(%x: memref<1x5x7xf32>, %w: memref<3x7x9xf32>, %y: memref<3x5x9xf32>) {
  nn.matmul %x, %w outs(%y) : (memref<1x5x7xf32>, memref<3x7x9xf32>, memref<3x5x9xf32>) -> ()
  return
}

// -----

// Scores of the class, their softmax, and ranks decide which tokens are copied and which are added up.
// CHECK-LABEL: @token_prune
//       CHECK: scf.parallel
//       CHECK: vector.reduction <add>
//       CHECK: vector.reduction <maximumf>
//       CHECK: arith.cmpf ogt, {{.*}} : vector<16xf32>
//       CHECK: vector.reduction <add>, {{.*}} : vector<16xi32> into i32
//       CHECK: scf.if
//       CHECK: else
//       CHECK: vector.fma
func.func @token_prune(%x: memref<1x9x16xf32>, %k: memref<1x9x2x8xf32>, %y: memref<1x5x16xf32>) {
  nn.token_prune %x query(%k) key(%k) outs(%y) {kept = 3 : i64, scale = 0.5 : f32}
    : (memref<1x9x16xf32>, memref<1x9x2x8xf32>, memref<1x9x2x8xf32>, memref<1x5x16xf32>) -> ()
  return
}

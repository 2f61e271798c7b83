// RUN: lathe-opt %s -split-input-file -codegen-emit-kernels | FileCheck %s

// B^T d B of F(2x2): 16 pixels in, 16 elements out, each to its position; 4 tiles, 2 chunks of channels.
// CHECK-LABEL: @input
//       CHECK: scf.parallel
// CHECK-COUNT-16: vector.load
//   CHECK-NOT: vector.load
// CHECK-COUNT-32: arith.{{addf|subf}}
// CHECK-COUNT-16: vector.store
//   CHECK-NOT: vector.store
//       CHECK: return
func.func @input(%x: memref<1x6x6x32xf32>, %t: memref<1x16x2x4x16xf32>) {
  nn.winograd_input %x outs(%t) {m = 2 : i64} : (memref<1x6x6x32xf32>, memref<1x16x2x4x16xf32>) -> ()
  return
}

// -----

// 24 channels: the second vector is masked.
// CHECK-LABEL: @masked
//       CHECK: vector.maskedload
func.func @masked(%x: memref<1x6x6x24xf32>, %t: memref<1x16x2x4x16xf32>) {
  nn.winograd_input %x outs(%t) {m = 2 : i64} : (memref<1x6x6x24xf32>, memref<1x16x2x4x16xf32>) -> ()
  return
}

// -----

// A tile of 4 x 32 sums for each position goes to the scratch buffer, from there 16 of a tile to 4 pixels.
// CHECK-LABEL: @conv
//       CHECK: scf.parallel
//       CHECK: %[[SUMS:.*]] = memref.alloca() {{.*}}: memref<16x4x32xf32>
// CHECK-COUNT-8: vector.fma
//   CHECK-NOT: vector.fma
// CHECK-COUNT-8: vector.store {{.*}}, %[[SUMS]]
//       CHECK: scf.for
// CHECK-COUNT-16: vector.load %[[SUMS]]
// CHECK-COUNT-4: vector.store {{.*}}, %arg2
//   CHECK-NOT: scf.if
func.func @conv(%t: memref<1x16x2x4x16xf32>, %w: memref<1x16x2x16x32xf32>, %y: memref<1x4x4x32xf32>) {
  nn.winograd_conv %t, %w outs(%y) {m = 2 : i64}
    : (memref<1x16x2x4x16xf32>, memref<1x16x2x16x32xf32>, memref<1x4x4x32xf32>) -> ()
  return
}

// -----

// Of an image, each task transforms a block of tiles, of both chunks of channels, before it multiplies them by all panels.
// CHECK-LABEL: @conv_image
//       CHECK: scf.parallel
//   CHECK-DAG: %[[TILES:.*]] = memref.alloca() {{.*}}: memref<1x16x2x12x16xf32>
//   CHECK-DAG: %[[SUMS:.*]] = memref.alloca() {{.*}}: memref<16x12x32xf32>
//       CHECK: scf.for
// CHECK-COUNT-16: vector.maskedload %arg0
// CHECK-COUNT-16: vector.store {{.*}}, %[[TILES]]
//       CHECK: scf.for
// CHECK-COUNT-24: vector.fma
//       CHECK: vector.store {{.*}}, %[[SUMS]]
//       CHECK: vector.store {{.*}}, %arg2
func.func @conv_image(%x: memref<1x14x14x24xf32>, %w: memref<2x16x2x16x32xf32>, %y: memref<1x12x12x64xf32>) {
  nn.winograd_conv %x, %w outs(%y) {m = 2 : i64}
    : (memref<1x14x14x24xf32>, memref<2x16x2x16x32xf32>, memref<1x12x12x64xf32>) -> ()
  return
}

// -----

// Of the tiles at the edge of 3x3 pixels only those inside are stored.
// CHECK-LABEL: @edge
//       CHECK: vector.store {{.*}}, %arg2
//       CHECK: arith.cmpi slt
//       CHECK: scf.if
//       CHECK: vector.store {{.*}}, %arg2
func.func @edge(%t: memref<1x16x2x4x16xf32>, %w: memref<1x16x2x16x32xf32>, %y: memref<1x3x3x32xf32>) {
  nn.winograd_conv %t, %w outs(%y) {m = 2 : i64}
    : (memref<1x16x2x4x16xf32>, memref<1x16x2x16x32xf32>, memref<1x3x3x32xf32>) -> ()
  return
}

// -----

// A dynamic number of blocks, of 4 tiles each: three of them are a register tile where there are so many, then two, then one.
// CHECK-LABEL: @batch
//       CHECK: %[[BLOCKS:.*]] = memref.dim %arg0, %c0
//       CHECK: scf.parallel
//       CHECK: scf.for {{.*}} step %c3
// CHECK-COUNT-24: vector.fma
//   CHECK-NOT: vector.fma
//       CHECK: scf.for {{.*}} step %c2
// CHECK-COUNT-16: vector.fma
//   CHECK-NOT: vector.fma
//       CHECK: scf.for {{.*}} step %c1
// CHECK-COUNT-8: vector.fma
//   CHECK-NOT: vector.fma
//       CHECK: return
func.func @batch(%t: memref<?x16x2x4x16xf32>, %w: memref<1x16x2x16x32xf32>, %y: memref<?x4x4x32xf32>) {
  nn.winograd_conv %t, %w outs(%y) {m = 2 : i64}
    : (memref<?x16x2x4x16xf32>, memref<1x16x2x16x32xf32>, memref<?x4x4x32xf32>) -> ()
  return
}

// -----

// A dynamic height: the tiles that fit the padded image; a pixel below the first line of a tile may be outside.
// CHECK-LABEL: @height
//       CHECK: memref.dim %arg0, %c1
//       CHECK: arith.subi
//       CHECK: arith.divui {{.*}}, %c2
//       CHECK: vector.store {{.*}}, %arg2
//       CHECK: arith.cmpi slt
//       CHECK: scf.if
//       CHECK: vector.store {{.*}}, %arg2
func.func @height(%x: memref<1x?x6x32xf32>, %w: memref<1x16x2x16x32xf32>, %y: memref<1x?x4x32xf32>) {
  nn.winograd_conv %x, %w outs(%y) {m = 2 : i64}
    : (memref<1x?x6x32xf32>, memref<1x16x2x16x32xf32>, memref<1x?x4x32xf32>) -> ()
  return
}

// -----

// Two groups of 32 channels: a task transforms those of one, two chunks, and multiplies them by its two panels.
// CHECK-LABEL: @groups
//       CHECK: scf.parallel
//       CHECK: %[[TILES:.*]] = memref.alloca() {{.*}}: memref<1x16x2x4x16xf32>
//       CHECK: %[[FIRST:.*]] = arith.muli %{{.*}}, %c32{{.*}} : index
//       CHECK: %[[CHANNEL:.*]] = arith.addi %[[FIRST]], %{{.*}} : index
//       CHECK: vector.load %arg0[{{.*}}, %[[CHANNEL]]]
//       CHECK: vector.store {{.*}}, %[[TILES]]
//       CHECK: memref.load %[[TILES]]
func.func @groups(%x: memref<1x6x6x64xf32>, %w: memref<4x16x2x16x16xf32>, %y: memref<1x4x4x64xf32>) {
  nn.winograd_conv %x, %w outs(%y) {m = 2 : i64, group = 2 : i64}
    : (memref<1x6x6x64xf32>, memref<4x16x2x16x16xf32>, memref<1x4x4x64xf32>) -> ()
  return
}

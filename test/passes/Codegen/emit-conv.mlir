// RUN: lathe-opt %s -split-input-file -codegen-emit-kernels | FileCheck %s

// The taps of a kernel row and their channels are one reduction of 3 * 8 steps, inside that over kernel rows.
// CHECK-LABEL: @window
//       CHECK: memref.collapse_shape %arg0 {{\[}}[0], [1], [2, 3]] : memref<1x16x16x8xf32> into memref<1x16x128xf32>
//       CHECK: scf.parallel
//       CHECK: scf.for {{.*}} to %c3{{.*}}iter_args
//       CHECK: scf.for {{.*}} to %c24{{.*}}iter_args
// CHECK-COUNT-28: vector.fma
//   CHECK-NOT: vector.fma
func.func @window(%x: memref<1x16x16x8xf32>, %w: memref<1x3x3x8x32xf32>, %y: memref<1x14x14x32xf32>) {
  nn.conv %x, %w outs(%y) : (memref<1x16x16x8xf32>, memref<1x3x3x8x32xf32>, memref<1x14x14x32xf32>) -> ()
  return
}

// -----

// A 1x1 convolution is a matrix product over all pixels.
// CHECK-LABEL: @pointwise
//       CHECK: memref.collapse_shape %arg0 {{.*}} into memref<49x8xf32>
//       CHECK: scf.for {{.*}} to %c8{{.*}}iter_args
// CHECK-COUNT-26: vector.fma
func.func @pointwise(%x: memref<1x7x7x8xf32>, %w: memref<1x1x1x8x32xf32>, %y: memref<1x7x7x32xf32>) {
  nn.conv %x, %w outs(%y) : (memref<1x7x7x8xf32>, memref<1x1x1x8x32xf32>, memref<1x7x7x32xf32>) -> ()
  return
}

// -----

// 7 pixels at once: 9 taps of the weight, 27 pixels of the input, 63 multiply-adds.
// CHECK-LABEL: @depthwise
// CHECK-COUNT-36: vector.load
//   CHECK-NOT: vector.load
//       CHECK: return
func.func @depthwise(%x: memref<1x9x9x32xf32>, %w: memref<3x3x1x32xf32>, %y: memref<1x7x7x32xf32>) {
  nn.conv %x, %w outs(%y) {group = 32 : i64} : (memref<1x9x9x32xf32>, memref<3x3x1x32xf32>, memref<1x7x7x32xf32>) -> ()
  return
}

// -----

// Its padding is no memory: a line of 5 pixels sees 13 of 15 taps in the image, and the lines of taps are those inside. It asks
// for a line of taps of the next channels.
// CHECK-LABEL: @padded_depthwise
//       CHECK: %[[NEXT:.*]] = arith.addi %{{.*}}, %c16
// CHECK-COUNT-3: memref.prefetch %arg1[%{{.*}}, %{{.*}}, %{{.*}}, %[[NEXT]]]
//   CHECK-NOT: memref.prefetch
//       CHECK: arith.maxsi
//       CHECK: scf.for {{.*}} iter_args
// CHECK-COUNT-13: vector.fma
//   CHECK-NOT: vector.fma
func.func @padded_depthwise(%x: memref<1x5x5x32xf32>, %w: memref<3x3x1x32xf32>, %y: memref<1x5x5x32xf32>) {
  nn.conv %x, %w outs(%y) {group = 32 : i64, pads = array<i64: 1, 1, 1, 1>} : (memref<1x5x5x32xf32>, memref<3x3x1x32xf32>, memref<1x5x5x32xf32>) -> ()
  return
}

// -----

// Four groups of 4 channels are in a vector. For each channel of a group, in each of the kernel's lines, 3 vectors of the weight,
// and 9 pixels of the input, which a shuffle brings to the lanes of their groups, meet in 21 multiply-adds.
// CHECK-LABEL: @grouped
//       CHECK: scf.for {{.*}} = %c0{{.*}} to %c3{{.*}} iter_args
// CHECK-COUNT-3: vector.load %arg1
//       CHECK: vector.load %arg0
//       CHECK: vector.shuffle {{.*}} [0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12]
//       CHECK: vector.fma
//       CHECK: vector.shuffle {{.*}} [3, 3, 3, 3, 7, 7, 7, 7, 11, 11, 11, 11, 15, 15, 15, 15]
//       CHECK: scf.yield
func.func @grouped(%x: memref<1x9x9x32xf32>, %w: memref<3x3x4x32xf32>, %y: memref<1x7x7x32xf32>) {
  nn.conv %x, %w outs(%y) {group = 8 : i64} : (memref<1x9x9x32xf32>, memref<3x3x4x32xf32>, memref<1x7x7x32xf32>) -> ()
  return
}

// -----

// Lines of 7 pixels: a tile has two of them, the last one has one.
// CHECK-LABEL: @short_lines
// CHECK-COUNT-28: vector.fma
//       CHECK: vector.store
// CHECK-COUNT-14: vector.fma
//   CHECK-NOT: vector.fma
func.func @short_lines(%x: memref<1x9x9x8xf32>, %w: memref<1x3x3x8x32xf32>, %y: memref<1x7x7x32xf32>) {
  nn.conv %x, %w outs(%y) : (memref<1x9x9x8xf32>, memref<1x3x3x8x32xf32>, memref<1x7x7x32xf32>) -> ()
  return
}

// -----

// Panels of 3 * 3 * 512 x 32 leave no room in the second cache for the next ones: kernel rows are read one after the other, and
// sums wait in the result. The next panel is asked for from the same row.
// CHECK-LABEL: @large_panels
//       CHECK: scf.parallel
//   CHECK-NOT: vector.load %arg2
//       CHECK: scf.for {{.*}} to %c1536{{.*}}iter_args
//       CHECK: arith.constant 147456
//       CHECK: memref.prefetch
//       CHECK: vector.store {{.*}} %arg2
//       CHECK: scf.parallel
//       CHECK: vector.load %arg2
//       CHECK: scf.for {{.*}} to %c1536{{.*}}iter_args
//   CHECK-NOT: arith.maximumf
//       CHECK: scf.parallel
//       CHECK: vector.load %arg2
//       CHECK: scf.for {{.*}} to %c1536{{.*}}iter_args
//       CHECK: arith.maximumf
func.func @large_panels(%x: memref<1x15x15x512xf32>, %w: memref<16x3x3x512x32xf32>, %y: memref<1x7x7x512xf32>) {
  nn.conv %x, %w outs(%y) {strides = array<i64: 2, 2>} epilogue {
  ^bb0(%acc: f32):
    %zero = arith.constant 0.0 : f32
    %relu = arith.maximumf %acc, %zero : f32
    nn.yield %relu : f32
  } : (memref<1x15x15x512xf32>, memref<16x3x3x512x32xf32>, memref<1x7x7x512xf32>) -> ()
  return
}

// -----

// A weight that does not stay in the second cache is asked for ahead: the four tiles that meet a panel of 2304 x 32 share
// the next one, a quarter of a step's 32 elements each.
// CHECK-LABEL: @large_weight
//       CHECK: memref.prefetch
//   CHECK-NOT: memref.prefetch
//       CHECK: vector.fma
func.func @large_weight(%x: memref<1x9x9x256xf32>, %w: memref<16x3x3x256x32xf32>, %y: memref<1x7x7x512xf32>) {
  nn.conv %x, %w outs(%y) : (memref<1x9x9x256xf32>, memref<16x3x3x256x32xf32>, memref<1x7x7x512xf32>) -> ()
  return
}

// -----

// Lines of padding are no memory: the lines of the kernel are those that meet the image. Three lines of the image leave the second cache,
// so a tile goes down before it goes along: 14 pixels of a line are next to those of the line below.
// CHECK-LABEL: @padded_lines
//   CHECK-DAG: %[[BLOCKS:.*]] = arith.constant 224 : index
//       CHECK: scf.parallel
//       CHECK: %[[MISSING:.*]] = arith.subi %c1
//       CHECK: arith.maxsi %[[MISSING]], %c0
//       CHECK: arith.minsi
//       CHECK: scf.for {{.*}}iter_args
//       CHECK: scf.for {{.*}} to %c192{{.*}}iter_args
// CHECK-COUNT-28: vector.fma
func.func @padded_lines(%x: memref<1x8x3136x192xf32>, %w: memref<6x3x1x192x32xf32>, %y: memref<1x8x3136x192xf32>) {
  nn.conv %x, %w outs(%y) {pads = array<i64: 1, 0, 1, 0>} : (memref<1x8x3136x192xf32>, memref<6x3x1x192x32xf32>, memref<1x8x3136x192xf32>) -> ()
  return
}
